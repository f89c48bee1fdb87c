"""Outcomes over time, and their sums, from counters alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce

from campaigns.insight.outcomes import is_dlt, outcome
from campaigns.models import QUARTER, Account, Campaign, Count
from campaigns.models.states import BILLABLE, FINAL_DELIVERY
from campaigns.text.cost import cost
from campaigns.text.window import resolve_local


@dataclass(slots=True)
class Bucket:
    """What became of the messages handed over in one hour or day; the parts are disjoint."""

    at: datetime  # its beginning, in the zone asked for
    delivered: int = 0
    at_operator: int = 0
    dnd: int = 0
    failed: int = 0
    awaiting: int = 0
    unconfirmed: int = 0


@dataclass(slots=True)
class Totals:
    sent: int = 0  # handed over, whatever became of it
    delivered: int = 0
    at_operator: int = 0
    failed: int = 0  # without dnd
    dnd: int = 0
    dlt: int = 0  # of the failed
    awaiting: int = 0
    unconfirmed: int = 0
    final: int = 0
    units: int = 0
    cost: Decimal = Decimal(0)


def series(
    start: datetime,
    end: datetime,
    by: str,
    zone: ZoneInfo,
    *,
    campaign: Campaign | None = None,
    account: Account | None = None,
) -> list[Bucket]:
    """One bucket for each hour or day of the zone that the span touches, empty ones too."""
    edges = list(_edges(start, end, by, zone))
    buckets = [Bucket(edge) for edge in edges]
    starts = [int(edge.timestamp()) for edge in edges]
    rows = _rows(edges[0], end, campaign, account).values_list("quarter", "state", "delivery", "code")
    at = 0
    for quarter, state, delivery, code, n in rows.annotate(total=Sum("n")).order_by("quarter"):
        while at + 1 < len(starts) and starts[at + 1] <= quarter * QUARTER:
            at += 1
        name = outcome(state, delivery, code)
        if name:
            setattr(buckets[at], name, getattr(buckets[at], name) + n)
    return buckets


def _edges(start: datetime, end: datetime, by: str, zone: ZoneInfo) -> Iterator[datetime]:
    """Beginnings of local hours or days from the one that holds ``start`` to before ``end``."""
    local = start.astimezone(zone)
    if by == "hour":
        # Stepped in UTC from a local full hour: an hour that DST repeats or drops stays one bucket or none.
        edge = local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        while edge < end:
            yield edge.astimezone(zone)
            edge += timedelta(hours=1)
        return
    day = local.date()
    while (edge := resolve_local(datetime.combine(day, time()), zone)) < end:
        yield edge
        day += timedelta(days=1)


def _rows(start: datetime, end: datetime, campaign: Campaign | None, account: Account | None) -> QuerySet[Count]:
    first, last = int(start.timestamp()) // QUARTER, -(-int(end.timestamp()) // QUARTER)
    rows = Count.objects.filter(quarter__gte=first, quarter__lt=last, quarter__gt=0)
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    if account is not None:
        rows = rows.filter(campaign__account=account)
    return rows


def totals(start: datetime, end: datetime, *, campaign: Campaign | None = None, account: Account | None = None) -> Totals:
    """Sums over the messages handed over from ``start`` until before ``end``."""
    found = Totals()
    rows = _rows(start, end, campaign, account).annotate(
        rate=Coalesce("campaign__unit_cost", "campaign__account__cost_per_unit")
    )
    grouped = rows.values_list("state", "delivery", "code", "rate").annotate(Sum("n"), Sum("units")).order_by()
    for state, delivery, code, rate, n, units in grouped:
        name = outcome(state, delivery, code)
        if not name:
            continue
        setattr(found, name, getattr(found, name) + n)
        found.sent += n
        found.dlt += n if name == "failed" and is_dlt(code) else 0
        found.final += n if delivery in FINAL_DELIVERY or state == "rejected" else 0
        if state in BILLABLE:
            found.units += units
            found.cost += cost(units, rate)
    return found
