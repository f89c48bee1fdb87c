"""The one writer of a message's send state.

Each function is one edge of ``MESSAGE_EDGES``, applied to a set of messages in the caller's transaction: a guarded UPDATE
that names the old state, and its counter deltas. What the guard left out has been changed by someone else first, and that
is their answer, not an error.

The two steps that every message takes, into a request and to the answer, stand on the message and its attempt already;
Transition rows are written for all others. They were a sixth of the time of a request.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from campaigns import bulk
from campaigns.models import Attempt, Message, Transition
from campaigns.models.states import DELIVERY_OF, FINAL_DELIVERY, Delivery, MessageState
from campaigns.sending import announce, sids, spending
from campaigns.sending.counting import Deltas, place
from campaigns.sending.outcomes import ItemResult, Kind
from campaigns.sending.standing import standing


def claim(attempt: Attempt, messages: Sequence[tuple[int, int]]) -> bool:
    """pending -> in_flight for ``(id, units)`` of one campaign; False when another hand was faster with any of them."""
    now = attempt.started_at
    ids = [message_id for message_id, _ in messages]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_message SET state = 'in_flight', attempt_id = %s, sent_at = %s "
            f"""WHERE {bulk.looked_at("state", "'pending'")} AND id IN ({bulk.marks(ids)})""",
            [*bulk.stored(Message, ("attempt", "sent_at"), (attempt.id, now)), *ids],
        )
        if cursor.rowcount != len(ids):
            return False
    deltas = Deltas()
    deltas.move(
        place(attempt.campaign_id, None, MessageState.PENDING),
        place(attempt.campaign_id, now, MessageState.IN_FLIGHT),
        len(ids),
        sum(units for _, units in messages),
    )
    deltas.write()
    return True


def settle(attempt: Attempt, results: Sequence[tuple[int, ItemResult]], now: datetime) -> None:
    """in_flight (or unconfirmed) -> accepted, rejected, unconfirmed or pending, as Exotel's answer says of each message.

    A message that a callback has moved to accepted already is left alone. A Sid that another message holds is not taken:
    the newcomer becomes unconfirmed.
    """
    taken = sids.holders(attempt.account_id, [result.sid for _, result in results if result.sid])
    old = _current(attempt)
    alike: dict[Settled, list[tuple[int, str | None]]] = defaultdict(list)
    for message_id, result in results:
        kind = Kind.UNCONFIRMED if result.sid and taken.get(result.sid, message_id) != message_id else result.state
        if message_id in old and kind != old[message_id][0]:
            alike[_settled(kind, result)].append((message_id, result.sid if kind == Kind.ACCEPTED else None))
    deltas = Deltas()
    final: list[int] = []
    for settled, messages in alike.items():
        done = _settle_alike(attempt, messages, settled, now)
        final += done if settled.state == MessageState.REJECTED or settled.delivery in FINAL_DELIVERY else []
        after = place(attempt.campaign_id, attempt.started_at, settled.state, settled.delivery, settled.code)
        for state, moved in _by_state(done, old).items():
            units = sum(old[message_id][1] for message_id in moved)
            deltas.move(place(attempt.campaign_id, attempt.started_at, state), after, len(moved), units)
            if MessageState.UNCONFIRMED in {state, settled.state}:
                _log(moved, settled.state, attempt.id, now)
    deltas.write()
    announce.final(final)


class Settled(NamedTuple):
    """What Exotel's answer makes of a message, but for its Sid."""

    state: str
    delivery: str
    code: str
    standing: int


def _settled(kind: Kind, result: ItemResult) -> Settled:
    report = result.report if kind == Kind.ACCEPTED else None
    if report:
        return _accepted(report.state, report.code, standing(report))
    if kind == Kind.ACCEPTED:
        return _accepted("", "", 0)
    return Settled(kind.value, Delivery.NONE.value, result.code if kind == Kind.REJECTED else "", 0)


@lru_cache(1024)  # nearly all messages of an answer have one and the same outcome
def _accepted(told: str, code: str, place: int) -> Settled:
    return Settled(Kind.ACCEPTED.value, DELIVERY_OF.get(told, Delivery.AWAITING).value, code, place)


