"""What is laid down for webhooks, in the transaction of what it tells of: every final state, a campaign's life, alerts."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import leases
from campaigns.exotel.reports import from_fields
from campaigns.hooks import courier
from campaigns.models import Account, Alert, Campaign, Message, Suppression, WebhookDelivery
from campaigns.sending import announce, control, dispatch, evidence, intent, launch, settle, states
from campaigns.sending.evidence import Evidence
from campaigns.sending.outcomes import ItemResult, Kind, Outcome
from tests import builders
from tests.integration.test_evidence import Sent
from tests.integration.test_webhook_courier import webhook

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9/x"


def told(kind=None, hook=None):
    """The data of all deliveries, in the order in which they were made."""
    rows = WebhookDelivery.objects.order_by("pk")
    rows = rows.filter(type=kind) if kind else rows
    return [json.loads(row.body)["data"] for row in (rows.filter(webhook=hook) if hook else rows)]


def outcomes():
    """(message, state, delivery, code) of all messages told of."""
    return [
        (one["id"], one["state"], one["delivery"], one["code"]) for data in told("message.final") for one in data["messages"]
    ]


@pytest.fixture
def sent(db):
    return Sent()


@pytest.fixture
def hook(db):
    return webhook(NOWHERE, "message.final")


# Messages ------------------------------------------------------------------------------------------------------------

FINAL = [("20005", "sent", "delivered"), ("20006", "sent", "at_operator"), ("23050", "failed", "failed")]


@pytest.mark.parametrize(("code", "status", "delivery"), FINAL)
def test_a_report_that_makes_a_message_final_is_told_once(sent, hook, code, status, delivery):
    sent.accept(0, 1)
    assert told() == [], "accepted is not final"
    sent.apply(sent.report(0, code, status))
    sent.apply(sent.report(0, code, status))
    assert outcomes() == [(sent.order.ids[0], "accepted", delivery, code)]
    (one,) = told()[0]["messages"]
    message = sent.message(0)
    assert (one["campaign"], one["account"], one["sid"], one["units"]) == (sent.campaign.pk, message.account_id, "sid0", 1)
    assert one["number"] == "+91 98••• ••000" and one["name"] and one["final_at"].endswith("Z")


def test_a_message_that_was_read_is_told_as_read(sent, hook):
    sent.accept(0)
    sent.apply(sent.report(0, "20005"))
    report = sent.report(0, "", "seen", second=5)
    sent.apply(Evidence.of(report.attempt, report.report._replace(state="read"), report.received_at))
    assert [row[2] for row in outcomes()] == ["delivered", "read"]


@pytest.mark.parametrize("status", ["queued", "sending", "submitted"])
def test_what_is_not_final_is_not_told(sent, hook, status):
    sent.accept(0)
    sent.apply(sent.report(0, "", status))
    assert told() == []


def test_a_higher_outcome_is_told_again_and_a_lower_one_is_not(sent, hook):
    sent.accept(0)
    sent.apply(sent.report(0, "23050", "failed"))
    sent.apply(sent.report(0, "20005", "sent", second=1))
    sent.apply(sent.report(0, "20006", "sent", second=9), sent.report(0, "23050", "failed", second=9))
    assert [row[2] for row in outcomes()] == ["failed", "delivered"]
    orders = [data["messages"][0]["order"] for data in told()]
    assert orders == sorted(orders) and len({len(order) for order in orders}) == 1, "comparable as text"


def test_a_later_report_of_the_same_outcome_is_not_told_again(sent, hook):
    sent.accept(0)
    sent.apply(sent.report(0, "20005", second=1))
    sent.apply(sent.report(0, "20005", second=2))
    assert len(outcomes()) == 1


def test_evidence_that_settles_a_doubt_is_told(sent, hook):
    with transaction.atomic():
        states.doubt(sent.attempt, timezone.now(), "no answer")
    assert told() == [], "unconfirmed is not final: a report may still come"
    sent.apply(sent.report(2, "20005"))
    assert outcomes() == [(sent.order.ids[2], "accepted", "delivered", "20005")]


def test_a_refused_message_is_told(sent, hook):
    items = [ItemResult(0, Kind.ACCEPTED, "sid0"), *(ItemResult(i, Kind.REJECTED, code="40001") for i in (1, 2, 3))]
    settle.settle(sent.order, Outcome("answered", items=items))
    assert outcomes() == [(pk, "rejected", "", "40001") for pk in sent.order.ids[1:]]


def test_suppressed_and_cancelled_messages_are_told(hook):
    campaign = builders.launched(recipients=4)
    Suppression.objects.create(number=builders.number(0))
    control.pause(campaign)
    control.resume(campaign)
    intent.commit(builders.owner().pk, campaign.account_id)
    first = Message.objects.filter(campaign=campaign).order_by("pk").first()
    assert outcomes() == [(first.pk, "suppressed", "", "")]
    other = builders.launched(recipients=3)
    control.cancel(other)
    control.wind_up(other.pk)
    assert sorted({row[1] for row in outcomes()}) == ["cancelled", "suppressed"] and len(outcomes()) == 4


def test_one_delivery_tells_of_a_hundred_messages(hook):
    campaign = builders.launched(recipients=250)
    control.cancel(campaign)
    control.wind_up(campaign.pk)
    assert [len(data["messages"]) for data in told()] == [100, 100, 50]
    assert [row.items for row in WebhookDelivery.objects.order_by("pk")] == [100, 100, 50]
    assert len({one["id"] for data in told() for one in data["messages"]}) == 250
    assert len({row.event_id for row in WebhookDelivery.objects.all()}) == 3


@pytest.mark.parametrize(
    ("fields", "number"),
    [({"full_numbers": True}, "+919800000000"), ({}, "+91 98••• ••000"), ({"enabled": False}, None), ({"events": 1}, None)],
)
def test_each_webhook_is_told_what_it_wants_and_may_see(sent, fields, number):
    events = ["alert"] if fields.pop("events", 0) else ["message.final"]
    webhook(NOWHERE, *events, **fields)
    webhook(NOWHERE, "message.final", account=builders.account(), name="of another account")
    own = webhook(NOWHERE, "message.final", account=sent.campaign.account, name="of this account")
    sent.accept(0)
    sent.apply(sent.report(0))
    others = [data["messages"][0]["number"] for data in told() if data not in told(hook=own)]
    assert len(told(hook=own)) == 1 and WebhookDelivery.objects.count() == 1 + (number is not None)
    if number == "+919800000000":
        assert others == [number]


def test_it_is_stored_with_what_it_tells_of_or_not_at_all(sent, hook):
    sent.accept(0)

    class Undone(Exception):
        pass

    with pytest.raises(Undone), transaction.atomic():
        sent.apply(sent.report(0))
        assert len(told()) == 1
        raise Undone
    assert told() == [] and sent.message(0).delivery == "awaiting"


def test_without_a_webhook_a_batch_asks_once_and_reads_nothing(sent):
    sent.accept(0, 1)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        sent.apply(sent.report(0), sent.report(1))
    asked = [query["sql"] for query in queries if "campaigns_webhook" in query["sql"]]
    assert len(asked) == 1 and 'campaigns_webhook"' in asked[0] and not WebhookDelivery.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        announce.final([])
    assert not len(queries)


# Campaigns -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_campaigns_whole_life_is_told_exactly(simulator, exotel_account):
    """Through the real sender against the simulator: launched, paused, resumed, finished, with every message's outcome."""
    everything = webhook(NOWHERE, "campaign.state", "alert", "message.final")
    campaign = builders.campaign(account=exotel_account, recipients=3, name="Dues")
    launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    control.pause(Campaign.objects.get(pk=campaign.pk))
    control.resume(Campaign.objects.get(pk=campaign.pk))
    dispatch.pump(exotel_account.pk)
    found = told("campaign.state", everything)
    assert [data["state"] for data in found] == ["launching", "running", "paused", "running", "finished"]
    assert {(data["id"], data["name"], data["account"]) for data in found} == {(campaign.pk, "Dues", exotel_account.pk)}
    assert found[-1]["finished_at"] and not found[0]["finished_at"] and found[0]["launched_at"]
    assert [row.about for row in WebhookDelivery.objects.filter(type="campaign.state").order_by("pk")][2] == "Dues: paused"
    assert told("message.final") == []
    messages = list(Message.objects.order_by("pk"))
    for message in messages:
        fields = {
            "SmsSid": message.sid,
            "To": f"0{message.number % 10**10}",
            "Status": "sent",
            "DetailedStatusCode": "20005",
        }
        with transaction.atomic():
            evidence.apply([Evidence.of(message.attempt_id, from_fields(fields, "callback"), timezone.now())])
    assert outcomes() == [(message.pk, "accepted", "delivered", "20005") for message in messages]
    assert told("alert") == [] and WebhookDelivery.objects.count() == 5 + 3


