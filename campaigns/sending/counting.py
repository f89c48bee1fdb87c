"""Counter deltas: whoever moves messages says from which place to which, in the same transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from campaigns import bulk
from campaigns.models import QUARTER, Count
from campaigns.models.states import Delivery, MessageState

COLUMNS = ("campaign", "quarter", "state", "delivery", "code", "conflict", "n", "units")


class Place(NamedTuple):
    """Where a message stands as far as any page counts it."""

    campaign_id: int
    quarter: int
    state: str
    delivery: str
    code: str
    conflict: bool


def place(
    campaign_id: int,
    sent_at: datetime | None,
    state: str,
    delivery: str = "",
    code: str = "",
    conflict: bool = False,
) -> Place:
    """The place of a message; a code counts only where something failed, so that places stay few."""
    return place_in(campaign_id, quarter_of(sent_at), state, delivery, code, conflict)


@lru_cache(4096)  # reports move thousands of messages between a dozen places
def place_in(campaign_id: int, quarter: int, state: str, delivery: str, code: str, conflict: bool) -> Place:
    failed = state == MessageState.REJECTED or delivery == Delivery.FAILED
    return Place(campaign_id, quarter, state, delivery, code if failed else "", conflict)


def quarter_of(sent_at: datetime | None) -> int:
    """The quarter of an hour that counters know; 0 for what was never sent."""
    return int(sent_at.timestamp()) // QUARTER if sent_at else 0


class Deltas:
    """Collects moves and writes their sum: one row for each place whose count changed."""

    def __init__(self) -> None:
        self._sums: dict[Place, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, at: Place, messages: int, units: int) -> None:
        sums = self._sums[at]
        sums[0] += messages
        sums[1] += units

    def move(self, before: Place, after: Place, messages: int, units: int, units_after: int | None = None) -> None:
        self.add(before, -messages, -units)
        self.add(after, messages, units if units_after is None else units_after)

    def write(self) -> None:
        rows = [(*at, n, units) for at, (n, units) in self._sums.items() if n or units]
        bulk.insert_few(Count, COLUMNS, rows)


def add_up(rows: Iterable[tuple[Place, int, int]]) -> dict[Place, tuple[int, int]]:
    """The sums of counter rows by place, without the places that came back to zero."""
    sums: dict[Place, list[int]] = defaultdict(lambda: [0, 0])
    for at, n, units in rows:
        sums[at][0] += n
        sums[at][1] += units
    return {at: (n, units) for at, (n, units) in sums.items() if n or units}
