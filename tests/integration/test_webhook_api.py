"""Webhooks by REST: made, changed, tested, rotated and replayed, with a sentence for every kind of bad input."""

import json
import socket

import pytest
from standardwebhooks.webhooks import Webhook as Receiving

from campaigns.hooks import addresses, courier, rules
from campaigns.models import AuditEvent, Webhook, WebhookDelivery
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_webhook_courier import lay
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


class Admin(Api):
    def patch(self, path, data):
        return self.client.patch(f"/api/v1{path}", json.dumps(data), "application/json", headers=self.headers)

    def delete(self, path):
        return self.client.delete(f"/api/v1{path}", headers=self.headers)


@pytest.fixture
def api():
    return Admin("admin")


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def given(receiver=None, **fields):
    url = receiver.url if receiver else "http://127.0.0.1:9/x"
    return {"name": "Billing", "url": url, "events": ["message.final", "alert"]} | fields


def made(api, receiver=None, **fields):
    answer = api.post("/webhooks/", given(receiver, **fields))
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_webhook_is_made_read_changed_and_deleted(api):
    account = builders.account()
    hook = made(api, events=["alert", "message.final", "alert"], account=account.pk)
    assert hook["events"] == ["message.final", "alert"] and hook["secret"].startswith("whsec_")
    assert (hook["enabled"], hook["full_numbers"], hook["account"], hook["failures"]) == (True, False, account.pk, 0)
    read = api.get(f"/webhooks/{hook['id']}/").json()
    assert read == {name: value for name, value in hook.items() if name != "secret"}
    assert api.get("/webhooks/").json() == [read]
    changed = api.patch(f"/webhooks/{hook['id']}/", {"name": "Ledger", "account": None, "enabled": False}).json()
    assert changed == read | {"name": "Ledger", "account": None, "enabled": False}
    assert api.delete(f"/webhooks/{hook['id']}/").status_code == 204
    assert api.get(f"/webhooks/{hook['id']}/").status_code == 404
    events = [(event.action, event.details) for event in AuditEvent.objects.order_by("pk")]
    assert [action for action, _ in events] == ["webhook.create", "webhook.change", "webhook.delete"]
    assert events[1][1] == {"fields": ["account", "enabled", "name"]}
    assert "whsec_" not in str(events)


BAD = [
    ({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"name": None}, "name"), ({"url": ""}, "url"), ({"url": 5}, "url"),
    ({"url": "http://hooks.example.in"}, "url"), ({"url": "https://10.0.0.1/"}, "url"), ({"url": "https://[::1]/"}, "url"),
    ({"url": "https://user:pw@hooks.example.in/"}, "url"), ({"url": "https://" + "x" * 600}, "url"),
    ({"events": []}, "events"), ({"events": "alert"}, "events"), ({"events": ["nothing"]}, "events.0"),
    ({"events": [["alert"]]}, "events.0"), ({"events": None}, "events"), ({"account": 999999}, "account"),
    ({"account": "x"}, "account"), ({"account": 10**30}, "account"), ({"enabled": "perhaps"}, "enabled"),
    ({"full_numbers": []}, "full_numbers"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), BAD, ids=str)
def test_bad_input_is_refused_with_the_field(api, change, field):
    answer = api.post("/webhooks/", given() | change)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not Webhook.objects.exists() and answer.json()["detail"].startswith(field)


def test_two_webhooks_have_two_names(api):
    made(api)
    answer = api.post("/webhooks/", given())
    assert (answer.status_code, answer.json()["field"]) == (400, "name")


def test_a_name_that_means_an_inner_address_is_refused_when_it_is_saved(api, monkeypatch):
    inner = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: inner)
    answer = api.post("/webhooks/", given(url="https://rebound.example.in/"))
    assert (answer.status_code, answer.json()["code"]) == (400, "forbidden_address")
    assert "not on the public internet" in answer.json()["detail"]


def test_there_is_a_limit(api, monkeypatch):
    monkeypatch.setattr(rules, "MOST", 1)
    made(api)
    answer = api.post("/webhooks/", given(name="Other"))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many")


@pytest.mark.parametrize("scopes", [["read"], ["read", "write", "launch", "export", "numbers"]])
def test_nothing_of_it_is_open_without_the_scope_admin(api, scopes):
    pk = made(api)["id"]
    (delivery,) = lay(Webhook.objects.get())
    poor = Admin(*scopes)
    base = f"/webhooks/{pk}/"
    answers = [
        poor.get("/webhooks/"), poor.post("/webhooks/", given(name="x")), poor.get(base), poor.patch(base, {"name": "x"}),
        poor.delete(base), poor.post(base + "test/"), poor.post(base + "rotate/"), poor.post(base + "replay-failed/"),
        poor.get(base + "deliveries/"), poor.get(f"{base}deliveries/{delivery.pk}/"),
        poor.post(f"{base}deliveries/{delivery.pk}/replay/"),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["code"] for answer in answers} == {"missing_scope"}