def test_a_stop_is_told_with_its_reason_as_state_and_as_alert():
    webhook(NOWHERE, "campaign.state", "alert")
    campaign = builders.launched(recipients=1)
    WebhookDelivery.objects.all().delete()
    control.stop_campaign(campaign.pk, campaign.account_id, "Exotel refused 40 messages.")
    control.stop_campaign(campaign.pk, campaign.account_id, "Once more.")
    control.resume(Campaign.objects.get(pk=campaign.pk))
    assert [(data["state"], data["reason"]) for data in told("campaign.state")] == [
        ("stopped", "Exotel refused 40 messages."), ("running", ""),
    ]  # fmt: skip
    raised, closed = told("alert")
    assert (raised["change"], raised["kind"], raised["campaign"], raised["account"]) == (
        "raised",
        "stopped",
        campaign.pk,
        None,
    )
    assert (raised["text"], raised["level"]) == ("Exotel refused 40 messages.", "error")
    assert (closed["change"], closed["id"], bool(closed["closed_at"]), closed["closed_by"]) == (
        "closed",
        raised["id"],
        True,
        None,
    )


def test_a_missed_start_and_a_reopened_campaign_are_told():
    webhook(NOWHERE, "campaign.state")
    campaign = builders.campaign(recipients=1, schedule_at=timezone.now() + timedelta(hours=1))
    launch.launch(campaign, None, accept_warnings=True)
    launch.start_due(timezone.now() + timedelta(hours=1, minutes=5))
    assert [data["state"] for data in told()] == ["scheduled", "launching"]
    assert told()[0]["schedule_at"]


