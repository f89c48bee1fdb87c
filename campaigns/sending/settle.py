"""The second commit around a POST: what Exotel's answer means for the messages, the campaign and the account."""

import time
from collections.abc import Callable
from datetime import datetime

from django.db import OperationalError, connection
from django.db.models import Sum
from django.utils import timezone

from campaigns import bulk, failpoints
from campaigns.exotel import BATCH
from campaigns.exotel.codes.stored import of_message
from campaigns.models import Attempt, Count
from campaigns.models.states import BILLABLE, AttemptPhase, MessageState
from campaigns.sending import control, pace, rounds, states
from campaigns.sending.intent import Order
from campaigns.sending.outcomes import Kind, Outcome

TRIES = 6  # of the outcome's transaction, over about 30 s: a database restart must not turn an answer into a doubt
DOUBTS_IN_A_ROW = 3
DOUBTS_OF_100 = 2
MOST_STRAYS = 200  # kept of one answer
REFUSALS_AT_LEAST = 20  # below that a share says little
REFUSED_SHARE = 0.2  # of all handed over


def settle(order: Order, outcome: Outcome) -> list[list[int]]:
    """Store the outcome; the ids of batches to try again by halves, when one message of the batch spoils it."""
    persist(lambda: _store(order, outcome))
    failpoints.reach("outcome.committed")
    if outcome.kind == "split":
        middle = len(order.ids) // 2
        return [order.ids[middle:], order.ids[:middle]]
    if len(order.ids) < BATCH:
        finish(order.attempt.account_id, order.attempt.campaign_id)
    return []


def finish(account_id: int, campaign_id: int) -> None:
    with control.account_lock(account_id):
        control.finish(campaign_id)


def not_sent(order: Order, reason: str) -> None:
    """Give the messages back: the request was never begun."""
    persist(lambda: _close(order.attempt, AttemptPhase.DONE, "not_sent", reason))


def persist(store: Callable[[], None]) -> None:
    """Run a transaction, again on a fresh connection when the database was away. It must be safe to run twice."""
    for attempt in range(TRIES):
        try:
            with bulk.transaction():
                store()
            return
        except OperationalError:
            if attempt == TRIES - 1:
                raise
            connection.close()
            time.sleep(min(2**attempt * 0.5, 10))


def _store(order: Order, outcome: Outcome) -> None:
    attempt, now = order.attempt, timezone.now()
    # First of all: messages that become pending again must not be taken by the next sender before it is told to wait.
    _hold(order, outcome)
    if outcome.kind == "answered":
        states.settle(attempt, [(order.ids[item.index], item) for item in outcome.items], now)
    elif outcome.kind == "unknown":
        states.doubt(attempt, now, outcome.reason)
    else:
        states.release(attempt, now, outcome.reason)
    phase = AttemptPhase.UNKNOWN if outcome.kind == "unknown" else AttemptPhase.DONE
    _finish_attempt(attempt, phase, outcome, now)
    if outcome.kind == "unknown":
        _stop_when_sick(attempt)
    for code in {item.code for item in outcome.items if item.state == Kind.REJECTED}:
        _stop_when_refused(attempt, code)
    failpoints.reach("outcome.before")


def _finish_attempt(attempt: Attempt, phase: str, outcome: Outcome, now: datetime) -> None:
    bulk.update_one(
        Attempt,
        attempt.pk,
        phase=phase,
        outcome=outcome.kind,
        http_status=outcome.http_status,
        app_code=outcome.app_code[:32],
        reason=outcome.reason[:500],
        strays=outcome.strays[:MOST_STRAYS],
        finished_at=now,
        poll_at=rounds.first(attempt.started_at) if any(item.state in BILLABLE for item in outcome.items) else None,
    )


def _close(attempt: Attempt, phase: str, kind: str, reason: str) -> None:
    """End an attempt without an answer, unless its answer has been stored meanwhile."""
    now = timezone.now()
    sending = Attempt.objects.filter(pk=attempt.pk, phase=AttemptPhase.SENDING)
    poll_at = rounds.first(attempt.started_at) if phase == AttemptPhase.UNKNOWN else None
    if sending.update(phase=phase, outcome=kind, reason=reason[:500], finished_at=now, poll_at=poll_at):
        (states.doubt if phase == AttemptPhase.UNKNOWN else states.release)(attempt, now, reason)


def lose(attempt: Attempt, reason: str) -> None:
    """Recovery: nobody will ever settle this request, so its messages are in doubt."""
    persist(lambda: _close(attempt, AttemptPhase.UNKNOWN, "unknown", reason))


def _hold(order: Order, outcome: Outcome) -> None:
    """What the outcome means for all senders of the campaign or account."""
    attempt = order.attempt
    if outcome.kind in {"throttled", "not_sent"}:
        # Under the lock until the outcome commits: an intent that has just seen no block must not find these messages.
        with control.account_lock(attempt.account_id):
            pace.push_back(attempt.account_id, outcome.retry_after)
    elif outcome.kind == "stop_account":
        control.stop_account(attempt.account_id, outcome.reason)
    elif outcome.kind == "stop_campaign":
        control.stop_campaign(attempt.campaign_id, attempt.account_id, outcome.reason)
    elif outcome.kind != "unknown" and order.throttled:
        pace.all_clear(attempt.account_id)


def _stop_when_refused(attempt: Attempt, code: str) -> None:
    """Stop when one code refuses more than a fifth of a campaign: a mistake in its set-up, not in single rows."""
    counts = Count.objects.filter(campaign=attempt.campaign_id, quarter__gt=0)
    refused = counts.filter(state=MessageState.REJECTED, code=code).aggregate(total=Sum("n"))["total"] or 0
    if refused < REFUSALS_AT_LEAST:
        return
    if refused > REFUSED_SHARE * (counts.aggregate(total=Sum("n"))["total"] or 0):
        row = of_message(code)
        control.stop_campaign(
            attempt.campaign_id,
            attempt.account_id,
            f"Exotel refused {refused} messages with one code. {row.title} ({code}): {row.remedy} Then press Resume.",
        )


def _stop_when_sick(attempt: Attempt) -> None:
    """Limit the harm of a provider that does not answer: stop after 3 doubts in a row or more than 2 of the last 100."""
    settled = Attempt.objects.filter(campaign=attempt.campaign_id).exclude(phase=AttemptPhase.SENDING)
    phases = list(settled.order_by("-finished_at").values_list("phase", flat=True)[:100])
    in_a_row = len(phases) >= DOUBTS_IN_A_ROW and set(phases[:DOUBTS_IN_A_ROW]) == {AttemptPhase.UNKNOWN}
    if in_a_row or (len(phases) == 100 and phases.count(AttemptPhase.UNKNOWN) > DOUBTS_OF_100):
        control.stop_campaign(
            attempt.campaign_id,
            attempt.account_id,
            "Exotel's answers did not arrive or could not be read several times. The messages concerned are unconfirmed and "
            "will not be sent again by themselves; all others are kept. Check status.exotel.com, then press Resume.",
        )