def test_a_test_is_delivered_and_logged(api, receiver):
    hook = made(api, receiver)
    answer = api.post(f"/webhooks/{hook['id']}/test/")
    assert (answer.status_code, answer.json()["type"], answer.json()["state"]) == (202, "webhook.test", "waiting")
    courier.run()
    assert receiver.verified(hook["secret"])["data"]["text"] == "A test of the webhook “Billing”."
    (row,) = api.get(f"/webhooks/{hook['id']}/deliveries/").json()["results"]
    assert (row["state"], row["status"], row["answer"], row["tries"]) == ("delivered", 200, "thanks", 1)
    whole = api.get(f"/webhooks/{hook['id']}/deliveries/{row['id']}/").json()
    assert json.loads(whole["body"])["type"] == "webhook.test" and whole["event_id"] == receiver.ids()[0]


def test_one_that_is_switched_off_is_not_tested(api):
    hook = made(api, enabled=False)
    answer = api.post(f"/webhooks/{hook['id']}/test/")
    assert (answer.status_code, answer.json()["code"]) == (409, "switched_off")


@pytest.mark.parametrize(("body", "old"), [({}, True), ({"keep_hours": 1}, True), ({"keep_hours": 0}, False)])
def test_a_secret_is_rotated(api, receiver, body, old):
    hook = made(api, receiver)
    answer = api.post(f"/webhooks/{hook['id']}/rotate/", body).json()
    assert bool(answer["previous_until"]) is old
    api.post(f"/webhooks/{hook['id']}/test/")
    courier.run()
    assert receiver.verified(answer["secret"])
    signatures = {name.lower(): value for name, value in receiver.got[0][1].items()}["webhook-signature"]
    assert len(signatures.split()) == 1 + old
    if old:
        assert Receiving(hook["secret"]).verify(receiver.got[0][2], {k.lower(): v for k, v in receiver.got[0][1].items()})


@pytest.mark.parametrize("hours", [2, -1, "x", None, [], 10**9])
def test_the_hours_of_a_rotation_are_those_that_are_offered(api, hours):
    hook = made(api)
    answer = api.post(f"/webhooks/{hook['id']}/rotate/", {"keep_hours": hours})
    assert (answer.status_code, answer.json()["field"]) == (400, "keep_hours")


def test_deliveries_are_paged_filtered_and_replayed(api, receiver):
    hook = made(api, receiver)
    rows = lay(Webhook.objects.get(), 5)
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(state="failed", next_at=None, tries=10)
    base = f"/webhooks/{hook['id']}/"
    page = api.get(base + "deliveries/", page_size=3).json()
    assert [row["id"] for row in page["results"]] == [row.pk for row in rows[:1:-1]] and page["next"]
    failed = api.get(base + "deliveries/", state="failed").json()["results"]
    assert [row["id"] for row in failed] == [rows[1].pk, rows[0].pk] and "body" not in failed[0]
    assert api.get(base + "deliveries/", state="lost").json()["field"] == "state"
    one = api.post(f"{base}deliveries/{rows[0].pk}/replay/")
    assert (one.status_code, one.json()["state"], one.json()["tries"]) == (202, "waiting", 0)
    assert api.post(base + "replay-failed/", {"since": "2000-01-01T00:00:00Z"}).json() == {"replayed": 1}
    assert api.post(base + "replay-failed/").json() == {"replayed": 0}
    assert api.post(base + "replay-failed/", {"since": "yesterday"}).json()["field"] == "since"
    courier.run()
    assert sorted(receiver.ids()) == sorted(row.event_id for row in rows)
    actions = list(AuditEvent.objects.filter(action="webhook.replay").order_by("pk").values_list("details", flat=True))
    assert actions == [{"delivery": rows[0].event_id}, {"deliveries": 1}, {"deliveries": 0}]


def test_a_delivery_is_found_under_its_own_webhook_alone(api):
    mine, other = made(api), made(api, name="Other")
    (row,) = lay(Webhook.objects.get(pk=mine["id"]))
    assert api.get(f"/webhooks/{other['id']}/deliveries/{row.pk}/").status_code == 404
    assert api.post(f"/webhooks/{other['id']}/deliveries/{row.pk}/replay/").status_code == 404
    for path in (f"/webhooks/{2**63}/", f"/webhooks/{10**30}/deliveries/1/", "/webhooks/0/", "/webhooks/999/deliveries/"):
        assert api.get(path).status_code == 404


def test_a_new_address_forgets_the_failures_of_the_old(api):
    hook = made(api)
    Webhook.objects.update(failures=7, disabled_reason="x", held_until="2030-01-01T00:00Z")
    api.patch(f"/webhooks/{hook['id']}/", {"name": "Still failing"})
    assert Webhook.objects.get().failures == 7
    api.patch(f"/webhooks/{hook['id']}/", {"url": "http://127.0.0.1:10/y"})
    row = Webhook.objects.get()
    assert (row.failures, row.held_until, row.disabled_reason) == (0, None, "")
