"""The audiences and segments that a campaign may be given, with how many people each has."""

from collections import defaultdict
from typing import Any

from campaigns.audience import Unusable
from campaigns.models import Audience, Segment, SegmentCount
from campaigns.text import conditions
from campaigns.text.cost import indian

MOST = 500  # audiences in one list


def offered() -> list[Any]:
    """As the choices of a field: 7 for everyone in audience 7, 7:12 for its segment 12."""
    rows = list(Audience.objects.filter(archived=False, deleting=False, size__gt=0)[:MOST])
    counts = {
        (row.audience_id, row.key, row.version): row.found
        for row in SegmentCount.objects.filter(audience__in=rows, done=True)
    }
    segments: dict[int, list[Segment]] = defaultdict(list)
    for segment in Segment.objects.filter(audience__in=rows):
        segments[segment.audience_id].append(segment)
    groups = []
    for row in rows:
        group = [(str(row.pk), f"{indian(row.size)} · {row.name}")]
        for segment in segments[row.pk]:
            found = counts.get((row.pk, conditions.key(segment.conditions), row.version))
            count = "being counted" if found is None else indian(found)
            group.append((f"{row.pk}:{segment.pk}", f"{count} · {row.name}: {segment.name}"))
        groups.append((row.name, group))
    return [("", "None"), *groups]


def chosen(value: str) -> tuple[Audience, Segment | None] | None:
    """What stands behind a choice that was offered. Raises Unusable when it went meanwhile."""
    if not value:
        return None
    pk, _, segment = value.partition(":")
    row = Audience.objects.filter(pk=pk, deleting=False).first()
    part = Segment.objects.filter(audience=row, pk=segment).first() if segment else None
    if row is None or (segment and part is None):
        raise Unusable("DELETED", "What you chose was deleted just now. Choose again.")
    return row, part
