"""A finished text against its template: always found where it was made from it, never where a letter was changed."""

import itertools
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaigns.text import dlt
from campaigns.text.matching import difference, values_in
from campaigns.text.render import parse, render

# Fixed text and values from different letters, so that a value cannot be taken for fixed text.
fixed = st.text(st.sampled_from("abcd .,-"), min_size=1, max_size=12)
value = st.text(st.sampled_from("WXYZ019मी😀"), min_size=1, max_size=40)


@st.composite
def texts(draw):
    """A template, its values and the text."""
    count = draw(st.integers(0, 5))
    body = draw(fixed) + "".join("{#var#}" + draw(fixed) for _ in range(count))
    template, values = parse(body), [draw(value) for _ in range(count)]
    return template, values, render(template, values)


@given(texts())
def test_a_text_made_from_a_template_matches_it_and_gives_its_values_back(made):
    template, values, text = made
    assert dlt.matches(template, text)
    assert values_in(template, text, 40) == values


@given(texts(), st.data())
def test_one_changed_letter_outside_a_variable_never_matches(made, data):
    template, values, _ = made
    which = data.draw(st.integers(0, len(template.parts) - 1))
    part = template.parts[which]
    at, letter = data.draw(st.integers(0, len(part) - 1)), data.draw(st.sampled_from("abcdW Z.,-!"))
    assume(part[at] != letter)
    changed = part[:at] + letter + part[at + 1 :]
    parts = [*template.parts[:which], changed, *template.parts[which + 1 :]]
    text = "".join(itertools.chain.from_iterable(itertools.zip_longest(parts, values, fillvalue="")))
    # What stands beside a variable may pass for the end of its value; and another part may hold the missing one.
    assume(not values or 0 < at < len(part) - 1)
    assume(part not in text)
    assert not dlt.matches(template, text)
    assert len(difference(template, text)) > 20


@given(st.lists(st.sampled_from(["a", "ab", " ", "{#var#}", "ba"]), min_size=1, max_size=8), st.text("ab ", max_size=25))
def test_it_agrees_with_the_definition(pieces, text):
    """Against every way to cut the text, for small ones."""
    template = parse("".join(pieces))

    def cut(i, at):
        part = template.parts[i]
        if i == len(template.parts) - 1:
            return text[at:] == part
        if not text.startswith(part, at):
            return False
        return any(cut(i + 1, end) for end in range(at + len(part), len(text) + 1))

    assert dlt.matches(template, text) == cut(0, 0)
    found = values_in(template, text, 40)
    assert found is None or render(template, found) == text


@pytest.mark.parametrize(
    ("body", "text", "values"),
    [
        ("Dear {#var#}, pay Rs {#var#}.", "Dear Asha, Pune, pay Rs 10.", ["Asha, Pune", "10"]),
        ("{#var#} {#var#} {#var#}", "a b c d", ["a", "b", "c d"]),
        ("{#var#} and {#var#}", f"x and {'y' * 38} and z", ["x", f"{'y' * 38} and z"]),
        ("{#var#} and {#var#}", f"x and {'y' * 36} and {'z' * 36}", ["x", f"{'y' * 36} and {'z' * 36}"]),
        ("{#var#}{#var#}", "ab", ["a", "b"]),
        ("Hello", "Hello", []),
        ("{#var#}", "x" * 50, ["x" * 50]),
        ("A {#var#} B", "A  B", [""]),
        ("A {#var#} B", "A x\ny B", ["x\ny"]),
        ("A {#var#} B", "A x B x B", ["x B x"]),
        ("A{#var#}A", "A", None),
        ("A {#var#} B", "a x B", None),
        ("", "", []),
    ],
)
def test_values_are_cut_out_as_one_would(body, text, values):
    assert values_in(parse(body), text, 40) == values


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello Asha, pay Rs 10 now.", "At character 1 the text has “Hello Asha"),
        ("Dear Asha pay Rs 10 now.", "The template has “, pay Rs ” after character 5"),
        ("Dear Asha, pay Rs 10 now", "The template has “ now.” at its end"),
        ("dear asha, pay rs 10 now.", "differ in spaces, signs or capitals alone"),
        ("Dear  Asha, pay  Rs 10 now.", "differ in spaces, signs or capitals alone"),
        ("De", "At character 3 the text has “”, the template “ar ”"),
    ],
)
def test_where_a_text_parts_from_the_template_is_said(text, words):
    assert words in difference(parse("Dear {#var#}, pay Rs {#var#} now."), text)


def test_what_follows_a_template_without_variables_is_said():
    assert difference(parse("Hello"), "Hello there") == "The text goes on with “ there” where the template ends."


def test_a_hostile_text_takes_no_time():
    template = parse(" {#var#}" * 30 + "!")
    started = time.perf_counter()
    assert not dlt.matches(template, " " * 2_000)
    assert not dlt.matches(template, " a" * 1_000)
    assert time.perf_counter() - started < 5
