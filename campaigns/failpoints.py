"""Places at which a test makes this process die, raise or hang. Armed by EXODASH_FAILPOINTS under EXODASH_DEBUG alone.

``intent.committed:kill`` kills the process there, ``outcome.before:exception:3`` raises the third time, and
``post.answered:hang`` makes the file ``hanging`` in the data folder and waits until ``go-on`` appears there.
"""

import os
import signal
import threading
import time

from django.conf import settings

POINTS = frozenset(
    f"{step}.{moment}"
    for step in ("intent", "outcome", "launch", "import", "audience", "inbox", "ingest", "wind_up", "purge")
    for moment in ("before", "committed")
) | {"post.answered", "hook.taken", "hook.answered"}  # fmt: skip
ACTIONS = frozenset({"kill", "exception", "hang"})


class Struck(Exception):
    """Raised at a failpoint."""


def wrong() -> list[str]:
    """The entries of EXODASH_FAILPOINTS that name no point or no action."""
    return [entry for entry in settings.FAILPOINTS if _parsed(entry) is None]


def _parsed(entry: str) -> tuple[str, str, int] | None:
    point, action, times = [*entry.split(":"), "1", ""][:3]
    good = point in POINTS and action in ACTIONS and times.isdigit() and entry.count(":") in {1, 2}
    return (point, action, int(times)) if good else None


class _Armed:
    """What is still to strike: how often each point must be reached before it does."""

    def __init__(self) -> None:
        entries = [parsed for entry in settings.FAILPOINTS if (parsed := _parsed(entry))] if settings.DEBUG else []
        self._left = {point: (action, times) for point, action, times in entries}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._left)

    def due(self, point: str) -> str:
        with self._lock:
            action, times = self._left.get(point, ("", 0))
            if times > 1:
                self._left[point] = (action, times - 1)
                return ""
            self._left.pop(point, None)
        return action


_armed = _Armed()


def reach(point: str) -> None:
    """Strike when this point is armed; otherwise nothing, at the cost of one look."""
    if _armed:
        _strike(_armed.due(point), point)


def _strike(action: str, point: str) -> None:
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "exception":
        raise Struck(point)
    if action == "hang":
        (settings.DATA_DIR / "hanging").touch()
        while not (settings.DATA_DIR / "go-on").exists():
            time.sleep(0.05)
