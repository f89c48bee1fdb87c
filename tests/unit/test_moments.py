"""Dates with times as people write them, and how many messages are planned for when."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from campaigns.text.moments import Planned, instant

IST, BERLIN = ZoneInfo("Asia/Kolkata"), ZoneInfo("Europe/Berlin")
TEN = datetime(2026, 11, 30, 10, 0, tzinfo=IST)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-30T10:00", "2026-11-30 10:00", "2026-11-30 10:00:00", "2026-11-30T10:00:00+05:30", "2026-11-30T04:30:00Z",
        "2026-11-30T04:30:00.000Z", "2026/11/30 10:00", "30-11-2026 10:00", "30/11/2026 10:00", "30.11.2026 10:00",
        "30/11/2026 10:00 AM", "30/11/2026 10:00am", "30-11-2026 10:00 a.m.", "30 Nov 2026 10:00", "30-Nov-2026 10:00",
        "30 November 2026, 10:00", " 30-11-2026   10:00 ", "30-11-2026 10.00", "30-11-2026 10:00 IST", "30-11-2026 09:59:01",
        "30-11-2026T10:00",
    ],
)  # fmt: skip
def test_usual_spellings_are_one_instant(text):
    assert instant(text, IST) == TEN.timestamp()


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("1/12/2026 9:05", 9, 5), ("01-12-2026 12:00 AM", 0, 0), ("01-12-2026 12:30 pm", 12, 30), ("1/12/2026 11:59 PM", 23, 59),
        ("2026-12-01 00:00", 0, 0),
    ],
)  # fmt: skip
def test_the_day_comes_first_and_halves_of_the_day_are_heeded(text, hour, minute):
    assert instant(text, IST) == datetime(2026, 12, 1, hour, minute, tzinfo=IST).timestamp()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tomorrow", "no date and time"), ("10:00", "no date and time"), ("46356.41", "no date and time"),
        ("30-11-26 10:00", "no date and time"), ("30-11-202610:00", "no date and time"), ("", "no date and time"),
        ("३०-११-२०२६ १०:००", "no date and time"), ("30-11-2026 10:00 tomorrow", "no date and time"),
        ("30-11-2026", "no time"), ("2026-11-30", "no time"), ("11/30/2026 10:00", "the day comes first"),
        ("31-02-2026 10:00", "no possible"), ("30-11-2026 24:00", "no possible"), ("30-11-2026 10:60", "no possible"),
        ("30-11-2026 13:00 PM", "no possible"), ("30-11-2026 0:30 AM", "no possible"), ("30-Foo-2026 10:00", "no possible"),
        ("01-01-1970 00:00", "the year 1970"), ("01-01-9999 00:00", "the year 9999"), ("0000-01-01 00:00", "no possible"),
    ],
)  # fmt: skip
def test_what_is_no_date_and_time_is_told_so(text, words):
    with pytest.raises(ValueError, match=words):
        instant(text, IST)


def test_an_hour_that_clocks_skip_is_refused_and_one_they_repeat_is_the_first():
    with pytest.raises(ValueError, match=r"does not exist in Europe/Berlin.*03:00 or later"):
        instant("29-03-2026 02:30", BERLIN)
    assert instant("25-10-2026 02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()
    assert instant("2026-10-25T02:30+01:00", BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp()


def test_what_is_planned_is_counted_to_the_minute():
    planned = Planned()
    for due, rows in ((600, 2), (660, 3), (600, 1), (7200, 4)):
        planned.add(due, rows)
    again = Planned(planned.stored())
    assert (again.total, again.last, again.rows) == (10, 7200, {10: 3, 11: 3, 120: 4})
    assert [again.after(at) for at in (599, 600, 660, 7199, 7200)] == [10, 7, 4, 4, 0]


def test_many_minutes_become_coarser_and_nothing_is_lost():
    planned = Planned()
    for i in range(2 * Planned.MOST):
        planned.add(60 * i)
    assert (planned.total, planned.step) == (2 * Planned.MOST, 900)
    assert len(planned.rows) <= Planned.MOST
    fine = Planned()
    fine.add(60)
    fine.join(planned)
    assert (fine.total, fine.step) == (planned.total + 1, 900)


def test_nothing_planned_is_nothing():
    assert not Planned()
    assert (Planned(None).total, Planned({}).last, Planned().after(0)) == (0, 0, 0)
