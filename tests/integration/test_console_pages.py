"""Every page of the console opens for an administrator, keeps the content policy, and answers nonsense with a sentence."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from campaigns.admin.pages import health
from campaigns.insight import watch
from campaigns.models import (
    Account,
    Alert,
    AlertRule,
    ApiToken,
    AuditEvent,
    Campaign,
    Count,
    Heartbeat,
    Message,
    Suppression,
)
from tests import builders

pytestmark = pytest.mark.django_db

FORBIDDEN = [
    r"<[^>]+\sstyle=",
    r"<style\b",
    r"<[^>]+\son[a-z]+=",
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)",
    r"hx-on",
]


@pytest.fixture
def admin_client(db):
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    return client


@pytest.fixture
def world(db):
    """One of everything that a page can show."""
    running = builders.launched(recipients=3)
    draft = builders.campaign(account=running.account, template=running.template, recipients=2)
    return {
        "campaign": running,
        "draft": draft,
        "message": Message.objects.first(),
        "suppression": Suppression.objects.create(number=builders.number(77), reason="opt_out"),
        "token": ApiToken.issue(user=User.objects.create_user("robot"), name="billing", scopes=["read"])[0],
        "event": AuditEvent.objects.create(actor="system", action="campaign.launch", subject="campaign:1"),
    }


PAGES = [
    ("admin:index", ()),
    ("admin:campaigns", ()),
    ("admin:campaign", ("campaign",)),
    ("admin:campaign_live", ("campaign",)),
    ("admin:campaign_messages", ("campaign",)),
    ("admin:campaign_attempts", ("campaign",)),
    ("admin:messages", ()),
    ("admin:unconfirmed", ()),
    ("admin:message", ("message",)),
    ("admin:codes", ()),
    ("admin:draft_new", ()),
    ("admin:draft_template", ()),
    ("admin:draft_file", ("draft",)),
    ("admin:draft_columns", ("draft",)),
    ("admin:draft_columns_preview", ("draft",)),
    ("admin:draft_message", ("draft",)),
    ("admin:draft_review", ("draft",)),
    ("admin:draft_launch", ("draft",)),
    ("admin:campaigns_template_changelist", ()),
    ("admin:campaigns_template_add", ()),
    ("admin:campaigns_account_changelist", ()),
    ("admin:campaigns_account_add", ()),
    ("admin:campaigns_suppression_changelist", ()),
    ("admin:campaigns_suppression_add", ()),
    ("admin:campaigns_suppression_change", ("suppression",)),
    ("admin:campaigns_suppression_delete", ("suppression",)),
    ("admin:campaigns_suppression_history", ("suppression",)),
    ("admin:campaigns_apitoken_changelist", ()),
    ("admin:campaigns_apitoken_add", ()),
    ("admin:campaigns_apitoken_revoke", ("token",)),
    ("admin:campaigns_auditevent_changelist", ()),
    ("admin:auth_user_changelist", ()),
    ("admin:auth_user_add", ()),
    ("admin:auth_group_changelist", ()),
    ("admin:auth_group_add", ()),
    ("admin:password_change", ()),
]


@pytest.mark.parametrize(("route", "about"), PAGES, ids=[route for route, _ in PAGES])
def test_a_page_opens_and_holds_nothing_that_the_content_policy_forbids(admin_client, world, route, about):
    response = admin_client.get(reverse(route, args=[world[name].pk for name in about]))
    text = response.content.decode()
    assert response.status_code == 200
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    assert [pattern for pattern in FORBIDDEN if re.search(pattern, text)] == []


@pytest.mark.parametrize(("route", "about"), PAGES, ids=[route for route, _ in PAGES])
def test_nobody_sees_a_page_without_logging_in(client, world, route, about):
    response = client.get(reverse(route, args=[world[name].pk for name in about]))
    assert response.status_code == 302
    assert response["Location"].startswith("/login/")


@pytest.mark.parametrize(
    "path",
    ["/nowhere/", "/campaigns/99999/", "/campaigns/99999/live/", "/campaigns/99999/columns/", "/messages/99999/",
     "/files/99999/refused-rows.csv", "/campaigns/99999/report.csv", "/campaigns/99999999999999999999/"],
)  # fmt: skip
def test_an_unknown_address_is_answered_with_a_page_that_says_so(admin_client, path):
    response = admin_client.get(path)
    assert response.status_code == 404
    assert "Nothing is here" in response.content.decode()


@pytest.mark.parametrize(
    "query",
    ["range=nonsense", "from=yesterday", "from=2026-13-40&to=x", "from=0001-01-01&to=9999-12-31", "account=x", "account=%00",
     "from=2026-11-20&to=2026-11-01"],
)  # fmt: skip
def test_the_dashboard_takes_any_nonsense_in_its_address(admin_client, world, query):
    assert admin_client.get(f"/?{query}").status_code == 200


def test_dates_that_cannot_be_read_are_named(admin_client, world):
    assert "The dates could not be read" in admin_client.get("/?from=soon").content.decode()


def test_a_fresh_installation_is_told_its_first_step(admin_client):
    text = admin_client.get("/").content.decode()
    assert "Send your first campaign" in text
    assert reverse("admin:campaigns_account_add") in text


def test_the_dashboard_puts_what_is_wrong_first(admin_client, world):
    Account.objects.filter(pk=world["campaign"].account_id).update(
        stop_reason="The API key was refused.", stopped_at=builders.now()
    )
    text = admin_client.get("/").content.decode()
    assert "The API key was refused." in text
    assert "no sign of life" in text  # no worker ever beat here
    assert text.index("The API key was refused.") < text.index("Sent today")


def test_a_stopped_campaign_is_named_once_with_its_reason(admin_client, world):
    Campaign.objects.filter(pk=world["campaign"].pk).update(
        state="stopped", state_reason="The body differs from its template."
    )
    text = admin_client.get("/").content.decode()
    assert "stopped by itself" in text
    assert "The body differs from its template." in text


def test_messages_in_doubt_lead_to_where_they_are(admin_client, world):
    campaign, quarter = world["campaign"], int(builders.now().timestamp()) // 900
    assert "unconfirmed." not in admin_client.get("/").content.decode()
    Count.objects.create(campaign=campaign, quarter=quarter, state="unconfirmed", n=2, units=2)
    text = admin_client.get("/").content.decode()
    assert "2 messages of today are unconfirmed." in text
    assert f'href="{reverse("admin:unconfirmed")}">See what is known' in text


def test_reports_that_stay_away_are_noticed(admin_client, world):
    AlertRule.create_defaults()
    quarter = int((builders.now() - timedelta(minutes=40)).timestamp()) // 900
    Count.objects.create(campaign=world["campaign"], quarter=quarter, state="accepted", delivery="awaiting", n=50, units=50)
    watch.look()
    assert "No status report has come in for 50 messages" in admin_client.get("/").content.decode()
    Count.objects.create(
        campaign=world["campaign"], quarter=quarter + 1, state="accepted", delivery="delivered", n=1, units=1
    )
    Alert.objects.update(noticed_at=builders.now() - timedelta(minutes=6))
    watch.look()
    assert "No status report" not in admin_client.get("/").content.decode()


def test_a_silent_worker_is_noticed_after_three_minutes(admin_client, world):
    Heartbeat.objects.create(name=health.BEAT, at=builders.now() - timedelta(minutes=2))
    assert "no sign of life" not in admin_client.get("/").content.decode()
    Heartbeat.objects.update(at=builders.now() - timedelta(minutes=4))
    assert "no sign of life for 4 min" in admin_client.get("/").content.decode()


def test_the_fragment_of_the_dashboard_carries_no_page_around_it(admin_client, world):
    text = admin_client.get("/", headers={"HX-Request": "true"}).content.decode()
    assert 'id="live"' in text
    assert "<html" not in text


@pytest.mark.parametrize(("age", "status"), [(timedelta(seconds=10), 200), (timedelta(minutes=5), 503), (None, 503)])
def test_health_is_good_while_the_worker_beats(client, age, status):
    if age is not None:
        Heartbeat.objects.create(name=health.BEAT, at=builders.now() - age)
    response = client.get("/healthz")
    assert response.status_code == status
    assert response.json()["worker"] is (status == 200)


def test_health_says_when_the_database_is_away(client, monkeypatch):
    def away():
        raise DatabaseError

    monkeypatch.setattr(health, "last_beat", away)
    response = client.get("/healthz")
    assert (response.status_code, response.json()["database"]) == (503, False)


def test_a_wrong_password_is_answered_in_words_and_the_right_one_logs_in(client, db):
    User.objects.create_user("asha", password="correct-horse-battery")
    wrong = client.post("/login/", {"username": "asha", "password": "guess"})
    assert "Please enter a correct username and password" in wrong.content.decode()
    right = client.post("/login/", {"username": "asha", "password": "correct-horse-battery", "next": "/campaigns/"})
    assert (right.status_code, right["Location"]) == (302, "/campaigns/")


def test_logging_out_needs_a_post(admin_client):
    assert admin_client.get("/logout/").status_code == 405
    assert "You are logged out" in admin_client.post("/logout/").content.decode()


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("q=23005", "Do Not Disturb", "Phone switched off"),
        ("q=disturb+number", "23005", "23035"),
        ("family=exotel.sms.request", "SMS request errors", "SMS status</h2>"),
        ("q=zzzz", "No code matches", "23005"),
    ],
)
def test_the_code_dictionary_is_searched_by_number_word_and_family(admin_client, query, found, missing):
    text = admin_client.get(f"/codes/?{query}").content.decode().partition('id="codes"')[2]
    assert found in text
    assert missing not in text


def test_the_code_dictionary_says_where_documents_disagree(admin_client):
    assert "<strong>Documents:</strong>" in admin_client.get("/codes/").content.decode()
