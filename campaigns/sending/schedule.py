"""When a campaign may be planned to start. What cannot be is refused in words, before anything is stored."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from campaigns.text.window import resolve_local

LATE = timedelta(minutes=1)  # the time it takes to press a button: a start so little past is a start now
FURTHEST = timedelta(days=366)


class Impossible(Exception):
    """No campaign can start then; the text says why and what can be chosen. The code is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def start(at: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant of a planned start; a time without an offset is what the account's clocks show.

    An hour that comes twice, when clocks go back, is the first of the two. One that does not exist is refused.
    """
    try:
        instant = (at if at.tzinfo else _shown(at, zone)).astimezone(UTC)
    except OverflowError:
        raise _past() if at.year < now.year else _far() from None
    if instant < now - LATE:
        raise _past()
    if instant > now + FURTHEST:
        raise _far()
    return instant


def _shown(naive: datetime, zone: ZoneInfo) -> datetime:
    instant = resolve_local(naive, zone)
    if instant.replace(tzinfo=None) != naive:
        raise Impossible(
            "no_such_time",
            f"{naive:%-d %b %Y, %H:%M} does not exist in {zone.key}: the clocks go forward then. "
            f"Choose {instant:%H:%M} or later.",
        )
    return instant


def _past() -> Impossible:
    return Impossible("passed", "This time has passed. Choose a later one, or leave it empty to start on launch.")


def _far() -> Impossible:
    return Impossible("too_far", f"Choose a start within the next {FURTHEST.days} days.")
