"""Lists of messages at any depth for the same cost, and the story of one message."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, Q
from django.db.models.expressions import RawSQL

from campaigns.exotel.codes.stored import of_message
from campaigns.insight.outcomes import DND
from campaigns.models import Attempt, Campaign, Click, DeliveryEvent, Message, Transition, Verification
from campaigns.models.message import LITERALLY, SET_ASIDE
from campaigns.models.states import AttemptPhase, Delivery, MessageState
from campaigns.text.phone import anywhere

LARGEST = 2**63 - 1
MOST = 1_000
ANSWERED = frozenset({MessageState.ACCEPTED, MessageState.REJECTED})


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Message]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a message, in a plain sentence."""

    at: datetime
    kind: str  # created, resent, state, report, check or click
    text: str
    code: str = ""


def page(
    campaign: Campaign | None = None, *, status: str = "", code: str = "", phone: str = "", cursor: str = "", size: int = 50
) -> Page:
    """Messages, the newest first. Raises ValueError with a sentence for a filter or cursor that makes no sense.

    A cursor is ``<id`` for older rows and ``>id`` for newer ones.
    """
    rows = Message.objects.filter(_filters(campaign, status, code, phone)).select_related("campaign")
    size = min(size, MOST)
    backward, pk = _cursor(cursor)
    if backward:
        found = list(rows.filter(pk__gt=pk).order_by("pk")[: size + 1])
        more_newer, more_older = len(found) > size, True
        found = found[:size][::-1]
    else:
        found = list((rows.filter(pk__lt=pk) if pk else rows).order_by("-pk")[: size + 1])
        more_newer, more_older = bool(pk), len(found) > size
        found = found[:size]
    following = f"<{found[-1].pk}" if found and more_older else None
    previous = f">{found[0].pk}" if found and more_newer else None
    return Page(found, following, previous)


def _filters(campaign: Campaign | None, status: str, code: str, phone: str) -> Q:
    chosen = Q(campaign=campaign) if campaign is not None else Q()
    if status:
        chosen &= _status(campaign, status)
    if code:
        chosen &= Q(code=code) & literally("code")
    if phone:
        number = anywhere(phone)
        if not number:
            raise ValueError("phone: write a whole mobile number, such as 98123 45670.")
        chosen &= Q(number=number)
    return chosen


def _status(campaign: Campaign | None, status: str) -> Q:
    if status == "conflict":
        return Q(conflict=True) & literally("conflict")
    if status == "dnd":
        return Q(code=DND) & literally("code")
    if status == MessageState.UNCONFIRMED and campaign is None:
        return Q(state=status) & literally("unconfirmed")
    if status in SET_ASIDE:
        return Q(state=status) & literally("set_aside")
    if status == MessageState.PENDING:
        return Q(state=status) & literally("pending")
    if status == MessageState.IN_FLIGHT and campaign is not None:
        return Q(state=status, attempt__in=Attempt.objects.filter(campaign=campaign, phase=AttemptPhase.SENDING))
    if status in MessageState.values:
        return Q(state=status)
    if status and status in Delivery.values:
        return Q(delivery=status) & literally("delivery")
    known = ", ".join([*MessageState.values, *filter(None, Delivery.values), "dnd", "conflict"])
    raise ValueError(f"status: choose one of {known}.")


def literally(condition: str) -> Q:
    """The condition of a partial index in the words of the index, without which SQLite does not use it."""
    return Q(RawSQL(LITERALLY[condition], [], output_field=BooleanField()))  # noqa: S611  (no input in it)


def _cursor(cursor: str) -> tuple[bool, int]:
    if not cursor:
        return False, 0
    side, digits = cursor[0], cursor[1:]
    if side not in "<>" or not digits.isascii() or not digits.isdigit() or len(digits) > 19 or int(digits) > LARGEST:
        raise ValueError("cursor: use the address given in next or previous unchanged.")
    return side == ">", int(digits)


