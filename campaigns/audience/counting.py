"""For how many members conditions hold. Python decides it row by row, so both databases give the same answer.

A count belongs to a version of the audience. What cannot be counted while somebody waits is counted in the background, and
until then it is told how far that is.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from campaigns import bulk, jobs
from campaigns.audience.turns import Turn
from campaigns.models import Audience, Segment, SegmentCount
from campaigns.text import conditions as rules

CHUNK = 20_000
SECONDS = 1.0  # that somebody waits for a count
KEPT = 50  # counts of conditions that no segment has

Member = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Counted:
    found: int  # among those looked at
    looked: int
    size: int  # members of the audience
    done: bool

    @property
    def left(self) -> int:
        return max(self.size - self.looked, 0)


def members(audience_id: int) -> Iterator[list[Member]]:
    """All members by id, a list of them at a time."""
    for rows in _portions(audience_id, "cells", 0):
        yield [(pk, cells_of(text)) for pk, text in rows]


def _portions(audience_id: int, what: str, after: int) -> Iterator[list[tuple[Any, ...]]]:
    """In windows of ids: PostgreSQL, which knows little of people who have just come, would sort all of them for each."""
    here = "FROM campaigns_audiencemember WHERE audience_id = %s AND id > %s"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT min(id), max(id) {here}", [audience_id, after])
        first, last = cursor.fetchone()
    after = (first or 1) - 1
    while after < (last or 0):
        upper = after + 2 * CHUNK
        with connection.cursor() as cursor:
            query = f"SELECT id, {what} {here} AND id <= %s ORDER BY id LIMIT %s"
            cursor.execute(query, [audience_id, after, upper, CHUNK])
            rows = cursor.fetchall()
        if rows:
            yield rows
        after = rows[-1][0] if len(rows) == CHUNK else upper


def cells_of(text: str) -> list[str]:
    """A JSON list of texts, as both databases write it. Without an escape in it, its quotes are those around the cells."""
    return text[2:-2].split('", "') if "\\" not in text else json.loads(text)


def count(audience: Audience, conditions: Mapping[str, Any], seconds: float = SECONDS) -> Counted:
    """How many members there are for normal conditions; none stands for everyone."""
    if not conditions:
        return Counted(audience.size, audience.size, audience.size, True)
    key = rules.key(conditions)
    row = SegmentCount.objects.filter(audience=audience, key=key, version=audience.version).first()
    if row is None:
        row = SegmentCount(audience=audience, key=key, conditions=dict(conditions), version=audience.version)
        until = time.monotonic() + seconds
        _look([row], audience.columns, lambda: time.monotonic() < until)
        row = _keep(row)
    return Counted(row.found, row.looked, audience.size, row.done)


def _keep(row: SegmentCount) -> SegmentCount:
    """Store what was counted. When the members changed meanwhile it holds for none of their versions, and is begun again."""
    with transaction.atomic():
        now = Audience.objects.select_for_update().filter(pk=row.audience_id).first()
        if now is None or now.version != row.version:
            row.done = False
            return row
        values = {name: getattr(row, name) for name in ("conditions", "version", "looked", "found", "last_id", "done")}
        row, _ = SegmentCount.objects.update_or_create(audience=now, key=row.key, defaults=values)
        _prune(now)
        if not row.done:
            jobs.enqueue(jobs.AUDIENCE, now.pk)
    return row


def _prune(audience: Audience) -> None:
    """Forget the oldest counts that were asked for in passing."""
    saved = [rules.key(segment.conditions) for segment in audience.segments.all()]
    others = SegmentCount.objects.filter(audience=audience).exclude(key__in=saved).order_by("-pk")
    SegmentCount.objects.filter(pk__in=list(others.values_list("pk", flat=True)[KEPT:])).delete()


def known(audience: Audience, segments: list[Segment]) -> list[Counted | None]:
    """What is known of each segment's count; None while nothing is."""
    rows = {row.key: row for row in SegmentCount.objects.filter(audience=audience)}
    found = [rows.get(rules.key(segment.conditions)) for segment in segments]
    return [
        Counted(row.found, row.looked, audience.size, row.done) if row and row.version == audience.version else None
        for row in found
    ]


def renew(audience_id: int) -> None:
    """The members changed: segments are to be counted again, and nobody asks for the other counts any more."""
    saved = {rules.key(segment.conditions): segment.conditions for segment in Segment.objects.filter(audience=audience_id)}
    version = Audience.objects.values_list("version", flat=True).get(pk=audience_id)
    rows = SegmentCount.objects.filter(audience=audience_id)
    rows.exclude(key__in=saved).delete()
    anew = {"version": version, "looked": 0, "found": 0, "last_id": 0, "done": False}
    for key, conditions in saved.items():
        rows.update_or_create(audience_id=audience_id, key=key, defaults={"conditions": conditions, **anew})
    if saved:
        jobs.enqueue(jobs.AUDIENCE, audience_id)


def advance(audience: Audience, turn: Turn) -> bool:
    """Count on what was begun; False when there is more to count."""
    open_ones = SegmentCount.objects.filter(audience=audience, done=False)
    open_ones.exclude(version=audience.version).update(version=audience.version, looked=0, found=0, last_id=0)
    rows = list(open_ones)
    _look(rows, audience.columns, lambda: _store(rows) and turn.goes_on())
    _store(rows)
    return not open_ones.exists()


def _store(rows: list[SegmentCount]) -> bool:
    """Keep how far it is, but not over a count that was begun anew meanwhile, because the members changed."""
    for row in rows:
        SegmentCount.objects.filter(pk=row.pk, version=row.version).update(
            looked=row.looked, found=row.found, last_id=row.last_id, done=row.done, updated_at=timezone.now()
        )
    return True


def _look(rows: list[SegmentCount], columns: list[str], goes_on: Callable[[], bool]) -> None:
    """Count all of these in one go over the members."""
    if not rows:
        return
    used = sorted(set[str]().union(*(rules.columns_of(row.conditions) for row in rows)))
    items = ", ".join(f"coalesce({bulk.json_item('cells', columns.index(column))}, '')" for column in used)
    tests = [(row, rules.matcher(row.conditions, ["", *used])) for row in rows]
    for portion in _portions(rows[0].audience_id, items, min(row.last_id for row in rows)):
        last = portion[-1][0]
        for row, holds in tests:
            new = [member for member in portion if member[0] > row.last_id]
            row.found += sum(map(holds, new))
            row.looked += len(new)
            row.last_id = max(row.last_id, last)
        if not goes_on():
            return
    for row in rows:
        row.done = True
