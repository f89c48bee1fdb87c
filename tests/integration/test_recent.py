"""Leaving out people who got a message lately: only when asked, only this account's, and by name of the campaign."""

import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import audience
from campaigns.audience import behind
from campaigns.insight.recount import recount
from campaigns.models import Account, Campaign, Message, Transition
from campaigns.sending import dispatch, intent, launch, retry
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_import import HEADER, MAPPING, imported, kept, read, refused

pytestmark = pytest.mark.django_db
FILE = HEADER + "9800000000,Asha,1\n9800000001,Ravi,2\n9800000000,Asha,3\n9899999999,Meera,4\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def sent(account, state="accepted", days=2, numbers=(0,), **fields):
    """A campaign of an account that went to these numbers so many days ago."""
    made = builders.launched(account=account, numbers=[builders.number(i) for i in numbers], name="Dues October", **fields)
    at = timezone.now() - timedelta(days=days)
    attempt = intent.commit(builders.owner().pk, account.pk)[1].attempt.pk if state == "in_flight" else None
    sid = Concat(Value("sid"), Cast("pk", CharField()))
    Message.objects.filter(campaign=made).update(sid=sid, state=state, sent_at=at, attempt=attempt)
    Campaign.objects.filter(pk=made.pk).update(state="finished")
    return made


@pytest.fixture
def account():
    return builders.account()


@pytest.mark.parametrize("state", ["accepted", "in_flight", "unconfirmed"])
def test_people_with_a_recent_message_are_left_out_with_its_date_and_campaign(account, state):
    before = sent(account, state)
    source = imported(FILE, builders.campaign(account=account, skip_recent_days=7))
    assert (source.rows, source.accepted, source.rejected, source.suppressed, source.recent) == (4, 2, 0, 2, 2)
    assert source.errors == {}
    at = timezone.localtime(Message.objects.get(campaign=before).sent_at)
    why = f"It got a message of “Dues October” on {at:%-d %b %Y}."
    assert [(line, code, message) for line, code, _, message, _ in refused(source)] == [
        (2, "RECENTLY_MESSAGED", why), (4, "RECENTLY_MESSAGED", why),
    ]  # fmt: skip
    assert [row[1] for row in kept(source)] == [builders.number(1), 919899999999]
    report = preflight(source.campaign)
    assert [(part.code, part.rows, len(part.examples)) for part in report.refused] == [("RECENTLY_MESSAGED", 2, 2)]
    assert [row.example["line"] for row in behind.page(source.campaign, "RECENTLY_MESSAGED", "", 10).rows] == [2, 4]
    assert not behind.page(source.campaign, "", "", 10).rows


@pytest.mark.parametrize(
    ("state", "days", "skip"),
    [
        ("rejected", 2, 7),
        ("suppressed", 2, 7),
        ("cancelled", 2, 7),
        ("pending", 2, 7),
        ("accepted", 8, 7),
        ("accepted", 2, 0),
    ],
)
def test_others_are_not(account, state, days, skip):
    sent(account, state, days)
    source = imported(FILE, builders.campaign(account=account, skip_recent_days=skip))
    assert (source.accepted, source.duplicates, source.recent) == (3, 1, 0)


def test_messages_of_another_account_do_not_count(account):
    sent(builders.account())
    assert imported(FILE, builders.campaign(account=account, skip_recent_days=90)).recent == 0


def test_without_the_choice_nothing_is_asked_of_messages(account, django_assert_num_queries, monkeypatch):
    sent(account)
    monkeypatch.setattr(audience.importing, "told", None)
    assert imported(FILE, builders.campaign(account=account)).accepted == 3


def test_the_newest_of_many_messages_is_named(account):
    sent(account, days=5)
    last = sent(account, days=1)
    Campaign.objects.filter(pk=last.pk).update(name="Dues November")
    source = imported(FILE, builders.campaign(account=account, skip_recent_days=7))
    assert all("Dues November" in row[3] for row in refused(source))


def test_thousands_of_numbers_are_looked_up(account):
    sent(account, numbers=range(1, 3_000, 7))
    rows = "".join(f"98{i:08d},Person {i},1\n" for i in range(3_000))
    source = imported(HEADER + rows, builders.campaign(account=account, skip_recent_days=7))
    assert source.recent == len(range(1, 3_000, 7))
    assert source.accepted == 3_000 - source.recent


def codes(campaign):
    return {finding.code: finding for finding in preflight(campaign).findings}


def test_a_changed_choice_asks_to_read_the_file_again(account):
    sent(account)
    campaign = builders.campaign(account=account, skip_recent_days=7)
    source = imported(FILE, campaign)
    found = codes(campaign)
    assert "RECENT_CHANGED" not in found and "ROWS_SUPPRESSED" not in found
    assert found["ROWS_RECENT"].message.endswith("in the last 7 days: 2.") and found["ROWS_RECENT"].rows == 2
    campaign.skip_recent_days = 0
    campaign.save()
    assert codes(campaign)["RECENT_CHANGED"].level == "error"
    audience.restart(source, MAPPING)
    assert read(source).accepted == 3
    assert "RECENT_CHANGED" not in codes(campaign)


