"""What a person may spend: by campaign and by month, by whatever door, and not passed by two launches at once."""

import concurrent.futures
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.insight.recount import recount
from campaigns.models import ApiToken, AuditEvent, Campaign, Message, SpendLimit, Spent
from campaigns.roles import create_roles
from campaigns.sending import control, launch, resend, retry, spending
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_api import Api

pytestmark = pytest.mark.django_db


def person(name, role="Launcher", **limits):
    create_roles()
    user, _ = User.objects.get_or_create(username=name)
    user.groups.set(Group.objects.filter(name=role))
    if limits:
        SpendLimit.objects.create(user=user, **limits)
    return user


@pytest.fixture
def account():
    return builders.account(cost_per_unit=Decimal(1))


def draft(account, people=10, **fields):
    return builders.campaign(account=account, recipients=people, **fields)


def codes(report):
    return {finding.code for finding in report.findings}


def press(campaign, user):
    return launch.launch(campaign, user, accept_warnings=True)


def amount(user):
    return sum(Spent.objects.filter(user=user).values_list("amount", flat=True))


@pytest.mark.parametrize(
    ("limits", "passes"),
    [({}, True), ({"per_campaign": 10}, True), ({"per_campaign": "9.99"}, False), ({"per_campaign": 0}, False),
     ({"per_month": 10}, True), ({"per_month": "9.99"}, False), ({"per_campaign": 100, "per_month": 5}, False)],
)  # fmt: skip
def test_a_launch_passes_within_the_limits_only(account, limits, passes):
    user, campaign = person("asha", **limits), draft(account)
    assert ("SPEND_LIMIT" not in codes(preflight(campaign, user))) is passes
    if passes:
        assert press(campaign, user)
    else:
        with pytest.raises(launch.Blocked) as blocked:
            press(campaign, user)
        assert "SPEND_LIMIT" in codes(blocked.value.report)
    campaign.refresh_from_db()
    assert (campaign.state == "launching", amount(user)) == (passes, 10 if passes else 0)


def test_the_finding_names_the_limit_what_was_spent_and_who_can_launch_it(account):
    user = person("asha", per_campaign=50, per_month=15)
    person("ravi")
    person("meera", "Editor")
    press(draft(account), user)
    month = f"{timezone.localdate():%B %Y}"
    [why] = [finding.message for finding in preflight(draft(account), user).findings if finding.code == "SPEND_LIMIT"]
    assert why == (
        f"asha may spend ₹ 15.00 in a month, has spent ₹ 10.00 in {month}, and this costs about ₹ 10.00. Somebody without "
        "such a limit can launch it: ravi."
    )
    [why] = [finding.message for finding in preflight(draft(account, 60), user).findings if finding.code == "SPEND_LIMIT"]
    assert why.startswith("asha may spend ₹ 50.00 on one campaign, and this one costs about ₹ 60.00. Somebody")
    User.objects.get(username="ravi").delete()
    [why] = [finding.message for finding in preflight(draft(account), user).findings if finding.code == "SPEND_LIMIT"]
    assert why.endswith("Ask an administrator to raise it.")


def test_months_begin_by_the_clocks_of_the_account(account, monkeypatch):
    eve = timezone.datetime(2026, 11, 30, 20, 0, tzinfo=timezone.get_fixed_timezone(0))  # 1 December in India
    monkeypatch.setattr(timezone, "now", lambda: eve)
    assert spending.month_of(account) == date(2026, 12, 1)
    assert spending.month_of(builders.account(time_zone="America/New_York")) == date(2026, 11, 1)


def test_a_planned_campaign_counts_for_the_month_it_starts_in(account):
    user = person("asha", per_month=10)
    later = timezone.now() + timedelta(days=62)
    press(draft(account), user)
    planned = draft(account, schedule_at=later)
    press(planned, user)
    assert sorted(Spent.objects.values_list("amount", flat=True)) == [10, 10]
    planned.refresh_from_db()
    assert (planned.spend_month.year, planned.spend_month.month) == (later.year, later.month)


def test_what_is_cancelled_is_given_back(account):
    user = person("asha", per_month=100)
    campaign, planned = draft(account), draft(account, schedule_at=timezone.now() + timedelta(hours=1))
    press(campaign, user)
    press(planned, user)
    assert amount(user) == 20
    launch.write_messages(campaign.pk)
    Message.objects.filter(number=builders.number(0)).update(state="accepted", sid="s1")
    for one in (campaign, planned):
        control.cancel(Campaign.objects.get(pk=one.pk))
    while control.wind_up(campaign.pk):
        pass
    assert amount(user) == 1


