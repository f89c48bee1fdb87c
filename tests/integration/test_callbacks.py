"""From bytes on the wire to a status: proven address, durable before 200, applied once, order-free."""

import asyncio
import itertools
import json
import random
from urllib.parse import urlencode

import pytest
from django.db import OperationalError
from django.utils import timezone

from callbacks import inbox, ingest
from callbacks.models import CallbackEvent
from campaigns.insight import recount
from campaigns.models import DeliveryEvent, Message
from campaigns.models.states import MessageState
from campaigns.sending import callback_urls, evidence, intent
from campaigns.sending.settle import lose
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
Result = CallbackEvent.Result


@pytest.fixture
def sent():
    """Three messages in one request on the wire; the answer is not stored yet."""
    campaign = builders.launched(recipients=3)
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    return campaign, order


def report(i, code="20005", status="sent", sid=None, sent="2026-11-21 10:00:00", **more):
    names = {"20005": "DELIVERED_TO_HANDSET", "20006": "DELIVERED_TO_OPERATOR", "23050": "FAILED_EXPIRED"}
    return {
        "SmsSid": sid or f"sid{i}", "To": f"098000{i:05d}", "Status": status, "DetailedStatus": names.get(code, ""),
        "DetailedStatusCode": code, "DateSent": sent, "SmsUnits": "1", **more,
    }  # fmt: skip


def store(order, *reports):
    for fields in reports:
        raw = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        CallbackEvent.objects.create(received_at=timezone.now(), attempt=order.attempt.pk, raw=raw)


def apply_all():
    while inbox.apply_next():
        pass


def message(i):
    return Message.objects.get(number=builders.number(i))


def results():
    return list(CallbackEvent.objects.order_by("id").values_list("result", flat=True))


def post(path, body=b"", method="POST", headers=(), chunks=None):
    """One request through the ASGI function; status and headers of the answer."""

    async def other_app(scope, receive, send):
        raise AssertionError("a callback must not reach Django")

    async def go():
        app = ingest.Ingest(other_app)
        parts = chunks or [body]
        events = iter(
            [{"type": "http.request", "body": part, "more_body": i + 1 < len(parts)} for i, part in enumerate(parts)]
        )
        sent_events = []

        async def receive():
            return next(events)

        async def send(event):
            sent_events.append(event)

        length = [] if chunks else [(b"content-length", str(len(body)).encode())]
        scope = {"type": "http", "method": method, "path": path, "headers": [*length, *headers]}
        await app(scope, receive, send)
        await asyncio.get_running_loop().run_in_executor(None, app._writer.close)
        return sent_events[0]["status"], dict(sent_events[0]["headers"])

    return asyncio.run(go())


def path_of(order):
    return callback_urls.sign(order.attempt.pk).split("8000", 1)[1]


# Ingest -------------------------------------------------------------------------------------------------------------


def test_a_callback_is_stored_before_it_is_answered(sent):
    assert post(path_of(sent[1]), b"SmsSid=1&Status=sent")[0] == 200
    stored = CallbackEvent.objects.get()
    assert (bytes(stored.raw), stored.attempt) == (b"SmsSid=1&Status=sent", sent[1].attempt.pk)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda path: path[:-1] + ("0" if path[-1] != "0" else "1"), 404),
        (lambda path: path[:-1], 404),
        (lambda path: path + "/", 404),
        (lambda path: path.replace("/k2/", "/k9/"), 404),
        (lambda path: path.upper(), 404),
        (lambda path: "/callbacks/v1/", 404),
        (lambda path: "/callbacks/v1/k2/" + "a" * 5000, 404),
    ],
)
def test_a_forged_address_costs_no_query(sent, change, status, django_assert_num_queries):
    with django_assert_num_queries(0):
        path = change(path_of(sent[1]))
        if path.startswith("/callbacks/v1/"):
            assert post(path, b"Status=sent")[0] == status
        else:
            assert callback_urls.verify(path) is None
    assert not CallbackEvent.objects.exists()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_only_posts_are_taken(sent, method):
    assert post(path_of(sent[1]), method=method) == (405, {b"content-length": b"11", b"allow": b"POST"})


def test_an_old_key_is_still_accepted(sent, settings):
    path = path_of(sent[1])
    settings.CALLBACK_KEYS = {"new": b"x" * 32, **settings.CALLBACK_KEYS}
    assert post(path, b"Status=sent")[0] == 200


