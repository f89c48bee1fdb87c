"""A campaign and its tries: the first one (the root), and every campaign that sends failures of it again."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import Sum

from campaigns.models.audience import Import, Recipient
from campaigns.models.campaign import Campaign
from campaigns.models.counts import Count
from campaigns.models.states import CampaignState, ImportState

FAMILY = """
    WITH RECURSIVE up(id, parent) AS (
        SELECT id, retry_of_id FROM campaigns_campaign WHERE id = %s
        UNION ALL SELECT c.id, c.retry_of_id FROM campaigns_campaign c JOIN up ON c.id = up.parent
    ), down(id) AS (
        SELECT id FROM up WHERE parent IS NULL
        UNION ALL SELECT c.id FROM campaigns_campaign c JOIN down ON c.retry_of_id = down.id
    ) SELECT id FROM down"""


def family(campaign_id: int) -> list[Campaign]:
    """All tries of a campaign, itself among them, in the order they were made: the root comes first."""
    with connection.cursor() as cursor:
        cursor.execute(FAMILY, [campaign_id])
        ids = [row[0] for row in cursor.fetchall()]
    return list(Campaign.objects.filter(pk__in=ids).select_related("account", "template").order_by("pk"))


def ancestors(campaign: Campaign, members: Iterable[Campaign]) -> list[int]:
    """The campaigns that this one is a retry of, the nearest first."""
    parents = {member.pk: member.retry_of_id for member in members}
    found: list[int] = []
    parent = campaign.retry_of_id
    while parent is not None:
        found.append(parent)
        parent = parents[parent]
    return found


def has_resends(ids: Iterable[int]) -> bool:
    """Whether an operator had doubtful messages of these campaigns sent again: there are more messages than people then."""
    ids = list(ids)
    messages = Count.objects.filter(campaign__in=ids).values_list("campaign_id").annotate(Sum("n")).order_by()
    read = Import.objects.filter(campaign__in=ids, state=ImportState.DONE)
    people = dict(read.values_list("campaign_id").annotate(Sum("accepted")).order_by())
    # A launch that was cancelled on its way has not written all its messages.
    for campaign in Campaign.objects.filter(pk__in=ids, state=CampaignState.CANCELLED):
        people[campaign.pk] = Recipient.objects.filter(campaign=campaign, pk__lte=campaign.launch_cursor).count()
    return any(n > people.get(campaign_id, 0) for campaign_id, n in messages)
