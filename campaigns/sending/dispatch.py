"""The send pump: for a while, keep several requests of one account in flight, each between its two commits.

    slot (pace) > intent (commit 1) > POST, exactly one, outside any transaction > outcome (commit 2)

A crash before commit 1 changes nothing; after it, the batch is unconfirmed. No request is ever repeated: see outcomes.py
for what each answer means.
"""

import logging
import os
import socket
import threading
import time
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from campaigns import failpoints, jobs, leases
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.line import Line
from campaigns.models import Account, Campaign, Owner
from campaigns.models.secrets import Unreadable
from campaigns.models.states import CampaignState
from campaigns.sending import control, intent, pace, settle
from campaigns.sending.wires import WIRES

log = logging.getLogger(__name__)
BEAT = 1.0  # seconds between signs of life


def pump(account_id: int) -> dict[str, int]:
    """Send what the account may send, for about TASK_BUDGET seconds; rings for a successor when something is left."""
    owner = Owner.objects.create(id=uuid4(), host=socket.gethostname()[:80], pid=os.getpid())
    lease = f"pump:{account_id}"
    if not leases.take(lease, owner.pk):
        Owner.objects.filter(pk=owner.pk).update(ended=True)
        return {"requests": 0}
    account = Account.objects.get(pk=account_id)
    stop = threading.Event()
    senders = [Sender(owner.pk, account, stop) for _ in range(account.senders)]
    threads = [threading.Thread(target=sender.run, daemon=True) for sender in senders]
    for thread in threads:
        thread.start()
    if not _watch(owner.pk, lease, senders, threads, stop):
        return {"requests": sum(sender.requests for sender in senders)}
    for campaign_id in Campaign.objects.filter(account=account, state=CampaignState.RUNNING).values_list("id", flat=True):
        settle.finish(account_id, campaign_id)
    with transaction.atomic():
        stopping = not Owner.objects.filter(pk=owner.pk, stop=False, dead=False).exists()
        Owner.objects.filter(pk=owner.pk).update(ended=True)
        leases.give_back(lease, owner.pk)
        if not stopping and not pace.blocked(account_id) and intent.waiting(account_id):
            jobs.enqueue(jobs.PUMP, account_id)
    return {"requests": sum(sender.requests for sender in senders)}


def _watch(
    owner_id: UUID, lease: str, senders: list["Sender"], threads: list[threading.Thread], stop: threading.Event
) -> bool:
    """Show signs of life until all senders have ended; ask them to end when the time is over or we are told to stop.

    False when one of them hangs: then the owner is declared dead, and recovery settles what it had on the wire.
    """
    until = time.monotonic() + settings.TASK_BUDGET
    while any(thread.is_alive() for thread in threads):
        if any(sender.hangs() for sender in senders):
            log.error("A sender has been at one request for %s s and is given up.", settings.OWNER_TIMEOUT)
            stop.set()
            Owner.objects.filter(pk=owner_id).update(dead=True)
            leases.give_back(lease, owner_id)
            return False
        alive = Owner.objects.filter(pk=owner_id, stop=False, dead=False).update(beat=F("beat") + 1)
        if not alive or time.monotonic() > until:
            stop.set()
            Owner.objects.filter(pk=owner_id).update(beat=F("beat") + 1)
        leases.take(lease, owner_id)
        _join(threads, BEAT)
    return True


def _join(threads: list[threading.Thread], seconds: float) -> None:
    until = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


class Sender:
    """One thread with one connection: it has at most one request in flight."""

    def __init__(self, owner_id: UUID, account: Account, stop: threading.Event) -> None:
        self.owner_id, self.account_id, self.stop = owner_id, account.pk, stop
        self._account = account  # as it was at the last intent: the present rate and credentials
        self.requests = 0
        self._began: float | None = None  # the request under way, on the monotonic clock
        self._narrow: list[list[int]] = []  # halves of a refused batch still to be tried
        self._free = False  # without a limit: nobody had asked us to wait a request ago; the intent looks again
        self._client: Line | None = None
        self._client_key: tuple[str, ...] = ()

    def hangs(self) -> bool:
        """Whether it has been at one request for longer than any request may take."""
        began = self._began
        return began is not None and time.monotonic() - began > settings.OWNER_TIMEOUT

    def run(self) -> None:
        try:
            while not self.stop.is_set() and self._wait():
                self._began = time.monotonic()
                if not self._once():
                    break
                self._began = None
        except Exception:
            # The thread's request, if any, is left to recovery: its messages become unconfirmed, never sent again.
            log.exception("A sender of account %s ended early", self.account_id)
        finally:
            self._began = None
            if self._client:
                self._client.close()
            connection.close()

    def _wait(self) -> bool:
        """Wait for a slot of the account's rate; False when no time is left for it."""
        if self._account.rate_per_minute:
            return not self.stop.wait(pace.take(self._account))
        # A half that is still to be tried is taken up only where nothing makes it wait.
        return not self.stop.wait(0.0 if self._free and not self._narrow else pace.blocked(self.account_id))

    def _once(self) -> bool:
        """One intent, one POST, one outcome; False when nothing may be sent."""
        only = self._narrow.pop() if self._narrow else []
        try:
            committed = intent.commit(self.owner_id, self.account_id, only)
        except intent.Unrenderable as error:
            control.stop_campaign(error.campaign_id, self.account_id, str(error))
            return False
        was_free, self._free = self._free, committed is not None and not self._account.rate_per_minute
        if committed is None:
            return bool(only) or was_free
        failpoints.reach("intent.committed")
        account, order = committed
        try:
            client = self._connected(account)
        except Unreadable as error:
            settle.not_sent(order, str(error))
            control.stop_account(self.account_id, str(error))
            return False
        self._account = account
        self.requests += 1
        wire = WIRES[account.provider]
        try:
            answer = wire.post(client, order.batch)
            failpoints.reach("post.answered")
            outcome = wire.classify(answer, order.numbers)
        except ExotelError as error:
            outcome = wire.classify(error, order.numbers)
        self._narrow += settle.settle(order, outcome)
        return True

    def _connected(self, account: Account) -> Line:
        """A client with the account's present address and credentials; they may change while we send."""
        if self._client and account is self._account:
            return self._client
        key, token = account.api_credentials()
        wanted = (account.provider, account.base_url, account.account_sid, key, token)
        if self._client is None or wanted != self._client_key:
            if self._client:
                self._client.close()
            self._client, self._client_key = WIRES[account.provider].open(*wanted[1:]), wanted
        return self._client
