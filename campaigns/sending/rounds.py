"""When Exotel is asked about messages that no final report has reached, and how many of a request are asked about."""

from datetime import datetime, timedelta

from campaigns.exotel import BATCH

# After the beginning of the request. Reports come within seconds as a rule; operators may try for 48 hours.
ROUNDS = tuple(timedelta(hours=hours) for hours in (2, 12, 48, 72))


def first(started: datetime) -> datetime:
    return started + ROUNDS[0]


def following(started: datetime, now: datetime) -> tuple[int, datetime | None]:
    """Rounds that are over for a request begun at ``started``, and when the next is due; None after the last.

    A round that comes so late that others are due too stands for all of them.
    """
    over = sum(started + after <= now for after in ROUNDS)
    return over, started + ROUNDS[over] if over < len(ROUNDS) else None


def share(backlog: int, requests: int, per_minute: int) -> int:
    """How many messages of one request are asked about in a round, when ``requests`` with ``backlog`` messages are due.

    All, while an hour of the budget is enough for the whole backlog. Beyond that each request gets the same share of the
    hour, and at least one question, so that no request is left out; the next round goes on with the rest.
    """
    hour = 60 * per_minute
    return BATCH if backlog <= hour else min(max(hour // max(requests, 1), 1), BATCH)
