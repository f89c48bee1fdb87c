"""Whether a failure may be sent again. Pure: a row of the code dictionary and where the message stands, nothing else.

No machine sends an SMS again. These are the rules for an operator who asks for it.
"""

from decimal import Decimal
from typing import NamedTuple

from campaigns.exotel.codes import Code, failure_class
from campaigns.models.states import Delivery, MessageState
from campaigns.text.cost import exact, indian


class Limits(NamedTuple):
    tries: int  # that one person may have over the whole family, the first included
    cost: Decimal | None = None  # rupees that one retry may cost; None for any


class Decision(NamedTuple):
    may: bool
    reason: str


NOT_FAILED = {
    MessageState.PENDING: "It waits to be sent.",
    MessageState.IN_FLIGHT: "It is being sent.",
    MessageState.UNCONFIRMED: "Nobody knows whether it was sent, and the person could get it twice.",
    MessageState.SUPPRESSED: "The number is on a suppression list.",
    MessageState.CANCELLED: "It was cancelled before it was sent.",
}
NOT_FAILED_DELIVERY = {
    Delivery.NONE: "Its report is still awaited.",
    Delivery.AWAITING: "Its report is still awaited.",
    Delivery.AT_OPERATOR: "The operator has it and may have delivered it.",
    Delivery.DELIVERED: "It was delivered.",
    Delivery.READ: "It was delivered and read.",
}
HOPELESS = {
    "list": "the number or its owner does not take this message, however often it is sent",
    "dlt": "the registration on the DLT platform must be mended first",
    "unknown": "nobody knows whether another try can help",
}


def decide(row: Code, state: str, delivery: str, tries: int, limits: Limits, conflict: bool = False) -> Decision:
    """May a message with this code that stands there be sent again to a person who has had so many tries?"""
    if reason := _not_failed(state, delivery, conflict):
        return Decision(False, reason)
    kind = failure_class(row)
    if kind in {"list", "dlt"} or not row.retryable:
        return Decision(False, f"{row.title}: {HOPELESS.get(kind, 'another try would fail the same way')}.")
    if tries >= limits.tries:
        return Decision(False, f"The person has had {tries} of at most {limits.tries} tries.")
    return Decision(True, f"{row.title}: another try may arrive.")


def _not_failed(state: str, delivery: str, conflict: bool) -> str:
    """Why a message is no failure; empty for one that is."""
    if state in NOT_FAILED:
        return NOT_FAILED[MessageState(state)]
    if conflict:
        return "It was reported delivered too, and that counts."
    refused = state == MessageState.REJECTED and delivery == Delivery.NONE
    return "" if refused or delivery == Delivery.FAILED else NOT_FAILED_DELIVERY[Delivery(delivery)]


def affordable(people: int, cost: Decimal, limits: Limits) -> Decision:
    """May a retry to so many people be made at this cost?"""
    if limits.cost is None or cost <= limits.cost:
        return Decision(True, "The cost is within the limit.")
    return Decision(
        False,
        f"Sending to {indian(people)} {'person' if people == 1 else 'people'} again would cost about {exact(cost)}, "
        f"more than the limit of {exact(limits.cost)}. Nothing was made.",
    )
