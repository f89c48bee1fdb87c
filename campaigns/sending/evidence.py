"""Status reports become statuses: the one writer of a message's delivery.

A callback and a poll arrive here as the same thing. Every report is kept; a message's delivery is the maximum over all of
its reports, so order, repetition and splitting make no difference. All is set-based and runs in the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import connection

from campaigns import bulk
from campaigns.exotel.reports import DeliveryReport
from campaigns.models import Account, Attempt, DeliveryEvent, Message, Transition
from campaigns.models.states import ARRIVED, DELIVERY_OF, FINAL_DELIVERY, MESSAGE_EDGES, Delivery, MessageState
from campaigns.sending import announce, learning, sids, verify
from campaigns.sending.counting import Deltas, Place, place_in, quarter_of
from campaigns.sending.standing import standing

APPLIED, DUPLICATE, QUARANTINED, PARKED, PURGED = "applied", "duplicate", "quarantined", "parked", "purged"
TOO_LATE = "It came too late: the campaign's messages were purged."
CHUNK, CHUNK_ON_POSTGRES = 1000, 2000
POLL = "poll"  # the source of what Exotel said when it was asked
SENT = frozenset({*MESSAGE_EDGES[MessageState.ACCEPTED], MessageState.ACCEPTED})


class Evidence(NamedTuple):
    """One report, whose signed address it came to, and when.

    ``attempt`` is a request's id, or the callback id of an account: then the Sid alone says which message is meant.
    """

    attempt: UUID
    report: DeliveryReport
    received_at: datetime
    digest: bytes
    rank: int

    @classmethod
    def of(cls, attempt: UUID, report: DeliveryReport, received_at: datetime) -> Self:
        return cls(attempt, report, received_at, report.digest, standing(report))


class Verdict(NamedTuple):
    """What became of one piece of evidence; ``reason`` is a sentence when it was set aside."""

    result: str
    reason: str = ""
    message_id: int | None = None


class Doubtful(Exception):
    """Evidence that contradicts what was sent."""


@dataclass(slots=True)
class Subject:
    """A message that reports speak of: what they are checked against, and what they may raise."""

    attempt: UUID
    quarter: int  # in which it was sent
    id: int
    campaign_id: int
    account_id: int
    state: str
    sid: str | None
    delivery: str
    code: str
    standing: int
    conflict: bool
    units: int
    final_at: datetime | None = None  # only of the reports at hand

    @property
    def place(self) -> Place:
        return place_in(self.campaign_id, self.quarter, self.state, self.delivery, self.code, self.conflict)


Key = tuple[int, str]  # attempt as a number, since a UUID compares at a tenth of the speed, and last ten digits
Subjects = dict[Key, Subject]
Sids = dict[tuple[int, str], int]  # (account, Sid): the message that holds it


def chunk() -> int:
    """How many are applied at once. With 2,000 a report costs a tenth less; SQLite's other writers would wait for them."""
    return CHUNK_ON_POSTGRES if bulk.is_postgres() else CHUNK


