"""Proof that what is shown is true: counters against a recount, states against their rules."""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Sum

from campaigns.models import QUARTER, Campaign, Count
from campaigns.models.states import ENDED, CampaignState

FIELDS = ("quarter", "state", "delivery", "code", "conflict")


class Place(NamedTuple):
    quarter: int
    state: str
    delivery: str
    code: str
    conflict: bool


Sums = dict[Place, tuple[int, int]]


def _epoch() -> str:
    """sent_at in seconds, rounded down, as SQL."""
    if connection.vendor == "postgresql":
        return "floor(extract(epoch FROM sent_at))::bigint"
    return "CAST(strftime('%%s', sent_at) AS INTEGER)"


def counted(campaign_id: int) -> Sums:
    """What the counters say."""
    rows = Count.objects.filter(campaign=campaign_id).values_list(*FIELDS).annotate(Sum("n"), Sum("units")).order_by()
    return {Place(*row[:5]): (row[5], row[6]) for row in rows if row[5] or row[6]}


def differences(campaign_id: int) -> Sums:
    """What must be added to the counters to make them true; empty when they are.

    One statement, so that both sides are of one moment even while the campaign is being sent. Reads all its messages.
    """
    failed = "(state = 'rejected' OR delivery = 'failed')"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quarter, state, delivery, code, conflict, sum(n), sum(units) FROM ("
            f"SELECT coalesce(({_epoch()}) / {QUARTER}, 0) AS quarter, state, delivery, "
            f"CASE WHEN {failed} THEN code ELSE '' END AS code, conflict, 1 AS n, units "
            "FROM campaigns_message WHERE campaign_id = %s UNION ALL "
            "SELECT quarter, state, delivery, code, conflict, -n, -units FROM campaigns_count WHERE campaign_id = %s"
            ") AS both_sides GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 OR sum(units) <> 0",
            [campaign_id, campaign_id],
        )
        rows = cursor.fetchall()
    return {
        Place(quarter, state, delivery, code, bool(conflict)): (int(n), int(units))
        for quarter, state, delivery, code, conflict, n, units in rows
    }


def recount(campaign_id: int) -> Sums:
    """Mend a campaign's counters; what was wrong. Best while it does not send."""
    with transaction.atomic():
        if Campaign.objects.select_for_update().get(pk=campaign_id).purged_at:
            return {}  # its counters are all that is left of it
        wrong = differences(campaign_id)
        Count.objects.bulk_create(
            Count(campaign_id=campaign_id, **place._asdict(), n=n, units=units) for place, (n, units) in wrong.items()
        )
    return wrong


# Each rule: a sentence and a query for the ids that break it.
RULES = {
    "Messages in flight without a request on the wire": """
        SELECT m.id FROM campaigns_message m LEFT JOIN campaigns_attempt a ON a.id = m.attempt_id
        WHERE m.state = 'in_flight' AND (a.id IS NULL OR a.phase <> 'sending')""",
    "Accepted messages without a Sid": "SELECT id FROM campaigns_message WHERE state = 'accepted' AND sid IS NULL",
    "Messages that share a Sid within an account": """
        SELECT max(id) FROM campaigns_message WHERE sid IS NOT NULL GROUP BY account_id, sid HAVING count(*) > 1""",
    "Finished campaigns with messages still to be sent": """
        SELECT m.id FROM campaigns_message m JOIN campaigns_campaign c ON c.id = m.campaign_id
        WHERE c.state = 'finished' AND m.state IN ('pending', 'in_flight')""",
    "Recipients without a message in a launched campaign": """
        SELECT r.id FROM campaigns_recipient r JOIN campaigns_campaign c ON c.id = r.campaign_id
        LEFT JOIN campaigns_message m ON m.campaign_id = r.campaign_id AND m.number = r.number
        WHERE c.state IN ('running', 'paused', 'stopped', 'finished') AND m.id IS NULL""",
    "Messages sent again to another person or in another campaign": """
        SELECT r.id FROM campaigns_message r JOIN campaigns_message m ON m.id = r.resend_of_id
        WHERE r.number <> m.number OR r.campaign_id <> m.campaign_id""",
    "Persons with two messages of one campaign still to be sent": """
        SELECT max(id) FROM campaigns_message WHERE state IN ('pending', 'in_flight')
        GROUP BY campaign_id, number HAVING count(*) > 1""",
    "Campaigns whose click counters differ from their clicks": """
        SELECT campaign_id FROM (
            SELECT campaign_id, clicks AS n FROM campaigns_clickcount WHERE kind = 'all'
            UNION ALL SELECT campaign_id, -1 FROM campaigns_click) AS both_sides
        WHERE campaign_id NOT IN (SELECT id FROM campaigns_campaign WHERE purged_at IS NOT NULL)
        GROUP BY campaign_id HAVING sum(n) <> 0""",
    "Messages that stand lower than one of their reports proves": """
        SELECT m.id FROM campaigns_message m JOIN campaigns_deliveryevent e ON e.message_id = m.id
        WHERE e.state = 'delivered' AND m.delivery NOT IN ('delivered', 'read')""",
}

EARLY = "SELECT id FROM campaigns_message WHERE due > 0 AND sent_at IS NOT NULL AND {} < due LIMIT 5"


def breaches() -> Iterator[str]:
    """One sentence for each rule that does not hold, with some of the ids that break it."""
    with connection.cursor() as cursor:
        for sentence, query in RULES.items():
            cursor.execute(f"{query} LIMIT 5")
            if ids := [str(row[0]) for row in cursor.fetchall()]:
                yield f"{sentence}: {', '.join(ids)}"
        cursor.execute(EARLY.format(_epoch()), [])
        if ids := [str(row[0]) for row in cursor.fetchall()]:
            yield f"Messages handed over before their hour: {', '.join(ids)}"
    launched = Campaign.objects.filter(purged_at=None).exclude(state__in=[CampaignState.DRAFT, CampaignState.SCHEDULED])
    for campaign_id, state in launched.order_by("pk").values_list("pk", "state"):
        wrong = differences(campaign_id)
        if wrong:
            ended = "" if state in ENDED else " (it is still sending: look again when it has ended)"
            places = "; ".join(
                f"{'/'.join(map(str, place))}: {n} messages, {units} units" for place, (n, units) in wrong.items()
            )
            yield f"Counters of campaign {campaign_id} differ from a recount in {len(wrong)} places{ended}: {places[:400]}"