def history(message: Message) -> list[Event]:
    """All that is known to have happened to a message, in order.

    What every message goes through stands on the message and its request; only other changes have a row of their own.
    """
    changes = list(Transition.objects.filter(message=message).order_by("id"))
    ids = {pk for pk in (message.attempt_id, *(change.attempt for change in changes)) if pk}
    attempts = {attempt.pk: attempt for attempt in Attempt.objects.filter(pk__in=ids)}
    events = [Event(message.created_at, "created", _origin(message)), *_repetitions(message)]
    for attempt in attempts.values():
        events.append(Event(attempt.started_at, "state", f"Handed to Exotel in a request of {attempt.size} messages."))
    for change in changes:
        tried = attempts.get(change.attempt) if change.attempt else None
        events.append(Event(change.at, "state", _state_text(change, message), tried.app_code if tried else ""))
    if message.settled_at and message.state in ANSWERED and message.state not in {change.state for change in changes}:
        current = Transition(state=message.state, at=message.settled_at)
        events.append(Event(message.settled_at, "state", _state_text(current, message)))
    events += [report_event(report) for report in DeliveryEvent.objects.filter(message=message).order_by("id")]
    checked = Verification.objects.filter(message=message, asked_at__isnull=False)
    events += [Event(check.asked_at, "check", check_text(check)) for check in checked if check.asked_at]
    events += [Event(click.at, "click", _click_text(click)) for click in Click.objects.filter(message=message.pk)]
    return sorted(events, key=lambda event: event.at)


def report_event(report: DeliveryEvent) -> Event:
    return Event(report.received_at, "report", _report_text(report), report.code)


def _click_text(click: Click) -> str:
    device = f" on {click.device}" if click.device else ""
    return f"Clicked {click.link or 'a link'}{device}{f' in {click.city}' if click.city else ''}."


def _origin(message: Message) -> str:
    if message.resend_of_id:
        return f"Prepared by an operator's decision to send message {message.resend_of_id} again."
    return "Prepared from the recipients file."


def _repetitions(message: Message) -> list[Event]:
    # By its number, which is indexed.
    resends = Message.objects.filter(number=message.number, campaign=message.campaign_id, resend_of=message.pk)
    return [
        Event(again.created_at, "resent", f"Sent again by an operator as message {again.pk}.")
        for again in resends.order_by("pk")
    ]


def _state_text(change: Transition, message: Message) -> str:
    texts = {
        MessageState.ACCEPTED: f"Accepted by Exotel as {message.sid}.",
        MessageState.REJECTED: f"Refused by Exotel: {of_message(message.code).title}.",
        MessageState.UNCONFIRMED: "No clear answer: it may have been sent, and will not be sent again by itself.",
        MessageState.PENDING: "Not accepted by Exotel; waits for another try.",
        MessageState.SUPPRESSED: "Not sent." if change.reason else "Not sent: the number is suppressed.",
        MessageState.CANCELLED: "Not sent: the campaign was cancelled.",
    }
    text = texts[MessageState(change.state)]
    return f"{text} {change.reason}".strip() if change.reason and change.reason not in text else text


def _report_text(report: DeliveryEvent) -> str:
    row = of_message(report.code) if report.code else None
    title = row.title if row is not None else report.word or "Status"
    when = f" at {report.date_sent:%Y-%m-%d %H:%M:%S} UTC" if report.date_sent else ""
    return f"Report by {report.source}: {title}{when}."


def check_text(check: Verification) -> str:
    """What checking a message with Exotel came to."""
    if check.result == Verification.Result.WAITING:
        return "Exotel will be asked."
    if check.result == Verification.Result.UNKNOWN:
        return "Exotel was asked and gave no final status."
    told, stood = Delivery(check.told).label.lower(), Delivery(check.stood).label.lower()
    if check.result == Verification.Result.AGREED:
        return f"Exotel was asked and agrees: {told}."
    return f"Exotel was asked and says {told}, where {stood} was known."
