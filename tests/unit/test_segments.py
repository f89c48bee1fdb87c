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


def split(text):
    """The parts as a phone would send them, by the specification alone: bytes of septets, or of UTF-16."""
    gsm = all(char in BASIC + EXTENSION for char in text)
    pieces = [("\x1b" + char if char in EXTENSION else char) if gsm else char.encode("utf-16-be") for char in text]
    sizes = [len(piece) if gsm else len(piece) // 2 for piece in pieces]
    if sum(sizes) <= (160 if gsm else 70):
        return [text]
    parts, room = [[]], 153 if gsm else 67
    for char, size in zip(text, sizes, strict=True):
        if size > room:
            parts, room = [*parts, []], 153 if gsm else 67
        parts[-1].append(char)
        room -= size
    return ["".join(part) for part in parts]


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
long_text = st.builds(
    lambda some, times: (some * times)[:1500],
    st.text(st.sampled_from("aA1€[^~मी😀🇮🇳’₹\n "), min_size=1),
    st.integers(1, 400),
)


@given(st.one_of(any_text, long_text))
def test_units_are_the_parts_that_a_phone_sends(text):
    parts = split(text)
    assert units(text) == len(parts)
    assert "".join(parts) == text


@given(st.integers(0, 2000), st.sampled_from(["a", "€", "म", "😀"]))
def test_one_kind_of_character_fills_its_parts(n, char):
    one, part = {"a": (160, 153), "€": (80, 76), "म": (70, 67), "😀": (35, 33)}[char]
    assert units(char * n) == (1 if n <= one else -(-n // part))


@given(st.integers(0, 320), st.sampled_from("€^{}[]~|\\"), st.integers(0, 200))
def test_an_extension_pair_is_never_cut(before, char, behind):
    parts = split("a" * before + char + "b" * behind)
    assert units("a" * before + char + "b" * behind) == len(parts)
    assert all(
        len(part) + sum(part.count(sign) for sign in EXTENSION) <= (160 if len(parts) == 1 else 153) for part in parts
    )


def test_the_culprit_is_the_first_character_that_forces_unicode():
    assert measure("Pay ₹100 – now").culprit == "₹"
    assert measure("Pay Rs 100").culprit == ""


def test_word_processor_characters_have_plain_replacements():
    assert measure(to_gsm("“It’s due” – today…")).encoding == "GSM-7"
