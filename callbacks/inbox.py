"""Turns stored callbacks into statuses. The applied mark and its effect commit together, so a crash repeats nothing."""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from callbacks import clicks, purge, reading, replies
from callbacks.ahead import Ahead
from callbacks.clicks import Clicked
from callbacks.models import CallbackEvent
from callbacks.reading import Item
from callbacks.replies import Written
from campaigns import bulk, failpoints, jobs, leases
from campaigns.sending import evidence
from campaigns.sending.evidence import Evidence, Verdict

log = logging.getLogger(__name__)
LEASE, ASSISTANT = "drain", "assist"
RENEW = 5.0  # seconds; a lease lasts leases.SECONDS
LINGER = 3.0  # seconds of silence before the job ends; new callbacks ring again
PAUSE = 0.2
PARK_FIRST, PARK_LONGEST, PARK_FOR = timedelta(seconds=30), timedelta(hours=6), timedelta(days=7)
Result = CallbackEvent.Result
# A parked callback is applied whole again: what has been applied of it is then a duplicate.
WORST_FIRST = (Result.PARKED, Result.QUARANTINED, Result.PURGED, Result.APPLIED, Result.DUPLICATE)
NOTHING: dict[str, str] = {
    CallbackEvent.Kind.STATUS: "It holds no status.",
    CallbackEvent.Kind.CLICK: "It names no link.",
    CallbackEvent.Kind.INBOUND: "It names nobody who wrote.",
}
TAKEN = (Result.APPLIED, Result.DUPLICATE)
COLUMNS = ("result", "reason", "tries", "next_try_at", "applied_at")


def drain() -> int:
    """Apply what waits, for about TASK_BUDGET seconds or until it has been quiet; how many were looked at."""
    owner = uuid4()
    if not leases.take(LEASE, owner):
        return 0
    try:
        done, quiet = _work(owner)
    finally:
        leases.give_back(LEASE, owner)
    if quiet:
        ring()  # for what came between the last look and the end of the lease
    else:
        jobs.enqueue(jobs.DRAIN)
    return done


def _work(owner: UUID) -> tuple[int, bool]:
    """How many callbacks were looked at, and whether it ended in silence rather than for want of time."""
    start = seen = renewed = time.monotonic()
    found = evidence.chunk() if reading.backlog() else 0
    called = False
    done = 0
    with ExitStack() as open_until_the_end:
        ahead: Ahead | None = None
        while (now := time.monotonic()) - start < settings.TASK_BUDGET:
            if now - renewed >= RENEW:
                renewed = now
                if not leases.take(LEASE, owner):
                    break
            if found >= evidence.chunk() and not called:
                called = True
                if bulk.is_postgres():
                    jobs.enqueue(jobs.ASSIST)
                else:
                    with suppress(OSError):  # no folder for its socket: then without one
                        ahead = open_until_the_end.enter_context(closing(Ahead()))
            if found := apply_next(ahead):
                done, seen = done + found, time.monotonic()
            elif now - seen >= LINGER:
                return done, True
            else:
                time.sleep(PAUSE)
    return done, False


def assist() -> int:
    """The second hand at a backlog, in a process of its own, until nothing is left; how many were looked at.

    It is as with two drains at once: what one has in hand is locked. Two processes have twice the speed of one on
    PostgreSQL, and a second thread had half of that. SQLite has one writer: there two only wait for each other.
    """
    owner = uuid4()
    if not leases.take(ASSISTANT, owner):
        return 0
    start = renewed = time.monotonic()
    done = 0
    try:
        while (now := time.monotonic()) - start < settings.TASK_BUDGET and (found := apply_next()):
            done += found
            if now - renewed >= RENEW:
                renewed = now
                if not leases.take(ASSISTANT, owner):
                    break
    finally:
        leases.give_back(ASSISTANT, owner)
    return done


def ring() -> bool:
    """Wake the inbox when something is to be applied and nobody is at it; whether it rang."""
    needed = waiting() and not leases.held(LEASE)
    if needed:
        jobs.enqueue(jobs.DRAIN)
    return needed


def waiting() -> bool:
    """Whether anything is to be applied now."""
    return reading.found(reading.waiting()) or reading.found(reading.due())


def oldest() -> datetime | None:
    """When the oldest callback came that nobody has looked at yet; None when there is none."""
    return reading.waiting().values_list("received_at", flat=True).first()


@reading.uncollected()
def apply_next(ahead: Ahead | None = None) -> int:
    """Apply one batch; how many callbacks it held. Raises OperationalError, and changes nothing, without a database."""
    # SQLite reads and parses before the transaction: that one holds up every other writer.
    ready = None if bulk.is_postgres() else _ready(ahead)
    if ready == []:
        return 0
    with bulk.transaction():
        items = reading.batch() if ready is None else _mine(ready)
        if items:
            _apply(items)
            failpoints.reach("inbox.before")
    if items:
        failpoints.reach("inbox.committed")
    return len(items)


