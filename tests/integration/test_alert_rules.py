"""The alert rules: what raises and closes an alert, from counters alone, and who may change when that is."""

import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callbacks import inbox
from callbacks.models import CallbackEvent
from campaigns import leases, tasks
from campaigns.insight import measures, rules, watch
from campaigns.models import Alert, AlertRule, Attempt, AuditEvent, Campaign, Count, Heartbeat, Webhook, WebhookDelivery
from campaigns.models.alert import CLOSED, RAISED
from campaigns.sending import control
from tests import builders
from tests.integration.test_alerts import open_ones
from tests.integration.test_api import Api
from tests.people import as_role
from tests.plans import plan_of

pytestmark = pytest.mark.django_db
ACCEPTED, REJECTED = "accepted", "rejected"


@pytest.fixture(autouse=True)
def defaults(db):
    AlertRule.create_defaults()


@pytest.fixture
def campaign(db):
    return builders.campaign(name="Diwali")


def rule(kind, **values):
    found = AlertRule.objects.get(kind=kind, account=None)
    for name, value in values.items():
        setattr(found, name, value)
    found.full_clean()
    found.save()
    return found


def counted(campaign, *places, minutes=40):
    """(state, delivery, code, n) of messages handed over so long ago."""
    quarter = measures.quarter(timezone.now() - timedelta(minutes=minutes))
    for state, delivery, code, n in places:
        Count.objects.create(campaign=campaign, quarter=quarter, state=state, delivery=delivery, code=code, n=n, units=n)


def refused(campaign, outcome, status, code="", times=1, minutes=5):
    at = timezone.now() - timedelta(minutes=minutes)
    owner = builders.owner()
    for _ in range(times):
        Attempt.objects.create(
            id=builders.uuid.uuid4(), campaign=campaign, account=campaign.account, owner=owner, phase="done", size=1,
            outcome=outcome, http_status=status, app_code=code, started_at=at, finished_at=at,
        )  # fmt: skip


def patch(scope, path, body):
    api = Api(scope)
    return api.client.patch(f"/api/v1{path}", json.dumps(body), "application/json", headers=api.headers)


def raised():
    watch.look()
    return {alert.kind: alert for alert in open_ones()}


# What raises an alert ------------------------------------------------------------------------------------------------


FAILED = (ACCEPTED, "failed", "23050")
DELIVERED = (ACCEPTED, "delivered", "")


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([(*FAILED, 6), (*DELIVERED, 94)], True),
        ([(*FAILED, 5), (*DELIVERED, 95)], False),  # 5 % is not over 5 %
        ([(*FAILED, 6), (*DELIVERED, 93)], False),  # too few to tell
        ([(*FAILED, 6), (ACCEPTED, "awaiting", "", 500), (*DELIVERED, 94)], True),  # what waits is in neither number
        ([(REJECTED, "", "40203", 6), (ACCEPTED, "at_operator", "", 94)], True),
        ([(*FAILED, 6), (*FAILED, -6), (*DELIVERED, 100)], False),  # deltas are added up
        ([], False),
    ],
)
def test_a_share_of_failures_is_told_of_when_enough_is_known(campaign, places, expected):
    counted(campaign, *places)
    assert ("failed_rate" in raised()) is expected


def test_the_text_says_how_many_of_how_many_and_why(campaign):
    counted(campaign, (*FAILED, 30), (ACCEPTED, "failed", "23005", 20), (*DELIVERED, 150))
    alert = raised()["failed_rate"]
    assert "50 of 200 messages with a final report failed (25.0 %)" in alert.text
    assert alert.text.index("23050") < alert.text.index("23005")
    assert (alert.account, alert.level) == (campaign.account, "warning")


def test_what_was_sent_before_the_window_is_not_looked_at(campaign):
    counted(campaign, (*FAILED, 100), minutes=140)
    assert "failed_rate" not in raised()
    rule("failed_rate", window=240)
    assert "failed_rate" in raised()


REFUSALS = [
    ("stop_account", 401, "34010", "auth_error"),
    ("stop_account", 401, "", "auth_error"),
    ("stop_account", 403, "34009", "auth_error"),
    ("stop_account", 403, "", "auth_error"),
    ("stop_account", 403, "40001", "low_balance"),
    ("stop_account", 402, "", "low_balance"),
    ("stop_account", 403, "40002", None),
    ("stop_account", 404, "", None),
    ("stop_campaign", 400, "40206", "template_error"),
    ("stop_campaign", 400, "40300", "template_error"),
    ("stop_campaign", 400, "40209", None),
    ("throttled", 429, "40402", None),
    ("unknown", 500, "", None),
    ("answered", 207, "", None),
]