def test_another_account_asks_to_read_the_file_again(account):
    campaign = builders.campaign(account=account, skip_recent_days=7)
    imported(FILE, campaign)
    campaign.account = builders.account()
    campaign.save()
    assert "RECENT_CHANGED" in codes(campaign)


def test_a_choice_changed_while_the_file_is_read_does_not_divide_it(account, monkeypatch, settings):
    monkeypatch.setattr(audience.importing, "check", lambda rows, plan: audience.rows.check(rows, plan, 1))
    sent(account, numbers=(0, 1))
    settings.TASK_BUDGET = 0
    campaign = builders.campaign(account=account, skip_recent_days=7)
    source = audience.receive(campaign, io.BytesIO(FILE.encode()), "people.csv", None)
    audience.start(source, MAPPING)
    assert not audience.run(source.pk)
    Campaign.objects.update(skip_recent_days=0)
    Account.objects.update(allowed_countries="NP")
    read(source)
    assert (source.accepted, source.recent) == (1, 3)


@pytest.mark.django_db(transaction=True)
def test_whoever_got_a_message_since_the_file_was_read_is_left_out_when_their_turn_comes(exotel_account):
    campaign = builders.campaign(account=exotel_account, skip_recent_days=7)
    imported(FILE, campaign)
    sent(exotel_account)
    assert launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    dispatch.pump(exotel_account.pk)
    states = dict(Message.objects.filter(campaign=campaign).values_list("number", "state"))
    assert states == {builders.number(0): "suppressed", builders.number(1): "accepted", 919899999999: "accepted"}
    assert "Dues October" in Transition.objects.get(message__campaign=campaign, state="suppressed").reason


@pytest.mark.django_db(transaction=True)
def test_a_campaign_does_not_leave_out_its_own_people_nor_those_whom_it_tries_again(exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=250, skip_recent_days=7)
    dispatch.pump(exotel_account.pk)
    assert Message.objects.filter(campaign=campaign, state="accepted").count() == 250
    Message.objects.filter(campaign=campaign, number=builders.number(3)).update(delivery="failed", code="23035")
    recount(campaign.pk)
    child = retry.make(Campaign.objects.get(pk=campaign.pk)).campaign
    assert (child.skip_recent_days, codes(child).keys() & {"RECENT_CHANGED", "COUNTRIES_CHANGED"}) == (0, set())


@pytest.mark.parametrize("days", [91, -1, "x", None, 1.5])
def test_a_choice_that_cannot_be_is_refused_by_rest(account, days):
    body = {"name": "X", "account": account.pk, "template": builders.template().pk, "skip_recent_days": days}
    answer = Api("write").post("/campaigns/", body)
    assert (answer.status_code, answer.json()["field"]) == (400, "skip_recent_days"), answer.content


def test_rest_takes_the_choice_and_tells_what_it_did(account):
    sent(account)
    api = Api("read", "write", "export", "numbers")
    body = {"name": "X", "account": account.pk, "template": builders.template().pk, "skip_recent_days": 30}
    made = api.post("/campaigns/", body).json()
    assert made["skip_recent_days"] == 30
    started = api.post(f"/campaigns/{made['id']}/recipients/", [{"phone": "9800000000", "var1": "A", "var2": "1"}]).json()
    read_ = audience.run(started["import"])
    found = api.get(f"/imports/{started['import']}/").json()
    assert read_ and {name: found[name] for name in ("rows", "accepted", "rejected", "suppressed", "recently_messaged")} == {
        "rows": 1, "accepted": 0, "rejected": 0, "suppressed": 1, "recently_messaged": 1,
    }  # fmt: skip
    text = b"".join(api.get(f"/imports/{started['import']}/errors.csv").streaming_content).decode()
    assert "RECENTLY_MESSAGED" in text and "Dues October" in text


def test_the_console_asks_for_it_and_shows_how_many_were_left_out(account):
    sent(account)
    client, template = Client(), builders.template()
    client.force_login(User.objects.create_superuser("asha"))
    rows = {"name": "KYC", "account": account.pk, "template": template.pk, "pasted": FILE}
    bad = client.post(reverse("admin:draft_new"), rows | {"skip_recent_days": "400"})
    assert "less than or equal to 90" in bad.content.decode()
    client.post(reverse("admin:draft_new"), rows | {"skip_recent_days": "7"})
    campaign = Campaign.objects.get(name="KYC")
    client.post(reverse("admin:draft_columns", args=[campaign.pk]), {"phone": "mobile", "var1": "name", "var2": "amount"})
    audience.run(campaign.imports.get().pk)
    text = client.get(reverse("admin:draft_columns", args=[campaign.pk])).content.decode()
    assert "<strong>2</strong> left out" in text and "in the last 7 days" in text and "RECENTLY_MESSAGED" in text
    assert "2 rows left out" in client.get(reverse("admin:draft_launch", args=[campaign.pk])).content.decode()
    client.post(reverse("admin:draft_file", args=[campaign.pk]), {**rows, "pasted": "", "skip_recent_days": ""})
    campaign.refresh_from_db()
    assert campaign.skip_recent_days == 0
    assert "RECENT_CHANGED" in client.get(reverse("admin:draft_review", args=[campaign.pk])).content.decode()
