"""What an administrator says of codes, laid over the shipped rows.

Whoever keeps those corrections hands over a function that returns all of them; it is asked again every few seconds. When it
fails, the last good answer goes on being used: looking up a code never fails because of a correction.

A correction changes words, who must act and whether to send again. It never says what becomes of a message: an added code of
a family that speaks of messages keeps ``known`` False and takes its state from the status word, as without the correction.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from campaigns.exotel.codes.rows import Code, Key, Tables, family_of, indexed, shipped, unknown
from campaigns.exotel.codes.words import ACTORS

logger = logging.getLogger(__name__)
SECONDS = 5.0
NEVER_AGAIN = frozenset({"list_owner", "dlt_admin"})  # who must act before the same message could arrive


@dataclass(frozen=True, slots=True)
class Correction:
    """What is empty or None stays as shipped."""

    title: str = ""
    meaning: str = ""
    remedy: str = ""
    actor: str = ""
    retryable: bool | None = None


Source = Callable[[], Mapping[Key, Correction]]


class Overlay:
    def __init__(self, source: Source, seconds: float = SECONDS) -> None:
        self._source, self._seconds = source, seconds
        self._seen: Mapping[Key, Correction] = {}
        self._laid, self._due, self._failing = shipped(), 0.0, False

    def tables(self) -> Tables:
        if time.monotonic() >= self._due:
            self._refresh()
        return self._laid

    def expire(self) -> None:
        self._due = 0.0

    def _refresh(self) -> None:
        self._due = time.monotonic() + self._seconds  # first: neither other threads nor the source itself come here again
        try:
            seen = dict(self._source())
            if seen != self._seen:
                self._laid, self._seen = laid(seen), seen
            self._failing = False
        except Exception:
            if not self._failing:
                logger.warning("The corrections of the code dictionary cannot be read; the last ones stay.", exc_info=True)
            self._failing = True


_overlay: Overlay | None = None
tables: Callable[[], Tables] = shipped  # as every lookup sees them; without an overlay the bare files


def set_overlay(source: Source | None, seconds: float = SECONDS) -> None:
    """Where corrections come from, and how old they may be; None for none."""
    global _overlay, tables
    _overlay = Overlay(source, seconds) if source else None
    tables = _overlay.tables if _overlay else shipped


def refresh() -> None:
    """Ask for the corrections again at the next lookup of this process: one was just written."""
    if _overlay:
        _overlay.expire()


def laid(corrections: Mapping[Key, Correction]) -> Tables:
    rows = dict(shipped().by_key)
    of_requests = {family_of(row) for row in rows.values() if row.effect}
    for key, correction in corrections.items():
        row = rows.get(key) or replace(unknown(*key, name="", state=""), known=key[:3] in of_requests)
        rows[key] = _corrected(row, correction)
    return indexed(rows.values())


def _corrected(row: Code, correction: Correction) -> Code:
    said = {column: getattr(correction, column).strip() for column in ("title", "meaning", "remedy", "actor")}
    values: dict[str, Any] = {column: text for column, text in said.items() if text}
    if values.get("actor", row.actor) not in ACTORS:
        del values["actor"]
    again = row.retryable if correction.retryable is None else correction.retryable
    values["retryable"] = again and values.get("actor", row.actor) not in NEVER_AGAIN
    return replace(row, **values, overlaid=True)