@pytest.mark.parametrize(("outcome", "status", "code", "kind"), REFUSALS)
def test_one_refused_request_is_enough_where_it_is_about_the_set_up(campaign, outcome, status, code, kind):
    refused(campaign, outcome, status, code)
    assert set(raised()) == ({kind} if kind else set())


@pytest.mark.parametrize(
    ("code", "kind"), [("1", "auth_error"), ("24", "auth_error"), ("6", "low_balance"), ("3", None), ("14", None)]
)
def test_geniqs_numbers_are_read_as_its_own(code, kind):
    campaign = builders.campaign(account=builders.account(provider="geniq", base_url="https://api.geniq.io"))
    refused(campaign, "stop_account", 200, code)
    assert set(raised()) == ({kind} if kind else set())


@pytest.mark.parametrize(("times", "expected"), [(10, False), (11, True)])
def test_more_than_ten_throttles_an_hour_are_told_of(campaign, times, expected):
    refused(campaign, "throttled", 429, "40402", times=times, minutes=50)
    refused(campaign, "throttled", 429, "40402", times=5, minutes=70)
    assert ("throttled" in raised()) is expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ((ACCEPTED, "failed", "23082", 1), True),
        ((ACCEPTED, "failed", "23084", 1), True),
        ((ACCEPTED, "failed", "wa:30022", 1), True),
        ((ACCEPTED, "failed", "wa:30024", 1), True),
        ((ACCEPTED, "failed", "23050", 5), False),
        ((ACCEPTED, "failed", "999999", 5), False),
    ],
)
def test_a_template_or_dlt_error_is_told_of_with_its_remedy(campaign, place, expected):
    counted(campaign, place)
    found = raised().get("template_error")
    assert bool(found) is expected
    if found:
        assert place[2] in found.text and found.text.endswith(measures.of_message(place[2]).remedy)


@pytest.mark.parametrize(
    ("expired", "channel", "expected"), [(21, "whatsapp", True), (20, "whatsapp", False), (21, "sms", False)]
)
def test_expired_sessions_are_counted_among_whatsapp_alone(campaign, expired, channel, expected):
    campaign.channel = channel
    campaign.save()
    counted(campaign, (ACCEPTED, "failed", "wa:30018", expired), (*DELIVERED, 100 - expired))
    counted(builders.campaign(account=campaign.account), (*DELIVERED, 1000))  # SMS of the same account
    assert ("session_expired" in raised()) is expected


@pytest.mark.parametrize(
    ("waiting", "minutes", "reported", "expected"),
    [
        (50, 40, None, True),
        (49, 40, None, False),
        (50, 10, None, False),  # too young to have a report
        (50, 300, None, False),  # long gone: Exotel is asked about those
        (50, 40, 40, False),  # a report of the same quarter
        (50, 40, 5, False),  # and of a younger one
        (50, 40, 100, True),  # reports came until then
    ],
)
def test_reports_that_stay_away_are_told_of_with_what_to_check(campaign, waiting, minutes, reported, expected):
    counted(campaign, (ACCEPTED, "awaiting", "", waiting), minutes=minutes)
    if reported:
        counted(campaign, (*DELIVERED, 1), minutes=reported)
    found = raised().get("callbacks_silent")
    assert bool(found) is expected
    if found:
        for word in ("EXODASH_PUBLIC_URL", "EXODASH_CALLBACK_NETWORKS", "/callbacks/"):
            assert word in found.text


def test_reports_of_one_account_do_not_hide_the_silence_of_another(campaign):
    counted(campaign, (ACCEPTED, "awaiting", "", 60))
    counted(builders.campaign(), (*DELIVERED, 500), minutes=5)
    assert raised()["callbacks_silent"].account == campaign.account


