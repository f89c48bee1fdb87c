"""How the console puts things: spans, counts, periods, bars, finish times. No database."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from campaigns.admin import charts, outcomes, period, tiles, words
from campaigns.admin.drafts import preview, review
from campaigns.insight.series import Bucket
from campaigns.models import Message
from campaigns.templatetags import console

IST = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (-5, "0 s"), (89, "89 s"), (90, "2 min"), (3540, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
     (47 * 3600, "47 h"), (72 * 3600, "3 days")],
)  # fmt: skip
def test_a_span_of_time_is_said_roughly(seconds, said):
    assert words.span(timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 units"), (1, "1 unit"), (100000, "1,00,000 units")])
def test_a_count_agrees_with_its_noun(number, said):
    assert words.count(number, "unit") == said


@pytest.mark.parametrize(("part", "said"), [(0.41, "41 %"), (0.0995, "10 %"), (0.034, "3.4 %"), (0, "0.0 %"), (1, "100 %")])
def test_a_share_has_as_many_digits_as_help(part, said):
    assert console.share(part) == said


@pytest.mark.parametrize(
    ("word", "said"), [("list_owner", "List owner"), ("operator", "You"), ("brand_new", "Brand new"), ("", "Unknown")]
)
def test_who_acts_is_said_in_words(word, said):
    assert console.actor(word) == said


@pytest.mark.parametrize(
    ("query", "key", "by", "length", "problem"),
    [
        ("", "24h", "hour", timedelta(hours=24), False),
        ("range=7d", "7d", "day", timedelta(days=7), False),
        ("range=30d", "30d", "day", timedelta(days=30), False),
        ("range=x", "24h", "hour", timedelta(hours=24), False),
        ("from=2026-11-01&to=2026-11-10", "custom", "day", timedelta(days=10), False),
        ("from=2026-11-10&to=2026-11-01", "custom", "day", timedelta(days=10), False),
        ("from=2026-11-10", "custom", "hour", timedelta(days=1), False),
        ("to=2026-11-10", "custom", "hour", timedelta(days=1), False),
        ("from=2026-11-10&to=2026-11-11", "custom", "hour", timedelta(days=2), False),
        ("from=2020-01-01&to=2026-01-01", "24h", "hour", timedelta(hours=24), True),
        ("from=tomorrow&to=2026-01-01", "24h", "hour", timedelta(hours=24), True),
    ],
)
def test_a_period_is_read_from_the_address(query, key, by, length, problem):
    found = period.read(QueryDict(query), IST)
    assert (found.key, found.by, found.end - found.start, bool(found.problem)) == (key, by, length, problem)


def test_days_begin_at_local_midnight():
    found = period.read(QueryDict("from=2026-11-10&to=2026-11-12"), IST)
    assert found.start.astimezone(UTC) == datetime(2026, 11, 9, 18, 30, tzinfo=UTC)
    assert (found.first_day, found.last_day) == ("2026-11-10", "2026-11-12")


def test_a_bar_adds_up_and_leaves_out_what_is_not_there():
    parts = [(outcomes.DELIVERED, 55), (outcomes.AT_OPERATOR, 0), (outcomes.FAILED, 5)]
    assert [(s.outcome.key, s.start, s.width) for s in outcomes.segments(parts, 100)] == [
        ("delivered", 0, 55),
        ("failed", 55, 5),
    ]
    assert outcomes.segments(parts, 0) == []


def test_a_bar_never_grows_beyond_its_end():
    bar = outcomes.segments([(outcomes.DELIVERED, 80), (outcomes.FAILED, 80)], 100)
    assert bar[-1].start + bar[-1].width == 100


@pytest.mark.parametrize(
    ("state", "delivery", "code", "key", "word"),
    [
        ("pending", "", "", "waiting", "Waiting"),
        ("in_flight", "", "", "waiting", "Being sent"),
        ("accepted", "awaiting", "21010", "awaiting", "Awaiting"),
        ("accepted", "", "", "awaiting", "Awaiting"),
        ("accepted", "delivered", "20005", "delivered", "Delivered"),
        ("accepted", "read", "", "delivered", "Read"),
        ("accepted", "at_operator", "20006", "operator", "At operator"),
        ("accepted", "failed", "23005", "dnd", "Do not disturb"),
        ("accepted", "failed", "23035", "failed", "Failed"),
        ("rejected", "", "23082", "failed", "Rejected"),
        ("unconfirmed", "", "", "unconfirmed", "Unconfirmed"),
        ("suppressed", "", "", "waiting", "Suppressed"),
        ("cancelled", "", "", "waiting", "Cancelled"),
    ],
)
def test_every_message_has_one_colour_and_one_word(state, delivery, code, key, word):
    found = outcomes.of_message(Message(state=state, delivery=delivery, code=code))
    assert (found.key, found.word) == (key, word)


def test_a_chart_and_its_table_show_the_same_figures():
    at = datetime(2026, 11, 20, 9, tzinfo=IST)
    made = charts.stacked([Bucket(at, delivered=7, dnd=1), Bucket(at + timedelta(hours=1))], "hour")
    assert made.data["labels"] == ["09:00", "10:00"]
    assert [s["values"] for s in made.data["sets"]] == [[7, 0], [0, 0], [1, 0], [0, 0], [0, 0], [0, 0]]
    assert [(row.label, row.values) for row in made.rows] == [("09:00", [7, 0, 1, 0, 0, 0])]
    assert (made.zone, made.summary) == ("IST", "Messages by hour: 7 delivered, 1 do not disturb")


def test_an_empty_chart_is_no_error():
    assert charts.stacked([], "day").summary == "Messages by day: none"


def test_a_share_without_reports_is_a_dash_and_not_zero():
    assert tiles.delivered_share(0, 0, 0).figure == "–"
    assert tiles.delivered_share(9, 1, 10).under == "9 of 10 final · 1 at the operator"


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-20T12:00", 1, "2026-11-20T13:00"),
        ("2026-11-20T20:30", 1, "2026-11-21T10:30"),
        ("2026-11-20T23:00", 1, "2026-11-21T11:00"),
        ("2026-11-20T03:00", 1, "2026-11-20T11:00"),
        ("2026-11-20T10:00", 25, "2026-11-22T13:00"),
    ],
)
def test_promotional_work_waits_for_its_hours(start, hours, end):
    account = SimpleNamespace(window_opens=time(10), window_closes=time(21))
    begun = datetime.fromisoformat(start).replace(tzinfo=IST)
    done = review.through_window(begun, timedelta(hours=hours), account, IST)
    assert done == datetime.fromisoformat(end).replace(tzinfo=IST)


def test_a_short_row_has_empty_cells_at_its_end():
    assert preview.row_values(["a", "b", "c"], ["c", "a"], ["1"]) == ["", "1"]
