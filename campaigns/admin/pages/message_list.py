"""Messages of a campaign or of all, a page at a time at any depth; and the whole history of one."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from campaigns.admin import outcomes, shell
from campaigns.admin.outcomes import Outcome
from campaigns.exotel.codes import Code
from campaigns.exotel.codes.stored import of_message
from campaigns.insight import listing, particulars
from campaigns.insight.failures import Failure
from campaigns.models import Campaign, Message
from campaigns.models.states import Delivery, MessageState
from campaigns.text import languages, phone

SIZE = 25
STATUSES = [
    ("", "Any status"),
    (Delivery.DELIVERED, "Delivered"),
    (Delivery.AT_OPERATOR, "At operator"),
    ("dnd", "Do not disturb"),
    (Delivery.FAILED, "Failed, Do not disturb too"),
    (MessageState.REJECTED, "Rejected by Exotel"),
    (Delivery.AWAITING, "Awaiting a report"),
    (MessageState.UNCONFIRMED, "Unconfirmed"),
    (MessageState.PENDING, "Waiting"),
    (MessageState.SUPPRESSED, "Suppressed"),
    (MessageState.CANCELLED, "Cancelled"),
    ("conflict", "Reports disagree"),
]
WHY = {
    MessageState.UNCONFIRMED: "No answer from Exotel. It may have been sent; it will not be sent again by itself",
    MessageState.SUPPRESSED: "The number is on the suppression list",
    MessageState.CANCELLED: "The campaign was cancelled first",
    MessageState.PENDING: "Waits for its turn",
}


@dataclass(frozen=True)
class Row:
    message: Message
    number: str
    outcome: Outcome
    why: str


def context(request: HttpRequest, campaign: Campaign | None, failed: list[Failure]) -> dict[str, Any]:
    """The list with its filters; a number that is none is answered with a sentence, not with nothing."""
    filters = {name: shell.asked(request, name, 40) for name in ("status", "code", "phone")}
    found, problem = _find(campaign, filters, request.GET.get("cursor", ""))
    query = request.GET.urlencode()
    return {
        "query": f"?{query}" if query else "",
        "rows": [_row(request, message) for message in found.rows],
        "filters": filters,
        "filtered": any(filters.values()),
        "problem": problem,
        "statuses": STATUSES,
        "codes": failed,
        "newer": _link(filters, found.previous),
        "older": _link(filters, found.next),
        "nothing": _nothing(campaign, filters, problem),
        "time_format": "j M H:i:s",
    }


def _find(campaign: Campaign | None, filters: dict[str, str], cursor: str) -> tuple[listing.Page, str]:
    """A page, and what was wrong with the question."""
    nothing = listing.Page([], None, None)
    if filters["phone"] and not phone.anywhere(filters["phone"]):
        return nothing, f"{phone.explain(filters['phone'], phone.EVERYWHERE)} Search by a whole mobile number."
    if campaign is None and not filters["phone"]:
        return nothing, ""
    try:
        return listing.page(campaign, **filters, cursor=cursor, size=SIZE), ""
    except ValueError:
        return nothing, "This link to a page of messages is not valid any more. Choose the filters again."


def _nothing(campaign: Campaign | None, filters: dict[str, str], problem: str) -> str:
    if problem:
        return ""
    if any(filters.values()):
        return "No message matches. Try another status, or a whole number with its ten digits."
    return "No messages yet." if campaign else "Search by a phone number to see every message that was ever sent to it."


def _link(filters: dict[str, str], cursor: str | None) -> str:
    query = {name: value for name, value in filters.items() if value}
    return f"?{urlencode({**query, 'cursor': cursor})}#messages" if cursor else ""


def shown_number(request: HttpRequest, number: int) -> str:
    return phone.display(number) if shell.sees_numbers(request) else phone.mask(number)


def _row(request: HttpRequest, message: Message) -> Row:
    code = meaning(message)
    outcome = outcomes.of_message(message)
    why = code.title if code else WHY.get(MessageState(message.state), "")
    return Row(message, shown_number(request, message.number), outcome, why)


def meaning(message: Message) -> Code | None:
    """The dictionary's entry for a message's code."""
    return of_message(message.code) if message.code else None


@shell.needs("campaigns.view_campaign")
def search(request: HttpRequest) -> HttpResponse:
    """Every message to one number, over all campaigns."""
    return shell.render(
        request,
        "console/messages_page.html",
        title="Messages",
        subtitle="everything sent to one number",
        **context(request, None, []),
    )


@shell.needs("campaigns.view_campaign")
def message(request: HttpRequest, pk: int) -> HttpResponse:
    related = Message.objects.select_related("campaign__account", "recipient", "attempt")
    found = get_object_or_404(related, pk=pk)
    code = meaning(found)
    return shell.render(
        request,
        "console/campaign/message.html",
        shell.zone_of(found.campaign.account),
        title=shown_number(request, found.number),
        number=shown_number(request, found.number),
        message=found,
        outcome=outcomes.of_message(found),
        code=code,
        events=listing.history(found),
        facts=_facts(found),
    )


def _facts(found: Message) -> list[tuple[str, str]]:
    told = particulars.of([found])[found.pk]
    due = told.due_at.astimezone(shell.zone_of(found.campaign.account)) if told.due_at else None
    rows = [
        ("Reference", told.reference),
        ("Header", told.sender_id),
        ("Not before", f"{due:%a %-d %b %Y, %H:%M %Z}" if due else ""),
        ("Language", languages.name(told.language)),
        ("Text", told.template),
        ("Units", str(found.units)),
        ("Exotel Sid", found.sid or "none yet"),
        ("Line in the file", str(found.recipient.line)),
        ("Request", str(found.attempt_id or "none yet")),
        ("Reports disagree", "reported both failed and delivered; delivered counts" if found.conflict else ""),
    ]
    return [(name, value) for name, value in rows if value]
