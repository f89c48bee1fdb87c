"""Templates: variables exactly as DLT registers them, and texts that always match the template they came from."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.text import dlt
from campaigns.text.render import TemplateError, clean, parse, render

BODY = "Dear {#var#}, your payment of Rs {#numeric#} is due. -ACME"


def test_variables_and_their_kinds_are_found():
    assert parse(BODY).kinds == ("var", "numeric")
    assert parse("{#number#} {#url#} {#email#}").kinds == ("numeric", "url", "email")


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        ("Dear {#var}, x", "{#var}"), ("Dear {var#}, x", "{var#}"), ("Dear {var}", "{var}"), ("Dear {{name}}", "{{name}}"),
        ("Dear {#VAR#}", "{#VAR#}"), ("Dear {# var #}", "{# var #}"), ("Dear {#thing#}", "{#thing#}"), ("Dear {#var", "{#"),
        ("Dear {{", "{{"), ("Dear }} x", "}}"), ("Dear {{#var#}}, x", "{{#var#}}"), ("Dear {#var#}}", "{#var#}}"), ("Dear {{#var#}", "{{#var#}"), ("Dear [#var#]", "[#var#]"),
        ("Dear [ #name# ]", "[ #name# ]"), ("Dear <#var#>", "<#var#>"), ("Dear (#var#)", "(#var#)"), ("Dear ｛#var#｝", "｛#var#｝"),
        ("Dear ｛var｝", "｛var｝"), ("Dear ﹛#var#﹜", "﹛#var#﹜"), ("Dear ｛#var", "｛#"), ("Dear {＃var＃}", "{＃var＃}"),
    ],
)  # fmt: skip
def test_a_malformed_variable_is_named_with_its_place(body, fragment):
    with pytest.raises(TemplateError, match="character 6") as error:
        parse(body)
    assert fragment in str(error.value)


@pytest.mark.parametrize(
    "body", ["Save { today", "} today", "Seat [5], row (#7) <b>", "Ref #12# (#2)", "[#1] or [2#]", "{#var#} { {#var#}"]
)
def test_brackets_that_are_no_variable_stay_text(body):
    assert parse(body).kinds == ("var",) * body.count("{#var#}")


@pytest.mark.parametrize("piece", ["{", "{ ", "[#", "[ ", "(#a", "{#a", "｛", "}", "<#a#  "])
def test_a_long_body_of_brackets_is_answered_at_once(piece):
    began = time.monotonic()
    with contextlib.suppress(TemplateError):
        parse(piece * 50_000)
    assert time.monotonic() - began < 2


def test_values_are_put_in_as_they_are():
    assert render(parse(BODY), ["{#var#}%s\\1", "7"]) == "Dear {#var#}%s\\1, your payment of Rs 7 is due. -ACME"


@pytest.mark.parametrize("values", [[], ["a"], ["a", "b", "c"]])
def test_the_number_of_values_must_fit(values):
    with pytest.raises(ValueError, match="2 variables"):
        render(parse(BODY), values)


@pytest.mark.parametrize(("value", "cleaned"), [("  a b ", "a b"), ("a\nb", "a b"), ("a\r\n\tb", "a b"), ("मीरा", "मीरा"),
    ("\u202eahsA", "ahsA"), ("\u200eAsha\u200f", "Asha"), ("A\u00adsha\u2060", "Asha"), ("\u200d", ""), ("\u2060", ""),
    ("क्\u200dष", "क्\u200dष"), ("سلام\u200f!", "سلام\u200f!"),
])  # fmt: skip
def test_cells_are_cleaned(value, cleaned):
    assert clean(value) == cleaned


@pytest.mark.parametrize("value", ["a\x00b", "a\ud800b"])
def test_what_no_sms_can_carry_is_refused(value):
    with pytest.raises(ValueError):
        clean(value)


@given(st.lists(st.text(max_size=30), min_size=2, max_size=2))
def test_a_rendered_text_always_matches_its_template(values):
    template = parse(BODY)
    assert dlt.matches(template, render(template, values))


@given(st.integers(0, 9), st.sampled_from("xyz#"))
def test_one_changed_letter_outside_a_variable_never_matches(at, letter):
    template = parse("0123456789{#var#}")
    text = render(template, ["v"])
    assert not dlt.matches(template, text[:at] + letter + text[at + 1 :])