def test_doubtful_messages_sent_again_count_for_whoever_launched_them(account):
    user, campaign = person("asha"), draft(account)
    press(campaign, user)
    launch.write_messages(campaign.pk)
    doubtful = Message.objects.get(number=builders.number(0))
    Message.objects.filter(pk=doubtful.pk).update(state="unconfirmed")
    resend.resend(Campaign.objects.get(pk=campaign.pk), [doubtful.pk])
    assert amount(user) == 11


def test_somebody_without_a_limit_is_counted_too_so_that_a_limit_set_later_knows(account):
    user = person("asha")
    press(draft(account), user)
    SpendLimit.objects.create(user=user, per_month=15)
    with pytest.raises(launch.Blocked):
        press(draft(account), user)


def test_the_command_line_has_no_limit(account):
    assert press(draft(account), None)
    assert not Spent.objects.exists()


def test_retries_are_held_against_the_limits_of_whoever_makes_them(account):
    user, other = person("asha", per_campaign=1), person("ravi")
    campaign = builders.launched(account=account, recipients=2)
    Message.objects.update(state="rejected", code="23035")
    recount(campaign.pk)
    control.enter(campaign.pk, "finished")
    with pytest.raises(retry.Impossible) as refused:
        retry.make(campaign, user)
    assert refused.value.code == "spend_limit"
    assert "on one campaign" in str(refused.value) and "Nothing was made." in str(refused.value)
    assert Campaign.objects.count() == 1
    client = Client()
    client.force_login(user)
    client.post(reverse("admin:campaign_retry", args=[campaign.pk]))
    limited(api := Api("write"), per_campaign=1)
    answer = api.post(f"/campaigns/{campaign.pk}/retry-failed/")
    assert (answer.status_code, answer.json()["code"]) == (422, "spend_limit")
    assert AuditEvent.objects.filter(action="campaign.over_limit").count() == 2
    assert retry.make(campaign, other).recipients == 2


@pytest.mark.django_db(transaction=True)
def test_of_launches_at_once_only_those_within_the_limit_pass(account):
    user = person("asha", per_month=25)
    other = builders.account(cost_per_unit=Decimal(1))
    drafts = [draft(account if i % 2 else other) for i in range(8)]

    def run(campaign):
        try:
            return press(campaign, user)
        except launch.Blocked as blocked:
            return sorted(codes(blocked.report) & {"SPEND_LIMIT"})
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        told = list(pool.map(run, drafts))
    assert (told.count(True), told.count(["SPEND_LIMIT"])) == (2, 6)
    assert amount(user) == 20
    assert Campaign.objects.filter(state="launching").count() == 2


@pytest.fixture
def api():
    return Api("read", "write", "launch", "numbers")


def limited(api, **limits):
    user = api.token.user
    SpendLimit.objects.update_or_create(user=user, defaults=limits)
    return user


def test_rest_refuses_with_the_finding_and_keeps_a_trail(api, account):
    user, campaign = limited(api, per_campaign=5), draft(account)
    answer = api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "preflight")
    assert "SPEND_LIMIT" in {finding["code"] for finding in answer.json()["findings"]}
    assert AuditEvent.objects.get(action="campaign.over_limit").user == user
    found = api.post(f"/campaigns/{campaign.pk}/preflight/").json()["findings"]
    assert "SPEND_LIMIT" in {finding["code"] for finding in found}


def test_single_messages_count_and_are_refused_above_the_limit(api, account):
    user, template = limited(api, per_month=2), builders.template()
    body = {"to": "98123 45670", "template": template.pk, "vars": ["Asha", "1.50"]}
    assert [api.post("/messages/", body).status_code for _ in range(3)] == [201, 201, 422]
    answer = api.post("/messages/", body).json()
    assert [finding["code"] for finding in answer["findings"] if finding["level"] == "error"] == ["SPEND_LIMIT"]
    assert (Message.objects.count(), amount(user)) == (2, 2)
    assert AuditEvent.objects.filter(action="message.over_limit").count() == 2


