"""SMS units as networks count them, against a slow oracle written from the specification."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.text.segments import BASIC, EXTENSION, measure, to_gsm, units

CASES = [
    ("", 1, "GSM-7"), ("a" * 160, 1, "GSM-7"), ("a" * 161, 2, "GSM-7"), ("a" * 306, 2, "GSM-7"), ("a" * 307, 3, "GSM-7"),
    ("€" * 80, 1, "GSM-7"), ("€" * 81, 2, "GSM-7"), ("a" * 152 + "€" + "a" * 10, 2, "GSM-7"),
    ("€" * 76 + "a" + "€" * 76 + "a" * 1, 2, "GSM-7"), ("\f" * 80, 1, "GSM-7"),
    ("ह" * 70, 1, "Unicode"), ("ह" * 71, 2, "Unicode"), ("ह" * 134, 2, "Unicode"), ("ह" * 135, 3, "Unicode"),
    ("😀" * 35, 1, "Unicode"), ("😀" * 36, 2, "Unicode"), ("ह" * 66 + "😀" + "ह" * 10, 2, "Unicode"),
    ("a" * 66 + "😀" * 34, 3, "Unicode"), ("`", 1, "Unicode"), ("ç", 1, "Unicode"), ("’", 1, "Unicode"), ("\u00a0", 1, "Unicode"),
    ("₹ 100", 1, "Unicode"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "encoding"), CASES, ids=range(len(CASES)))
def test_boundaries(text, expected, encoding):
    size = measure(text)
    assert (size.units, size.encoding) == (expected, encoding)


def oracle(text):
    gsm = all(char in BASIC + EXTENSION for char in text)
    weights = [(2 if char in EXTENSION else 1) if gsm else (2 if ord(char) > 0xFFFF else 1) for char in text]
    one, part = (160, 153) if gsm else (70, 67)
    if sum(weights) <= one:
        return 1
    parts, used = 1, 0
    for weight in weights:
        if used + weight > part:
            parts, used = parts + 1, 0
        used += weight
    return parts


@given(st.text(st.sampled_from("ab€{हे😀 \n’"), max_size=400))
def test_any_mixture_agrees_with_the_specification(text):
    assert units(text) == oracle(text)


def test_the_culprit_is_the_first_character_that_forces_unicode():
    assert measure("Pay ₹100 – now").culprit == "₹"
    assert measure("Pay Rs 100").culprit == ""


def test_word_processor_characters_have_plain_replacements():
    assert measure(to_gsm("“It’s due” – today…")).encoding == "GSM-7"
