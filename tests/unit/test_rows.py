"""What becomes of one row: kept with its number and units, or refused with a code, the column and a sentence."""

import json

import pytest

from campaigns.audience.rows import Plan, check, sift
from campaigns.text.render import parse

HEADER = ["mobile", "name", "amount"]
COLUMNS = {"phone": "mobile", "vars": ["name", "amount"]}
BODY = "Dear {#var#}, pay Rs {#var#} now. 100 % safe"


def checked(*rows, body=BODY, columns=COLUMNS, limit=100):
    return check(iter(enumerate(rows, 2)), Plan(HEADER, columns, parse(body)), limit)


KEPT = {
    "plain": (["9812345670", "Asha", "10"], 919812345670),
    "spaces and +91": ([" +91 98123 45670", "Asha", "10"], 919812345670),
    "an apostrophe before the number": (["'9812345670", "Asha", "10"], 919812345670),
    "a spreadsheet's float": (["9812345670.0", "Asha", "10"], 919812345670),
    "empty cells behind": (["9812345670", "Asha", "10", "", ""], 919812345670),
    "quotes and backslashes": (["9812345670", 'A "B" \\ C', "10"], 919812345670),
    "a line break in a value": (["9812345670", "Asha\nRao", "10"], 919812345670),
    "a per cent sign in a value": (["9812345670", "%s %d", "10 %"], 919812345670),
    "Devanagari": (["९८१२३४५६७०", "मीरा", "१०"], 919812345670),
}


@pytest.mark.parametrize(("row", "number"), KEPT.values(), ids=KEPT)
def test_a_usable_row_is_kept_as_typed(row, number):
    chunk = checked(row)
    [(line, canonical, cells, units)] = chunk.kept
    assert (line, canonical, units, chunk.refused) == (2, number, 1, [])
    assert json.loads(cells) == row[:3]


REFUSED = {
    "no number": (["", "Asha", "10"], "MISSING_REQUIRED", "mobile", "“mobile” is empty"),
    "only spaces for a number": (["  ", "Asha", "10"], "MISSING_REQUIRED", "mobile", "“mobile” is empty"),
    "too short": (["98123", "Asha", "10"], "INVALID_PHONE", "mobile", "5 digits"),
    "scientific": (["9.87654E+09", "Asha", "10"], "INVALID_PHONE", "mobile", "spoilt by a spreadsheet"),
    "two numbers": (["9812345670/9812345671", "Asha", "10"], "INVALID_PHONE", "mobile", "two numbers"),
    "a landline": (["022 2345 6789", "Asha", "10"], "INVALID_PHONE", "mobile", "landline"),
    "words": (["not given", "Asha", "10"], "INVALID_PHONE", "mobile", "letters"),
    "no name": (["9812345670", " ", "10"], "MISSING_REQUIRED", "name", "“name” is empty"),
    "no amount": (["9812345670", "Asha", ""], "MISSING_REQUIRED", "amount", "“amount” is empty"),
    "a value over 40 characters": (["9812345670", "x" * 41, "1"], "INVALID_FORMAT", "name", "41 characters"),
    "too few cells": (["9812345670", "Asha"], "INVALID_FORMAT", "", "2 cells, but the file has 3"),
    "one cell": (["9812345670"], "INVALID_FORMAT", "", "1 cell, but"),
    "too many cells": (["9812345670", "Asha", "10", "x"], "INVALID_FORMAT", "", "4 cells, but the file has 3"),
    "a NUL in a value": (["9812345670", "A\0", "10"], "INVALID_FORMAT", "", "NUL"),
    "a number and a value wrong": (["1", "", "10"], "INVALID_PHONE", "mobile", "1 digit"),
}


@pytest.mark.parametrize(("row", "code", "column", "words"), REFUSED.values(), ids=REFUSED)
def test_a_faulty_row_is_refused_with_its_first_fault(row, code, column, words):
    chunk = checked(row)
    [(line, found, where, why, cells)] = chunk.refused
    assert (line, found, where, chunk.kept) == (2, code, column, [])
    assert words in why
    assert json.loads(cells) == [cell.replace("\0", "\ufffd") for cell in row]


@pytest.mark.parametrize("row", [[], [""], ["", "", ""], [" ", "", "\t"], ["", "", "", "", ""]])
def test_an_empty_row_is_passed_by(row):
    chunk = checked(row, ["9812345670", "Asha", "10"])
    assert chunk.refused == []
    assert [line for line, *_ in chunk.kept] == [3]
    assert chunk.last == 3


def test_a_value_must_fit_its_registered_kind():
    chunk = checked(["9812345670", "Asha", "ten"], body="Dear {#var#}, pay Rs {#numeric#}")
    assert chunk.refused[0][1:3] == ("INVALID_FORMAT", "amount")
    assert "numeric" in chunk.refused[0][3]