def apply(evidence: Sequence[Evidence]) -> list[Verdict]:
    """Store and apply reports; one verdict each, in order. At most ``chunk`` at a time, inside a transaction."""
    named = {item.attempt for item in evidence}
    attempts = _attempts(named)
    if named - attempts.keys():
        evidence = _located(evidence, attempts)
        attempts |= _attempts({item.attempt for item in evidence} - attempts.keys())
    keys = [(item.attempt.int, item.report.number10) for item in evidence]
    subjects = _subjects(set(keys), attempts)
    about = [subjects.get(key) for key in keys]
    holders = _sid_holders(evidence, about)
    strangers = {item.attempt for item, subject in zip(evidence, about, strict=True) if subject is None}
    gone = purged(strangers & attempts.keys())
    verdicts: dict[int, Verdict] = {}
    fresh: dict[tuple[int, bytes], int] = {}
    counted: dict[int, set[int]] = defaultdict(set)  # units by message, where they are news
    for i, (item, subject) in enumerate(zip(evidence, about, strict=True)):
        try:
            if subject is None:
                verdicts[i] = _without_message(item, attempts, gone)
                continue
            _check(subject, item.report, holders)
        except Doubtful as doubt:
            verdicts[i] = Verdict(QUARANTINED, str(doubt), subject.id if subject else None)
            continue
        if not subject.sid:  # from here on this message's reports must carry it, and no other message's may
            subject.sid = item.report.sid
            holders[subject.account_id, subject.sid] = subject.id
        verdicts[i] = Verdict(DUPLICATE, message_id=subject.id)
        fresh.setdefault((subject.id, item.digest), i)
        if item.report.units and item.report.units != subject.units and item.report.state in DELIVERY_OF:
            counted[subject.id].add(item.report.units)  # of a repetition too: a poll may have said the same without them
    stored = _store(evidence, fresh)
    for key in stored:
        verdicts[fresh[key]] = Verdict(APPLIED, message_id=key[0])
    by_id = {s.id: s for s in subjects.values()}
    final = _merge(by_id, [(key[0], evidence[fresh[key]]) for key in sorted(stored)])
    _count_units(by_id, counted)
    announce.final(final)
    return [verdicts[i] for i in range(len(evidence))]


