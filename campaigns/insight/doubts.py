"""Messages of which nobody knows whether they were sent: how many there are, and by what requests they came about."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count as Number
from django.db.models import Sum

from campaigns.models import Attempt, Campaign, Count, Message
from campaigns.models.states import MessageState


@dataclass(frozen=True, slots=True)
class Doubt:
    """A campaign with unconfirmed messages."""

    campaign: Campaign
    messages: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known by now of one request's messages, other than those in doubt."""

    attempt: Attempt
    unconfirmed: int
    settled: int  # by an answer or by status reports
    strays: int  # items of the answer that belong to none of its messages


def by_campaign() -> list[Doubt]:
    """From counters, the newest campaign first."""
    rows = Count.objects.filter(state=MessageState.UNCONFIRMED).values_list("campaign_id").annotate(total=Sum("n"))
    counted = {pk: n for pk, n in rows.order_by() if n > 0}
    campaigns = Campaign.objects.filter(pk__in=counted, purged_at=None).select_related("account").order_by("-pk")
    return [Doubt(campaign, counted[campaign.pk]) for campaign in campaigns]


def evidence(attempts: Collection[UUID]) -> dict[UUID, Evidence]:
    """Of the requests on one page; each has at most 100 messages."""
    states: dict[UUID, Counter[str]] = {pk: Counter() for pk in attempts}
    rows = Message.objects.filter(attempt__in=attempts).values_list("attempt_id", "state").annotate(n=Number("pk"))
    for pk, state, n in rows.order_by():
        if pk:
            states[pk][state] += n
    settled = (MessageState.ACCEPTED, MessageState.REJECTED)
    return {
        attempt.pk: Evidence(
            attempt,
            states[attempt.pk][MessageState.UNCONFIRMED],
            sum(states[attempt.pk][state] for state in settled),
            len(attempt.strays),
        )
        for attempt in Attempt.objects.filter(pk__in=attempts).select_related("campaign__account")
    }


def unconfirmed_of(attempt: UUID) -> list[int]:
    """Ids of a request's messages that are still in doubt."""
    rows = Message.objects.filter(attempt=attempt, state=MessageState.UNCONFIRMED)
    return list(rows.order_by("pk").values_list("pk", flat=True))