def _ready(ahead: Ahead | None) -> list[Item]:
    """The next batch, and the one after it asked for, to be read while this one is applied."""
    items = (ahead.take() if ahead else []) or reading.batch()
    if ahead and items:
        ahead.ask(max(item.id for item in items))
    return items


def _mine(items: list[Item]) -> list[Item]:
    """Those that nobody else has applied since they were read: none may count twice."""
    ids = {item.id for item in items}
    with connection.cursor() as cursor:  # one range of an index that holds nothing else; nearly always it has all of them
        cursor.execute(
            "SELECT id FROM callbacks_callbackevent WHERE result = '' AND id BETWEEN %s AND %s", [min(ids), max(ids)]
        )
        free = {row[0] for row in cursor.fetchall()}
    if not ids <= free:
        free |= set(CallbackEvent.objects.filter(pk__in=ids - free, result=Result.PARKED).values_list("pk", flat=True))
    return [item for item in items if item.id in free]


def _apply(items: list[Item]) -> None:
    """All of a batch or, when it breaks, its halves, until the one callback that breaks it stands alone."""
    if not items:
        return
    try:
        with transaction.atomic():
            _mark(items, _verdicts(items))
    except OperationalError:
        raise  # the database is away or busy, which is no fault of a callback
    except Exception as error:
        if len(items) == 1:
            log.error("Callback %s cannot be applied and is set aside (%s)", items[0].id, type(error).__name__)
            _mark(items, [Verdict(Result.QUARANTINED, f"It could not be applied ({type(error).__name__}).")])
            return
        _apply(items[: len(items) // 2])
        _apply(items[len(items) // 2 :])


def _verdicts(items: list[Item]) -> list[Verdict]:
    told = [report for item in items for report in item.reports]
    reported = (verdict for cut in _cut(told) for verdict in evidence.apply(cut))
    clicked = iter(clicks.apply(_clicked(items)))
    written = iter(replies.apply(_written(items)))
    verdicts = []
    for item in items:
        parts = [next(reported) for _ in item.reports]
        parts += [next(clicked) for _ in item.clicks]
        parts += [next(written) for _ in item.written]
        verdicts.append(_together(parts, item.kind))
    return verdicts


def _clicked(items: list[Item]) -> list[Clicked]:
    return [Clicked(item.attempt, click, item.received_at) for item in items for click in item.clicks]


def _written(items: list[Item]) -> list[Written]:
    return [Written(item.attempt, item.kind, said, item.received_at) for item in items for said in item.written]


def _cut(told: list[Evidence]) -> Iterator[list[Evidence]]:
    for start in range(0, len(told), evidence.chunk()):
        yield told[start : start + evidence.chunk()]


def _together(verdicts: Sequence[Verdict], kind: str) -> Verdict:
    """What became of a callback: the worst of what became of its parts."""
    if len(verdicts) == 1:
        return verdicts[0]
    nonsense = Verdict(Result.NONSENSE, NOTHING[kind])
    return min(verdicts, key=lambda verdict: WORST_FIRST.index(verdict.result), default=nonsense)


def _mark(items: list[Item], verdicts: list[Verdict]) -> None:
    now = timezone.now()
    alike: dict[tuple[Any, ...], list[tuple[int, int | None]]] = defaultdict(list)
    for item, verdict in zip(items, verdicts, strict=True):
        parked = verdict.result == Result.PARKED
        again, applied_at = (_next_try(item, now), None) if parked else (None, now)
        values = (verdict.result, verdict.reason[:200], item.tries + 1, again, applied_at)
        alike[values].append((item.id, verdict.message_id))
    for values, rows in alike.items():
        stored = dict(zip(COLUMNS, bulk.stored(CallbackEvent, COLUMNS, values), strict=True))
        bulk.update_rows(CallbackEvent, ("id", "message_id"), rows, alike=stored)
    results = [(item, verdict.result) for item, verdict in zip(items, verdicts, strict=True)]
    late = [item.id for item, result in results if result == Result.PURGED]
    # A click holds the visitor's IP address; what came too late is about people who are not kept any more.
    if told := late + [item.id for item, result in results if item.kind == CallbackEvent.Kind.CLICK and result in TAKEN]:
        CallbackEvent.objects.filter(pk__in=told).update(raw=b"")
    purge.count_late(len(late), now)


def _next_try(item: Item, now: datetime) -> datetime | None:
    """When a callback for an unknown request is tried again; None after seven days: it stays listed."""
    if now - item.received_at > PARK_FOR:
        return None
    return now + min(PARK_FIRST * 2 ** min(item.tries, 20), PARK_LONGEST)
