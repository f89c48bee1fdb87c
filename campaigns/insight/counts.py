"""How a campaign stands, from its counters: one small query whatever its size."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.utils import timezone

from campaigns.insight import hours
from campaigns.insight.hours import Later
from campaigns.models import Attempt, Campaign, Count, Limiter
from campaigns.models.states import BILLABLE, UNSETTLED, AttemptPhase, CampaignState, Delivery, MessageState
from campaigns.text.cost import cost

RECENT = timedelta(minutes=2)  # over which the present rate is taken


@dataclass(frozen=True, slots=True)
class CampaignCounts:
    state: dict[str, int]  # every word of MessageState
    delivery: dict[str, int]  # of the accepted: awaiting, delivered, read, at_operator, failed; conflict beside them
    units: int  # of what was or may have been handed over
    cost: Decimal  # rupees, at the account's rate per unit
    total: int
    dnd: int  # of the failed: refused because of Do Not Disturb
    unbilled_units: int  # of all other messages

    @property
    def settled(self) -> int:
        """Messages of which nothing more will be handed over."""
        return self.total - sum(self.state[word] for word in UNSETTLED)


@dataclass(frozen=True, slots=True)
class Progress:
    rate_per_minute: float
    eta: datetime | None
    percent: float
    held_up: str = ""  # why nothing goes out just now although it runs
    later: Later | None = None  # what waits for an hour of its own


def for_campaign(campaign: Campaign) -> CampaignCounts:
    return for_campaigns([campaign])[campaign.pk]


def for_campaigns(campaigns: Sequence[Campaign]) -> dict[int, CampaignCounts]:
    """The counts of several campaigns with one query."""
    rows = Count.objects.filter(campaign__in=[campaign.pk for campaign in campaigns])
    sums = rows.values_list("campaign_id", "state", "delivery", "code", "conflict").annotate(Sum("n"), Sum("units"))
    found: dict[int, list[tuple]] = defaultdict(list)
    for row in sums.order_by():
        found[row[0]].append(row[1:])
    return {campaign.pk: _counts(campaign, found[campaign.pk]) for campaign in campaigns}


def _counts(campaign: Campaign, rows: Iterable[tuple[str, str, str, bool, int, int]]) -> CampaignCounts:
    states = dict.fromkeys(MessageState.values, 0)
    delivery = dict.fromkeys(("awaiting", "delivered", "read", "at_operator", "failed", "conflict"), 0)
    units = unbilled = dnd = 0
    for state, told, code, conflict, n, row_units in rows:
        states[state] += n
        if state == MessageState.ACCEPTED:
            delivery[told or Delivery.AWAITING] += n
            delivery["conflict"] += n if conflict else 0
        if state in BILLABLE:
            units += row_units
        else:
            unbilled += row_units
        dnd += n if code == "23005" else 0
    return CampaignCounts(states, delivery, units, cost(units, campaign.rate), sum(states.values()), dnd, unbilled)


def progress(campaign: Campaign, counts: CampaignCounts) -> Progress:
    """How fast it goes and when it will be done; no time is promised unless it runs."""
    percent = 100 * counts.settled / counts.total if counts.total else 0.0
    later = hours.later(campaign, timezone.now())
    if campaign.state != CampaignState.RUNNING:
        return Progress(0.0, None, percent, "", later)
    if held_up := _held_up(campaign):
        return Progress(0.0, None, percent, held_up, later)
    if later and later.alone and not counts.state[MessageState.IN_FLIGHT]:
        return Progress(0.0, later.last, percent, f"{later.sentence(ZoneInfo(campaign.account.time_zone))}.", later)
    rate = _recent_rate(campaign) or _permitted_rate(campaign)
    left = counts.total - counts.settled
    eta = timezone.now() + timedelta(minutes=left / rate) if rate else None
    return Progress(rate, max(eta or later.last, later.last) if later else eta, percent, "", later)


def _held_up(campaign: Campaign) -> str:
    """What the last request met with, while all senders of the account wait before the next one."""
    blocked = Limiter.objects.filter(account=campaign.account_id, blocked_until__gt=timezone.now().timestamp() * 1_000_000)
    if not blocked.exists():
        return ""
    last = Attempt.objects.filter(campaign=campaign.pk).exclude(phase=AttemptPhase.SENDING).order_by("-finished_at").first()
    return last.reason if last and last.outcome in {"not_sent", "throttled"} else ""


def _recent_rate(campaign: Campaign) -> float:
    """Messages a minute over the last two minutes, or since the first request when that is less."""
    now = timezone.now()
    recent = Attempt.objects.filter(campaign=campaign.pk, finished_at__gte=now - RECENT).exclude(phase=AttemptPhase.SENDING)
    found = list(recent.values_list("started_at", "size"))
    if not found:
        return 0.0
    seconds = max((now - max(min(at for at, _ in found), now - RECENT)).total_seconds(), 1.0)
    return 60 * sum(size for _, size in found) / seconds


def _permitted_rate(campaign: Campaign) -> float:
    return campaign.account.rate_per_minute * 100.0