def _attempts(ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When each known attempt was begun, which is when its messages were sent."""
    return dict(Attempt.objects.filter(id__in=ids).values_list("id", "started_at"))


def _located(evidence: Sequence[Evidence], attempts: Collection[UUID]) -> list[Evidence]:
    """Reports that came for an account as a whole, with the request and the number of the message that has their Sid."""
    strangers = {item.attempt for item in evidence if item.attempt not in attempts}
    accounts = dict(Account.objects.filter(callback_id__in=strangers).values_list("callback_id", "id"))
    wanted = {(accounts[item.attempt], item.report.sid) for item in evidence if item.attempt in accounts and item.report.sid}
    if not wanted:
        return list(evidence)
    places = {key: (attempt, number) for key, (_, attempt, number) in sids.of_accounts(wanted).items() if attempt}
    found = [places.get((accounts.get(item.attempt, 0), item.report.sid)) for item in evidence]
    return [_placed(item, *place) if place else item for item, place in zip(evidence, found, strict=True)]


def _placed(item: Evidence, attempt: UUID, number: int) -> Evidence:
    return item._replace(attempt=attempt, report=item.report._replace(number10=str(number)[-10:]))


def _subjects(keys: Collection[Key], attempts: dict[UUID, datetime]) -> Subjects:
    """The messages that reports speak of, locked in the order of their ids."""
    known = {attempt.int: attempt for attempt in attempts}
    pairs = sorted((attempt, number10) for attempt, number10 in keys if number10 and attempt in known)
    if not pairs:
        return {}
    # The column id only numbers the pairs, so that a row found is told by a small number.
    numbered = [(i, known[attempt], int(number10)) for i, (attempt, number10) in enumerate(pairs)]
    sent_to, parameters = of_requests(numbered)
    lock = " ORDER BY m.id FOR UPDATE OF m" if bulk.is_postgres() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, m.id, m.campaign_id, m.account_id, m.state, m.sid, m.delivery, m.code, m.standing, m.conflict, "
            f"m.units {sent_to}{lock}",
            parameters,
        )
        rows = cursor.fetchall()
    sent = {attempt.int: (attempt, quarter_of(at)) for attempt, at in attempts.items()}
    return {pairs[i]: Subject(*sent[pairs[i][0]], *values) for i, *values in rows}


def of_requests(numbered: Sequence[tuple[int, UUID, int]]) -> tuple[str, list[Any]]:
    """FROM and WHERE of the messages m that went out to v, which are (id, request, last ten digits), and what they bind.

    Messages come first and the requests are named once more, so that SQLite reads each request once, by its index. Left to
    itself it read the whole table for every batch of reports: 30 ms at 150,000 messages.
    """
    table, parameters = bulk.values_table(Message, ("id", "attempt", "number"), numbered)
    named = sorted({attempt for _, attempt, _ in numbered})
    sent_to = (
        f"FROM campaigns_message m CROSS JOIN {table} WHERE m.attempt_id = v.attempt_id "
        f"AND m.number %% 10000000000 = v.number AND m.attempt_id IN ({bulk.marks(named)})"
    )
    return sent_to, [*parameters, *(attempt if bulk.is_postgres() else attempt.hex for attempt in named)]


def _sid_holders(evidence: Sequence[Evidence], about: Sequence[Subject | None]) -> Sids:
    """Who holds the Sids that messages without one are about to adopt."""
    adopting = {
        (subject.account_id, item.report.sid)
        for item, subject in zip(evidence, about, strict=True)
        if subject and not subject.sid and item.report.sid
    }
    return {key: pk for key, (pk, _, _) in sids.of_accounts(adopting).items()}


def purged(attempts: Collection[UUID]) -> set[UUID]:
    """Those whose campaign's messages were removed, so that nothing is left to apply a report to."""
    if not attempts:
        return set()
    gone = Attempt.objects.filter(id__in=attempts, campaign__purged_at__isnull=False)
    return set(gone.values_list("id", flat=True))


def _without_message(item: Evidence, attempts: Collection[UUID], gone: Collection[UUID]) -> Verdict:
    if item.attempt in gone:
        return Verdict(PURGED, TOO_LATE)
    if item.attempt in attempts:
        raise Doubtful("The report names a number that was not in this request.")
    return Verdict(PARKED, "The request or message it names is not known here yet.")


def _check(subject: Subject, report: DeliveryReport, holders: Sids) -> None:
    if subject.state not in SENT:
        state = MessageState(subject.state).label.lower()
        raise Doubtful(f"The report is about a message whose state here is: {state}.")
    if not subject.sid and not report.sid:
        raise Doubtful("The report has no Sid, and none is stored for this message.")
    if subject.sid and report.sid and subject.sid != report.sid:
        raise Doubtful("The report carries another Sid than Exotel's answer did.")
    if not subject.sid and (subject.account_id, report.sid) in holders:
        raise Doubtful("The Sid in the report belongs to another message.")


def _store(evidence: Sequence[Evidence], fresh: dict[tuple[int, bytes], int]) -> set[tuple[int, bytes]]:
    """Insert the reports that were never received before; the keys of those."""
    columns = ("message", "digest", "source", "word", "code", "name", "state", "date_sent", "received_at")
    rows = []
    for (message_id, digest), i in fresh.items():
        report, received = evidence[i].report, evidence[i].received_at
        rows.append((message_id, digest, report.source, report.word[:32], report.code[:32], report.name[:80],
                     report.state, report.date_sent, received))  # fmt: skip
    inserted = bulk.insert_new(DeliveryEvent, columns, rows, ("message", "digest"))
    return {(message_id, bytes(digest)) for message_id, digest in inserted}


def _merge(subjects: dict[int, Subject], news: Iterable[tuple[int, Evidence]]) -> list[int]:
    """Raise each message to the maximum of what it was and what it was told, and count the moves; those now final."""
    by_message: dict[int, list[Evidence]] = defaultdict(list)
    for message_id, item in news:
        by_message[message_id].append(item)
    deltas = Deltas()
    adopted: list[tuple[Subject, datetime]] = []
    risen: list[Subject] = []
    in_conflict: list[int] = []
    news_of: list[int] = []
    to_check: list[verify.Final] = []
    for message_id, items in by_message.items():
        subject = subjects[message_id]
        before, height, conflict = subject.place, _height(subject), subject.conflict
        decided, known = subject.delivery in FINAL_DELIVERY, (subject.delivery, subject.code)
        if subject.state != MessageState.ACCEPTED:
            subject.state, subject.delivery = MessageState.ACCEPTED, Delivery.AWAITING
            adopted.append((subject, items[0].received_at))
        for item in items:
            _learn(subject, item)
        if _height(subject) > height:
            risen.append(subject)
            if subject.delivery in FINAL_DELIVERY and (subject.delivery, subject.code) != known:
                news_of.append(message_id)
        elif subject.conflict and not conflict:
            in_conflict.append(message_id)
        deltas.move(before, subject.place, 1, subject.units)
        why = _why_check(subject, not decided, not conflict)
        if why and not any(item.report.source == POLL for item in items):  # else Exotel was asked just now
            to_check.append(verify.Final(subject.id, subject.account_id, why, items[-1].received_at))
    _write(adopted, risen, in_conflict)
    verify.plan(to_check)
    deltas.write()
    learning.learn([(s.account_id, s.id, s.code) for s in risen if s.delivery == Delivery.FAILED])
    return news_of


def _why_check(subject: Subject, newly_final: bool, newly_in_conflict: bool) -> str | None:
    if subject.conflict and newly_in_conflict:
        return verify.Why.CONFLICT
    return verify.Why.SAMPLE if newly_final and subject.delivery in FINAL_DELIVERY else None


def _learn(subject: Subject, item: Evidence) -> None:
    """Take one report into a message in memory."""
    told = DELIVERY_OF.get(item.report.state)
    if told is None:
        return
    outcomes = {subject.delivery, told}
    subject.conflict = subject.conflict or (Delivery.FAILED in outcomes and bool(outcomes & ARRIVED))
    if (item.rank, item.report.code) > _height(subject):
        subject.delivery, subject.code, subject.standing = told, item.report.code, item.rank
        subject.final_at = item.received_at if told in FINAL_DELIVERY else None


def _height(subject: Subject) -> tuple[int, str]:
    """The place of the report that decided, in an order that is total: codes that are no numbers share a standing."""
    return subject.standing, subject.code


def _write(adopted: Sequence[tuple[Subject, datetime]], risen: Sequence[Subject], in_conflict: Sequence[int]) -> None:
    """Store what was learnt: adopted messages become accepted with the Sid of their report, the others only rise."""
    bulk.update_rows(
        Message,
        ("id", "state", "sid", "delivery", "settled_at"),
        [(subject.id, subject.state, subject.sid, Delivery.AWAITING, at) for subject, at in adopted],
    )
    reason = "Known from its status report"
    log = [(subject.id, subject.state, subject.attempt, reason, at) for subject, at in adopted]
    bulk.insert_rows(Transition, ("message", "state", "attempt", "reason", "at"), log)
    columns = ("delivery", "code", "standing", "conflict", "final_at")
    bulk.update_rows(Message, ("id", *columns), [attrgetter("id", *columns)(subject) for subject in risen])
    if in_conflict:
        Message.objects.filter(id__in=in_conflict).update(conflict=True)


def _count_units(subjects: dict[int, Subject], counted: dict[int, set[int]]) -> None:
    """Put Exotel's own counts of units in the place of estimates, where they differ."""
    if not counted:
        return
    estimates = dict(Message.objects.filter(id__in=counted).values_list("id", "recipient__units"))
    deltas, changed = Deltas(), []
    for message_id, told in sorted(counted.items()):
        subject = subjects[message_id]
        units = agreed(subject.units, told, estimates[message_id])
        if units != subject.units:
            deltas.move(subject.place, subject.place, 1, subject.units, units)
            changed.append((message_id, units))
    bulk.update_rows(Message, ("id", "units"), changed)
    deltas.write()


def agreed(units: int, told: Iterable[int], estimate: int) -> int:
    """The count that holds after these were told: the one furthest from the estimate, whatever the order.

    Exotel tells one count of a message, in some of its reports; two that differ are its mistake, but must not depend on
    which came first.
    """
    return max(units, *told, key=lambda count: (abs(count - estimate), count))


__all__ = ["Evidence", "Verdict", "agreed", "apply", "chunk"]
