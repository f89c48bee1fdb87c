"""Messages of which nobody knows whether they were sent, by the request that left them in doubt; what is known since."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from campaigns.admin import outcomes, shell
from campaigns.admin.outcomes import Outcome
from campaigns.admin.pages.message_list import shown_number
from campaigns.admin.words import count
from campaigns.insight import doubts, listing
from campaigns.insight.outcomes import is_overdue
from campaigns.models import Campaign, Message
from campaigns.models.states import MessageState
from campaigns.sending import resend
from campaigns.text.cost import indian

SIZE = 50
SHORT = 10  # messages of a request that are shown at once; more are unfolded
STALE = "This link to a page of messages is not valid any more. Here are the newest."


@dataclass(frozen=True)
class Row:
    message: Message
    number: str
    obstacle: str  # why it cannot be sent again; empty when it can


@dataclass(frozen=True)
class Group:
    """One request and those of its messages that are on this page."""

    known: doubts.Evidence
    outcome: Outcome
    rows: list[Row]
    sentences: list[str]

    @property
    def is_open(self) -> bool:
        return len(self.rows) <= SHORT

    @property
    def can_resend(self) -> bool:
        """As far as this page goes."""
        return not all(row.obstacle for row in self.rows)

    @property
    def button(self) -> str:
        if any(row.obstacle for row in self.rows):
            return "Send the others again …"
        return "Send it again …" if self.known.unconfirmed == 1 else f"Send all {indian(self.known.unconfirmed)} again …"


@shell.needs("campaigns.view_campaign")
def page(request: HttpRequest) -> HttpResponse:
    found = doubts.by_campaign()
    campaign = next((doubt.campaign for doubt in found if doubt.campaign.pk == shell.asked_id(request, "campaign")), None)
    shown, problem = _page(campaign, shell.asked(request, "cursor", 40))
    return shell.render(
        request,
        "console/unconfirmed/page.html",
        shell.zone_of(campaign.account if campaign else None),
        title="Unconfirmed",
        subtitle=_total(found),
        doubts=found,
        campaign=campaign,
        problem=problem,
        groups=_groups(request, shown.rows),
        newer=_link(campaign, shown.previous),
        older=_link(campaign, shown.next),
    )


def _page(campaign: Campaign | None, cursor: str) -> tuple[listing.Page, str]:
    try:
        return listing.page(campaign, status=MessageState.UNCONFIRMED, cursor=cursor, size=SIZE), ""
    except ValueError:
        return listing.page(campaign, status=MessageState.UNCONFIRMED, size=SIZE), STALE


def _total(found: Sequence[doubts.Doubt]) -> str:
    if not found:
        return ""
    return f"{count(sum(doubt.messages for doubt in found), 'message')} in {count(len(found), 'campaign')}"


def _link(campaign: Campaign | None, cursor: str | None) -> str:
    kept = {"campaign": campaign.pk} if campaign else {}
    return f"?{urlencode({**kept, 'cursor': cursor})}" if cursor else ""


def _groups(request: HttpRequest, messages: Sequence[Message]) -> list[Group]:
    known = doubts.evidence({message.attempt_id for message in messages if message.attempt_id})
    obstacles = _obstacles(messages)
    by_attempt: dict[Any, list[Message]] = {}
    for message in messages:
        by_attempt.setdefault(message.attempt_id, []).append(message)
    return [
        Group(
            known[attempt],
            outcomes.of_message(rows[0]),
            [Row(row, shown_number(request, row.number), obstacles.get(row.pk, "")) for row in rows],
            _sentences(known[attempt]),
        )
        for attempt, rows in by_attempt.items()
    ]


def _obstacles(messages: Sequence[Message]) -> dict[int, str]:
    """Why some of these messages cannot be sent again."""
    by_campaign: dict[int, list[int]] = {}
    for message in messages:
        by_campaign.setdefault(message.campaign_id, []).append(message.pk)
    left_out = [one for campaign, ids in by_campaign.items() for one in resend.sort_out(campaign, ids)[1]]
    return {one.id: one.why for one in left_out}


def _sentences(known: doubts.Evidence) -> list[str]:
    """What has become known since, in words that help to decide."""
    attempt, size = known.attempt, indian(known.attempt.size)
    if known.settled:
        known_now = "is" if known.settled == 1 else "are"
        told = [f"{indian(known.settled)} of its {size} messages {known_now} known by now: Exotel did receive this request."]
    else:
        told = ["No status report has come for any of its messages."]
    if known.strays:
        told.append(f"{count(known.strays, 'item')} of Exotel's answer belong to none of its messages.")
    if is_overdue(MessageState.UNCONFIRMED, "", attempt.started_at, timezone.now()):
        told.append("After 72 hours a report is no longer likely; one that comes still settles its message.")
    return told