def _settle_alike(
    attempt: Attempt, messages: Sequence[tuple[int, str | None]], settled: Settled, now: datetime
) -> list[int]:
    """Give messages of an attempt their Sids and one and the same outcome; those that could still take it."""
    columns = (*Settled._fields, "settled_at")
    *values, attempt_id = bulk.stored(Message, (*columns, "attempt"), (*settled, now, attempt.id))
    guard = f"{bulk.looked_at('t.attempt_id')} AND t.state IN ('in_flight', 'unconfirmed')"
    return bulk.update_rows(Message, ("id", "sid"), messages, guard, [attempt_id], dict(zip(columns, values, strict=True)))


def _by_state(ids: Sequence[int], old: Mapping[int, tuple[str, int]]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for message_id in ids:
        groups[old[message_id][0]].append(message_id)
    return groups


def release(attempt: Attempt, now: datetime, reason: str) -> None:
    """in_flight -> pending for all of an attempt, on proof that nothing of it was accepted."""
    _move_all(attempt, MessageState.PENDING, now, reason, keep_attempt=False)


def doubt(attempt: Attempt, now: datetime, reason: str) -> None:
    """in_flight -> unconfirmed for all of an attempt: it may have been accepted, so no machine sends it again."""
    _move_all(attempt, MessageState.UNCONFIRMED, now, reason, keep_attempt=True)


def suppress(campaign_id: int, messages: Sequence[tuple[int, int]], now: datetime, reason: str) -> None:
    """pending -> suppressed for ``(id, units)`` of one campaign."""
    _leave_pending(campaign_id, messages, MessageState.SUPPRESSED, now, reason)


def cancel(campaign_id: int, messages: Sequence[tuple[int, int]], now: datetime) -> None:
    """pending -> cancelled for ``(id, units)`` of one campaign."""
    _leave_pending(campaign_id, messages, MessageState.CANCELLED, now, "Campaign cancelled")


def _leave_pending(campaign_id: int, messages: Sequence[tuple[int, int]], state: str, now: datetime, reason: str) -> None:
    rows = [(message_id, state, now) for message_id, _ in messages]
    done = set(bulk.update_rows(Message, ("id", "state", "settled_at"), rows, "t.state = 'pending'"))
    units = sum(units for message_id, units in messages if message_id in done)
    deltas = Deltas()
    deltas.move(place(campaign_id, None, MessageState.PENDING), place(campaign_id, None, state), len(done), units)
    deltas.write()
    spending.charge(campaign_id, -units)
    _log(sorted(done), state, None, now, reason)
    announce.final(done)


def _move_all(attempt: Attempt, state: str, now: datetime, reason: str, keep_attempt: bool) -> None:
    flying = Message.objects.filter(attempt=attempt, state=MessageState.IN_FLIGHT)
    messages = list(flying.order_by("id").select_for_update().values_list("id", "units"))
    ids = [message_id for message_id, _ in messages]
    values: dict[str, Any] = {"state": state}
    values |= {"settled_at": now} if keep_attempt else {"attempt": None, "sent_at": None}
    if Message.objects.filter(id__in=ids, state=MessageState.IN_FLIGHT, attempt=attempt).update(**values) != len(ids):
        raise RuntimeError("A message changed hands inside a locked transaction.")
    deltas = Deltas()
    deltas.move(
        place(attempt.campaign_id, attempt.started_at, MessageState.IN_FLIGHT),
        place(attempt.campaign_id, attempt.started_at if keep_attempt else None, state),
        len(ids),
        sum(units for _, units in messages),
    )
    deltas.write()
    _log(ids, state, attempt.id, now, reason)


def _current(attempt: Attempt) -> dict[int, tuple[str, int]]:
    """State and units of the attempt's messages that an answer may still change, locked.

    None of them has a delivery yet: a report that came before the answer made its message accepted.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state, units FROM campaigns_message WHERE attempt_id = %s "
            f"AND state IN ('in_flight', 'unconfirmed') ORDER BY id{bulk.for_update()}",
            bulk.stored(Message, ("attempt",), (attempt.id,)),
        )
        return {pk: (state, units) for pk, state, units in cursor.fetchall()}


def _log(ids: Sequence[int], state: str, attempt: UUID | None, now: datetime, reason: str = "") -> None:
    rows = [(message_id, state, attempt, reason[:200], now) for message_id in ids]
    bulk.insert_rows(Transition, ("message", "state", "attempt", "reason", "at"), rows)