def test_a_body_over_16_kib_is_refused_however_it_comes(sent):
    assert post(path_of(sent[1]), b"x" * 16_385)[0] == 413
    assert post(path_of(sent[1]), chunks=[b"x" * 9_000, b"x" * 9_000])[0] == 413
    assert not CallbackEvent.objects.exists()


HOSTILE = [
    b"", b"\x00", b"%", b"%zz=%", b"a=%ff%fe", b"=&=&=", b"&" * 5000, b"Status", b"[", b"{", b"[]", b"{}", b"null", b"0", b'"x"',
    b'{"Status": null}', b'{"Status": {"a": 1}}', b'{"Status": ["sent"]}', b"[" * 8000, b'{"a":' * 3000, "Status=\ud800".encode(errors="surrogatepass"),
    b'{"Status":"\\ud800","To":"09800000001"}', b"Status=sent&" * 1000, b"DetailedStatusCode=" + b"9" * 4000, b"SmsUnits=-1&Status=sent",
    b"SmsUnits=99999999999999999999&Status=sent&To=09800000001", b"To=" + b"9" * 4000, b"Status=sent\x00&To=0980\x000000001",
    b"SmsSid=" + b"x" * 4000 + b"&Status=sent&To=09800000001", b"DateSent=9999-99-99&Status=sent&To=09800000001",
    b"DateSent=0001-01-01 00:00:00&Status=sent&To=09800000001&SmsSid=a", b"DateSent=9999-12-31 23:59:59&Status=sent&To=09800000002&SmsSid=b",
    b"--x\r\nContent-Disposition: form-data; name=\"Status\"\r\n\r\nsent\r\n--x--", b"--", b"\xff\xfe\x00\x01", b"<xml/>",
    "Status=प्रेषित&To=09800000001".encode(), b"status=SENT&to=09800000001", b"Status=;DROP TABLE&To='&SmsSid=\"",
    b"Status=%00%00&DetailedStatus=%00", b"DetailedStatusCode=1e9&Status=failed&To=09800000001", b"DetailedStatusCode=%D9%A1&Status=failed",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_nonsense_under_a_valid_address_is_stored_and_harms_nothing(sent, raw):
    campaign, order = sent
    assert post(path_of(order), raw)[0] == 200
    apply_all()
    assert CallbackEvent.objects.get().result != Result.WAITING
    assert bytes(CallbackEvent.objects.get().raw) == raw
    assert recount.differences(campaign.pk) == {}


def test_what_cannot_be_stored_is_never_acknowledged(sent, monkeypatch):
    def away(*_):
        raise OperationalError("the database is away")

    monkeypatch.setattr(ingest.bulk, "commit_rows", away)
    status, headers = post(path_of(sent[1]), b"Status=sent")
    assert (status, headers[b"retry-after"]) == (503, b"5")


def test_a_wake_up_that_fails_does_not_cost_the_acknowledgement(sent, monkeypatch):
    monkeypatch.setattr(ingest.jobs, "enqueue", lambda *_: 1 / 0)
    assert post(path_of(sent[1]), b"Status=sent")[0] == 200


# Applying -----------------------------------------------------------------------------------------------------------


def test_a_callback_that_overtakes_the_answer_settles_the_message(sent):
    campaign, order = sent
    store(order, report(0))
    apply_all()
    found = message(0)
    assert (found.state, found.sid, found.delivery, found.code) == ("accepted", "sid0", "delivered", "20005")
    assert recount.differences(campaign.pk) == {}


def test_a_callback_settles_an_unconfirmed_message(sent):
    campaign, order = sent
    lose(order.attempt, "lost")
    assert message(1).state == MessageState.UNCONFIRMED
    store(order, report(1))
    apply_all()
    assert (message(1).state, message(1).delivery) == ("accepted", "delivered")
    assert recount.differences(campaign.pk) == {}


EVENTS = [
    report(0, "21020", "submitted"),
    report(0, "20006", "sent", sent="2026-11-21 10:00:01"),
    report(0, "23050", "failed", sent="2026-11-21 10:00:02"),
    report(0, "20005", "sent", sent="2026-11-21 10:00:03"),
]


@pytest.mark.parametrize("order_of", list(itertools.permutations(range(4)))[::3])
def test_any_order_and_repetition_ends_in_the_same_place(sent, order_of):
    campaign, order = sent
    for i in order_of:
        store(order, EVENTS[i])
        if random.Random(str(order_of)).random() < 0.5:
            apply_all()
    store(order, *(EVENTS[i] for i in order_of))
    apply_all()
    found = message(0)
    assert (found.delivery, found.code, found.conflict) == ("delivered", "20005", True)
    assert DeliveryEvent.objects.filter(message=found).count() == 4
    assert recount.differences(campaign.pk) == {}


@pytest.mark.parametrize(
    ("first", "second", "delivery", "conflict"),
    [
        (("20005", "sent"), ("23050", "failed"), "delivered", True),
        (("23050", "failed"), ("20005", "sent"), "delivered", True),
        (("20006", "sent"), ("20005", "sent"), "delivered", False),
        (("20006", "sent"), ("23050", "failed"), "failed", False),
        (("23050", "failed"), ("21020", "submitted"), "failed", False),
        (("", "sent"), ("20005", "sent"), "delivered", False),
        (("99999", "failed"), ("23050", "failed"), "failed", False),
    ],
)
def test_what_proves_more_wins(sent, first, second, delivery, conflict):
    store(sent[1], report(0, *first), report(0, *second))
    apply_all()
    assert (message(0).delivery, message(0).conflict) == (delivery, conflict)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (report(7), "number that was not in this request"),
        (report(0, sid=""), "no Sid"),
        (report(1, sid="taken"), "another message"),
    ],
)
def test_what_contradicts_the_request_is_set_aside(sent, fields, why):
    _, order = sent
    store(order, report(2, sid="taken"))
    fields = {name: value for name, value in fields.items() if value}
    if "no Sid" in why:
        fields.pop("SmsSid")
    store(order, fields)
    apply_all()
    event = CallbackEvent.objects.order_by("id").last()
    assert event.result == Result.QUARANTINED
    assert why in event.reason
    assert message(0).state == message(1).state == MessageState.IN_FLIGHT


