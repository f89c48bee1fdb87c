"""The span of time a chart shows: the last 24 hours, 7 or 30 days, or from one date to another."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils import timezone

LONGEST = 366  # days in one chart: more bars cannot be told apart
HOURLY_UP_TO = timedelta(hours=49)


@dataclass(frozen=True)
class Period:
    key: str  # 24h, 7d, 30d or custom
    start: datetime
    end: datetime
    by: Literal["hour", "day"]
    problem: str = ""  # why the asked-for dates were not taken

    @property
    def title(self) -> str:
        return "Messages by hour" if self.by == "hour" else "Messages by day"

    @property
    def words(self) -> str:
        names = {"24h": "last 24 hours", "7d": "last 7 days", "30d": "last 30 days"}
        last = self.end - timedelta(seconds=1)
        return names.get(self.key) or f"{self.start:%d %b %Y} to {last:%d %b %Y}"

    @property
    def first_day(self) -> str:
        return self.start.date().isoformat()

    @property
    def last_day(self) -> str:
        return (self.end - timedelta(seconds=1)).date().isoformat()


def read(query: QueryDict, zone: ZoneInfo) -> Period:
    """The period a request asks for; without or with unusable dates the last 24 hours, and why."""
    now = timezone.now().astimezone(zone)
    if query.get("from") or query.get("to"):
        return _between(query.get("from", ""), query.get("to", ""), zone, now)
    return _last(query.get("range", "24h"), zone, now)


def _last(key: str, zone: ZoneInfo, now: datetime, problem: str = "") -> Period:
    if key in {"7d", "30d"}:
        days = 7 if key == "7d" else 30
        midnight = datetime.combine(now.date(), time(), zone)
        return Period(key, midnight - timedelta(days=days - 1), midnight + timedelta(days=1), "day", problem)
    hour = now.replace(minute=0, second=0, microsecond=0)
    return Period("24h", hour - timedelta(hours=23), hour + timedelta(hours=1), "hour", problem)


def _between(first: str, last: str, zone: ZoneInfo, now: datetime) -> Period:
    try:
        start_day = date.fromisoformat(first or last)
        end_day = date.fromisoformat(last or first)
    except ValueError:
        return _last("24h", zone, now, "The dates could not be read, so the last 24 hours are shown. Pick two dates.")
    if end_day < start_day:
        start_day, end_day = end_day, start_day
    if (end_day - start_day).days >= LONGEST:
        return _last("24h", zone, now, f"At most {LONGEST} days fit into one chart, so the last 24 hours are shown.")
    start = datetime.combine(start_day, time(), zone)
    end = datetime.combine(end_day + timedelta(days=1), time(), zone)
    return Period("custom", start, end, "hour" if end - start <= HOURLY_UP_TO else "day")


def today(zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From local midnight until now."""
    now = timezone.now().astimezone(zone)
    return datetime.combine(now.date(), time(), zone), now
