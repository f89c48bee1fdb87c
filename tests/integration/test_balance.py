"""What an account has left: as it was told, less what was sent since, from counters; and rates by category."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.insight import counts, series
from campaigns.models import Account, AuditEvent, Campaign
from campaigns.sending import balance, dispatch, launch
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_console_registers import account_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return builders.account(cost_per_unit=Decimal(1))


def found(campaign):
    return {finding.code: finding for finding in preflight(campaign).findings if finding.code.startswith("BALANCE")}


def test_an_account_whose_balance_nobody_told_says_nothing(account):
    assert found(builders.campaign(account=account, recipients=3)) == {}
    assert balance.standing(account) is None


@pytest.mark.parametrize(
    ("told", "code", "level"), [(3, "BALANCE", "info"), ("2.99", "BALANCE_LOW", "warning"), (0, "BALANCE_LOW", "warning")]
)
def test_preflight_compares_the_cost_with_what_is_left(account, told, code, level):
    balance.tell(account, Decimal(told))
    findings = found(builders.campaign(account=account, recipients=3))
    assert findings.keys() == {code} and findings[code].level == level
    left = f"About ₹ {Decimal(told):.2f} are left on {account.name}, this campaign costs about ₹ 3.00."
    assert findings[code].message.startswith(left)


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_since_and_what_waits_is_taken_off(exotel_account):
    Account.objects.update(cost_per_unit=1)
    account = Account.objects.get()
    builders.launched(account=account, recipients=4)
    dispatch.pump(account.pk)
    balance.tell(account, Decimal(100))
    assert balance.standing(account).left == 100  # what was sent before it was told is in it
    builders.launched(account=account, numbers=[builders.number(i) for i in range(10, 17)])
    dispatch.pump(account.pk)
    builders.paused(account=account, numbers=[builders.number(20)])
    planned = builders.campaign(account=account, recipients=2, schedule_at=timezone.now() + timedelta(hours=1))
    launch.launch(planned, None, accept_warnings=True)
    now = balance.standing(account)
    assert (now.told, now.sent, now.waiting, now.left) == (100, 7, 3, 90)


def test_the_question_costs_the_same_however_many_campaigns_there_are(account, django_assert_max_num_queries):
    balance.tell(account, Decimal(100))
    for i in range(5):
        builders.paused(account=account, numbers=[builders.number(i)])
    with django_assert_max_num_queries(4):
        assert balance.standing(account).waiting == 5


def test_single_messages_do_not_ask_for_the_balance(account, monkeypatch):
    balance.tell(account, Decimal(0))
    monkeypatch.setattr(balance, "standing", None)
    api = Api("launch", "read")
    body = {"to": "98123 45670", "template": builders.template().pk, "vars": ["Asha", "1.50"]}
    assert api.post("/messages/", body).status_code == 201


def put(api, account, body):
    return api.client.put(f"/api/v1/accounts/{account.pk}/balance/", body, "application/json", headers=api.headers)


def test_the_balance_is_told_by_rest(account):
    api = Api("admin")
    assert api.get(f"/accounts/{account.pk}/balance/").json() == dict.fromkeys(("balance", "at", "sent", "waiting", "left"))
    answer = put(api, account, {"balance": "1234.50"})
    assert (answer.status_code, answer.json()["left"]) == (200, "1234.5000")
    assert AuditEvent.objects.get(action="account.balance").details == {"balance": "1234.50"}
    [row] = api.get("/accounts/").json()
    assert row["balance"] == "1234.50" and row["balance_at"] and row["allowed_countries"] == "IN"
    put(api, account, {"balance": None})
    assert api.get(f"/accounts/{account.pk}/balance/").json()["left"] is None


@pytest.mark.parametrize(
    "body", [{}, {"balance": "x"}, {"balance": "NaN"}, {"balance": "1" * 30}, {"balance": "1.234"}, {"balance": []}]
)
def test_a_balance_that_is_none_is_refused(account, body):
    answer = put(Api("admin"), account, body)
    assert (answer.status_code, answer.json()["field"]) == (400, "balance"), answer.content
    assert put(Api("write"), account, {"balance": 1}).status_code == 403


def test_the_balance_is_told_on_the_accounts_page():
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    client.post(reverse("admin:campaigns_account_add"), account_form(new_balance="500", cost_promotional="0.35"))
    account = Account.objects.get()
    assert (account.balance, account.cost_promotional) == (500, Decimal("0.35"))
    page = reverse("admin:campaigns_account_change", args=[account.pk])
    text = client.get(page).content.decode()
    assert (
        "About ₹ 500.00" in text
        and 'name="new_balance"' in text
        and "500" not in text.partition('name="new_balance"')[2][:80]
    )
    client.post(page, account_form(api_key="", api_token=""))
    account.refresh_from_db()
    assert account.balance == 500
    at = account.balance_at
    client.post(page, account_form(api_key="", api_token="", new_balance="500"))
    account.refresh_from_db()
    assert account.balance_at > at
    both = client.post(page, account_form(api_key="", api_token="", new_balance="1", forget_balance="on")).content.decode()
    assert "not both" in both
    client.post(page, account_form(api_key="", api_token="", forget_balance="on"))
    account.refresh_from_db()
    assert account.balance is None
    assert AuditEvent.objects.filter(action="account.balance").count() == 3


@pytest.mark.parametrize(
    ("category", "rate"),
    [("promotional", "0.3500"), ("service_explicit", "0.0000"), ("service_implicit", "0.2000"), ("transactional", "0.2000")],
)
def test_the_rate_of_a_category_is_used_before_after_and_in_reports(category, rate):
    account = builders.account(cost_promotional="0.35", cost_service_explicit=0, spike_percent=0)
    account.refresh_from_db()
    header = "123456" if category == "promotional" else builders.HEADER
    campaign = builders.campaign(
        account=account, recipients=100, template=builders.template(category=category, header=header)
    )
    expected = 100 * Decimal(rate)
    assert preflight(campaign).cost == expected
    launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    campaign = Campaign.objects.get(pk=campaign.pk)
    assert (str(campaign.unit_cost), campaign.snapshot["cost_per_unit"]) == (rate, rate)
    Account.objects.update(cost_per_unit=9, cost_promotional=9, cost_service_explicit=9)  # later rates change nothing
    quarter = int(timezone.now().timestamp()) // 900
    campaign.count_set.update(quarter=quarter, state="accepted", delivery="awaiting")
    campaign = Campaign.objects.get(pk=campaign.pk)
    assert counts.for_campaign(campaign).cost == expected
    hour = timedelta(hours=1)
    assert series.totals(timezone.now() - hour, timezone.now() + hour).cost == expected
