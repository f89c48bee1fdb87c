"""Removes callbacks about messages that are no longer kept, and counts those that come for them all the same."""

from datetime import datetime

from django.db import connection
from django.db.models import F, Max, Min, Sum

from callbacks.models import CallbackEvent, LateCount
from campaigns import bulk

WINDOW = 20_000  # ids looked at in one transaction
DAY = 86_400  # seconds
# Waiting callbacks were not looked at yet: they are never touched.
GONE = """
    DELETE FROM callbacks_callbackevent WHERE id BETWEEN %s AND %s AND result <> '' AND (EXISTS (
        SELECT 1 FROM campaigns_attempt a JOIN campaigns_campaign c ON c.id = a.campaign_id
        WHERE a.id = callbacks_callbackevent.attempt AND c.purged_at IS NOT NULL)"""
ORPHANS = """ OR (received_at < %s AND NOT EXISTS (
        SELECT 1 FROM campaigns_attempt a WHERE a.id = callbacks_callbackevent.attempt))"""


def sweep(before: datetime | None) -> int:
    """Delete the callbacks of purged campaigns and, of those received before an instant, what names no known request.

    In windows of ids, each a transaction of its own. Killed, it begins anew and finds less to do.
    """
    ends = CallbackEvent.objects.aggregate(first=Min("pk"), last=Max("pk"))
    more = bulk.stored(CallbackEvent, ("received_at",), (before,)) if before else []
    query = GONE + (ORPHANS if before else "") + ")"
    done = 0
    for start in range(ends["first"] or 1, (ends["last"] or 0) + 1, WINDOW):
        with bulk.transaction(), connection.cursor() as cursor:
            cursor.execute(query, [start, start + WINDOW - 1, *more])
            done += cursor.rowcount
    return done


def count_late(number: int, now: datetime) -> None:
    """Callbacks that came for purged messages, in the transaction that empties them."""
    if number:
        day = int(now.timestamp()) // DAY
        bulk.insert_new(LateCount, ("day", "n"), [(day, 0)], ("id",))
        LateCount.objects.filter(day=day).update(n=F("n") + number)


def late() -> int:
    """How many ever came too late."""
    return LateCount.objects.aggregate(total=Sum("n"))["total"] or 0
