"""Delivers what was laid down for webhooks: at least once, each try with the same id and body.

One job delivers for all webhooks (the lease is an economy: two would only repeat requests, which receivers know by their
id). The requests run in threads that touch no database, some at once for each webhook and one for one that fails, so a slow
endpoint holds up nobody but itself. A crash at any moment leaves a delivery waiting, and it is sent again.
"""

import logging
import random
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Min
from django.utils import timezone

from campaigns import bulk, failpoints, jobs, leases
from campaigns.hooks import line, rules, signing
from campaigns.hooks.line import Result
from campaigns.models import Alert, Webhook, WebhookDelivery
from campaigns.models.secrets import Unreadable
from campaigns.models.webhook import LEASE

log = logging.getLogger(__name__)
State = WebhookDelivery.State
LOOK = 0.5  # seconds between looks for what is new
RENEW = 2.0  # seconds between renewals of the lease
LINGER = timedelta(seconds=6)  # the first repetition comes so soon that it is waited for
GRACE = 2.0  # seconds beyond a request's time, for a name that is not found out about in time
LATE = Result(None, f"No answer came within {line.TOTAL:.0f} s.")


@dataclass(frozen=True, slots=True)
class Flight:
    """One request under way."""

    delivery: WebhookDelivery
    began: float  # on the monotonic clock


def waiting() -> bool:
    """Whether something is due and nobody delivers."""
    now = timezone.now()
    return not leases.held(LEASE) and any(WebhookDelivery.due(hook.pk, now).exists() for hook in _open(now))


def run() -> dict[str, int]:
    """Deliver what is due for about TASK_BUDGET seconds; rings for a successor when something is left."""
    owner = uuid4()
    if not leases.take(LEASE, owner):
        return {"tried": 0, "delivered": 0}
    courier = Courier(owner)
    try:
        courier.run()
    finally:
        courier.close()
        leases.give_back(LEASE, owner)
    if waiting():
        jobs.enqueue(jobs.HOOKS)
    return {"tried": courier.tried, "delivered": courier.delivered}


def _open(now: datetime) -> list[Webhook]:
    """Webhooks to which something may be sent now."""
    hooks = Webhook.objects.filter(enabled=True).order_by("pk")[: rules.MOST]
    return [hook for hook in hooks if hook.held_until is None or hook.held_until <= now]


class Courier:
    def __init__(self, owner: UUID) -> None:
        self.owner = owner
        self.tried = self.delivered = 0
        self._pool = ThreadPoolExecutor(rules.MOST * rules.PARALLEL, thread_name_prefix="webhook")
        self._flying: dict[Future[tuple[Result, int]], Flight] = {}
        self._renewed = time.monotonic()

    def run(self) -> None:
        until = time.monotonic() + settings.TASK_BUDGET
        while time.monotonic() < until and self._is_mine():
            self._begin()
            if self._flying:
                wait(self._flying, LOOK, FIRST_COMPLETED)
                self._collect()
            elif _soon():
                time.sleep(LOOK)
            else:
                break
        until = time.monotonic() + line.TOTAL + GRACE
        while self._flying and time.monotonic() < until and self._is_mine():
            wait(self._flying, LOOK, FIRST_COMPLETED)
            self._collect()

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _is_mine(self) -> bool:
        """Renew the lease now and then; False when another has it."""
        if time.monotonic() - self._renewed < RENEW:
            return True
        self._renewed = time.monotonic()
        return leases.take(LEASE, self.owner)

    def _begin(self) -> None:
        """Put on the wire what is due, as much as each webhook takes at once."""
        under_way: dict[int, list[int]] = defaultdict(list)
        for flight in self._flying.values():
            under_way[flight.delivery.webhook_id].append(flight.delivery.pk)
        now = timezone.now()
        for hook in _open(now):
            room = rules.parallel(hook.failures) - len(under_way[hook.pk])
            if room <= 0:
                continue
            for delivery in WebhookDelivery.due(hook.pk, now).exclude(pk__in=under_way[hook.pk])[:room]:
                self._send(hook, delivery)

    def _send(self, hook: Webhook, delivery: WebhookDelivery) -> None:
        failpoints.reach("hook.taken")
        self.tried += 1
        try:
            secrets = hook.signing_secrets(timezone.now())
        except Unreadable as error:
            _store([(delivery, Result(None, str(error)), 0)])
            return
        future = self._pool.submit(_post, hook.url, delivery.event_id, delivery.body.encode(), secrets)
        self._flying[future] = Flight(delivery, time.monotonic())

    def _collect(self) -> None:
        """Store the results that are there, and give up what has taken longer than any request may."""
        now = time.monotonic()
        results = []
        for future, flight in list(self._flying.items()):
            if future.done():
                results.append((flight.delivery, *future.result()))
            elif now - flight.began > line.TOTAL + GRACE:
                results.append((flight.delivery, LATE, int((now - flight.began) * 1000)))
            else:
                continue
            del self._flying[future]
        if results:
            failpoints.reach("hook.answered")
            self.delivered += _store(results)


