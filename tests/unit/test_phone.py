"""One canonical number for every spelling of it, and a sentence for everything that is none."""

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from campaigns.text.phone import LANDLINE, canonical, display, e164, explain, last10, mask

NUMBER = 919876543210
SPELLINGS = [
    "9876543210", "+919876543210", "919876543210", "09876543210", "00919876543210", "+91 98765 43210", "98765-43210",
    "(0)98765 43210", "+91-98765-43210", "98765.43210", " 9876543210 ", "'9876543210", "9876543210.0", "919876543210.00",
    "９８７６５４３２１０", "९८७६५४३२१०", "+91\u00a098765\u00a043210", "\u200e9876543210", "\ufeff9876543210", "91 9876543210",
    "0919876543210", "091-9876543210", "091 98765 43210", "0091 98765-43210", "(091) 9876543210", "0919876543210.0",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_every_usual_spelling_is_the_same_number(text):
    assert canonical(text) == NUMBER


UNUSABLE = [
    ("", "empty"),
    ("   ", "empty"),
    ("98765", "5 digits"),
    ("not given", "letters"),
    ("9.87654E+09", "spreadsheet"),
    ("9.8E9", "spreadsheet"),
    ("9876543210 / 9876543211", "two numbers"),
    ("022 2345 6789", "landline"),
    ("1234567890", "landline"),
    ("080 4768 8218", "landline"),
    ("08047688218", "landline"),
    ("+91 80 4768 8218", "landline"),
    ("+14155552671", "number of the United States (+1); this account sends only to India."),
    ("98765432101234", "14 digits"),
    ("9876543210x5", "letters"),
    ("98765432O0", "letters"),
    ("-", "no digits"),
]


@pytest.mark.parametrize(("text", "why"), UNUSABLE)
def test_what_is_no_mobile_number_is_refused_with_the_reason(text, why):
    assert canonical(text) == 0
    assert why in explain(text)


@given(
    st.integers(6 * 10**9, 10**10 - 1),
    st.sampled_from(["{}", "+91{}", "91{}", "0{}", "+91 {}", "'{}", "{}.0", "091-{}", "0091 {}"]),
)
def test_any_indian_number_but_a_landline_comes_back_from_any_spelling(ten, spelling):
    kind = phonenumbers.number_type(phonenumbers.parse(str(ten), "IN"))
    landline = kind == phonenumbers.PhoneNumberType.FIXED_LINE
    assert canonical(spelling.format(ten)) == (0 if landline else 910000000000 + ten)


@given(st.text(max_size=40))
def test_no_text_breaks_it(text):
    number = canonical(text)
    assert number == 0 or canonical(str(number)) == number
    assert explain(text)


@pytest.mark.parametrize(
    ("text", "ten"),
    [("09876543210", "9876543210"), ("+91 98765 43210", "9876543210"), (NUMBER, "9876543210"), ("12345", ""), ("", "")],
)
def test_forms_of_the_wire_compare_by_their_last_ten_digits(text, ten):
    assert last10(text) == ten


def test_numbers_are_shown_whole_masked_and_as_dialled():
    assert (e164(NUMBER), display(NUMBER), mask(NUMBER)) == ("+919876543210", "+91 98765 43210", "+91 98••• ••210")
    assert "4155552671" not in mask(14155552671)


PREFIXES = [
    "",
    "+91",
    "+91 ",
    "+91-",
    "91",
    "91 ",
    "0",
    "0091",
    "0091 ",
    "091-",
    "(+91) ",
    "+91 (0) ",
    "'",
    "\u200e",
    "\ufeff",
    '="',
]
DIGITS = ["0123456789", "０１２３４５６７８９", "०१२३४५६७८९", "௦௧௨௩௪௫௬௭௮௯", "٠١٢٣٤٥٦٧٨٩"]


@given(
    st.integers(6 * 10**9, 10**10 - 1).filter(lambda ten: not LANDLINE.match(str(ten))),
    st.sampled_from(PREFIXES), st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2009", "\u200b", "\u00ad"]),
    st.integers(1, 9), st.sampled_from(DIGITS), st.sampled_from(["", " ", "\u202c", ".0", ".00", "\t"]),
)  # fmt: skip
def test_every_spelling_of_a_mobile_number_is_one_number(ten, prefix, between, at, digits, behind):
    assume(between != "." or ten % 10)  # else it is a spreadsheet's decimal
    assume(not (behind.startswith(".") and (between or prefix not in {"", "+91", "91", "'"})))
    text = str(ten)
    text = prefix + text[:at] + between + text[at:] + behind + ('"' if prefix.startswith("=") else "")
    text = text.translate(str.maketrans("0123456789", digits)) if not behind.startswith(".") else text
    assert canonical(text) == 910000000000 + ten


@given(st.integers(0, 10**15))
def test_a_canonical_number_is_canonical(number):
    found = canonical(str(number))
    assert found == 0 or canonical(str(found)) == canonical(e164(found)) == canonical(display(found)) == found


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9,812,345,670", 919812345670), ("9,81,23,45,670", 919812345670), ("919,812,345,670", 919812345670),
        ("98123,45670", 0), ("98,12,34,56,70", 0), ("9,812,345,670,1", 0),
    ],
)  # fmt: skip
def test_commas_between_thousands_are_those_of_a_spreadsheet(text, number):
    assert canonical(text) == number
