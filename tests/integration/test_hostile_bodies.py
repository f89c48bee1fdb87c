"""Whatever comes as a body: stored as it came, answered 200, and the same rows on both databases.

Each database is compared with the same expectation: a reviewed file for the bodies by name, a pure function for generated ones.
"""

import gzip
import itertools
import random
from urllib.parse import quote_plus

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callbacks import inbox, parsing
from callbacks.models import CallbackEvent
from campaigns import jobs
from campaigns.insight import recount
from campaigns.models import DeliveryEvent, InboundMessage, Message
from campaigns.models.states import DELIVERY_OF
from campaigns.sending import callback_urls, intent
from campaigns.sending.standing import standing
from tests import builders, hostile
from tests.integration.test_ingest import Server, signed

KINDS = [
    {}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "text/plain; charset=utf-7"}, {"Content-Type": "\xff"},
    {"Content-Encoding": "gzip"}, {"Content-Type": "x" * 5_000}, {"Content-Encoding": "br", "Content-MD5": "x"},
]  # fmt: skip


@pytest.fixture
def order(db):
    """A request with two messages on the wire."""
    made = builders.launched(recipients=2)
    return intent.commit(builders.owner().pk, made.account_id)[1]


def outcome(order, body):
    """All rows that a body leads to, as one line; nothing of it stays."""
    with transaction.atomic():
        event = CallbackEvent.objects.create(received_at=timezone.now(), attempt=order.attempt.pk, raw=body)
        assert inbox.apply_next() == 1
        event.refresh_from_db()
        assert recount.differences(order.attempt.campaign_id) == {}
        found = " | ".join([event.result, event.reason, *rows(order)])
        transaction.set_rollback(True)
    return found.replace(hostile.SID, "SID")


def rows(order):
    for i, message in enumerate(Message.objects.filter(pk__in=order.ids).order_by("id")):
        if message.state != "in_flight":
            yield f"{i}: {message.state} {message.sid!r} {message.delivery} {message.code!r} units {message.units}"
    for told in DeliveryEvent.objects.order_by("id"):
        sent = told.date_sent.strftime("%Y-%m-%dT%H:%MZ") if told.date_sent else "no date"
        yield f"{told.word!r} {told.code!r} {told.name!r} {told.state} {sent}"
    for said in InboundMessage.objects.order_by("id"):
        yield f"{said.number} wrote {said.text!r}"


def test_named_bodies_have_the_rows_that_were_expected_of_them(order):
    assert len(hostile.BODIES) >= 150
    found = {name: outcome(order, body) for name, body in hostile.BODIES.items()}
    wanted = hostile.expected()
    assert set(wanted) == set(found)
    assert {name: (found[name], wanted[name]) for name in found if found[name] != wanted[name]} == {}


@pytest.mark.django_db(transaction=True)
def test_named_bodies_are_acknowledged_under_any_header_and_stored_as_they_came(transactional_db, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_: None)
    server = Server().start()
    try:
        bodies = list(hostile.BODIES.values())
        said = [server.post(body, **KINDS[i % len(KINDS)]).status for i, body in enumerate(bodies)]
        said += [server.post(gzip.compress(body), **{"Content-Encoding": "gzip"}).status for body in bodies]
    finally:
        server.stop()
    assert set(said) == {200}
    assert [bytes(raw) for raw in CallbackEvent.objects.order_by("id").values_list("raw", flat=True)][
        : len(bodies)
    ] == bodies
    while inbox.apply_next():
        pass
    assert set(CallbackEvent.objects.values_list("result", flat=True)) <= {"parked", "nonsense"}, "no such request is known"


# Generated ------------------------------------------------------------------------------------------------------------

NAMES = ["SmsSid", "Sid", "To", "Status", "DetailedStatusCode", "DetailedStatus", "DateSent", "SmsUnits", "CustomField", "x"]
VALUES = st.one_of(
    st.sampled_from(["", "sent", "failed", "20005", "23050", hostile.SID, hostile.TO, "+919800000001", "2026-11-21 10:00:00", "2",
                     "9" * 40, "-1", "1e400", "\x00", "٣", "null"]),
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.binary(max_size=12).map(lambda raw: raw.decode("latin-1")),
)  # fmt: skip
# In front of a whole report or alone: of a repeated field the first value counts.
FIELDS = st.builds(
    lambda odd, report: odd + report,
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6),
    st.sampled_from([[], list(hostile.DELIVERED.items())]),
)