@pytest.mark.parametrize(("minutes", "result", "expected"), [(6, "", True), (4, "", False), (60, "parked", False)])
def test_callbacks_that_nobody_applies_are_told_of(minutes, result, expected):
    at = timezone.now() - timedelta(minutes=minutes)
    CallbackEvent.objects.create(received_at=at, attempt=builders.uuid.uuid4(), raw=b"x=y", result=result)
    found = raised().get("callback_backlog")
    assert bool(found) is expected
    if found:
        assert (found.account, found.campaign, found.matter) == (None, None, "callback_backlog:all")
        inbox.apply_next()
        Alert.objects.update(noticed_at=timezone.now() - timedelta(minutes=6))
        assert "callback_backlog" not in raised()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"last_intent_at": 10}, False),
        ({"resumed_at": 10}, False),
        ({"state": "paused"}, False),
        ({"launched_at": 14}, False),
    ],
)
def test_messages_that_wait_without_progress_are_told_of(change, expected):
    campaign = builders.launched(recipients=3)
    values = {"launched_at": 30, "last_intent_at": 20} | change
    now = timezone.now()
    aged = {k: v if k == "state" else now - timedelta(minutes=v) for k, v in values.items()}
    if "launched_at" in change:
        aged["last_intent_at"] = None
    Campaign.objects.update(**aged)
    found = raised().get("sending_backlog")
    assert bool(found) is expected, campaign
    if found:
        assert "3 messages" in found.text and "20 minutes" in found.text


@pytest.mark.parametrize(("hour", "expected"), [(3, False), (4, False), (6, True), (20, False)])
def test_closed_hours_are_no_backlog(monkeypatch, hour, expected):
    """10:00 in India is 4:30 UTC: there is nothing to complain of before 4:45."""
    campaign = builders.launched(recipients=1)
    campaign.snapshot["category"] = "promotional"
    at = datetime(2026, 11, 21, hour, 35, tzinfo=UTC)
    campaign.launched_at = campaign.last_intent_at = at - timedelta(days=1)
    campaign.save()
    waiting, since = measures.stuck(campaign.account, at)
    assert (bool(waiting) and at - since > timedelta(minutes=15)) is expected


def test_messages_of_a_stopped_account_wait_for_its_own_alert():
    campaign = builders.launched(recipients=1)
    Campaign.objects.update(launched_at=timezone.now() - timedelta(hours=1))
    control.stop_account(campaign.account_id, "No balance is left.")
    assert set(raised()) == {"stopped"}


# When, how often, by whom ---------------------------------------------------------------------------------------------


def test_an_alert_stays_one_while_it_holds_and_closes_once_it_has_been_over_for_a_while(campaign):
    counted(campaign, (*FAILED, 100))
    for _ in range(3):
        alert = raised()["failed_rate"]
    assert (Alert.objects.count(), alert.times) == (1, 1)
    Count.objects.all().delete()
    assert "failed_rate" in raised()  # not yet: it would flap
    Alert.objects.update(noticed_at=timezone.now() - timedelta(minutes=6))
    assert raised() == {}
    assert Alert.objects.get().closed_by is None


def test_an_acknowledged_matter_is_not_raised_again_before_the_rule_says_so(campaign):
    rule("failed_rate", repeat_after=30)
    counted(campaign, (*FAILED, 100))
    raised()["failed_rate"].acknowledge(User.objects.create_user("ravi"))
    assert raised() == {}
    Alert.objects.update(closed_at=timezone.now() - timedelta(minutes=29))
    assert raised() == {}
    Alert.objects.update(closed_at=timezone.now() - timedelta(minutes=31))
    assert set(raised()) == {"failed_rate"}


def test_the_rule_of_an_account_stands_in_place_of_the_one_for_all(campaign):
    other = builders.campaign()
    for one in (campaign, other):
        counted(one, (*FAILED, 20), (*DELIVERED, 80))
    AlertRule.objects.create(kind="failed_rate", account=campaign.account, threshold=50, window=60, minimum=10)
    assert raised()["failed_rate"].account == other.account
    AlertRule.objects.filter(account=campaign.account).update(threshold=1)
    raised()
    assert {alert.account for alert in open_ones()} == {campaign.account, other.account}


def test_a_rule_that_is_off_raises_nothing(campaign):
    counted(campaign, (*FAILED, 100))
    rule("failed_rate", enabled=False)
    assert raised() == {}


def test_a_resume_closes_the_stop_and_leaves_what_rules_found(campaign):
    running = builders.launched(account=campaign.account)
    counted(campaign, (*FAILED, 100))
    control.stop_account(campaign.account_id, "Refused.")
    assert set(raised()) == {"stopped", "failed_rate"}
    running.refresh_from_db()
    control.resume(running)
    assert {alert.kind for alert in open_ones()} == {"failed_rate"}


