"""Webhooks as a receiver meets them: a real server checks each request with the receivers' own library."""

import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Receiving
from standardwebhooks.webhooks import WebhookVerificationError

from campaigns import leases
from campaigns.hooks import courier, desk, line, rules
from campaigns.models import Alert, Event, Webhook, WebhookDelivery
from campaigns.models.webhook import Telling
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def webhook(url, *events, **fields):
    hook = Webhook(name=fields.pop("name", f"Hook {Webhook.objects.count()}"), url=url, events=list(events), **fields)
    hook.whsec = hook.renew_secret()
    hook.save()
    return hook


def lay(hook, n=1, **data):
    WebhookDelivery.lay_down(Telling(hook, Event.ALERT, {"n": i, **data}) for i in range(n))
    return list(WebhookDelivery.objects.filter(webhook=hook).order_by("-pk")[:n])[::-1]


def due_now():
    """As if all waits and holds were over."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(state="waiting").update(next_at=past)
    Webhook.objects.update(held_until=None)


def run(monkeypatch=None):
    return courier.run()


@pytest.fixture(autouse=True)
def impatient(monkeypatch, settings):
    """The job ends when nothing is due, instead of waiting for what is due in 5 s."""
    monkeypatch.setattr(courier, "LINGER", timedelta(0))


# What arrives --------------------------------------------------------------------------------------------------------


def test_a_delivery_arrives_signed_and_is_noted(receiver):
    hook = webhook(receiver.url + "?a=b")
    (delivery,) = lay(hook, text="₹ 5 für ५")
    assert run() == {"tried": 1, "delivered": 1}
    told = receiver.verified(hook.whsec)
    assert told["type"] == "alert" and told["data"] == {"n": 0, "text": "₹ 5 für ५"} and told["timestamp"].endswith("Z")
    path, headers, body = receiver.got[0]
    assert (path, headers["Content-Type"], body.decode()) == ("/hook?a=b", "application/json", delivery.body)
    assert receiver.ids() == [delivery.event_id] and delivery.event_id.startswith("msg_")
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.next_at, delivery.status) == ("delivered", 1, None, 200)
    assert (delivery.answer, delivery.sentence) == ("thanks", "") and delivery.duration < 5000
    hook.refresh_from_db()
    assert hook.delivered_at and hook.failures == 0


def test_the_library_refuses_a_changed_body_another_secret_and_an_old_request(receiver):
    hook = webhook(receiver.url)
    lay(hook)
    run()
    _, headers, body = receiver.got[0]
    headers = {name.lower(): value for name, value in headers.items()}
    with pytest.raises(WebhookVerificationError):
        Receiving(hook.whsec).verify(body.replace(b"alert", b"alarm"), headers)
    with pytest.raises(WebhookVerificationError):
        Receiving(webhook(receiver.url).whsec).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Receiving(hook.whsec).verify(body, headers | {"webhook-timestamp": str(int(time.time()) - 3600)})


@pytest.mark.parametrize(("hours", "old_holds"), [(24, True), (0, False)])
def test_after_a_rotation_the_old_secret_holds_as_long_as_was_asked(receiver, hours, old_holds):
    hook = webhook(receiver.url)
    new = desk.rotate(hook, hours)
    assert new != hook.whsec
    lay(hook)
    run()
    assert receiver.verified(new)["type"] == "alert"
    if old_holds:
        assert receiver.verified(hook.whsec)["type"] == "alert"
        Webhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
        lay(hook)
        run()
        assert receiver.verified(new)["type"] == "alert"
    with pytest.raises(WebhookVerificationError):
        receiver.verified(hook.whsec)


def test_secrets_are_not_readable_in_the_database_and_old_ones_are_forgotten(receiver):
    hook = webhook(receiver.url)
    desk.rotate(hook, 24)
    row = Webhook.objects.get()
    assert hook.whsec.encode() not in bytes(row.secret) + bytes(row.previous)
    assert row.signing_secrets(timezone.now())[1] == hook.whsec
    Webhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    desk.remove_old()
    row.refresh_from_db()
    assert (bytes(row.previous), row.previous_until) == (b"", None)


# What does not -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [100 + 99, 300, 301, 302, 307, 308, 400, 401, 404, 409, 429, 500, 502, 503, 504])
def test_any_status_but_2xx_is_tried_again(receiver, status):
    receiver.status, receiver.headers = status, {"Location": receiver.url + "/elsewhere"}
    (delivery,) = lay(webhook(receiver.url))
    assert run() == {"tried": 1, "delivered": 0}
    assert len(receiver.got) == 1, "no redirect is followed"
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.status) == ("waiting", 1, status)
    assert str(status) in delivery.sentence and delivery.next_at > timezone.now()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_an_arrival(receiver, status):
    receiver.status, receiver.body = status, b""
    lay(webhook(receiver.url))
    assert run()["delivered"] == 1


def test_the_waits_follow_the_schedule_and_end_in_failed(receiver):
    receiver.status = 500
    (delivery,) = lay(webhook(receiver.url))
    waits = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    for i, seconds in enumerate([*waits, None], 1):
        due_now()
        run()
        delivery.refresh_from_db()
        assert delivery.tries == i
        if seconds is None:
            assert (delivery.state, delivery.next_at) == ("failed", None)
        else:
            wait = (delivery.next_at - delivery.tried_at).total_seconds()
            assert 0.9 * seconds <= wait <= 1.1 * seconds
    due_now()
    run()
    assert len(receiver.got) == 10 and len(set(receiver.ids())) == 1, "always the same id"
    assert len({body for _, _, body in receiver.got}) == 1, "and the same body"


def test_an_endpoint_that_is_down_is_said_so_and_left_alone_for_longer_and_longer():
    hook = webhook("http://127.0.0.1:9/x")
    (delivery, *_) = lay(hook, 20)
    run()
    delivery.refresh_from_db()
    hook.refresh_from_db()
    assert delivery.status is None and "could not be reached" in delivery.sentence
    assert hook.failures == rules.PARALLEL and hook.held_until > timezone.now()
    tried = WebhookDelivery.objects.filter(tries__gt=0).count()
    assert tried == rules.PARALLEL, "the others wait until one has tried its luck"
    Webhook.objects.update(held_until=None)
    run()
    assert WebhookDelivery.objects.filter(tries__gt=0).count() == tried + 1


def test_an_endpoint_that_answers_again_gets_all_that_waits(receiver):
    receiver.status = lambda n: 500 if n <= 4 else 200
    hook = webhook(receiver.url)
    lay(hook, 30)
    run()
    due_now()
    run()
    assert WebhookDelivery.objects.filter(state="delivered").count() == 30
    hook.refresh_from_db()
    assert (hook.failures, hook.failing_since, hook.held_until) == (0, None, None)


def test_a_huge_answer_is_read_no_further_than_is_kept(receiver):
    receiver.body = b"x" * 30_000_000
    (delivery,) = lay(webhook(receiver.url))
    began = time.monotonic()
    assert run()["delivered"] == 1
    delivery.refresh_from_db()
    assert delivery.answer == "x" * line.KEPT and time.monotonic() - began < 5


def test_an_answer_of_any_bytes_can_be_stored(receiver):
    receiver.body = b"a\x00b\xff\xed\xa0\x80\x1b[31m<script>"
    (delivery,) = lay(webhook(receiver.url))
    run()
    delivery.refresh_from_db()
    assert "\x00" not in delivery.answer and "\x1b" not in delivery.answer and delivery.answer.startswith("a b")


def test_a_hanging_endpoint_ends_by_time_and_holds_up_nobody_else(receiver, serve, monkeypatch):
    monkeypatch.setattr(line.post, "__defaults__", (1.0,))
    silent = serve(lambda connection, server: (server.read(connection), time.sleep(3)))

    def drip(connection, server):
        server.read(connection)
        for _ in range(30):
            connection.sendall(b"HTTP/1.1 200 OK\r\n"[:1])
            time.sleep(0.1)

    dripping = serve(drip)
    hanging = [webhook(f"http://127.0.0.1:{server.port}/") for server in (silent, dripping)]
    for hook in hanging:
        lay(hook, 5)
    brisk = webhook(receiver.url)
    lay(brisk, 40)
    done = {}
    original = courier._store

    def store(results):
        for delivery, _, _ in results:
            done.setdefault(delivery.webhook_id, []).append(time.monotonic() - began)
        return original(results)

    monkeypatch.setattr(courier, "_store", store)
    began = time.monotonic()
    run()
    assert len(done[brisk.pk]) == 40
    first_hang = min(min(done[hook.pk]) for hook in hanging)
    assert first_hang > 0.9 and sum(at < first_hang for at in done[brisk.pk]) > 2 * rules.PARALLEL
    for hook in hanging:
        assert "within 1 s" in WebhookDelivery.objects.filter(webhook=hook, tries=1).first().sentence


BROKEN = [
    (b"", "broke before an answer"), (b"nonsense\r\n\r\n", "broke before an answer"),
    (b"HTTP/1.1 99999 X\r\n\r\n", "broke before an answer"), (b"HTTP/1.1 200", "broke before an answer"),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "broke before an answer"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "sentence"), BROKEN)
def test_a_broken_answer_is_no_arrival(serve, answer, sentence):
    def handler(connection, server):
        server.read(connection)
        connection.sendall(answer)

    (delivery,) = lay(webhook(f"http://127.0.0.1:{serve(handler).port}/"))
    assert run() == {"tried": 1, "delivered": 0}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.status) == ("waiting", None) and sentence in delivery.sentence


def test_a_body_that_breaks_off_after_its_status_has_arrived(serve):
    def handler(connection, server):
        server.read(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    (delivery,) = lay(webhook(f"http://127.0.0.1:{serve(handler).port}/"))
    assert run()["delivered"] == 1
    delivery.refresh_from_db()
    assert delivery.answer == "half"


def test_an_address_that_may_not_be_called_any_more_is_not(receiver, settings):
    hook = webhook(receiver.url)
    (delivery,) = lay(hook)
    settings.WEBHOOK_HOSTS = []
    assert run() == {"tried": 1, "delivered": 0}
    delivery.refresh_from_db()
    assert not receiver.got and "https" in delivery.sentence


def test_proxies_of_the_environment_are_not_asked(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    lay(webhook(receiver.url))
    assert run()["delivered"] == 1


# What is switched off ------------------------------------------------------------------------------------------------


def test_410_switches_the_webhook_off_with_an_alert_and_keeps_what_waits(receiver):
    receiver.status = 410
    hook = webhook(receiver.url, name="Billing")
    lay(hook, 6)
    run()
    hook.refresh_from_db()
    assert not hook.enabled and hook.disabled_at and "410" in hook.disabled_reason
    (alert,) = Alert.objects.filter(closed_at=None)
    assert (alert.kind, alert.webhook_id) == ("webhook_off", hook.pk) and "Billing" in alert.text
    before = len(receiver.got)
    due_now()
    run()
    assert len(receiver.got) == before and WebhookDelivery.objects.filter(state="waiting").count() == 6
    receiver.status, hook.enabled = 200, True
    desk.change(hook, ["enabled"])
    due_now()
    run()
    assert WebhookDelivery.objects.filter(state="delivered").count() == 6
    assert not Alert.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize(("days", "off"), [(4.9, False), (5.1, True)])
def test_five_days_without_an_arrival_switch_it_off(receiver, days, off):
    receiver.status = 503
    hook = webhook(receiver.url)
    lay(hook)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=days), failures=12)
    run()
    hook.refresh_from_db()
    assert hook.enabled is not off and Alert.objects.exists() is off


def test_a_webhook_of_an_unreadable_secret_says_what_to_do(receiver, settings):
    hook = webhook(receiver.url)
    (delivery,) = lay(hook)
    settings.SECRETS_KEYS = {"other": b"1" * 32}
    run()
    delivery.refresh_from_db()
    assert not receiver.got and "EXODASH_SECRETS_KEYS" in delivery.sentence and "rotate" in delivery.sentence


# Replays and time ----------------------------------------------------------------------------------------------------


def test_a_replay_repeats_id_and_body_and_begins_the_schedule_anew(receiver):
    hook = webhook(receiver.url)
    (delivery,) = lay(hook)
    run()
    WebhookDelivery.objects.update(tries=10, state="failed")
    desk.replay(delivery)
    run()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("delivered", 1)
    assert len(receiver.got) == 2 and len(set(receiver.ids())) == 1
    assert receiver.got[0][2] == receiver.got[1][2]


def test_all_that_failed_since_a_time_is_replayed_and_nothing_else(receiver):
    hook, other = webhook(receiver.url), webhook(receiver.url)
    old, new, fine = lay(hook, 3)
    (foreign,) = lay(other)
    WebhookDelivery.objects.exclude(pk=fine.pk).update(state="failed", next_at=None, tries=10)
    WebhookDelivery.objects.filter(pk=fine.pk).update(state="delivered", next_at=None)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert desk.replay_failed(hook, timezone.now() - timedelta(hours=1)) == 1
    run()
    assert receiver.ids() == [new.event_id]
    assert desk.replay_failed(hook) == 1
    run()
    assert receiver.ids() == [new.event_id, old.event_id] and foreign.event_id not in receiver.ids()


def test_old_deliveries_are_removed_a_bounded_number_at_once(receiver, settings, monkeypatch):
    hook = webhook(receiver.url)
    lay(hook, 5)
    WebhookDelivery.objects.update(created_at=timezone.now() - timedelta(days=settings.WEBHOOK_DAYS, minutes=1))
    (fresh,) = lay(hook)
    monkeypatch.setattr(desk, "REMOVED", 3)
    assert [desk.remove_old() for _ in range(3)] == [3, 2, 0]
    assert list(WebhookDelivery.objects.all()) == [fresh]


def test_two_jobs_at_once_are_one(receiver, monkeypatch):
    lay(webhook(receiver.url))
    assert courier.waiting()
    other = uuid4()
    assert leases.take(courier.LEASE, other)
    assert run() == {"tried": 0, "delivered": 0} and not courier.waiting()
    leases.give_back(courier.LEASE, other)
    assert run()["delivered"] == 1 and not courier.waiting()


def test_the_body_is_json_whose_bytes_are_signed_as_stored(receiver):
    hook = webhook(receiver.url)
    (delivery,) = lay(hook, b=1, a={"z": [1, None, True]})
    assert json.loads(delivery.body)["data"] == {"n": 0, "b": 1, "a": {"z": [1, None, True]}}
