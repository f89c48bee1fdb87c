"""Hours and instants: the promotional window, local times across DST, and the wire's naive IST."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

IST = ZoneInfo("Asia/Kolkata")
EXACT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def is_open(at: datetime, opens: time, closes: time, zone: ZoneInfo) -> bool:
    """Whether an instant lies in the daily window; the closing minute is outside."""
    return opens <= at.astimezone(zone).time() < closes


def next_opening(at: datetime, opens: time, closes: time, zone: ZoneInfo) -> datetime:
    """The instant itself while the window is open, else the next time it opens."""
    if is_open(at, opens, closes, zone):
        return at
    local = at.astimezone(zone)
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return resolve_local(datetime.combine(day, opens), zone)


def resolve_local(naive: datetime, zone: ZoneInfo) -> datetime:
    """A local wall time as an instant: in a gap the first valid instant after it, in a fold the first of the two."""
    local = naive.replace(tzinfo=zone, fold=0)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive:
        return local
    # In a gap fold=1 reads the time with the offset after it, an instant before the gap; fold=0 one after it.
    early, late = naive.replace(tzinfo=zone, fold=1).astimezone(UTC), local.astimezone(UTC)
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < naive:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0).astimezone(zone)


def twice(at: datetime, zone: ZoneInfo) -> str:
    """``first`` or ``second`` for an instant whose wall time comes twice, when clocks go back; else empty."""
    local = at.astimezone(zone)
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        return ""
    return "second" if local.fold else "first"


@lru_cache(1024)  # reports of one moment come together
def ist(text: str | None) -> datetime | None:
    """The wire's "YYYY-MM-DD HH:MM:SS", which is IST (exotel-wire 1.4); None for nothing, nonsense and the epoch."""
    if not text:
        return None
    try:
        # strptime takes ten times as long, and Exotel nearly always writes all nineteen characters.
        exact = EXACT.fullmatch(text)
        at = datetime.fromisoformat(text) if exact else datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
    at = at.replace(tzinfo=IST)
    return at if at.year > 1970 else None
