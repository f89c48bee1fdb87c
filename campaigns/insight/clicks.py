"""What is known of the clicks on a campaign's links, from counters alone."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Sum

from campaigns.models import QUARTER, Campaign, ClickCount

Kind = ClickCount.Kind


class Line(NamedTuple):
    """A link, device or city. ``people`` of a link have clicked on it, of others have clicked there first."""

    value: str
    clicks: int
    people: int


class Hour(NamedTuple):
    at: datetime  # its beginning
    clicks: int
    people: int


@dataclass(frozen=True, slots=True)
class Clicks:
    clicks: int
    people: int
    links: list[Line]
    devices: list[Line]
    cities: list[Line]
    hours: list[Hour]  # those with clicks


def tracks(campaign: Campaign) -> bool:
    """Whether clicks are counted: as the launch fixed it, before that as it is set."""
    return "short_domain" in campaign.snapshot if campaign.snapshot else campaign.shorten_links


def clicks(campaign: Campaign, zone: ZoneInfo) -> Clicks:
    """One small query, however many have clicked; the most clicked first."""
    rows = ClickCount.objects.filter(campaign=campaign).values_list("kind", "value")
    lines: dict[str, list[Line]] = defaultdict(list)
    for kind, *line in rows.annotate(Sum("clicks"), Sum("people")).order_by():
        lines[kind].append(Line(*line))
    for found in lines.values():
        found.sort(key=lambda line: (-line.clicks, line.value))
    total = next(iter(lines[Kind.ALL]), Line("", 0, 0))
    hours = _hours(lines[Kind.QUARTER], zone)
    return Clicks(total.clicks, total.people, lines[Kind.LINK], lines[Kind.DEVICE], lines[Kind.CITY], hours)


def _hours(quarters: list[Line], zone: ZoneInfo) -> list[Hour]:
    sums: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for quarter, clicked, people in quarters:
        at = datetime.fromtimestamp(int(quarter) * QUARTER, zone).replace(minute=0)
        sums[at][0] += clicked
        sums[at][1] += people
    return [Hour(at, *sums[at]) for at in sorted(sums)]
