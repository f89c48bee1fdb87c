"""Stored callbacks as they are taken up: read from the inbox in the order of their arrival, and parsed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection
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


def waiting() -> QuerySet[CallbackEvent]:
    return CallbackEvent.objects.filter(result=Result.WAITING).order_by("id")


def backlog() -> bool:
    """Whether more wait than one batch takes."""
    return waiting()[evidence.CHUNK : evidence.CHUNK + 1].exists()


def due() -> QuerySet[CallbackEvent]:
    return CallbackEvent.objects.filter(result=Result.PARKED, next_try_at__lte=timezone.now()).order_by("next_try_at")


def after(last: int, lock: str = "") -> list[Item]:
    """The next waiting ones, at most CHUNK, that came after the one with this id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(PICKED)} FROM callbacks_callbackevent WHERE result = '' AND id > %s "
            f"ORDER BY id LIMIT {evidence.CHUNK}{lock}",
            [last],
        )
        return _parsed(bulk.loaded(CallbackEvent, PICKED, cursor.fetchall()))


def batch() -> list[Item]:
    """The next waiting ones, then parked ones that are due; at most CHUNK.

    Inside a transaction PostgreSQL locks them, and those that another drain has in hand are passed over.
    """
    lock = bulk.skip_locked() if connection.in_atomic_block else ""
    items = after(0, lock)
    if len(items) < evidence.CHUNK:
        parked = due().select_for_update(skip_locked=True) if lock else due()
        items += _parsed(list(parked.values_list(*PICKED)[: evidence.CHUNK - len(items)]))
    return items


def _parsed(rows: list[bulk.Row]) -> list[Item]:
    items = []
    for pk, attempt, received_at, tries, kind, raw in rows:
        told = parsing.read(kind, bytes(raw))
        reports = [Evidence.of(attempt, report, received_at) for report in told.reports]
        items.append(Item(pk, attempt, received_at, tries, kind, reports, told.clicks, told.written))
    return items
