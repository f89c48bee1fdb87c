"""Dates with times as people in India and programs write them, read as instants. What cannot be is told in words."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from campaigns.text.window import resolve_local

MINUTE = 60
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FIRST_YEAR, LAST_YEAR = 2000, 2100
FURTHEST = timedelta(days=366)  # ahead of the reading of a file; a later year is nearly always a slip of the pen
_CLOCK = r"(?:(?:[T,]\s*|\s)(\d{1,2})[:.](\d\d)(?:[:.](\d\d)(?:\.\d{1,9})?)?\s*([ap])?\.?(?:m\.?)?)"
_ZONE = r"\s*(Z|[+-]\d\d:?\d\d|IST)?"
_YEAR_FIRST = re.compile(rf"(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}}){_CLOCK}?{_ZONE}", re.ASCII | re.IGNORECASE)
_DAY_FIRST = re.compile(
    rf"(\d{{1,2}})[-/. ](\d{{1,2}}|[a-z]{{3,9}})[-/., ]\s*(\d{{4}}){_CLOCK}?{_ZONE}", re.ASCII | re.IGNORECASE
)
EXAMPLE = "30-11-2026 10:00"


@lru_cache(maxsize=4096)
def instant(text: str, zone: ZoneInfo) -> int:
    """Seconds since 1970, in whole minutes, rounded up. Raises ValueError; its text goes on from the cell.

    Without an offset it is what the clocks of ``zone`` show; an hour that comes twice is the first of the two.
    """
    plain = " ".join(text.split())
    naive, offset = _read(plain)
    if offset is None:
        at = resolve_local(naive, zone)
        if at.replace(tzinfo=None) != naive:
            raise ValueError(f"does not exist in {zone.key}: the clocks go forward then. Write {at:%H:%M} or later.")
    else:
        at = (naive - offset).replace(tzinfo=UTC)
    return -(-int(at.timestamp()) // MINUTE) * MINUTE


def _read(plain: str) -> tuple[datetime, timedelta | None]:
    """The wall time and its offset, if it names one."""
    if found := _YEAR_FIRST.fullmatch(plain):
        year, month, day, *clock, offset = found.groups()
    elif found := _DAY_FIRST.fullmatch(plain):
        day, month, year, *clock, offset = found.groups()
    else:
        raise ValueError(f"is no date and time. Write such as {EXAMPLE}.")
    if clock[0] is None:
        raise ValueError(f"has a date but no time. Write such as {EXAMPLE}.")
    try:
        at = datetime(int(year), _month(month), int(day), _hour(clock[0], clock[3]), int(clock[1]), int(clock[2] or 0))
    except ValueError:
        raise ValueError(f"is no possible date and time; the day comes first, as in {EXAMPLE}.") from None
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"has the year {at.year}. Write such as {EXAMPLE}.")
    return at, _offset(offset)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else MONTHS.index(text[:3].lower()) + 1


def _hour(text: str, half: str | None) -> int:
    hour = int(text)
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if half in "pP" else 0)


def _offset(text: str | None) -> timedelta | None:
    if not text:
        return None
    if text in "zZ":
        return timedelta()
    if text.upper() == "IST":
        return timedelta(hours=5, minutes=30)
    hours, minutes = int(text[1:3]), int(text[-2:])
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if text[0] == "-" else ahead


class Planned:
    """How many messages are planned for when: by the minute, and coarser where the minutes become too many to keep.

    ``stored`` is what a JSON column holds of it: {"step": seconds, "rows": {number of the step: messages}}.
    """

    STEPS = (MINUTE, 15 * MINUTE, 60 * MINUTE, 24 * 60 * MINUTE)
    MOST = 5_000

    def __init__(self, stored: dict | None = None) -> None:
        self.step: int = (stored or {}).get("step", MINUTE)
        self.rows: dict[int, int] = {int(at): n for at, n in (stored or {}).get("rows", {}).items()}

    def __bool__(self) -> bool:
        return bool(self.rows)

    def add(self, due: int, messages: int = 1) -> None:
        at = due // self.step
        self.rows[at] = self.rows.get(at, 0) + messages
        while len(self.rows) > self.MOST and self.step != self.STEPS[-1]:
            self._coarsen(self.STEPS[self.STEPS.index(self.step) + 1])

    def _coarsen(self, step: int) -> None:
        before, self.rows = self.rows, {}
        for at, n in before.items():
            new = at * self.step // step
            self.rows[new] = self.rows.get(new, 0) + n
        self.step = step

    def join(self, other: "Planned") -> None:
        if other.step > self.step:
            self._coarsen(other.step)
        for at, n in other.rows.items():
            self.add(at * other.step, n)

    def stored(self) -> dict:
        return {"step": self.step, "rows": {str(at): n for at, n in sorted(self.rows.items())}}

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    def after(self, seconds: float) -> int:
        """Messages planned for later than that; exact to the step."""
        return sum(n for at, n in self.rows.items() if at * self.step > seconds)

    @property
    def last(self) -> int:
        """When the last of them may go, at the latest the end of its step."""
        return max(self.rows, default=0) * self.step
