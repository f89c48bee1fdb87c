"""The six outcomes of the console: their words, and where a message or a campaign's counts belong.

Every outcome has one fixed colour (static/console/tokens.css) and is never shown without its word.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from campaigns.insight.outcomes import OUTCOMES, is_overdue, outcome
from campaigns.models import Message
from campaigns.models.states import Delivery, MessageState


@dataclass(frozen=True)
class Outcome:
    key: str  # the class of its colour
    word: str


DELIVERED = Outcome("delivered", "Delivered")
AT_OPERATOR = Outcome("operator", "At operator")
DND = Outcome("dnd", "Do not disturb")
FAILED = Outcome("failed", "Failed")
AWAITING = Outcome("awaiting", "Awaiting")
UNCONFIRMED = Outcome("unconfirmed", "Unconfirmed")
ALL = (DELIVERED, AT_OPERATOR, DND, FAILED, AWAITING, UNCONFIRMED)

_BY_KEY = dict(zip(OUTCOMES, ALL, strict=True))
# Words that say more than the outcome they belong to.
_SPECIAL = {
    MessageState.PENDING: Outcome("waiting", "Waiting"),
    MessageState.IN_FLIGHT: Outcome("waiting", "Being sent"),
    MessageState.SUPPRESSED: Outcome("waiting", "Suppressed"),
    MessageState.CANCELLED: Outcome("waiting", "Cancelled"),
}
_REJECTED, _READ = Outcome("failed", "Rejected"), Outcome("delivered", "Read")
# What 72 hours without a word are called; the state is what it was, and a report still changes it.
_OVERDUE = {
    "awaiting": Outcome("awaiting", "No report after 72 h"),
    "unconfirmed": Outcome("unconfirmed", "Outcome unknown"),
}


def of_message(message: Message) -> Outcome:
    """What to call a message."""
    if message.state in _SPECIAL:
        return _SPECIAL[MessageState(message.state)]
    if is_overdue(message.state, message.delivery, message.sent_at, timezone.now()):
        return _OVERDUE[outcome(message.state, message.delivery, message.code)]
    found = _BY_KEY[outcome(message.state, message.delivery, message.code)]
    if found is FAILED and message.state == MessageState.REJECTED:
        return _REJECTED
    return _READ if message.delivery == Delivery.READ else found


@dataclass(frozen=True)
class Segment:
    """A stretch of the outcome bar, in per cent of its whole."""

    outcome: Outcome
    count: int
    start: float
    width: float


def segments(parts: Iterable[tuple[Outcome, int]], total: int) -> list[Segment]:
    bar: list[Segment] = []
    start = 0.0
    for kind, count in parts:
        if count > 0 and total > 0:
            width = min(100 * count / total, 100 - start)
            bar.append(Segment(kind, count, round(start, 3), round(width, 3)))
            start += width
    return bar