def _post(url: str, event_id: str, body: bytes, secrets: Sequence[str]) -> tuple[Result, int]:
    """The result and how many milliseconds it took. Signed here: a signature is good for a few minutes only."""
    began = time.monotonic()
    result = line.post(url, body, signing.headers(event_id, int(time.time()), body, secrets))
    return result, int((time.monotonic() - began) * 1000)


def _soon() -> bool:
    """Whether something becomes due before it is worth ending."""
    now = timezone.now()
    hooks = [hook.pk for hook in _open(now + LINGER)]
    first = WebhookDelivery.objects.filter(webhook__in=hooks, state=State.WAITING).aggregate(at=Min("next_at"))["at"]
    return first is not None and first <= now + LINGER


def _store(results: Sequence[tuple[WebhookDelivery, Result, int]]) -> int:
    """Store what became of requests, and what it means for their webhooks; how many arrived."""
    now = timezone.now()
    tally: Counter[bool] = Counter()
    with bulk.transaction():
        ids = {delivery.webhook_id for delivery, _, _ in results}
        # Not its key: what is laid down for it meanwhile need not wait.
        hooks = {hook.pk: hook for hook in Webhook.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}
        for delivery, result, took in results:
            if _note(delivery, result, took, now) and delivery.webhook_id in hooks:
                _judge(hooks[delivery.webhook_id], result, now)
            tally[result.arrived] += 1
        for hook in hooks.values():
            hook.save(update_fields=["failures", "failing_since", "held_until", "delivered_at", "enabled", "disabled_at",
                                     "disabled_reason"])  # fmt: skip
    return tally[True]


def _note(delivery: WebhookDelivery, result: Result, took: int, now: datetime) -> bool:
    """Write the outcome of a try on its delivery; False when it was changed meanwhile, as by a replay."""
    tries = delivery.tries + 1
    rest = None if result.arrived else rules.wait(tries, random.random())
    state = State.DELIVERED if result.arrived else State.WAITING if rest else State.FAILED
    waiting = WebhookDelivery.objects.filter(pk=delivery.pk, state=State.WAITING, tries=delivery.tries)
    return bool(
        waiting.update(
            state=state, tries=tries, next_at=now + rest if rest else None, status=result.status,
            sentence=result.sentence[:300], answer=result.answer, duration=took, tried_at=now,
        )
    )  # fmt: skip


def _judge(hook: Webhook, result: Result, now: datetime) -> None:
    """What one result says about the webhook: it answers, it is left alone for a while, or it is switched off."""
    if result.arrived:
        hook.failures, hook.failing_since, hook.held_until, hook.delivered_at = 0, None, None, now
        return
    hook.failures += 1
    hook.failing_since = hook.failing_since or now
    hook.held_until = now + timedelta(seconds=hold) if (hold := rules.hold(hook.failures)) else None
    if not hook.enabled:
        return
    if result.status == 410:
        _switch_off(hook, now, "It answered 410 Gone: nobody wants these any more.")
    elif now - hook.failing_since >= rules.PATIENCE:
        _switch_off(hook, now, f"Nothing has arrived there for {rules.PATIENCE.days} days. The last try: {result.sentence}")


def _switch_off(hook: Webhook, now: datetime, reason: str) -> None:
    hook.enabled, hook.disabled_at, hook.disabled_reason = False, now, reason[:300]
    text = f"The webhook “{hook.name}” was switched off. {reason} What waits for it is kept; switch it on when it is mended."
    Alert.notice("webhook_off", hook, text)
    log.warning("Webhook %s was switched off: %s", hook.pk, reason)
