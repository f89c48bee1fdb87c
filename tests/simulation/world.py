"""One seed's history: who acts next, what befalls them, and what must hold at every moment and at the end."""

from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns import bulk, jobs, tasks
from campaigns.exotel.reports import from_fields
from campaigns.models import Account, Attempt, Campaign, Message, Owner, Suppression
from campaigns.models.states import ENDED, HELD, AttemptPhase, MessageState
from campaigns.sending import callback_urls, control, dispatch, evidence, intent, pace, recover, settle, wires
from campaigns.sending.evidence import APPLIED, DUPLICATE, PARKED, QUARANTINED, Evidence
from campaigns.text import window
from campaigns.text.window import IST
from tests.simulation import truth
from tests.simulation.permits import Permits
from tests.simulation.provider import Breach, Parcel, Provider
from tests.simulation.workers import DatabaseAway, Killed, Process

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=IST).timestamp()
FORGERIES = ("stranger", "unknown_request", "of_another_request", "another_sid")
MOST_STEPS = 150
MOST_ROUNDS = 40  # until all is quiet


class World:
    """``account`` has running campaigns and nothing sent. Use as a context: inside, clock and network are the world's."""

    def __init__(self, seed: int, account: Account):
        self.seed, self.account = seed, Account.objects.get(pk=account.pk)
        self.random = Random(seed)
        self.trace: list[str] = []
        self.now = self.wall = NOON
        self.calm = False
        self.processes: list[Process] = []
        self.stack: list = []  # whose step is running, innermost last; None for anyone who is no sender
        self.depth = 0  # of transactions
        self.bells: list[tuple[str, int]] = [(jobs.PUMP, account.pk)] * self.random.choice((1, 2, 2))
        self.parcels: dict[UUID, Parcel] = {}
        self.swept_at, self.lost_bells = 0.0, 0
        self.operations, self.accidents, self.forgeries = (self.random.choice((0, 1, 2, 4)) for _ in range(3))
        self.faults = self.random.choice((0, 0, 2))  # of the database
        self.rounds = 4  # of mending before the calm
        self._draw_campaigns()

    def _draw_campaigns(self):
        """What differs between two seeds of one shape: hours, rate, poison."""
        self.campaigns = list(Campaign.objects.filter(account=self.account).order_by("id"))
        self.messages = {m.pk: m for m in Message.objects.filter(campaign__in=self.campaigns).order_by("id")}
        self.permits = Permits(self.campaigns, self.messages)
        if self.permits.promotional:
            self.now = self.wall = NOON + self.random.choice((-2 * 3600 - 30, 0, 9 * 3600 - 30))
        rate = self.random.choice((0, 0, 60))
        if rate:
            Account.objects.filter(pk=self.account.pk).update(rate_per_minute=rate)
            self.account.rate_per_minute = rate
        numbers = [f"{m.number % 10**10}" for m in self.messages.values()]
        poison = {self.random.choice(numbers)} if self.random.random() < 0.15 else set()
        self.provider = Provider(self.random, poison)

    # The world in place of the real one -------------------------------------------------------------------------------

    def __enter__(self):
        self._patches = ExitStack()
        batch = self.random.choice((1, 2, 3, 4))
        real = dispatch.WIRES[self.account.provider]
        line = SimpleNamespace(close=lambda: None)
        wire = real._replace(open=lambda *_: line, post=lambda *_: self.stack[-1].post())
        proxy = SimpleNamespace(commit=self._commit, Unrenderable=intent.Unrenderable, waiting=intent.waiting)
        for target, name, value in (
            (timezone, "now", lambda: datetime.fromtimestamp(self.wall, UTC)),
            (bulk, "now_sql", lambda: str(int(self.wall * 1_000_000))),
            (bulk, "transaction", self.transaction),
            (jobs, "enqueue", self._ring),
            (intent, "uuid4", lambda: UUID(int=self.random.getrandbits(128))),
            (pace, "random", self.random),
            (settle, "time", SimpleNamespace(sleep=lambda _: None)),
            (settle, "connection", line),
            (settle, "BATCH", batch),
            (wires, "BATCH", batch),
            (settle, "REFUSALS_AT_LEAST", self.random.choice((2, 20))),
            (control, "CHUNK", 2),
            (dispatch, "intent", proxy),
            (dispatch, "WIRES", {self.account.provider: wire}),
        ):
            self._patches.enter_context(patch.object(target, name, value))
        self.observer = recover.Observer(lambda: self.now)
        return self

    def __exit__(self, *_):
        self._patches.close()

    def _commit(self, owner_id, account_id, only=()):
        return self.stack[-1].commit(owner_id, account_id, only)

    def _ring(self, job, *ids):
        copies = 1 if self.calm else self.random.choices((0, 1, 2), (1, 8, 1))[0]
        self.bells += [(job, *ids)] * copies
        self.lost_bells += copies != 1

    @contextmanager
    def transaction(self):
        """A transaction, at whose ends a sender may die or lose the database, and before which others may act."""
        if self.depth:
            with transaction.atomic():
                yield
            return
        self._others_act()
        worker = self.stack[-1] if self.stack else None
        befalls = self._misfortune() if worker else ""
        self.depth += 1
        try:
            with transaction.atomic():
                yield
                self._strike(befalls, "before its commit")
        finally:
            self.depth -= 1
        self._strike(befalls, "after its commit")

    def _others_act(self):
        worker = self.stack[-1] if self.stack else None
        if not self.calm and len(self.stack) < 3 and self.random.random() < 0.2:
            self._act()
        if worker and worker.process.dead:
            raise Killed

    def _misfortune(self):
        if self.calm or self.random.random() > 0.04:
            return ""
        when = self.random.choice(("before its commit", "after its commit"))
        if self.accidents and self.random.random() < 0.5:
            self.accidents -= 1
            return f"death {when}"
        if self.faults:
            self.faults -= 1
            return f"fault {when}"
        return ""

    def _strike(self, befalls, when):
        if befalls == f"death {when}":
            raise Killed
        if befalls == f"fault {when}":
            self.note(f"{self.stack[-1].name}'s database failed {when}")
            raise DatabaseAway("The database went away.")

    # A history --------------------------------------------------------------------------------------------------------

    def note(self, text):
        self.trace.append(f"{self.now - NOON:9.1f}  {'  ' * max(len(self.stack) - 1, 0)}{text}")

    def run(self):
        """From the launch to the end, then to quiet."""
        try:
            for _ in range(MOST_STEPS):
                if not self._act():
                    break
            self.settle_down()
            truth.check(self)
        except Breach as breach:
            raise self._told(str(breach)) from None
        except Exception as error:
            raise self._told(f"something broke: {error!r}") from error

    def _told(self, text):
        return Breach(f"seed {self.seed}: {text}\n" + "\n".join(self.trace))

    def _act(self):
        """One thing that can happen now; False when all have ended."""
        choices = [(6, self._step, worker) for process in self.processes for worker in process.workers if worker.ready()]
        if len([p for p in self.processes if not (p.dead or p.ended)]) < 3:
            choices += [(3, self._answer_bell, None)] if self.bells else []
        due = [callback for callback in self.provider.callbacks if callback.due <= self.now]
        choices += [(3 + len(due), self._deliver, due)] if due else []
        choices += [(2, self._arrive, late) for late in self.provider.arrivals if late[0] <= self.now]
        if self._sweep_is_worth():
            choices.append((1, self._sweep, None))
        if self.operations:
            flying = any(worker.parcel and not worker.parcel.settled for p in self.processes for worker in p.workers)
            choices.append((3 if self.stack or flying else 0.6, self._operate, None))
        if self.accidents and self.processes:
            choices.append((0.8, self._accident, None))
        if self.forgeries and self.provider.entries:
            choices.append((0.6, self._forge, None))
        if not choices and not any(process.working() for process in self.processes) and not self._go_on():
            return False
        choices.append((0.8, self._pass_time, None))
        _, act, subject = self.random.choices(choices, [weight for weight, _, _ in choices])[0]
        if act == self._step:
            self._step(subject)
        else:
            self.stack.append(None)
            try:
                act(subject)
            finally:
                self.stack.pop()
        return True

    def _go_on(self):
        """All is silent: recovery and operators look why, and mend it, a few times in a history."""
        self.rounds -= 1
        if self.rounds < 0 or self._ended():
            return False
        self.pass_time(pace.blocked(self.account.pk) + 16)
        self._mend()
        if not self.bells:
            self._sweep(None)
        return True

    def _sweep_is_worth(self):
        """Recovery looks every 15 s; here only when it may find something, for it takes most of the time."""
        missing = any((p.dead or p.was_frozen) and p.owner_id not in self.permits.buried for p in self.processes)
        since = self.now - self.swept_at
        return since >= 90 if missing else since >= 15 and (self.lost_bells or self.random.random() < 0.02)

    def _ended(self):
        return not Campaign.objects.filter(pk__in=[c.pk for c in self.campaigns]).exclude(state__in=ENDED).exists()

    def _step(self, worker):
        self.stack.append(worker)
        worker.busy = True
        try:
            next(worker.steps, None)
        except (Killed, DatabaseAway):
            self._die(worker.process)
        finally:
            worker.busy = False
            self.stack.pop()

    def _die(self, process):
        process.dead = True
        self.note(f"{process.name} died")

    def _pass_time(self, _):
        working = [process for process in self.processes if process.working()]
        nexts = [p.frozen_until for p in working] + [worker.wakes_at for p in working for worker in p.workers]
        nexts += [due for due, _ in self.provider.arrivals] + [callback.due for callback in self.provider.callbacks]
        ahead = [at - self.now for at in nexts if self.now < at < self.now + 1000]
        frozen = any(p.frozen_until > self.now and p.owner_id not in self.permits.buried for p in working)
        likely = 0.4 if frozen else 0.7
        ahead += [due - self.wall for due in set(self.permits.due.values()) if self.wall < due < self.wall + 1000]
        seconds = min(ahead) + 0.01 if ahead and self.random.random() < likely else self.random.choice((2, 16, 95, 95))
        self.pass_time(seconds)

    def pass_time(self, seconds):
        """Time goes on, and every process that lives and is not frozen shows it."""
        self.now += seconds
        self.wall += seconds
        living = [process.owner_id for process in self.processes if process.alive()]
        if living:
            Owner.objects.filter(pk__in=living, stop=False, dead=False).update(beat=F("beat") + 1)

    def _answer_bell(self, _):
        job, subject = self.bells.pop(self.random.randrange(len(self.bells)))
        if job == jobs.PUMP:
            owner_id = UUID(int=self.random.getrandbits(128))
            self.processes.append(Process(self, owner_id, len(self.processes) + 1, self.random.choice((1, 1, 2))))
            self.note(f"{self.processes[-1].name} starts")
        elif job == jobs.WIND_UP:
            self.note(f"wound up {tasks.wind_up(subject)} of campaign {subject}")

    def _arrive(self, late):
        self.provider.arrivals.remove(late)
        self.note("a request arrives late")
        self.provider.arrive_late(late[1], self.now)

    def _accident(self, _):
        living = [p for p in self.processes if p.alive() and not any(worker.busy for worker in p.workers)]
        if not living:
            return
        self.accidents -= 1
        process = self.random.choice(living)
        if self.random.random() < 0.5:
            self._die(process)
        else:
            process.frozen_until = self.now + self.random.choice((20, 120, 250, 400))
            process.was_frozen = True
            self.note(f"{process.name} freezes until {process.frozen_until - NOON:.1f}")
        self._sweep(None)  # which sees the last sign of life, and 90 s later no other

    def _sweep(self, _):
        self.swept_at = self.now
        done = recover.sweep(self.observer)
        if any(done.values()):
            self.note(f"recovery: {done}")
        self.lost_bells = 0
        if done["lost"]:
            self._check_lost()
        if done["buried"]:
            self.permits.buried = set(Owner.objects.filter(dead=True).values_list("pk", flat=True))
            if wrong := [
                p.name for p in self.processes if p.owner_id in self.permits.buried and not (p.dead or p.was_frozen)
            ]:
                raise Breach(f"recovery took {wrong} for dead, and they live")

    def _check_lost(self):
        """Only requests that nobody will ever settle may be given up."""
        sending = set(Attempt.objects.filter(phase=AttemptPhase.SENDING).values_list("pk", flat=True))
        for parcel in self.parcels.values():
            worker = parcel.worker
            if parcel.settled or worker.busy or parcel.attempt in sending:
                continue
            if not (worker.idle or worker.process.dead or worker.process.was_frozen):
                raise Breach(f"recovery gave up a request of {worker.name}, which lives")
            parcel.doubt_all()

    # A sender says -----------------------------------------------------------------------------------------------------

    def intended(self, worker, order):
        """An intent has committed."""
        self.note(f"{worker.name} intends messages {order.ids}")
        self.permits.check(order, worker.process.owner_id, self.now, self.wall)
        numbers = dict(zip(order.numbers, order.ids, strict=True))
        parcel = Parcel(order.attempt.pk, numbers, urlsplit(order.batch.status_callback).path, worker)
        self.parcels[parcel.attempt] = parcel
        return parcel

    # Operators and the provider act -----------------------------------------------------------------------------------

    def _operate(self, _):
        self.operations -= 1
        campaign = self.random.choice(self.campaigns)
        seen = self.random.choice((campaign, Campaign.objects.get(pk=campaign.pk)))  # perhaps as it was at the launch
        likely, unlikely = ("resume", "pause") if campaign.pk in self.permits.held else ("pause", "resume")
        deed = self.random.choices((likely, unlikely, "cancel", "opt_out", "clock"), (9, 1, 1.5, 3, 1))[0]
        if deed == "opt_out":
            message = self.random.choice(list(self.messages.values()))
            Suppression.objects.get_or_create(account=self.random.choice((None, self.account)), number=message.number)
            self.permits.opted_out.add(message.number)
            self.note(f"opt-out of message {message.pk}")
        elif deed == "clock":
            self.wall += self.random.choice((-3600, 3600))
            self.permits.clock_jumped()
            self.note("the wall clock jumps")
        else:
            self.operate(deed, seen)

    def operate(self, deed, campaign):
        """Press a button. What is refused changes nothing."""
        try:
            getattr(control, deed)(campaign)
        except control.Refused:
            return
        self.note(f"operator: {deed} campaign {campaign.pk}")
        self.permits.operated(deed, campaign.pk)

    def _forge(self, _):
        self.forgeries -= 1
        kind = self.random.choice(FORGERIES)
        if forged := self.provider.forge(kind, self.now):
            self.note(f"forged callback: {kind}")
            self.apply([forged])

    def _deliver(self, due):
        self.apply(self.random.sample(due, min(len(due), self.random.choice((1, 2, 5)))))

    def apply(self, callbacks):
        """Give reports to our side, all in one transaction as the inbox does; what is parked comes again."""
        callbacks = list(callbacks)
        items = [self._evidence(callback) for callback in callbacks]
        with transaction.atomic():
            verdicts = evidence.apply(items)
        for callback, verdict in zip(callbacks, verdicts, strict=True):
            if callback.entry is None:
                if verdict.result not in {QUARANTINED, PARKED}:
                    raise Breach(f"a forged report was {verdict.result}")
                continue
            text = f"report {callback.told.code} of message {callback.entry.message}: {verdict.result}"
            self.note(text)
            if verdict.result == PARKED and not callback.path:
                callback.due = self.now + 30
                continue
            if verdict.result not in {APPLIED, DUPLICATE} or verdict.message_id != callback.entry.message:
                raise Breach(f"{text} {verdict.reason}")
            self.provider.callbacks.remove(callback)
            callback.entry.told.append(callback.told)

    def _evidence(self, callback):
        attempt = callback_urls.verify(callback.path) if callback.path else self.account.callback_id
        report = from_fields(callback.told.fields(callback.sid, callback.number10), "callback")
        return Evidence.of(attempt, report, timezone.now())

    # To quiet ---------------------------------------------------------------------------------------------------------

    def settle_down(self):
        """Nothing goes wrong any more: every process ends, recovery and operators do their work, all reports arrive."""
        self.calm = self.provider.calm = True
        self.note("calm")
        if any(process.frozen_until > self.now + 95 for process in self.processes):
            self.pass_time(95)
            self._sweep(None)
        for _ in range(MOST_ROUNDS):
            self._run_processes()
            for late in list(self.provider.arrivals):
                self._arrive(late)
            self._sweep(None)
            self._mend()
            self.random.shuffle(self.provider.callbacks)
            for callbacks in bulk.chunks(list(self.provider.callbacks), 10):
                self.apply(callbacks)
            if self._quiet():
                self.apply(self.provider.callbacks)  # parked ones: their Sid may have become known since
                return
            self.pass_time(max(100, pace.blocked(self.account.pk) + 1, self._until_opening(), self._until_due()))
        raise Breach("it never came to an end")

    def _run_processes(self):
        """First those that were there, among them some that are held for dead; then those that the doorbell asks for."""
        thawed = max((process.frozen_until for process in self.processes), default=0) - self.now
        if thawed > 0:
            self.pass_time(thawed)
        for _ in range(MOST_STEPS):
            left = [w for process in self.processes if process.alive() for w in process.workers if not w.over]
            for worker in left:
                self._step(worker)
            if not left and not self.bells:
                return
            if not left:
                self._answer_bell(None)
        raise Breach("senders never came to an end")

    def _until_opening(self):
        if not self.permits.promotional:
            return 0
        at = timezone.now()
        opening = window.next_opening(at, self.account.window_opens, self.account.window_closes, IST)
        return (opening - at).total_seconds() + 1

    def _until_due(self):
        """The hours of rows stand on the wall clock, whatever it has jumped."""
        later = Message.objects.filter(campaign__in=self.campaigns, state=MessageState.PENDING, due__gt=self.wall)
        first = later.order_by("due").values_list("due", flat=True).first()
        return first + 1 - self.wall if first else 0

    def _mend(self):
        for campaign in Campaign.objects.filter(pk__in=[c.pk for c in self.campaigns], state__in=HELD):
            self.operate("resume", campaign)

    def _quiet(self):
        return (
            self._ended()
            and not any(callback.path for callback in self.provider.callbacks)
            and not self.provider.arrivals
            and not Attempt.objects.filter(phase=AttemptPhase.SENDING).exists()
            and not Message.objects.filter(campaign__in=self.campaigns, state=MessageState.PENDING).exists()
        )
