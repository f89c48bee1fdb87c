"""Keeps counters few: many small deltas become one row a place. Never touches a message."""

import time
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count as Number

from campaigns.models import ClickCount, Count

ENOUGH = 200  # rows of a campaign below which nothing is gained
MOST = 20_000  # rows in one transaction
BUDGET = 2.0  # seconds


class Counter(NamedTuple):
    """A table of deltas: the columns of a place, and the two that are added up."""

    model: Any
    place: tuple[str, ...]
    added: tuple[str, str]


COUNTERS = (
    Counter(Count, ("campaign_id", "quarter", "state", "delivery", "code", "conflict"), ("n", "units")),
    Counter(ClickCount, ("campaign_id", "kind", "value"), ("clicks", "people")),
)


def squash() -> int:
    """Replace deltas by their sums for a short while; how many rows fewer there are."""
    until = time.monotonic() + BUDGET
    fewer = 0
    for counter in COUNTERS:
        rows = counter.model.objects.values("campaign_id").annotate(rows=Number("id"))
        crowded = rows.filter(rows__gt=ENOUGH).order_by("-rows").values_list("campaign_id", flat=True)
        for campaign_id in list(crowded[:100]):
            if time.monotonic() > until:
                break
            fewer += _squash(counter, campaign_id)
    return fewer


def _squash(counter: Counter, campaign_id: int) -> int:
    """One campaign: exactly the rows that were summed are deleted, so a delta that comes meanwhile is kept."""
    model, place, (first, second) = counter
    with transaction.atomic():
        rows = list(model.objects.filter(campaign=campaign_id).order_by("id").select_for_update()[:MOST])
        sums: dict[tuple, list[int]] = {}
        for row in rows:
            total = sums.setdefault(tuple(getattr(row, name) for name in place), [0, 0])
            total[0] += getattr(row, first)
            total[1] += getattr(row, second)
        if len(sums) > len(rows) // 2:
            return 0
        model.objects.filter(pk__in=[row.pk for row in rows]).delete()
        kept = [
            model(**dict(zip(place, key, strict=True)), **{first: one, second: two})
            for key, (one, two) in sums.items()
            if one or two
        ]
        model.objects.bulk_create(kept)
    return len(rows) - len(kept)