def as_form(fields):
    return "&".join(f"{name}={quote_plus(value)}" for name, value in fields).encode()


def as_raw(fields):
    return "&".join(f"{name}={value}" for name, value in fields).encode("utf-8", "replace")


def as_json(fields):
    text = ", ".join(f'"{name}": "{ascii_of(value)}"' for name, value in fields)
    return ("{" + text + "}").encode()


def ascii_of(value):
    return "".join(f"\\u{ord(letter) & 0xFFFF:04x}" for letter in value)


BODY = st.one_of(
    st.builds(lambda write, fields: write(fields), st.sampled_from([as_form, as_raw, as_json]), FIELDS),
    st.binary(max_size=200),
    st.builds(lambda body, at, piece: body[:at] + piece + body[at:], st.sampled_from(list(hostile.BODIES.values())).filter(
        lambda body: len(body) < 2_000), st.integers(0, 400), st.binary(max_size=6)),
)  # fmt: skip


def wanted(order, body):
    """What the rules make of a body: result, and per report of this request word, code, state and the message's delivery."""
    told = parsing.read("status", body)
    if not told.reports:
        return ("applied" if told.written else "nonsense"), []
    numbers = order.numbers
    results, events, sids, held = set(), {}, {}, {}
    for report in told.reports:
        known = report.number10 in numbers and (sids.get(report.number10) or report.sid)
        if known and report.sid and sids.get(report.number10, report.sid) != report.sid:
            known = False  # another Sid than it has
        if known and report.sid and held.get(report.sid, report.number10) != report.number10:
            known = False  # the Sid of another message
        results.add("applied" if known else "quarantined")
        if known:
            sids.setdefault(report.number10, report.sid)
            held.setdefault(report.sid, report.number10)
            events.setdefault((report.number10, report.digest), report)
    shown = []
    for number, some in itertools.groupby(
        sorted(events.values(), key=lambda one: one.number10), key=lambda one: one.number10
    ):
        ranked = sorted((standing(one), one.code, one.state) for one in some if standing(one))
        delivery = DELIVERY_OF[ranked[-1][2]] if ranked else "awaiting"
        shown.append((numbers.index(number), sids[number], delivery, ranked[-1][1][:32] if ranked else ""))
    return ("quarantined" if "quarantined" in results else "applied"), sorted(shown)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODY)
def test_generated_bodies_have_the_rows_that_a_pure_reading_predicts(order, body):
    with transaction.atomic():
        event = CallbackEvent.objects.create(received_at=timezone.now(), attempt=order.attempt.pk, raw=body)
        inbox.apply_next()
        event.refresh_from_db()
        moved = [
            (order.ids.index(pk), sid, delivery, code)
            for pk, state, sid, delivery, code in Message.objects.order_by("id").values_list(
                "id", "state", "sid", "delivery", "code"
            )
            if state != "in_flight"
        ]
        kept = [(told.word, told.code, told.name, told.state) for told in DeliveryEvent.objects.order_by("id")]
        true = recount.differences(order.attempt.campaign_id)
        transaction.set_rollback(True)
    assert ((event.result, moved), true) == (wanted(order, body), {})
    told = {(one.word[:32], one.code[:32], one.name[:80], one.state) for one in parsing.read("status", body).reports}
    assert set(kept) <= told, "what is stored is not what was read"


@pytest.mark.django_db(transaction=True)
def test_generated_bodies_are_all_acknowledged(transactional_db, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_: None)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, named = random.Random(seed), list(hostile.BODIES.values())
    server = Server().start()
    try:
        said = set()
        for _ in range(600):
            body = bytearray(chance.choice(named) + chance.choice(named))[:16_384]
            for _ in range(chance.randrange(8) if body else 0):
                body[chance.randrange(len(body))] = chance.randrange(256)
            said.add(server.post(bytes(body), path=signed(), **chance.choice(KINDS)).status)
    finally:
        server.stop()
    assert said == {200}
    while inbox.apply_next():
        pass
    assert set(CallbackEvent.objects.values_list("result", flat=True)) <= {"parked", "nonsense"}
    assert callback_urls.verify(signed()) is not None
