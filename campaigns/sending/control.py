"""Campaigns change state here, always under their account's lock: after a pause has committed no new intent commits."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.utils import timezone

from campaigns import bulk, failpoints, jobs
from campaigns.models import Account, Alert, Attempt, Campaign, Message
from campaigns.models.states import CAMPAIGN_EDGES, HELD, AttemptPhase, CampaignState, MessageState
from campaigns.sending import announce, spending, states

log = logging.getLogger(__name__)
CHUNK = 5_000  # messages a transaction: about 50 ms on SQLite


class Refused(Exception):
    """The campaign's present state does not allow this; the text says why and what can be done."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def account_lock(account_id: int) -> Iterator[Account]:
    """A transaction that holds the account alone: no intent commits meanwhile, and no other pause, stop or resume.

    Its row first, as whoever saves an account and then lifts its stop; but not the row's key, so that PostgreSQL's checks of
    foreign keys, as when a report is applied, need not wait for it.
    """
    with bulk.transaction():
        account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
        bulk.hold(("account", account_id))
        yield account


def enter(campaign_id: int, state: str, reason: str = "", **values: Any) -> bool:
    """Move a campaign along one of its edges; False when its present state has no such edge. Needs the account's lock."""
    campaign = Campaign.objects.filter(pk=campaign_id, state__in=CAMPAIGN_EDGES[state])
    if not campaign.update(state=state, state_reason=reason[:500], **values):
        return False
    announce.campaign_state(campaign_id)
    return True


def _refuse(campaign: Campaign, verb: str) -> Refused:
    now = CampaignState(Campaign.objects.values_list("state", flat=True).get(pk=campaign.pk)).label.lower()
    return Refused("wrong_state", f"This campaign is {now}, so it cannot be {verb}. Nothing was changed.")


def pause(campaign: Campaign) -> None:
    """Hold a running campaign. Requests on the wire finish; nothing new is begun."""
    with account_lock(campaign.account_id):
        if not enter(campaign.pk, CampaignState.PAUSED):
            raise _refuse(campaign, "paused")


def resume(campaign: Campaign) -> None:
    """Go on with a paused or stopped campaign. The account's own stop is lifted with it: the operator has mended it."""
    with account_lock(campaign.account_id):
        held = Campaign.objects.filter(pk=campaign.pk, state__in=HELD).exists()
        # One that missed its start has no messages yet: it goes on with writing them.
        written = Message.objects.filter(campaign=campaign.pk).exists()
        state = CampaignState.RUNNING if written else CampaignState.LAUNCHING
        if not held or not enter(campaign.pk, state, resumed_at=timezone.now()):
            raise _refuse(campaign, "resumed")
        Account.objects.filter(pk=campaign.account_id).update(stopped_at=None, stop_reason="")
        Alert.close(account=campaign.account)
        Alert.close(campaign=campaign)
        if written:
            jobs.enqueue(jobs.PUMP, campaign.account_id)
        else:
            jobs.enqueue(jobs.LAUNCH, campaign.pk)


def lift(account: Account) -> bool:
    """Take back the account's stop, which an operator has mended; False when it was not stopped.

    Campaigns that it stopped wait for their own resume: somebody may want to look at each of them first.
    """
    with account_lock(account.pk):
        stopped = Account.objects.filter(pk=account.pk, stopped_at__isnull=False)
        if not stopped.update(stopped_at=None, stop_reason=""):
            return False
        Alert.close(account=account)
        jobs.enqueue(jobs.PUMP, account.pk)
    return True


def reopen(account: Account, campaign_id: int) -> None:
    """A finished campaign that has something to send again runs on. Needs the account's lock.

    One that is held stays held. On a stopped account it waits, with the account's reason, for the same fix.
    """
    finished = Campaign.objects.filter(pk=campaign_id, state=CampaignState.FINISHED).exists()
    if finished and enter(campaign_id, CampaignState.RUNNING, finished_at=None) and account.stopped_at:
        enter(campaign_id, CampaignState.STOPPED, account.stop_reason)
    jobs.enqueue(jobs.PUMP, account.pk)


def cancel(campaign: Campaign) -> None:
    """End a campaign: what was not handed over never will be. Messages on the wire keep their outcome."""
    with account_lock(campaign.account_id):
        if not enter(campaign.pk, CampaignState.CANCELLED, finished_at=timezone.now()):
            raise _refuse(campaign, "cancelled")
        spending.charge(campaign.pk, -spending.unwritten(campaign))
        Alert.close(campaign=campaign)
        jobs.enqueue(jobs.WIND_UP, campaign.pk)


def stop_campaign(campaign_id: int, account_id: int, reason: str) -> None:
    """The machine holds a campaign; the reason says what happened and how to go on."""
    with account_lock(account_id):
        if enter(campaign_id, CampaignState.STOPPED, reason):
            Alert.notice("stopped", Campaign(pk=campaign_id), reason)
            log.warning("Campaign %s stopped: %s", campaign_id, reason)


def stop_account(account_id: int, reason: str) -> None:
    """The machine holds everything of an account: credentials, balance, suspension."""
    with account_lock(account_id) as account:
        account.stopped_at, account.stop_reason = timezone.now(), reason[:500]
        account.save(update_fields=["stopped_at", "stop_reason"])
        for campaign_id in Campaign.objects.filter(account=account_id, state=CampaignState.RUNNING).values_list(
            "id", flat=True
        ):
            enter(campaign_id, CampaignState.STOPPED, reason)
        Alert.notice("stopped", account, reason)
        log.warning("Account %s stopped: %s", account_id, reason)


def finish(campaign_id: int) -> bool:
    """Mark a campaign finished when nothing of it is pending or on the wire."""
    unsettled = Message.objects.filter(campaign=campaign_id)
    if unsettled.filter(state=MessageState.PENDING).exists():
        return False
    if Attempt.objects.filter(campaign=campaign_id, phase=AttemptPhase.SENDING).exists():
        return False
    return enter(campaign_id, CampaignState.FINISHED, finished_at=timezone.now())


def wind_up(campaign_id: int) -> int:
    """Move one chunk of a cancelled campaign's pending messages to cancelled; how many there were."""
    with transaction.atomic():
        if not Campaign.objects.filter(pk=campaign_id, state=CampaignState.CANCELLED).exists():
            return 0
        pending = Message.objects.filter(campaign=campaign_id, state=MessageState.PENDING).order_by("id")
        messages = list(pending.values_list("id", "units")[:CHUNK])
        states.cancel(campaign_id, messages, timezone.now())
        failpoints.reach("wind_up.before")
    failpoints.reach("wind_up.committed")
    return len(messages)
