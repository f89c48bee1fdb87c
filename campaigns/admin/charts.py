"""The stacked chart of outcomes: what Chart.js draws, and the same figures as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from campaigns.admin.outcomes import ALL, Outcome
from campaigns.insight.series import Bucket
from campaigns.text.cost import indian

FIELDS = (
    "delivered",
    "at_operator",
    "dnd",
    "failed",
    "awaiting",
    "unconfirmed",
)  # of a Bucket, in the order of ALL


@dataclass(frozen=True)
class Row:
    label: str
    values: list[int]


@dataclass(frozen=True)
class Chart:
    data: dict[str, Any]
    rows: list[Row]  # only those in which something was sent
    summary: str
    zone: str
    outcomes: tuple[Outcome, ...] = ALL


def stacked(buckets: Sequence[Bucket], by: Literal["hour", "day"]) -> Chart:
    several_days = by == "hour" and bool(buckets) and buckets[0].at.date() != buckets[-1].at.date()
    short = "%H:%M" if by == "hour" else "%-d %b"
    long = "%-d %b, %H:%M" if several_days else "%H:%M" if by == "hour" else "%a %-d %b %Y"
    columns = [[getattr(bucket, field) for bucket in buckets] for field in FIELDS]
    rows = [Row(f"{bucket.at:{long}}", [column[i] for column in columns]) for i, bucket in enumerate(buckets)]
    sets = [
        {"key": outcome.key, "label": outcome.word, "values": column} for outcome, column in zip(ALL, columns, strict=True)
    ]
    totals = ", ".join(
        f"{indian(sum(column))} {outcome.word.lower()}" for outcome, column in zip(ALL, columns, strict=True) if any(column)
    )
    return Chart(
        data={"labels": [f"{bucket.at:{short}}" for bucket in buckets], "sets": sets},
        rows=[row for row in rows if any(row.values)],
        summary=f"Messages by {by}: {totals or 'none'}",
        zone=buckets[0].at.tzname() or "" if buckets else "",
    )
