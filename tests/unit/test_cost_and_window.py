"""Money and numbers as they are read in India; hours and instants across DST."""

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from campaigns.text.cost import cost, indian, percent, rupees
from campaigns.text.window import IST, is_open, ist, next_opening, resolve_local


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1,000"),
        (99999, "99,999"),
        (100000, "1,00,000"),
        (12345678, "1,23,45,678"),
        (-1000, "-1,000"),
    ],
)
def test_indian_grouping(number, text):
    assert indian(number) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "₹ 0.00"),
        ("0.2", "₹ 0.20"),
        ("999.995", "₹ 1000.00"),
        ("1000", "₹ 1,000"),
        ("36234.49", "₹ 36,234"),
        ("123456.5", "₹ 1,23,457"),
    ],
)
def test_rupees(amount, text):
    assert rupees(Decimal(amount)) == text


def test_cost_keeps_fractions_of_a_paisa():
    assert cost(3, Decimal("0.1234")) == Decimal("0.3702")


def test_a_share_of_nothing_is_a_dash():
    assert (percent(1, 0), percent(946, 1000)) == ("–", "94.6 %")


TEN, NINE = dt.time(10), dt.time(21)


def at(*parts):
    return dt.datetime(2026, 11, *parts, tzinfo=IST)


@pytest.mark.parametrize(
    ("moment", "is_it_open"),
    [(at(20, 9, 59, 59), False), (at(20, 10), True), (at(20, 20, 59, 59), True), (at(20, 21), False), (at(21, 0), False)],
)
def test_the_window_opens_and_closes_to_the_second(moment, is_it_open):
    assert is_open(moment.astimezone(dt.UTC), TEN, NINE, IST) is is_it_open


@pytest.mark.parametrize(
    ("moment", "opening"),
    [(at(20, 9), at(20, 10)), (at(20, 12), at(20, 12)), (at(20, 21), at(21, 10)), (at(20, 23, 59), at(21, 10))],
)
def test_the_next_opening(moment, opening):
    assert next_opening(moment, TEN, NINE, IST) == opening


@pytest.mark.parametrize(
    ("zone", "naive", "utc"),
    [
        ("Asia/Kolkata", (2026, 11, 21, 10, 0), (2026, 11, 21, 4, 30)),
        ("America/New_York", (2026, 3, 8, 2, 30), (2026, 3, 8, 7, 0)),  # in the gap: the first valid instant after it
        ("America/New_York", (2026, 11, 1, 1, 30), (2026, 11, 1, 5, 30)),  # in the fold: the first of the two
        ("Australia/Lord_Howe", (2026, 10, 4, 2, 15), (2026, 10, 3, 15, 30)),  # a gap of half an hour
        ("Asia/Kolkata", (2028, 2, 29, 12, 0), (2028, 2, 29, 6, 30)),
    ],
)
def test_a_local_time_is_one_instant(zone, naive, utc):
    assert resolve_local(dt.datetime(*naive), ZoneInfo(zone)).astimezone(dt.UTC) == dt.datetime(*utc, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 11:20:09", dt.datetime(2026, 1, 5, 5, 50, 9, tzinfo=dt.UTC)), ("1970-01-01 05:30:00", None), ("", None), (None, None),
        ("null", None), ("2026-13-01 00:00:00", None), ("2026-01-05T11:20:09Z", None), ("9" * 50, None),
    ],
)  # fmt: skip
def test_the_wire_speaks_naive_ist(text, expected):
    assert ist(text) == expected
