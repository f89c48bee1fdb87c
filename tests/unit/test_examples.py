"""Rows as they are shown: whole for those who may see numbers, without them in cells and sentences for others."""

import pytest

from campaigns.text.examples import Placed, shown, veil

ROW = {"line": 7, "number": 919812345670, "column": "mobile", "value": "98123 45670 / 98123 45671", "why": "Two numbers."}


@pytest.mark.parametrize(
    ("whole", "number", "value"),
    [(True, "+91 98123 45670", "98123 45670 / 98123 45671"), (False, "+91 98••• ••670", "98••• ••670 / 98••• ••671")],
)
def test_a_row_is_shown_whole_or_masked(whole, number, value):
    row = shown(Placed(3, "people.csv", ROW), whole)
    assert (row["import"], row["file"], row["line"], row["number"], row["value"]) == (3, "people.csv", 7, number, value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("“98123” has 5 digits", "“98123” has 5 digits"),
        ("+91-98123-45670", "+91-•••••-••670"),
        ("022 2345 67890", "02• •••• ••890"),
        ("9812345670, Asha", "98•••••670, Asha"),
        ("९८१२३४५६७०", "९८•••••६७०"),
        ("Rs 1,250.50 on 12-12-2026", "Rs 1,250.50 on 12-12-2026"),
    ],
)
def test_a_text_keeps_no_phone_number(text, expected):
    assert veil(text) == expected


def test_no_number_is_no_number():
    assert shown(Placed(3, "people.csv", {**ROW, "number": 0}), True)["number"] == ""
