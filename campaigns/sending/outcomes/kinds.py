"""The words of an outcome, the same for every API."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from campaigns.exotel.reports import DeliveryReport

UNSETTLED = (
    "The answer to the request settles none of its messages. They may have been accepted: they are not sent again by "
    "themselves, and their status reports settle it."
)


class Kind(StrEnum):
    """What becomes of one message."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PENDING = "pending"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True, slots=True)
class ItemResult:
    index: int  # in the batch
    state: Kind
    sid: str = ""
    code: str = ""
    report: DeliveryReport | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    items: list[ItemResult]  # one for each message, in batch order
    http_status: int | None = None
    app_code: str = ""
    retry_after: float | None = None  # seconds, within refusals.SHORTEST_WAIT..LONGEST_WAIT
    reason: str = ""  # for the operator: what happened and what to do
    strays: list[dict[str, Any]] = field(default_factory=list)  # items of the answer that belong to no message


def alike(size: int, kind: str) -> list[ItemResult]:
    """The same fate for all messages of a batch that was not answered one by one."""
    state = Kind.UNCONFIRMED if kind == "unknown" else Kind.PENDING
    return [ItemResult(i, state) for i in range(size)]


def answered(results: Sequence[ItemResult], status: int, strays: list[dict[str, Any]] | None = None) -> Outcome:
    """What a success says of each message. One that settles none is no better than no answer."""
    items = list(results)
    if all(result.state == Kind.UNCONFIRMED for result in items):
        return Outcome("unknown", items, status, reason=f"HTTP {status}: {UNSETTLED}", strays=strays or [])
    return Outcome("answered", items, status, strays=strays or [])
