"""Stored callbacks as they are taken up: read from the inbox in the order of their arrival, and parsed."""

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet
from django.utils import timezone

from callbacks import parsing
from callbacks.models import CallbackEvent
from campaigns import bulk
from campaigns.exotel.clicks import ClickReport
from campaigns.exotel.whatsapp_reports import Inbound
from campaigns.sending import evidence
from campaigns.sending.evidence import Evidence

Result = CallbackEvent.Result
REACH = 3  # times a batch, in ids: what two others have in hand is passed over within it
PICKED = ("id", "attempt", "received_at", "tries", "kind", "raw")


class Item(NamedTuple):
    """A stored callback and what it says: nothing, one thing, or for WhatsApp several."""

    id: int
    attempt: UUID
    received_at: datetime
    tries: int
    kind: str
    reports: Sequence[Evidence]
    clicks: Sequence[ClickReport]
    written: Sequence[Inbound]


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector for as long as a batch takes.

    Its thousands of objects all live to its end. To look for cycles among them took a fifth of Python's time for it.
    """
    _without_collector(+1)
    try:
        yield
    finally:
        _without_collector(-1)


def _without_collector(more: int) -> None:
    global _batches, _collecting
    with _counting:
        if not _batches:
            _collecting = gc.isenabled()
            gc.disable()
        _batches += more
        if not _batches and _collecting:
            gc.enable()


_batches, _collecting, _counting = 0, True, threading.Lock()  # batches under way in this process


def waiting() -> QuerySet[CallbackEvent]:
    return CallbackEvent.objects.filter(result=Result.WAITING).order_by("id")


def backlog() -> bool:
    """Whether more wait than one batch takes."""
    return found(waiting(), evidence.chunk())


def found(events: QuerySet[CallbackEvent], beyond: int = 0) -> bool:
    """Whether there are more than so many, looked for in their order.

    ``exists`` takes the order away, and PostgreSQL, whose statistics may date from a backlog, then reads the whole table to
    find that nothing waits: 74 ms at 300,000 callbacks, where the index takes 2.
    """
    return bool(events.values_list("pk")[beyond : beyond + 1])


def due() -> QuerySet[CallbackEvent]:
    return CallbackEvent.objects.filter(result=Result.PARKED, next_try_at__lte=timezone.now()).order_by("next_try_at")


@uncollected()
def after(last: int, lock: str = "") -> list[Item]:
    """The next waiting ones, at most a chunk, that came after the one with this id."""
    return _parsed(bulk.loaded(CallbackEvent, PICKED, _picked(last, lock)))


def _picked(last: int, lock: str) -> list[bulk.Row]:
    """Rows of the next waiting ones, a range of ids at a time.

    Asked for all at once, PostgreSQL sorts the whole backlog for each batch: without statistics it takes it for a handful.
    A range in which others have locked all, or hold few, is passed; each is twice as wide as the one before.
    """
    rows: list[bulk.Row] = []
    reach = REACH * evidence.chunk()
    with connection.cursor() as cursor:
        while len(rows) < evidence.chunk() and (first := _first(cursor, last)) is not None:
            last = first + reach - 1
            reach *= 2
            cursor.execute(
                f"SELECT {', '.join(PICKED)} FROM callbacks_callbackevent WHERE result = '' AND id BETWEEN %s AND %s "
                f"ORDER BY id LIMIT {evidence.chunk() - len(rows)}{lock}",
                [first, last],
            )
            rows += cursor.fetchall()
    return rows


def _first(cursor: CursorWrapper, last: int) -> int | None:
    """The id of the first waiting one after this one."""
    cursor.execute("SELECT id FROM callbacks_callbackevent WHERE result = '' AND id > %s ORDER BY id LIMIT 1", [last])
    row = cursor.fetchone()
    return row and row[0]


def batch() -> list[Item]:
    """The next waiting ones, then parked ones that are due; at most a chunk.

    Inside a transaction PostgreSQL locks them, and those that another drain has in hand are passed over.
    """
    lock = bulk.skip_locked() if connection.in_atomic_block else ""
    items = after(0, lock)
    if len(items) < evidence.chunk():
        parked = due().select_for_update(skip_locked=True) if lock else due()
        items += _parsed(list(parked.values_list(*PICKED)[: evidence.chunk() - len(items)]))
    return items


def _parsed(rows: list[bulk.Row]) -> list[Item]:
    items = []
    for pk, attempt, received_at, tries, kind, raw in rows:
        told = parsing.read(kind, bytes(raw))
        reports = [Evidence.of(attempt, report, received_at) for report in told.reports]
        items.append(Item(pk, attempt, received_at, tries, kind, reports, told.clicks, told.written))
    return items