def test_a_text_over_2000_characters_is_refused():
    body = "x" * 1_985 + " {#var#} {#var#}"
    assert len(checked(["9812345670", "12345", "12345"], body=body).kept) == 1
    chunk = checked(["9812345670", "1234567", "12345678"], body=body)
    assert chunk.refused[0][1:3] == ("INVALID_FORMAT", "")
    assert "2002 characters" in chunk.refused[0][3]


@pytest.mark.parametrize(
    ("row", "body", "units", "doubts"),
    [
        (["9812345670", "Asha", "10"], BODY, 1, set()),
        (["9812345670", "x" * 30, "10"], BODY, 1, set()),
        (["9812345670", "x" * 31, "10"], BODY, 1, {"VARIABLE_LONG"}),
        (["9812345670", "मीरा", "10"], BODY, 1, {"UNICODE"}),
        (["9812345670", "José", "10"], BODY, 1, set()),
        (["9812345670", "A`sha", "10"], BODY, 1, {"UNICODE"}),
        (["9812345670", "Asha", "10"], "₹ {#var#} {#var#}", 1, {"UNICODE"}),
        (["9812345670", "Asha", "10"], "x" * 450 + "{#var#} {#var#}", 3, set()),
        (["9812345670", "Asha", "10"], "x" * 460 + "{#var#} {#var#}", 4, {"MANY_UNITS"}),
        (["9812345670", "[Asha]", "10"], "x" * 150 + "{#var#} {#var#}", 2, set()),
        (["9812345670", "[Asha]", "10"], "x" * 149 + "{#var#} {#var#}", 1, set()),
        (["9812345670", "Asha", "10"], "[" * 76 + "{#var#} {#var#}", 1, set()),
        (["9812345670", "Asha", "10"], "[" * 77 + "{#var#} {#var#}", 2, set()),
        (["9812345670", "मीरा", "x" * 31], "x" * 250 + "{#var#} {#var#}", 5, {"UNICODE", "MANY_UNITS", "VARIABLE_LONG"}),
    ],
)
def test_units_are_counted_and_doubtful_rows_marked(row, body, units, doubts):
    chunk = checked(row, body=body)
    assert chunk.kept[0][3] == units
    assert {code for _, code in chunk.doubts} == doubts


def test_a_template_without_variables_needs_only_the_number():
    chunk = checked(["9812345670", "", ""], body="Office closed. 100 %", columns={"phone": "mobile", "vars": []})
    assert len(chunk.kept) == 1


def test_a_chunk_ends_at_its_limit_and_the_next_goes_on():
    rows = iter(enumerate([[f"98123456{i:02d}", "Asha", "10"] for i in range(5)], 2))
    plan = Plan(HEADER, COLUMNS, parse(BODY))
    assert [check(rows, plan, 2).last for _ in range(4)] == [3, 5, 6, 0]


def test_bulky_rows_end_a_chunk_early():
    wide = [f"c{i}" for i in range(100)]
    rows = iter([(i, ["9812345670", *["x" * 4_000] * 99]) for i in range(2, 50)])
    plan = Plan(wide, {"phone": "c0", "vars": []}, parse("Office closed"))
    assert len(check(rows, plan, 1_000).kept) == 3


KEPT_ROWS = [(2, 1, "a", 1), (3, 2, "b", 1), (4, 1, "c", 1), (5, 3, "d", 1), (6, 4, "e", 1), (7, 4, "f", 1)]


def sifted(suppressed, known):
    chunk = checked()
    chunk.kept, chunk.doubts, chunk.last = list(KEPT_ROWS), [(2, "UNICODE"), (4, "UNICODE"), (5, "UNICODE")], 7
    return sift(chunk, suppressed, known)


def test_repeated_suppressed_and_known_numbers_are_sifted_out():
    chunk = sifted({4}, {3: "line 9 of old.csv"})
    assert [row[0] for row in chunk.kept] == [2, 3]
    assert [(line, code, why) for line, code, _, why, _ in chunk.refused] == [
        (4, "DUPLICATE_ENTRY", "The number is already in line 2."),
        (5, "DUPLICATE_ENTRY", "The number is already in line 9 of old.csv."),
        (6, "SUPPRESSED", "The number is on the suppression list."),
        (7, "SUPPRESSED", "The number is on the suppression list."),
    ]
    assert chunk.doubts == [(2, "UNICODE")]
    assert chunk.last == 7


def test_nothing_is_sifted_when_all_numbers_are_new():
    chunk = checked(["9812345670", "Asha", "10"], ["9812345671", "Ravi", "10"])
    assert sift(chunk, set(), {}) is chunk
