"""Where the columns of a later file stand in an audience, and what becomes of a member's cells."""

import pytest

from campaigns.audience.faults import Unusable
from campaigns.audience.members import arrange, check, merge

ARRANGED = [
    # the audience's columns and phone, the file's header and phone, the columns then, the places
    ([], "", ["mobile", "name"], "mobile", ["mobile", "name"], [0, 1]),
    (["mobile", "name"], "mobile", ["name", "city", "mobile"], "mobile", ["mobile", "name", "city"], [1, 2, 0]),
    (["mobile", "name"], "mobile", [" NAME", "Phone"], "Phone", ["mobile", "name"], [1, 0]),
    (["mobile", "name"], "mobile", ["mobile", "Name", "name"], "mobile", ["mobile", "name", "Name"], [0, 2, 1]),
    (["mobile", "name"], "mobile", ["mobile", "NAME", "Name"], "mobile", ["mobile", "name", "Name"], [0, 1, 2]),
    (["mobile"], "mobile", ["mobile", "error_code", "error_reason"], "mobile", ["mobile"], [0, None, None]),
    (["mobile"], "mobile", ["phone", "MOBILE"], "phone", ["mobile", "MOBILE"], [0, 1]),
]


@pytest.mark.parametrize(("columns", "kept_in", "header", "phone", "then", "places"), ARRANGED)
def test_columns_are_known_by_name_and_new_ones_come_last(columns, kept_in, header, phone, then, places):
    assert arrange(columns, kept_in, header, phone, "people.csv") == (then, places)


def test_two_columns_of_numbers_are_not_confused():
    with pytest.raises(Unusable, match="“mobile” beside its phone column “alternate”"):
        arrange(["mobile", "name"], "mobile", ["mobile", "alternate"], "alternate", "people.csv")


def test_more_columns_than_a_file_may_have_are_refused():
    with pytest.raises(Unusable, match="201 columns"):
        arrange([f"c{i}" for i in range(199)], "c0", ["c0", "new", "newer"], "c0", "people.csv")


@pytest.mark.parametrize(
    ("old", "row", "places", "cells"),
    [
        ([], ["a", "b"], [0, 1], ["a", "b"]),
        (["a", "b"], ["c"], [1], ["a", "c"]),
        (["a", "b"], [""], [1], ["a", ""]),
        (["a"], ["z", "x"], [None, 3], ["a", "", "", "x"]),
    ],
)
def test_a_row_changes_the_cells_it_has_columns_for(old, row, places, cells):
    assert merge(old, row, places) == cells


def test_the_last_row_of_a_number_counts_and_bad_rows_are_named():
    rows = [
        (2, ["9812345670", "a"]),
        (3, ["98123 45670", "b"]),
        (4, ["12", "c"]),
        (5, ["", "d"]),
        (6, ["", ""]),
        (7, ["9812345671"]),
    ]
    batch = check(iter(rows), ["mobile", "name"], "mobile")
    assert batch.kept == {919812345670: (3, ["98123 45670", "b"])}
    assert (batch.good, batch.last) == (2, 7)
    assert [(line, code) for line, code, *_ in batch.refused] == [
        (4, "INVALID_PHONE"),
        (5, "MISSING_REQUIRED"),
        (7, "INVALID_FORMAT"),
    ]
