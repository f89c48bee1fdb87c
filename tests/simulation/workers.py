"""Processes and their senders: the real ``dispatch.Sender``, cut into steps at its request so that others can act between."""

from django.db import OperationalError

from campaigns.models import Campaign, Owner
from campaigns.models.states import CampaignState
from campaigns.sending import control, dispatch, intent, settle


class Killed(BaseException):
    """The process died here. Nothing in the product may catch it."""


class OnTheWire(BaseException):
    """A sender has come to its request: here its step ends."""


class DatabaseAway(OperationalError):
    """The database failed, before or after it had committed."""


class Stop:
    """What a sender waits on: instead of sleeping it asks not to be stepped before its time."""

    def __init__(self, world, worker):
        self.world, self.worker = world, worker

    def is_set(self):
        return False

    def wait(self, seconds):
        self.worker.wakes_at = self.world.now + seconds
        return False


class Worker:
    """One sender. ``order`` and ``answer`` hold what its next step goes on with."""

    def __init__(self, world, process, name):
        self.world, self.process, self.name = world, process, name
        self.sender = dispatch.Sender(process.owner_id, world.account, Stop(world, self))
        self.wakes_at = 0.0
        self.busy = self.idle = self.over = False  # in a step; will send nothing more; has nothing left to do
        self.order = self.answer = self.parcel = None
        self.fate = ""
        self.steps = self._life()

    def ready(self):
        return not (self.over or self.busy) and self.process.alive() and self.wakes_at <= self.world.now

    def _life(self):
        try:
            yield from self._requests()
        except DatabaseAway:
            self.world.note(f"{self.name} ended early: the database was away")
        self.idle = True
        if all(worker.idle for worker in self.process.workers):
            yield
            self.process.end()
        self.over = True

    def _requests(self):
        while self.sender._wait():
            yield
            narrow = list(self.sender._narrow)
            try:
                self.order = None
                going = self.sender._once()
            except OnTheWire:
                pass
            else:
                if not going:
                    return
                continue
            yield
            yield from self._post()
            self.sender._narrow = narrow
            self._settle()
            yield

    def _post(self):
        self.fate, self.answer = self.world.provider.receive(self.parcel, self.world.now)
        self.world.note(f"{self.name} posts: {self.fate}")
        yield

    def _settle(self):
        """The second half: the sender is called again and finds the intent it has committed and the answer it got."""
        answer, since = self.answer, self.world.permits.moment(self.world.now)
        try:
            self.sender._once()
        finally:
            self.answer = None
        self.parcel.settled = True
        self.world.note(f"{self.name} stored the outcome")
        self.world.permits.told(self.order[1].attempt.campaign_id, self.fate, answer, since)

    # Called by the sender, through the world --------------------------------------------------------------------------

    def commit(self, owner_id, account_id, only):
        if self.answer is not None:
            return self.order
        if owner_id in self.world.permits.buried:
            self.world.note(f"{self.name}, declared dead, asks for an intent")
        self.order = intent.commit(owner_id, account_id, only)
        if self.order is not None:
            self.parcel = self.world.intended(self, self.order[1])
        return self.order

    def post(self):
        if self.answer is None:
            raise OnTheWire
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Process:
    """One run of the pump: an owner, its senders, and the sign of life they share."""

    def __init__(self, world, owner_id, number, senders):
        self.world, self.owner_id, self.name = world, owner_id, f"p{number}"
        Owner.objects.create(id=owner_id, host="elsewhere", pid=number)
        self.dead = self.ended = self.was_frozen = False
        self.frozen_until = 0.0
        self.workers = [Worker(world, self, f"{self.name}.{i}") for i in range(senders)]

    def alive(self):
        return not (self.dead or self.ended) and self.frozen_until <= self.world.now

    def working(self):
        """Whether it will do something yet, now or later."""
        return not (self.dead or self.ended)

    def end(self):
        """As the pump ends: see ``dispatch.pump``."""
        account_id = self.world.account.pk
        for campaign_id in Campaign.objects.filter(account=account_id, state=CampaignState.RUNNING).values_list(
            "id", flat=True
        ):
            settle.finish(account_id, campaign_id)
        Owner.objects.filter(pk=self.owner_id).update(ended=True)
        self.ended = True
        self.world.note(f"{self.name} ended")
        if not dispatch.pace.blocked(account_id) and intent.waiting(account_id):
            control.jobs.enqueue(control.jobs.PUMP, account_id)
