"""The account's rate, kept in one row that all workers on all hosts share (GCRA: the next permitted instant).

Times in the row are microseconds of the database's clock. A stored instant further ahead than any legal wait can only come
from a clock that was set back, and is forgotten.
"""

import random

from django.db import connection

from campaigns import bulk
from campaigns.models import Account, Limiter

SECOND = 1_000_000
LONGEST_WAIT = 900  # seconds: the clamp on Retry-After
# Requests leave evenly spaced, 1 % below the allowance: an arrival may be late by the time on the wire, and the provider
# counts arrivals. With 200 a minute any 60 s hold at most 199 starts.
MARGIN = 1.01


def take(account: Account) -> float:
    """Reserve the next slot of an account that has a rate; seconds until it begins. No lock or row is held meanwhile."""
    interval = round(60 * SECOND * MARGIN / account.rate_per_minute)
    now = bulk.now_sql()
    base = f"CASE WHEN next_slot BETWEEN {now} AND {now} + {LONGEST_WAIT * SECOND} THEN next_slot ELSE {now} END"
    with bulk.transaction(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_limiter SET next_slot = {base} + %s WHERE account_id = %s "
            f"RETURNING next_slot - %s - {now}, blocked_until - {now}",
            [interval, account.pk, interval],
        )
        slot, blocked = cursor.fetchone()
    if blocked > LONGEST_WAIT * SECOND:
        blocked = 0
    return max(slot, blocked, 0) / SECOND


def blocked(account_id: int) -> float:
    """Seconds for which no request may start because Exotel asked us to wait; 0 when free."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {blocked_sql()} FROM campaigns_limiter l WHERE account_id = %s", [account_id])
        return wait(cursor.fetchone()[0])


def blocked_sql() -> str:
    """Of a limiter l, how far ahead its block ends, as ``wait`` takes it."""
    return f"l.blocked_until - {bulk.now_sql()}"


def wait(microseconds: int) -> float:
    """Seconds to wait for an instant so far ahead; 0 for one that is past or further away than any legal wait."""
    return microseconds / SECOND if 0 < microseconds <= LONGEST_WAIT * SECOND else 0.0


def push_back(account_id: int, retry_after: float | None) -> float:
    """Hold all senders of the account for Retry-After seconds, else for a wait that doubles from 1 s with jitter."""
    limiter = Limiter.objects.get(account_id=account_id)
    seconds = retry_after or min(2.0**limiter.throttles, LONGEST_WAIT) * random.uniform(0.75, 1.25)
    seconds = min(max(seconds, 1.0), LONGEST_WAIT)
    now = bulk.now_sql()
    until = f"{now} + {round(seconds * SECOND)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_limiter SET throttles = throttles + 1, blocked_until = CASE WHEN blocked_until "
            f"BETWEEN {until} AND {now} + {LONGEST_WAIT * SECOND} THEN blocked_until ELSE {until} END WHERE account_id = %s",
            [account_id],
        )
    return seconds


def all_clear(account_id: int) -> None:
    """An answer came: the next backoff begins small again."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE campaigns_limiter SET throttles = 0 WHERE account_id = %s AND throttles > 0", [account_id])


def take_poll(account: Account, patience: float) -> float | None:
    """Reserve the next slot for a status question; seconds until it begins.

    None, with nothing reserved, when none begins within ``patience`` seconds or Exotel asked all of us to wait. The slots
    of requests that send are another column: questions neither wait for them nor delay them.
    """
    interval = round(60 * SECOND * MARGIN / account.polls_per_minute)
    now = bulk.now_sql()
    latest = f"{now} + {LONGEST_WAIT * SECOND}"
    base = f"CASE WHEN next_poll BETWEEN {now} AND {latest} THEN next_poll ELSE {now} END"
    with bulk.transaction(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_limiter SET next_poll = {base} + %s WHERE account_id = %s AND {base} <= {now} + %s "
            f"AND NOT (blocked_until BETWEEN {now} AND {latest}) RETURNING next_poll - %s - {now}",
            [interval, account.pk, round(max(patience, 0) * SECOND), interval],
        )
        taken = cursor.fetchone()
    return max(taken[0], 0) / SECOND if taken else None


def poll_wait(account_id: int) -> float:
    """Seconds until a status question may be asked; 0 when one may be asked now."""
    now = bulk.now_sql()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT next_poll - {now} FROM campaigns_limiter WHERE account_id = %s", [account_id])
        return max(wait(cursor.fetchone()[0]), blocked(account_id))


def push_polls(account_id: int, seconds: float) -> None:
    """Hold the account's status questions, and them alone, for so many seconds."""
    now = bulk.now_sql()
    until = f"{now} + {round(min(max(seconds, 1.0), LONGEST_WAIT) * SECOND)}"
    with bulk.transaction(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE campaigns_limiter SET next_poll = CASE WHEN next_poll BETWEEN {until} AND "
            f"{now} + {LONGEST_WAIT * SECOND} THEN next_poll ELSE {until} END WHERE account_id = %s",
            [account_id],
        )