def test_every_alert_is_told_to_webhooks_once_when_raised_and_once_when_closed(campaign):
    hook = Webhook(name="Ops", url="https://hooks.example/alerts", events=["alert"])
    hook.renew_secret()
    hook.save()
    control.stop_account(campaign.account_id, "Refused.")
    control.stop_account(campaign.account_id, "Refused.")
    Alert.close(account=campaign.account)
    counted(campaign, (*FAILED, 100))
    raised()
    alert = raised()["failed_rate"]
    assert alert.acknowledge(User.objects.create_user("ravi")) and not alert.acknowledge(None)
    told = [json.loads(delivery.body)["data"] for delivery in WebhookDelivery.objects.order_by("created_at", "pk")]
    assert [(data["kind"], data["change"], data["closed_by"]) for data in told] == [
        ("stopped", RAISED, None), ("stopped", CLOSED, None), ("failed_rate", RAISED, None), ("failed_rate", CLOSED, "ravi"),
    ]  # fmt: skip


def test_an_alert_that_cannot_be_told_is_not_raised_by_halves(campaign, monkeypatch):
    def broken(alert, change):
        raise RuntimeError

    monkeypatch.setattr(Alert, "_tell", broken)
    with pytest.raises(RuntimeError):
        Alert.notice("failed_rate", campaign.account, "Text.")
    assert not Alert.objects.exists()


def test_it_looks_at_most_once_a_minute_and_one_at_a_time(campaign, monkeypatch):
    looks = []
    monkeypatch.setattr(watch, "look", lambda: looks.append(leases.held(watch.NAME)))
    assert [watch.watch(), watch.watch()] == [True, False]
    Heartbeat.objects.filter(name=watch.NAME).update(at=timezone.now() - timedelta(seconds=61))
    leases.take(watch.NAME, builders.uuid.uuid4())
    assert not watch.watch()
    leases.Lease.objects.all().delete()
    assert watch.watch()
    assert looks == [True, True] and not leases.held(watch.NAME)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_raises_one_alert(campaign):
    AlertRule.create_defaults()
    counted(campaign, (*FAILED, 100))
    ready = threading.Barrier(4)

    def work():
        ready.wait()
        watch.look()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [alert.kind for alert in open_ones()] == ["failed_rate"]


def test_a_defect_in_a_rule_costs_the_tick_nothing(campaign, monkeypatch):
    monkeypatch.setitem(rules.JUDGES, "failed_rate", lambda *_: 1 / 0)
    assert tasks.tick() == 0


def test_a_look_counts_no_messages_and_costs_the_same_for_any_number():
    campaign = builders.launched(recipients=50)
    counted(campaign, *((*FAILED, 1) for _ in range(100)))
    with CaptureQueriesContext(connection) as queries:
        watch.look()
    assert len(queries) <= 20
    assert not [q["sql"] for q in queries if "campaigns_message" in q["sql"]]


