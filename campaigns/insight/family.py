"""What all tries of a campaign came to for its people: each person counts once, by the best that is known of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Sum

from campaigns.insight import counts
from campaigns.insight.counts import CampaignCounts
from campaigns.models import Campaign, Import
from campaigns.models.family import family, has_resends
from campaigns.models.states import ARRIVED, UNSETTLED, Delivery, ImportState, MessageState

# The fates of a person, the better one first.
REACHED, AT_OPERATOR, OPEN, FAILED, UNSENT = "reached", "at_operator", "open", "failed", "unsent"
BEST_FIRST = (REACHED, AT_OPERATOR, OPEN, FAILED, UNSENT)
# The place of a message's fate in that order.
RANK = """CASE WHEN m.delivery IN ('delivered', 'read') THEN 0 WHEN m.delivery = 'at_operator' THEN 1
    WHEN m.state = 'rejected' OR m.delivery = 'failed' THEN 3
    WHEN m.state IN ('suppressed', 'cancelled') THEN 4 ELSE 2 END"""


@dataclass(frozen=True, slots=True)
class Try:
    """One campaign of a family: a line of the card."""

    campaign: Campaign
    people: int
    reached: int
    at_operator: int
    failed: int
    units: int
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Reach:
    root: Campaign
    lines: list[Try]
    people: int
    reached: int  # delivered at least once
    at_operator: int
    open: int  # a try is under way, or nobody knows
    failed: int  # every try that was made
    messages: int  # handed over, in all tries
    units: int
    cost: Decimal

    @property
    def campaigns(self) -> list[int]:
        return [line.campaign.pk for line in self.lines]


def reach(campaign: Campaign) -> Reach:
    """From the counters; where these cannot tell people apart, also from the messages of the later tries."""
    members = family(campaign.pk)
    counted = counts.for_campaigns(members)
    kept = not any(member.purged_at for member in members)
    fates = _from_messages(members, counted) if kept and _blurred(members, counted) else _from_counters(members, counted)
    every = counted.values()
    return Reach(
        root=members[0],
        lines=_lines(members, counted),
        people=fates.total(),
        reached=fates[REACHED], at_operator=fates[AT_OPERATOR], open=fates[OPEN], failed=fates[FAILED],
        messages=sum(_handed_over(one) for one in every),
        units=sum(one.units for one in every),
        cost=sum((one.cost for one in every), Decimal(0)),
    )  # fmt: skip


def _lines(members: Sequence[Campaign], counted: dict[int, CampaignCounts]) -> list[Try]:
    """A try without messages yet shows the people who were read into it."""
    empty = [member.pk for member in members if not counted[member.pk].total]
    read = Import.objects.filter(campaign__in=empty, state=ImportState.DONE)
    ready = dict(read.values_list("campaign_id").annotate(Sum("accepted")).order_by()) if empty else {}
    return [_line(member, counted[member.pk], ready.get(member.pk, 0)) for member in members]


def _line(campaign: Campaign, counted: CampaignCounts, ready: int) -> Try:
    fates = _fates(counted)
    people = counted.total or ready
    return Try(campaign, people, fates[REACHED], fates[AT_OPERATOR], fates[FAILED], counted.units, counted.cost)


def _fates(counted: CampaignCounts) -> Counter[str]:
    """The messages of one campaign by what became of them."""
    state, delivery = counted.state, counted.delivery
    doubtful = state[MessageState.UNCONFIRMED] + delivery[Delivery.AWAITING]
    return Counter({
        REACHED: sum(delivery[word] for word in ARRIVED),
        AT_OPERATOR: delivery[Delivery.AT_OPERATOR],
        OPEN: doubtful + sum(state[word] for word in UNSETTLED),
        FAILED: state[MessageState.REJECTED] + delivery[Delivery.FAILED],
        UNSENT: state[MessageState.SUPPRESSED] + state[MessageState.CANCELLED],
    })  # fmt: skip


def _handed_over(counted: CampaignCounts) -> int:
    unsent = sum(counted.state[word] for word in (*UNSETTLED, MessageState.SUPPRESSED, MessageState.CANCELLED))
    return counted.total - unsent


def _blurred(members: Sequence[Campaign], counted: dict[int, CampaignCounts]) -> bool:
    """Whether a person may have arrived twice, come in late, or have two messages in one campaign."""
    ids, later = [member.pk for member in members], [member.pk for member in members[1:]]
    if later and any(one.delivery["conflict"] for one in counted.values()):
        return True
    if later and Import.objects.filter(campaign__in=later).exclude(sha256="").exists():
        return True
    return has_resends(ids)


def _from_counters(members: Sequence[Campaign], counted: dict[int, CampaignCounts]) -> Counter[str]:
    """Each later try takes failures of an earlier one, so whatever was sent in it stands in place of a failure."""
    fates = _fates(counted[members[0].pk])
    for member in members[1:]:
        later = _fates(counted[member.pk])
        del later[UNSENT]
        fates[FAILED] -= later.total()
        fates += Counter(later)
    return fates


def _from_messages(members: Sequence[Campaign], counted: dict[int, CampaignCounts]) -> Counter[str]:
    """As the counters of the first try say, with those people put right who have more than one message."""
    fates = _fates(counted[members[0].pk])
    ids = [member.pk for member in members]
    for kind, rank, n in _repeated(ids[0], ids[1:], has_resends(ids)):
        fates[BEST_FIRST[rank]] += n if kind == "person" else -n
    return fates


def _repeated(root: int, later: Sequence[int], resends: bool) -> list[tuple[str, int, int]]:
    """The people with another message than their one of the first try: by their best, and by those first messages."""
    others = f"m.campaign_id IN ({', '.join(map(str, later))})" if later else "1 = 0"
    again = f"m.campaign_id = {root} AND m.resend_of_id IS NOT NULL" if resends else "1 = 0"
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH more(number, place, first) AS ("
            f"SELECT m.number, {RANK}, 0 FROM campaigns_message m WHERE {others} "
            f"UNION ALL SELECT m.number, {RANK}, 1 FROM campaigns_message m WHERE {again}), "
            f"told(number, place, first) AS (SELECT number, place, first FROM more UNION ALL SELECT m.number, {RANK}, 1 "
            "FROM (SELECT DISTINCT number FROM more) AS known JOIN campaigns_message m "
            f"ON m.campaign_id = {root} AND m.number = known.number AND m.resend_of_id IS NULL) "
            "SELECT 'person', best, count(*) FROM (SELECT min(place) AS best FROM told GROUP BY number) AS people "
            "GROUP BY best UNION ALL SELECT 'message', place, count(*) FROM told WHERE first = 1 GROUP BY place"
        )
        return cursor.fetchall()
