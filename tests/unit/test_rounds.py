"""When Exotel is asked about a message, and how many of a request are asked about."""

from datetime import UTC, datetime, timedelta

import pytest

from campaigns.sending import rounds

BEGUN = datetime(2026, 11, 21, 10, tzinfo=UTC)


def hours(number):
    return BEGUN + timedelta(hours=number)


def test_the_first_round_is_two_hours_after_the_request():
    assert rounds.first(BEGUN) == hours(2)


@pytest.mark.parametrize(
    ("now", "over", "due"),
    [
        (2, 1, 12),
        (2.5, 1, 12),
        (11.9, 1, 12),
        (12, 2, 48),
        (47, 2, 48),
        (48, 3, 72),
        (71, 3, 72),
        (72, 4, None),
        (900, 4, None),
    ],
)
def test_a_round_leads_to_the_next_and_a_late_one_stands_for_those_it_missed(now, over, due):
    assert rounds.following(BEGUN, hours(now)) == (over, due and hours(due))


@pytest.mark.parametrize(
    ("backlog", "requests", "per_minute", "asked"),
    [
        (0, 0, 60, 100),
        (1, 1, 1, 100),
        (3_600, 36, 60, 100),  # an hour is enough for all
        (3_601, 37, 60, 97),  # not quite
        (10_000, 100, 60, 36),
        (1_000_000, 10_000, 60, 1),  # more requests than questions in an hour: one each
        (100, 1, 1, 60),
        (61, 61, 1, 1),
        (100_000, 1_000, 10_000, 100),
        (1_000_000, 1_000, 10_000, 100),  # never more than a request holds
        (5_000, 0, 60, 100),
    ],
)
def test_beyond_an_hour_of_the_budget_each_request_gets_an_equal_share(backlog, requests, per_minute, asked):
    assert rounds.share(backlog, requests, per_minute) == asked
