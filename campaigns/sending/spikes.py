"""Stops a campaign whose messages fail too often with one code: what is wrong then is not in single rows."""

from collections import Counter

from django.db.models import Q

from campaigns.exotel.codes.stored import of_message
from campaigns.models import Attempt, Campaign, Message
from campaigns.models.states import FINAL_DELIVERY, AttemptPhase, CampaignState, Delivery, MessageState
from campaigns.sending import control

LATEST = 500  # messages with a final outcome
AT_LEAST = 100  # below that a share says little
REQUESTS = 60  # looked through for them, from the latest


def watch() -> int:
    """Look at every running campaign; how many were stopped."""
    running = Campaign.objects.filter(state=CampaignState.RUNNING, account__spike_percent__gt=0)
    return sum(_stop(campaign) for campaign in running.select_related("account"))


def _stop(campaign: Campaign) -> bool:
    outcomes = _latest(campaign)
    failed = Counter(code for code in outcomes if code).most_common(1)
    if len(outcomes) < AT_LEAST or not failed:
        return False
    code, times = failed[0]
    if times * 100 <= campaign.account.spike_percent * len(outcomes):
        return False
    row = of_message(code)
    control.stop_campaign(
        campaign.pk,
        campaign.account_id,
        f"{times} of the last {len(outcomes)} messages failed with one code. {row.title} ({code}): {row.remedy} "
        "All other messages wait. Then press Resume, or Cancel.",
    )
    return True


def _latest(campaign: Campaign) -> list[str]:
    """The codes of the latest messages with a final outcome, empty for those that did not fail.

    Requests from before the operator's last Resume do not count: they were seen.
    """
    attempts = Attempt.objects.filter(campaign=campaign, phase=AttemptPhase.DONE)
    if campaign.resumed_at:
        attempts = attempts.filter(started_at__gt=campaign.resumed_at)
    ids = list(attempts.order_by("-started_at").values_list("id", flat=True)[:REQUESTS])
    final = Q(state=MessageState.REJECTED) | Q(delivery__in=FINAL_DELIVERY)
    messages = Message.objects.filter(final, attempt__in=ids).order_by("-sent_at", "-id")
    rows = messages.values_list("state", "delivery", "code")[:LATEST]
    failed = (MessageState.REJECTED, Delivery.FAILED)
    return [code or "failed" if state == failed[0] or delivery == failed[1] else "" for state, delivery, code in rows]
