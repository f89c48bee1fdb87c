"""Why messages failed: by code, with what it means, what to do and who must act."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, Sum

from campaigns.exotel.codes import Code, failure_class
from campaigns.exotel.codes.stored import of_message
from campaigns.models import QUARTER, Account, Campaign, Count
from campaigns.models.states import Delivery, MessageState


@dataclass(frozen=True, slots=True)
class Failure:
    code: str
    name: str
    title: str
    meaning: str
    remedy: str
    actor: str
    retryable: bool
    count: int
    share: float  # of all failures, 0 to 1
    failure_class: str


def failures(
    *,
    campaign: Campaign | None = None,
    account: Account | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Failure]:
    """Failed and rejected messages by code, most frequent first."""
    rows = Count.objects.filter(Q(state=MessageState.REJECTED) | Q(delivery=Delivery.FAILED))
    if campaign is not None:
        rows = rows.filter(campaign=campaign)
    if account is not None:
        rows = rows.filter(campaign__account=account)
    if start is not None:
        rows = rows.filter(quarter__gte=int(start.timestamp()) // QUARTER)
    if end is not None:
        rows = rows.filter(quarter__lt=-(-int(end.timestamp()) // QUARTER))
    counts = {code: n for code, n in rows.values_list("code").annotate(total=Sum("n")).order_by() if n}
    every = sum(counts.values())
    return [_failure(code, n, n / every) for code, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


class Unexplained(NamedTuple):
    """A code that messages failed with and that the shipped dictionary does not have; a note on it is in its row."""

    row: Code
    messages: int


def unexplained() -> list[Unexplained]:
    return [Unexplained(row, failure.count) for failure in failures() if not (row := of_message(failure.code)).known]


def _failure(code: str, count: int, share: float) -> Failure:
    row = of_message(code)
    return Failure(
        code, row.name, row.title, row.meaning, row.remedy, row.actor, row.retryable, count, share, failure_class(row)
    )
