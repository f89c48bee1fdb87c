"""The webhooks' pages: who opens them, secrets shown once, the log, and everything done there audited."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from campaigns.hooks import courier, rules
from campaigns.models import Alert, AuditEvent, Event, Webhook, WebhookDelivery
from campaigns.models.webhook import Telling
from tests import builders
from tests.integration.test_webhook_courier import lay, webhook
from tests.people import as_role
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/x"
WHOLE, MASKED = "+919800000000", "+91 98••• ••000"


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(courier, "LINGER", timedelta(0))


@pytest.fixture
def login(db):
    return as_role


@pytest.fixture
def admin(login):
    return login("Administrator")


def page(client, route, *args, **query):
    return client.get(reverse(f"admin:{route}", args=args), query).content.decode()


def form(**fields):
    return {"name": "Billing", "url": NOWHERE, "events": ["alert", "message.final"], "account": "", "enabled": "on"} | fields


ROLES = ("Viewer", "Editor", "Launcher", "Auditor", "Administrator")
LOOKS = ["webhooks", "webhook", "webhook_log", "webhook_delivery"]
FORMS = ["webhook_new", "webhook_edit", "webhook_secret", "webhook_delete"]
POSTS = ["webhook_test", "webhook_replay_failed", "webhook_replay"]


@pytest.mark.parametrize("role", ROLES)
def test_every_page_has_its_roles(login, role):
    hook = webhook(NOWHERE)
    (delivery,) = lay(hook)
    client = login(role)
    args = {"webhooks": [], "webhook_new": [], "webhook_delivery": [delivery.pk], "webhook_replay": [delivery.pk]}
    for route in [*LOOKS, *FORMS, *POSTS]:
        url = reverse(f"admin:{route}", args=args.get(route, [hook.pk]))
        looks = client.post(url, {"hours": 0}) if route in POSTS else client.get(url)
        may = role == "Administrator" or (role == "Auditor" and route in LOOKS)
        assert looks.status_code == ((302 if route in POSTS else 200) if may else 403), route
        if not may:
            assert "Your role does not let you" in looks.content.decode()
    assert ('href="/webhooks/"' in client.get("/").content.decode()) is (role in {"Auditor", "Administrator"})


@pytest.mark.parametrize("route", POSTS)
def test_deeds_are_asked_for_by_post_and_with_the_forms_token(login, route):
    hook = webhook(NOWHERE)
    (delivery,) = lay(hook)
    url = reverse(f"admin:{route}", args=[delivery.pk if route == "webhook_replay" else hook.pk])
    assert login("Administrator").get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    assert strict.post(url).status_code == 403


def test_somebody_without_a_login_sees_nothing(client, db):
    hook = webhook(NOWHERE)
    for route in ("webhook", "webhook_secret", "webhook_log"):
        assert client.get(reverse(f"admin:{route}", args=[hook.pk])).status_code == 302


def test_without_webhooks_the_page_says_what_they_are_for(admin):
    text = page(admin, "webhooks")
    assert "No other system is told yet" in text and "Make the first one" in text


def test_a_new_webhooks_secret_is_shown_this_once(admin):
    text = page(admin, "webhook_new")
    assert text.count("checked") == 4, "all events, and switched on"
    answer = admin.post(reverse("admin:webhook_new"), form())
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", answer.content.decode())
    assert "no-store" in answer["Cache-Control"]
    hook = Webhook.objects.get()
    assert (hook.events, hook.created_by.username) == (["message.final", "alert"], "somebody-Administrator")
    for route in ("webhook", "webhook_edit", "webhook_secret"):
        assert secret not in page(admin, route, hook.pk)
    (event,) = AuditEvent.objects.all()
    assert event.action == "webhook.create" and "whsec_" not in str(event.details)


BAD = [
    ({"name": ""}, "This field is required"), ({"url": "https://10.0.0.1/"}, "10.0.0.1 is not on the public internet"),
    ({"url": "ftp://x"}, "begins with https://"), ({"events": []}, "Choose at least one"),
    ({"events": ["all"]}, "not one of the available choices"), ({"account": "99"}, "not one of the available choices"),
    ({"name": "Taken"}, "already exists"), ({"name": "a\x00b"}, "Null characters are not allowed"),
    ({"url": '"><script>alert(1)</script>'}, "percent-encoded|begins with https://"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), BAD, ids=str)
def test_bad_input_is_said_beside_its_field(admin, change, sentence):
    webhook(NOWHERE, name="Taken")
    answer = admin.post(reverse("admin:webhook_new"), form(**change))
    text = answer.content.decode()
    assert answer.status_code == 200 and re.search(sentence, text) and "<script>alert" not in text
    assert Webhook.objects.count() == 1


def test_the_limit_is_said_above_the_form(admin, monkeypatch):
    monkeypatch.setattr(rules, "MOST", 0)
    assert "which is the limit" in admin.post(reverse("admin:webhook_new"), form()).content.decode()
    assert not Webhook.objects.exists()


def test_only_whoever_sees_whole_numbers_lets_a_webhook_carry_them(login):
    hook = webhook(NOWHERE, "alert")
    user = User.objects.create_user("half")
    for name in ("change_webhook", "view_webhook"):
        user.user_permissions.add(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(user)
    url = reverse("admin:webhook_edit", args=[hook.pk])
    assert "Only whoever may see whole numbers" in client.get(url).content.decode()
    assert client.post(url, form(name=hook.name, full_numbers="on")).status_code == 302
    hook.refresh_from_db()
    assert not hook.full_numbers
    login("Administrator").post(url, form(name=hook.name, full_numbers="on"))
    hook.refresh_from_db()
    assert hook.full_numbers
    client.post(url, form(name="Renamed"))
    hook.refresh_from_db()
    assert (hook.name, hook.full_numbers) == ("Renamed", True), "who may not see them does not change it either way"


def test_a_change_is_audited_by_its_fields_and_an_address_lifts_the_hold(admin):
    hook = webhook(NOWHERE, "alert")
    Webhook.objects.update(enabled=False, failures=9, disabled_reason="Gone.", disabled_at=builders.now())
    Alert.notice("webhook_off", hook, "Switched off.")
    assert "Gone." in page(admin, "webhooks") and "Switched off by itself" in page(admin, "webhook", hook.pk)
    assert "Webhook" in page(admin, "alerts") and reverse("admin:webhook", args=[hook.pk]) in page(admin, "alerts")
    admin.post(reverse("admin:webhook_edit", args=[hook.pk]), form(name=hook.name, events=["alert"]))
    hook.refresh_from_db()
    assert (hook.enabled, hook.failures, hook.disabled_reason, hook.disabled_at) == (True, 0, "", None)
    assert not Alert.objects.filter(closed_at=None).exists()
    assert AuditEvent.objects.get(action="webhook.change").details == {"fields": ["enabled"]}


def test_a_secret_is_changed_and_the_old_one_named_with_its_end(admin, receiver):
    hook = webhook(receiver.url)
    assert "for a day" in page(admin, "webhook_secret", hook.pk)
    text = admin.post(reverse("admin:webhook_secret", args=[hook.pk]), {"keep": "24"}).content.decode()
    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]{44}", text)
    assert "The old secret signs too until" in text and "signs until" in page(admin, "webhook", hook.pk)
    lay(hook)
    courier.run()
    assert receiver.verified(secret) and receiver.verified(hook.whsec)
    assert admin.post(reverse("admin:webhook_secret", args=[hook.pk]), {"keep": "5"}).status_code == 200
    assert AuditEvent.objects.get(action="webhook.rotate").details == {"keep_hours": 24}


def test_a_test_comes_into_the_log_with_its_answer(admin, receiver):
    hook = webhook(receiver.url)
    answer = admin.post(reverse("admin:webhook_test", args=[hook.pk]), follow=True)
    assert "A test is on its way" in answer.content.decode() and "hx-get" in answer.content.decode()
    courier.run()
    log = page(admin, "webhook_log", hook.pk)
    assert "Delivered" in log and "Answered 200" in log and "hx-get" not in log and "<html" not in log
    found = page(admin, "webhook_delivery", WebhookDelivery.objects.get().pk)
    assert "thanks" in found and "webhook.test" in found and receiver.ids()[0] in found


def test_what_a_receiver_answers_cannot_become_a_page(admin, receiver):
    receiver.status, receiver.body = 500, b"<script>alert(1)</script>"
    hook = webhook(receiver.url)
    lay(hook)
    courier.run()
    text = page(admin, "webhook_delivery", WebhookDelivery.objects.get().pk)
    assert "<script>alert" not in text and "&lt;script&gt;" in text and "It answered 500" in text
    assert "One try has not arrived" in page(admin, "webhooks") and "Trying again" in page(admin, "webhook", hook.pk)


def test_one_and_all_failed_requests_are_sent_again(admin, receiver):
    hook = webhook(receiver.url)
    rows = lay(hook, 3)
    WebhookDelivery.objects.update(state="failed", tries=10, next_at=None)
    assert "Send again what failed" in page(admin, "webhook", hook.pk)
    assert admin.post(reverse("admin:webhook_replay", args=[rows[0].pk])).status_code == 302
    url = reverse("admin:webhook_replay_failed", args=[hook.pk])
    assert "2 requests will be sent again" in admin.post(url, {"hours": "1"}, follow=True).content.decode()
    assert "Nothing has failed for good" in admin.post(url, {"hours": "0"}, follow=True).content.decode()
    assert "Choose since when" in admin.post(url, {"hours": "7"}, follow=True).content.decode()
    courier.run()
    assert sorted(receiver.ids()) == sorted(row.event_id for row in rows)
    assert "Send again what failed" not in page(admin, "webhook", hook.pk)
    assert AuditEvent.objects.filter(action="webhook.replay").count() == 3


def test_the_log_is_filtered_and_paged(admin, django_assert_max_num_queries):
    hook = webhook(NOWHERE)
    WebhookDelivery.lay_down(Telling(hook, Event.ALERT, {}, f"Matter {i}.") for i in range(60))
    WebhookDelivery.objects.filter(about="Matter 7.").update(state="failed", next_at=None)
    assert re.findall(r"Matter \d+\.", page(admin, "webhook", hook.pk, state="failed")) == ["Matter 7."]
    seen, query = [], {}
    while True:
        with django_assert_max_num_queries(25):
            text = page(admin, "webhook", hook.pk, **query)
        seen += re.findall(r"Matter (\d+)\.", text)
        older = re.search(r'href="[^"]*before=(\d+)" rel="next"', text)
        if not older:
            break
        query = {"before": older[1]}
    assert [int(i) for i in seen] == list(range(59, -1, -1)) and "Newest" in text
    assert page(admin, "webhook", hook.pk, state="nonsense", before="x").count("Matter ") == 25


@pytest.mark.parametrize(("role", "whole"), [("Auditor", False), ("Administrator", True)])
def test_whole_numbers_of_a_request_are_masked_for_those_who_may_not_see_them(login, role, whole):
    hook = webhook(NOWHERE, full_numbers=True)
    data = {"messages": [{"id": 1, "number": WHOLE}]}
    WebhookDelivery.lay_down([Telling(hook, Event.MESSAGE_FINAL, data)])
    WebhookDelivery.objects.update(answer="got 919800000000", status=200)
    text = page(login(role), "webhook_delivery", WebhookDelivery.objects.get().pk)
    assert (WHOLE in text, MASKED in text) == (whole, not whole)
    assert ("919800000000" in text) is whole


def test_a_webhook_is_deleted_after_a_question(admin):
    hook = webhook(NOWHERE, name="Old")
    lay(hook, 3)
    assert "Delete Old?" in page(admin, "webhook_delete", hook.pk)
    assert Webhook.objects.exists()
    assert admin.post(reverse("admin:webhook_delete", args=[hook.pk])).status_code == 302
    assert not Webhook.objects.exists() and not WebhookDelivery.objects.exists()
    assert AuditEvent.objects.get().details == {"name": "Old"}
    for route in ("webhook", "webhook_edit", "webhook_log"):
        assert admin.get(reverse(f"admin:{route}", args=[hook.pk])).status_code == 404
    assert admin.get("/webhooks/99999999999999999999999/").status_code == 404
