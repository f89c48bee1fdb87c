"""The outcomes that pages show. Each counter row belongs to exactly one, so a chart's parts add up to what was sent."""

from datetime import datetime, timedelta

from campaigns.exotel.codes import failure_class
from campaigns.exotel.codes.stored import of_message
from campaigns.models.states import ARRIVED, HANDED_OVER, Delivery, MessageState

OUTCOMES = ("delivered", "at_operator", "dnd", "failed", "awaiting", "unconfirmed")
DND = "23005"
PATIENCE = timedelta(hours=72)  # after which a final report is no longer expected; one that comes still counts


def outcome(state: str, delivery: str, code: str) -> str:
    """The outcome of a message that was handed over; empty for one that was not."""
    if state not in HANDED_OVER:
        return ""
    if state == MessageState.UNCONFIRMED:
        return "unconfirmed"
    if state == MessageState.REJECTED or delivery == Delivery.FAILED:
        return "dnd" if code == DND else "failed"
    if delivery in ARRIVED:
        return "delivered"
    return "at_operator" if delivery == Delivery.AT_OPERATOR else "awaiting"


def word(state: str, delivery: str, code: str) -> str:
    """One word of an operator for a message, for lists and exports."""
    if state == MessageState.ACCEPTED:
        if delivery == Delivery.FAILED:
            return "do not disturb" if code == DND else "failed"
        return delivery.replace("_", " ") or "awaiting"
    if state == MessageState.REJECTED and code == DND:
        return "do not disturb"
    return {"pending": "waiting", "in_flight": "being sent"}.get(state, state)


def is_overdue(state: str, delivery: str, sent_at: datetime | None, now: datetime) -> bool:
    """Whether a message waits for its final report, or for any word at all, for longer than reports take."""
    waits = state == MessageState.UNCONFIRMED or (state == MessageState.ACCEPTED and delivery == Delivery.AWAITING)
    return waits and sent_at is not None and now - sent_at > PATIENCE


def is_dlt(code: str) -> bool:
    return bool(code) and failure_class(of_message(code)) == "dlt"