def test_refused_requests_are_found_by_their_index(campaign):
    measured = measures.measure(60)
    assert measured.refusals == {}
    with CaptureQueriesContext(connection) as queries:
        measures.measure(60)
    (sql,) = [q["sql"] for q in queries if "campaigns_attempt" in q["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
    assert "attempts_refused" in plan_of(sql)


# Defaults, console and API -------------------------------------------------------------------------------------------


def test_bootstrap_makes_each_default_once_and_keeps_what_was_edited(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    rule("failed_rate", threshold=9)
    AlertRule.objects.filter(kind="throttled").delete()
    for _ in range(2):
        call_command("bootstrap", stdout=StringIO(), stderr=StringIO())
    assert sorted(AlertRule.objects.values_list("kind", flat=True)) == sorted(AlertRule.Kind.values)
    assert AlertRule.objects.get(kind="failed_rate").threshold == 9
    assert AlertRule.objects.get(kind="throttled").threshold == 10


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [("Viewer", 200, False), ("Launcher", 200, False), ("Auditor", 200, False), ("Administrator", 200, True)],
)
def test_roles_see_rules_and_administrators_change_them(role, sees, changes):
    client, found = as_role(role), AlertRule.objects.get(kind="failed_rate")
    url = reverse("admin:campaigns_alertrule_change", args=[found.pk])
    text = client.get(reverse("admin:campaigns_alertrule_changelist"))
    assert text.status_code == sees and "more than 5 % of at least 100 messages in 2 h" in text.content.decode()
    assert ("Send a test e-mail" in client.get(url).content.decode()) is changes
    form = {"threshold": "7.5", "minimum": 10, "window": 30, "level": "error", "repeat_after": 15, "enabled": "on",
            "recipients": "a@x.in, b@x.in"}  # fmt: skip
    assert client.post(url, form).status_code == (302 if changes else 403)
    assert client.post(reverse("admin:alert_rule_test", args=[found.pk])).status_code == (302 if changes else 403)
    found.refresh_from_db()
    assert (found.threshold, found.addresses) == ((7.5, ["a@x.in", "b@x.in"]) if changes else (5, []))
    events = AuditEvent.objects.filter(action="alertrule.change", subject=f"alertrule:{found.pk}")
    assert events.count() == changes


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipients": "nobody"}, "recipients"),
        ({"recipients": "a@x.in\nb@x"}, "recipients"),
        ({"recipients": ",".join(f"a{i}@x.in" for i in range(21))}, "recipients"),
        ({"threshold": "101"}, "threshold"),
        ({"threshold": "-1"}, "threshold"),
        ({"window": "5"}, "window"),
        ({"window": "20000"}, "window"),
        ({"repeat_after": "0"}, "repeat_after"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_in_its_field(admin_client, change, field):
    found = AlertRule.objects.get(kind="failed_rate")
    form = {"threshold": "5", "minimum": 10, "window": 30, "level": "error", "repeat_after": 15, "recipients": ""} | change
    response = admin_client.post(reverse("admin:campaigns_alertrule_change", args=[found.pk]), form)
    assert response.status_code == 200 and field in response.context["adminform"].form.errors
    body = {name: value for name, value in change.items() if name != "recipients"}
    if "recipients" in change:
        body["recipients"] = change["recipients"].replace("\n", ",").split(",")
    answer = patch("admin", f"/alert-rules/{found.pk}/", body)
    assert (answer.status_code, answer.json()["field"].split(".")[0]) == (400, field)
    found.refresh_from_db()
    assert found.recipients == "" and found.threshold == 5


def test_an_account_has_one_rule_of_a_kind_and_it_can_be_deleted(admin_client, campaign):
    url = reverse("admin:campaigns_alertrule_add")
    form = {"kind": "failed_rate", "account": campaign.account_id, "threshold": "5", "minimum": 10, "window": 30,
            "level": "error", "repeat_after": 15, "recipients": "", "enabled": "on"}  # fmt: skip
    assert admin_client.post(url, form).status_code == 302
    assert "has such a rule already" in admin_client.post(url, form).content.decode()
    own, general = AlertRule.objects.get(account=campaign.account), AlertRule.objects.get(kind="failed_rate", account=None)
    assert (
        admin_client.post(reverse("admin:campaigns_alertrule_delete", args=[general.pk]), {"post": "yes"}).status_code == 403
    )
    assert admin_client.post(reverse("admin:campaigns_alertrule_delete", args=[own.pk]), {"post": "yes"}).status_code == 302


def test_the_dashboard_shows_what_is_open_until_it_is_acknowledged(campaign):
    counted(campaign, (*FAILED, 100))
    alert = raised()["failed_rate"]
    client = as_role("Launcher")
    assert "Share of failed messages." in client.get("/").content.decode()
    assert "Share of failed messages" in client.get("/alerts/").content.decode()
    assert "Share of failed" in client.get(f"/?account={campaign.account_id}").content.decode()
    client.post(reverse("admin:alert_acknowledge", args=[alert.pk]))
    assert "Share of failed messages." not in client.get("/").content.decode()


def test_programs_read_and_change_rules_with_the_scope_admin():
    found = Api("admin").get("/alert-rules/").json()
    assert {row["kind"] for row in found} == set(AlertRule.Kind.values)
    pk = next(row["id"] for row in found if row["kind"] == "throttled")
    told = patch("admin", f"/alert-rules/{pk}/", {"threshold": "25", "recipients": ["a@x.in", "a@x.in"], "enabled": False})
    assert (told.status_code, told.json()["threshold"], told.json()["recipients"]) == (200, "25.00", ["a@x.in"])
    assert AuditEvent.objects.get(action="alertrule.change").details == {"fields": ["addresses", "enabled", "threshold"]}
    for scope in ("read", "write", "launch"):
        assert Api(scope).get("/alert-rules/").status_code == 403
        assert patch(scope, f"/alert-rules/{pk}/", {"threshold": 1}).status_code == 403
    assert patch("admin", "/alert-rules/424242/", {}).status_code == 404
