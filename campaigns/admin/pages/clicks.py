"""The card "Clicks" of a campaign that counts them: who clicked, on what, with what, where and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.admin.charts import Chart
from campaigns.admin.charts import Row as ChartRow
from campaigns.admin.outcomes import Outcome
from campaigns.admin.tiles import Tile
from campaigns.admin.words import count
from campaigns.insight import clicks
from campaigns.insight.clicks import Hour, Line
from campaigns.models import Campaign
from campaigns.text.cost import indian, percent

SHOWN = 5  # lines of a list
HOURLY = timedelta(days=2)  # a longer span is drawn by day
MOST_BARS = 60
FIRST, AGAIN = Outcome("first", "First click of a person"), Outcome("again", "Further clicks")


@dataclass(frozen=True)
class Ranking:
    title: str
    lines: list[Line]
    more: int  # further values
    most: int  # clicks of the first


@dataclass(frozen=True)
class Card:
    tiles: list[Tile]
    rankings: list[Ranking]
    chart: Chart | None  # none while nobody has clicked


def card(campaign: Campaign, arrived: int, zone: ZoneInfo) -> Card | None:
    """None when the campaign does not count clicks."""
    if not clicks.tracks(campaign):
        return None
    found = clicks.clicks(campaign, zone)
    under = f"of {indian(arrived)} delivered" + ("" if found.people <= arrived else " so far")  # clicks may come first
    share = f"{percent(found.people, arrived)} {under}" if 0 < found.people <= arrived else under
    again = count(found.clicks - found.people, "further click")
    tiles = [Tile("People who clicked", indian(found.people), share), Tile("Clicks", indian(found.clicks), again)]
    lists = (("Links", found.links), ("Devices", found.devices), ("Cities", found.cities))
    return Card(tiles, [_ranking(*one) for one in lists if one[1]], _chart(found.hours) if found.hours else None)


def _ranking(title: str, lines: Sequence[Line]) -> Ranking:
    return Ranking(title, list(lines[:SHOWN]), max(len(lines) - SHOWN, 0), lines[0].clicks)


def _chart(hours: Sequence[Hour]) -> Chart:
    """Bars from the first click to the last, by hour or by day."""
    by_day = hours[-1].at - hours[0].at > HOURLY
    step = timedelta(days=1) if by_day else timedelta(hours=1)
    sums: dict[datetime, list[int]] = {}
    at = _floor(hours[0].at, by_day)
    while at <= hours[-1].at:
        sums[at] = [0, 0]
        at += step
    for hour in hours:
        add = sums.setdefault(_floor(hour.at, by_day), [0, 0])
        add[0] += hour.people
        add[1] += hour.clicks - hour.people
    bars = sorted(sums.items())[-MOST_BARS:]
    return _drawn(bars, "%-d %b" if by_day else "%H:%M", "%a %-d %b %Y" if by_day else "%-d %b, %H:%M")


def _floor(at: datetime, by_day: bool) -> datetime:
    return datetime.combine(at.date(), time(), at.tzinfo) if by_day else at


def _drawn(bars: Sequence[tuple[datetime, list[int]]], short: str, long: str) -> Chart:
    columns = [[sums[i] for _, sums in bars] for i in (0, 1)]
    return Chart(
        data={
            "labels": [f"{at:{short}}" for at, _ in bars],
            "sets": [
                {"key": one.key, "label": one.word, "values": column}
                for one, column in zip((FIRST, AGAIN), columns, strict=True)
            ],
        },
        rows=[ChartRow(f"{at:{long}}", sums) for at, sums in bars if any(sums)],
        summary=f"Clicks over time: {indian(sum(columns[0]))} first, {indian(sum(columns[1]))} further",
        zone=bars[0][0].tzname() or "",
        outcomes=(FIRST, AGAIN),
    )
