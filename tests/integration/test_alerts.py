"""Alerts as people and programs meet them: raised by a stop, closed by a resume, acknowledged by whoever may."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from campaigns.insight import alerts
from campaigns.models import Account, Alert, AuditEvent, Campaign
from campaigns.sending import control
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_console_registers import account_form
from tests.people import as_role

pytestmark = pytest.mark.django_db
PAGE = "/alerts/"


def stopped(reason="Exotel refused 40 messages."):
    campaign = builders.launched(recipients=1)
    control.stop_campaign(campaign.pk, campaign.account_id, reason)
    return Campaign.objects.get(pk=campaign.pk)


def open_ones():
    return list(Alert.objects.filter(closed_at=None))


# What raises and closes them -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", [control.resume, control.cancel])
def test_a_stopped_campaign_has_an_alert_until_somebody_decides(act):
    campaign = stopped()
    assert [alert.campaign for alert in open_ones()] == [campaign]
    act(campaign)
    assert open_ones() == []


def test_a_stopped_account_has_one_alert_until_a_campaign_of_it_goes_on():
    campaign = builders.launched(recipients=1)
    for _ in range(3):
        control.stop_account(campaign.account_id, "No balance is left. Recharge.")
    (alert,) = open_ones()
    assert (alert.account, alert.times) == (campaign.account, 3)
    control.resume(Campaign.objects.get())
    assert open_ones() == []


def test_new_credentials_close_the_accounts_alert(admin_client):
    account = builders.account()
    control.stop_account(account.pk, "Exotel refused the API key and token.")
    response = admin_client.post(
        reverse("admin:campaigns_account_change", args=[account.pk]),
        account_form(name=account.name, account_sid=account.account_sid),
    )
    assert response.status_code == 302, response.content
    assert (Account.objects.get().stopped_at, open_ones()) == (None, [])


# The page ------------------------------------------------------------------------------------------------------------


def test_without_alerts_the_page_says_what_would_come_here():
    text = as_role("Viewer").get(PAGE).content.decode()
    assert "Nothing wants to be looked at" in text and "Acknowledge" not in text


def test_open_alerts_come_first_with_what_they_are_about():
    gone, waiting = stopped("The first matter."), stopped("The second matter.")
    Alert.objects.get(campaign=gone).acknowledge(User.objects.create_user("ravi"))
    Alert.notice("stopped", waiting, "The second matter, again.")
    text = as_role("Launcher").get(PAGE).content.decode()
    assert text.index("The second matter, again.") < text.index("The first matter.")
    for campaign in (gone, waiting):
        assert f'href="{reverse("admin:campaign", args=[campaign.pk])}"' in text
    assert "noticed 2 times" in text and "ravi" in text and "1 open alert" in text
    assert text.count(">Acknowledge</button>") == 1


def test_an_alert_that_was_over_by_itself_says_so():
    control.resume(stopped())
    assert "over by itself" in as_role("Viewer").get(PAGE).content.decode()


def test_an_alert_about_an_account_leads_there():
    account = builders.account()
    control.stop_account(account.pk, "No balance is left.")
    assert reverse("admin:campaigns_account_change", args=[account.pk]) in as_role("Auditor").get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("role", "may"), [("Viewer", False), ("Editor", False), ("Auditor", False), ("Launcher", True), ("Administrator", True)]
)
def test_only_launchers_acknowledge_and_it_is_audited_once(role, may):
    campaign = stopped()
    client, alert = as_role(role), Alert.objects.get()
    assert (">Acknowledge</button>" in client.get(PAGE).content.decode()) is may
    url = reverse("admin:alert_acknowledge", args=[alert.pk])
    for _ in range(2):
        assert client.post(url).status_code == (302 if may else 403)
    alert.refresh_from_db()
    assert bool(alert.closed_at) is may
    assert (alert.closed_by.username if may else None) == (f"somebody-{role}" if may else None)
    events = AuditEvent.objects.filter(action="alert.acknowledge")
    assert [event.details for event in events] == ([{"matter": f"stopped:campaign:{campaign.pk}"}] if may else [])
    assert Campaign.objects.get().state == "stopped", "acknowledging resumes nothing"


def test_acknowledging_is_asked_for_by_post():
    stopped()
    assert as_role("Launcher").get(reverse("admin:alert_acknowledge", args=[Alert.objects.get().pk])).status_code == 405
    assert open_ones()


def test_a_matter_that_comes_up_again_is_a_new_alert():
    campaign = stopped()
    Alert.objects.get().acknowledge(None)
    Alert.notice("stopped", campaign, "Again.")
    assert [alert.text for alert in open_ones()] == ["Again."]


def test_the_last_200_closed_are_kept_in_sight(django_assert_max_num_queries):
    campaign, now = builders.campaign(), timezone.now()
    Alert.objects.bulk_create(
        Alert(kind="stopped", matter=f"m{i}", campaign=campaign, text=f"Matter {i}.", raised_at=now, noticed_at=now,
              closed_at=now + timedelta(seconds=i)) for i in range(205)
    )  # fmt: skip
    assert [alert.text for alert in alerts.closed_ones()] == [f"Matter {i}." for i in range(204, 4, -1)]
    client = as_role("Viewer")
    with django_assert_max_num_queries(25):
        assert client.get(PAGE).status_code == 200


# REST ----------------------------------------------------------------------------------------------------------------


def test_programs_see_open_alerts_before_closed_ones():
    gone, waiting = stopped("The first."), stopped("The second.")
    control.cancel(gone)
    found = Api("read").get("/alerts/").json()
    assert [(row["text"], row["campaign"], row["account"], row["level"]) for row in found] == [
        ("The second.", waiting.pk, None, "error"),
        ("The first.", gone.pk, None, "error"),
    ]
    assert [bool(row["closed_at"]) for row in found] == [False, True]
    assert [row["text"] for row in Api("read").get("/alerts/", state="open").json()] == ["The second."]
    assert [row["text"] for row in Api("read").get("/alerts/", state="closed").json()] == ["The first."]
    refused = Api("read").get("/alerts/", state="new")
    assert (refused.status_code, refused.json()["field"]) == (400, "state")


def test_a_program_acknowledges_with_the_scope_to_launch():
    stopped()
    pk = Alert.objects.get().pk
    refused = Api("read", "write").post(f"/alerts/{pk}/acknowledge/")
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")
    told = [Api("launch").post(f"/alerts/{pk}/acknowledge/").json() for _ in range(2)]
    assert told[0] == told[1] and told[0]["closed_by"] == "asha"
    assert AuditEvent.objects.filter(action="alert.acknowledge", actor="asha").count() == 1


@pytest.mark.parametrize("pk", ["0", "424242", str(2**63), "9" * 40])
def test_an_unknown_alert_is_404(pk):
    assert Api("launch").post(f"/alerts/{pk}/acknowledge/").status_code == 404
    assert as_role("Launcher").post(f"/alerts/{pk}/acknowledge/").status_code == 404