def test_a_draft_that_cannot_be_paused_tells_nothing():
    webhook(NOWHERE, "campaign.state")
    with pytest.raises(control.Refused):
        control.pause(builders.campaign())
    assert told() == []


# Alerts --------------------------------------------------------------------------------------------------------------


def test_an_alert_is_told_when_it_is_raised_and_when_it_is_closed_not_each_time_it_is_noticed(django_user_model):
    user = django_user_model.objects.create_user("asha")
    webhook(NOWHERE, "alert")
    account = builders.account()
    for _ in range(3):
        Alert.notice("stopped", account, "No balance is left.")
    alert = Alert.objects.get()
    assert [data["change"] for data in told()] == ["raised"]
    assert alert.acknowledge(user) and not alert.acknowledge(user)
    assert [(data["change"], data["closed_by"]) for data in told()] == [("raised", None), ("closed", "asha")]
    Alert.close(account=account)
    assert len(told()) == 2
    Alert.notice("stopped", account, "Again.")
    assert [data["text"] for data in told()][-1] == "Again."


def test_an_alert_goes_to_the_webhooks_of_its_account():
    mine, other = builders.launched(recipients=1), builders.account()
    here = webhook(NOWHERE, "alert", account=mine.account, name="here")
    webhook(NOWHERE, "alert", account=other, name="there")
    every = webhook(NOWHERE, "alert", name="all")
    Alert.notice("stopped", Campaign(pk=mine.pk), "Of the campaign.")
    Alert.notice("stopped", Account.objects.get(pk=mine.account_id), "Of the account.")
    assert set(WebhookDelivery.objects.values_list("webhook", flat=True)) == {here.pk, every.pk}
    assert len(told()) == 4


def test_what_is_laid_down_rings_once_and_not_while_it_is_being_delivered(monkeypatch):
    rung = []
    monkeypatch.setattr("campaigns.models.webhook.jobs.enqueue", lambda *job: rung.append(job))
    first = webhook(NOWHERE, "alert")
    Alert.notice("stopped", builders.account(), "One.")
    assert rung == [("campaigns.tasks.deliver",)]
    Alert.notice("stopped", builders.account(), "It is on its way.")
    assert len(rung) == 1
    second = webhook(NOWHERE, "alert")
    Alert.notice("stopped", builders.account(), "The other webhook waits for nothing yet.")
    assert len(rung) == 2
    WebhookDelivery.objects.filter(webhook=second).update(next_at=timezone.now() + timedelta(hours=1))
    Alert.notice("stopped", builders.account(), "Its older one is not due.")
    assert len(rung) == 3
    WebhookDelivery.objects.filter(webhook=first).delete()
    leases.take(courier.LEASE, uuid4())
    Alert.notice("stopped", builders.account(), "Somebody delivers.")
    assert len(rung) == 3


def test_a_webhook_deleted_meanwhile_does_not_undo_what_it_would_have_been_told(sent, hook, monkeypatch):
    """Read by the sender, then deleted by somebody before the sender commits: the outcome stands."""
    known = [hook]
    monkeypatch.setattr(announce.Webhook, "wanting", lambda _event: known)
    sent.accept(0)
    hook.delete()
    hook.pk = 999_999
    sent.apply(sent.report(0))
    connection.check_constraints()
    assert sent.message(0).delivery == "delivered"
    assert courier.run() == {"tried": 0, "delivered": 0}