def test_another_sid_than_the_stored_one_is_set_aside(sent):
    store(sent[1], report(0, sid="one"), report(0, "23050", "failed", sid="two"))
    apply_all()
    assert results() == [Result.APPLIED, Result.QUARANTINED]
    assert (message(0).sid, message(0).delivery) == ("one", "delivered")


def test_a_report_for_an_unknown_request_is_parked_and_tried_again(sent):
    _, order = sent
    CallbackEvent.objects.create(received_at=timezone.now(), attempt=builders.owner().pk, raw=urlencode(report(0)).encode())
    apply_all()
    event = CallbackEvent.objects.get()
    assert (event.result, event.tries, event.applied_at) == (Result.PARKED, 1, None)
    CallbackEvent.objects.update(attempt=order.attempt.pk, next_try_at=timezone.now())
    apply_all()
    assert results() == [Result.APPLIED]


def test_one_poison_callback_spoils_no_other(sent, monkeypatch):
    real = evidence.apply

    def poisoned(items):
        if any(item.report.custom == "poison" for item in items):
            raise ZeroDivisionError
        return real(items)

    monkeypatch.setattr(evidence, "apply", poisoned)
    store(sent[1], report(0), report(1, CustomField="poison"), report(2))
    apply_all()
    assert results() == [Result.APPLIED, Result.QUARANTINED, Result.APPLIED]


def test_applied_mark_and_effect_commit_together(sent, monkeypatch):
    store(sent[1], report(0))
    with monkeypatch.context() as patch:
        patch.setattr(inbox.bulk, "update_rows", lambda *_: (_ for _ in ()).throw(OperationalError()))
        with pytest.raises(OperationalError):
            inbox.apply_next()
    assert (results(), message(0).state) == ([Result.WAITING], MessageState.IN_FLIGHT)
    apply_all()
    assert (results(), message(0).delivery) == ([Result.APPLIED], "delivered")


def test_json_and_form_say_the_same(sent):
    store(sent[1], report(0), json.dumps(report(0)).encode(), json.dumps([report(0)]).encode())
    apply_all()
    assert results() == [Result.APPLIED, Result.DUPLICATE, Result.DUPLICATE]


def test_exotels_own_count_of_units_replaces_the_estimate(sent):
    campaign, order = sent
    store(order, report(0, SmsUnits="3"))
    apply_all()
    assert message(0).units == 3
    assert recount.differences(campaign.pk) == {}


def test_the_drain_job_applies_and_leaves_no_lease(sent, monkeypatch):
    monkeypatch.setattr(inbox, "LINGER", 0.1)
    store(sent[1], report(0), report(1))
    assert inbox.drain() == 2
    assert not inbox.leases.held(inbox.LEASE)
    assert not inbox.waiting()