@pytest.mark.django_db(transaction=True)
def test_single_messages_at_once_do_not_pass_the_limit(api, account):
    limited(api, per_month=3)
    body = {"to": "98123 45670", "template": builders.template().pk, "vars": ["Asha", "1.50"]}

    def call(_):
        try:
            return api.post("/messages/", body).status_code
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(call, range(12)))
    assert statuses == [201] * 3 + [422] * 9


def test_limits_are_seen_and_set_by_rest(account):
    user = person("ravi")
    press(draft(account), user)
    boss = Api("admin")
    client = boss.client
    path = f"/api/v1/spend-limits/{user.pk}/"
    answer = client.put(path, {"per_campaign": "50", "per_month": "500.5"}, "application/json", headers=boss.headers)
    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in ("username", "per_campaign", "per_month", "spent")} == {
        "username": "ravi", "per_campaign": "50.00", "per_month": "500.50", "spent": "10.0000",
    }  # fmt: skip
    assert AuditEvent.objects.get(action="user.spend_limit").details["limits"] == {
        "per_campaign": "50.00",
        "per_month": "500.50",
    }
    assert [row["username"] for row in boss.get("/spend-limits/").json()] == ["ravi"]
    assert boss.get("/spend-limits/own/").json()["per_month"] is None
    client.put(path, {}, "application/json", headers=boss.headers)
    assert not SpendLimit.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{"per_month": -1}, {"per_month": "x"}, {"per_month": "1e30"}, {"per_campaign": "NaN"}, {"per_campaign": "1.234"}],
)
def test_a_limit_that_is_none_is_refused(body):
    api, user = Api("admin"), person("ravi")
    answer = api.client.put(f"/api/v1/spend-limits/{user.pk}/", body, "application/json", headers=api.headers)
    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(body))), answer.content


def test_nobody_sets_their_own_limit_by_rest():
    api = Api("admin")
    own = User.objects.get(username="asha")
    answer = api.client.put(f"/api/v1/spend-limits/{own.pk}/", {}, "application/json", headers=api.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "own_limit")
    assert Api("read").get("/spend-limits/").status_code == 403
    assert ApiToken.objects.count() == 2


def user_form(user, **changes):
    values = {"username": user.username, "first_name": "", "last_name": "", "email": "", "is_active": "on"}
    return values | {"groups": [group.pk for group in user.groups.all()]} | changes


def test_an_administrator_sets_limits_on_the_users_page_but_not_their_own():
    boss, ravi = person("boss", "Administrator"), person("ravi")
    client = Client()
    client.force_login(boss)
    page = reverse("admin:auth_user_change", args=[ravi.pk])
    assert "there is no limit" in client.get(page).content.decode()
    client.post(page, user_form(ravi, per_campaign="100", per_month=""))
    limit = SpendLimit.objects.get()
    assert (limit.user, limit.per_campaign, limit.per_month) == (ravi, Decimal(100), None)
    assert AuditEvent.objects.filter(action="user.spend_limit", subject=f"user:{ravi.pk}").count() == 1
    text = client.get(page).content.decode()
    assert 'value="100.00"' in text and "at most ₹ 100.00 on one campaign" in text
    assert "greater than or equal to 0" in client.post(page, user_form(ravi, per_month="-1")).content.decode()
    SpendLimit.objects.create(user=boss, per_month=10)
    own = reverse("admin:auth_user_change", args=[boss.pk])
    assert 'name="per_month"' not in client.get(own).content.decode()
    client.post(own, user_form(boss, per_month="1000000", per_campaign=""))
    assert SpendLimit.objects.get(user=boss).per_month == 10
    client.post(page, user_form(ravi, per_campaign="", per_month=""))
    assert not SpendLimit.objects.filter(user=ravi).exists()


def test_the_console_shows_the_limit_and_refuses_above_it(account):
    user = person("asha", per_month=5)
    client, campaign = Client(), draft(account)
    client.force_login(user)
    text = client.get(reverse("admin:draft_launch", args=[campaign.pk])).content.decode()
    assert "Your spending" in text and "SPEND_LIMIT" in text
    text = client.post(reverse("admin:draft_launch", args=[campaign.pk]), {"key": "k", "accept": "yes"}).content.decode()
    assert "Nothing was launched; the draft is kept." in text
    assert AuditEvent.objects.get(action="campaign.over_limit").subject == f"campaign:{campaign.pk}"
    assert "SPEND_LIMIT" in client.get(reverse("admin:draft_review", args=[campaign.pk])).content.decode()
