"""Mends what a crash leaves behind. Idempotent; runs at every start and every 15 s, on any node, at the same time as others.

A sending process is dead when its beat has stood still for OWNER_TIMEOUT seconds of the *observer's* monotonic clock, so a
clock that jumps cannot kill a live one. A wrong guess is harmless: a dead owner cannot commit another intent, and its late
outcome can only turn doubt into knowledge.
"""

import os
import socket
import time
from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from campaigns import bulk, jobs, leases
from campaigns.models import Attempt, Campaign, Import, Message, Owner, saved
from campaigns.models.states import AttemptPhase, CampaignState, ImportState, MessageState
from campaigns.sending import control, intent, launch, pace, reconcile, settle, spikes


class Observer:
    """Remembers when it last saw each owner's beat change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[UUID, tuple[int, float]] = {}

    def still(self) -> list[UUID]:
        """Owners whose beat has stood still too long, or whose process on this host is gone."""
        now = self._clock()
        owners = list(Owner.objects.filter(ended=False, dead=False))
        self._seen = {
            owner.pk: self._seen[owner.pk] if self._seen.get(owner.pk, (None,))[0] == owner.beat else (owner.beat, now)
            for owner in owners
        }
        return [o.pk for o in owners if _gone(o) or now - self._seen[o.pk][1] >= settings.OWNER_TIMEOUT]


def _gone(owner: Owner) -> bool:
    """Whether a process of this host has ended: known at once, without waiting for its beat."""
    if owner.host != socket.gethostname()[:80]:
        return False
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's process: it lives
        return False
    return False


def sweep(observer: Observer) -> dict[str, int]:
    """One round of recovery; what was done."""
    buried = observer.still()
    for owner_id in buried:
        _fence(owner_id)
    leases.bury(buried)
    return {
        "buried": len(buried),
        "lost": _lose_requests(),
        "stopped": spikes.watch(),
        "started": launch.start_due(timezone.now()),
        "rung": ring(),
        "finished": _finish(),
    }


def _fence(owner_id: UUID) -> None:
    """Declare an owner dead, when no intent of it is just being written."""
    with transaction.atomic():
        bulk.hold(("owner", owner_id.int))
        Owner.objects.filter(pk=owner_id).update(dead=True)


def _lose_requests() -> int:
    """Requests on the wire whose owner is gone: their messages become unconfirmed.

    Of all the dead, not only those just buried: a pump that gives itself up does not wait for an intent of its own.
    """
    sending = Attempt.objects.filter(phase=AttemptPhase.SENDING)
    lost = list(sending.filter(owner__dead=True)) + list(sending.filter(owner__dead=False, owner__ended=True))
    for attempt in lost:
        settle.lose(attempt, "The sending process ended before Exotel's answer was stored. It may have been sent.")
    return len(lost)


def ring() -> int:
    """Wake-ups for all work that nobody is doing; a doubled one is harmless."""
    rung = 0
    running = Campaign.objects.filter(state=CampaignState.RUNNING)
    for account_id in set(running.values_list("account_id", flat=True)):
        if not leases.held(f"pump:{account_id}") and not pace.blocked(account_id) and intent.waiting(account_id):
            jobs.enqueue(jobs.PUMP, account_id)
            rung += 1
    for account_id in reconcile.waiting():
        jobs.enqueue(jobs.POLL, account_id)
        rung += 1
    for campaign_id in Campaign.objects.filter(state=CampaignState.LAUNCHING).values_list("id", flat=True):
        jobs.enqueue(jobs.LAUNCH, campaign_id)
        rung += 1
    for import_id in Import.objects.filter(state__in=[ImportState.QUEUED, ImportState.RUNNING]).values_list("id", flat=True):
        if not leases.held(f"import:{import_id}"):
            jobs.enqueue(jobs.IMPORT, import_id)
            rung += 1
    for audience_id in saved.waiting():
        if not leases.held(f"audience:{audience_id}"):
            jobs.enqueue(jobs.AUDIENCE, audience_id)
            rung += 1
    return rung


def _finish() -> int:
    """Campaigns whose last outcome was stored by a process that died before it could say so; cancelled ones wound up."""
    finished = 0
    for campaign_id, account_id in Campaign.objects.filter(state=CampaignState.RUNNING).values_list("id", "account_id"):
        with control.account_lock(account_id):
            finished += control.finish(campaign_id)
    cancelled = Message.objects.filter(state=MessageState.PENDING, campaign__state=CampaignState.CANCELLED)
    for campaign_id in set(cancelled.values_list("campaign_id", flat=True)[:1]):
        jobs.enqueue(jobs.WIND_UP, campaign_id)
    return finished
