"""Purging: what goes, what stays, what is never touched, and what becomes of a callback that comes after it."""

import threading
import uuid
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from callbacks import inbox, purge
from callbacks.models import CallbackEvent, LateCount
from campaigns import bulk
from campaigns.insight import counts, doubts, failures, family, recount
from campaigns.models import (
    Attempt,
    AuditEvent,
    Campaign,
    Click,
    ClickCount,
    Clicker,
    Count,
    DeliveryEvent,
    Import,
    Message,
    Recipient,
    RowError,
    Transition,
    Verification,
)
from campaigns.sending import control, intent, resend, retry, states
from campaigns.sending import purge as sending_purge
from campaigns.sending.outcomes import ItemResult, Kind
from tests import builders
from tests.dying import run_apart
from tests.integration.test_api import Api
from tests.integration.test_retry import DOUBT, WAITING, campaign_with, outcomes, resent

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
DELIVERED = ("accepted", "delivered", "20005")
FAILED = ("accepted", "failed", "23050")
PERSONAL = (Message, Recipient, RowError, DeliveryEvent, Transition, Verification, Click, Clicker)


def run(*arguments):
    out = StringIO()
    call_command("purge", *arguments, stdout=out)
    return out.getvalue()


def aged(campaign, days=500, **values):
    Campaign.objects.filter(pk=campaign.pk).update(finished_at=timezone.now() - timedelta(days=days), **values)
    campaign.refresh_from_db()
    return campaign


def finished(days=500, recipients=3, settings=None):
    """A campaign with everything that a campaign can leave: reports, clicks, refused rows, a file, strays, callbacks."""
    campaign = builders.launched(recipients=recipients, name="Diwali")
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    with bulk.transaction():
        results = [(pk, ItemResult(i, Kind.ACCEPTED, f"{campaign.pk}sid{i}")) for i, pk in enumerate(order.ids)]
        states.settle(order.attempt, results, timezone.now())
    Attempt.objects.update(phase="done", strays=[{"To": "09800000000"}])
    report(order, 0, "23050", "failed")
    for i in range(recipients):
        report(order, i)
    source = Import.objects.get(campaign=campaign)
    RowError.objects.create(source=source, line=9, code="INVALID_PHONE", message="No.", cells=["98000", "Asha"])
    if settings:
        path = Path(settings.MEDIA_ROOT) / f"recipients/{campaign.pk}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mobile\n9800000000\n")
        Import.objects.filter(pk=source.pk).update(
            path=str(path.relative_to(settings.MEDIA_ROOT)),
            sample=[["9800000000"]],
            examples={"UNICODE": [{"number": 9800000000}]},
        )
    message = Message.objects.filter(campaign=campaign).first()
    Transition.objects.create(message=message, state="accepted", at=timezone.now())
    for digest, about in ((b"1", message), (b"2", None)):
        Click.objects.create(
            campaign=campaign, attempt=order.attempt.pk, message=about, digest=digest * 16, at=timezone.now()
        )
    Clicker.objects.create(campaign=campaign, visitor=message.pk)
    ClickCount.objects.create(campaign=campaign, kind="all", clicks=2, people=1)
    aged(campaign, days, state="finished")
    return order


def report(order, i, code="20005", status="sent", **more):
    fields = {"SmsSid": f"{order.attempt.campaign_id}sid{i}", "To": f"098000{i:05d}", "Status": status,
              "DetailedStatusCode": code} | more  # fmt: skip
    event = CallbackEvent.objects.create(
        received_at=timezone.now(), attempt=order.attempt.pk, raw=urlencode(fields).encode()
    )
    while inbox.apply_next():
        pass
    return CallbackEvent.objects.filter(pk=event.pk).first()  # none when a purge at the same time has taken it already


def left():
    return {model.__name__: n for model in PERSONAL if (n := model.objects.count())}


def nothing_is_broken():
    assert list(recount.breaches()) == []


def figures(campaign):
    rows = Count.objects.filter(campaign=campaign).values_list("quarter", "state", "delivery", "code", "conflict")
    return (
        sorted(rows.annotate(total=Sum("n")).order_by()),
        counts.for_campaign(campaign),
        failures.failures(campaign=campaign),
    )


# What goes and what stays -------------------------------------------------------------------------------------------


def test_people_messages_reports_files_and_callbacks_go_and_figures_stay(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    order = finished(settings=settings)
    campaign, before = order.attempt.campaign, figures(order.attempt.campaign)
    assert set(left()) == {model.__name__ for model in PERSONAL} and list(tmp_path.rglob("*.csv"))
    said = run()
    assert f"Campaign {campaign.pk} (Diwali): 3 messages, 3 recipients and 1 files removed." in said
    assert "1 campaigns purged, 4 callbacks removed." in said
    assert left() == {} and not list(tmp_path.rglob("*.csv")) and not CallbackEvent.objects.exists()
    campaign.refresh_from_db()
    assert figures(campaign) == before
    assert campaign.purged_at and not campaign.purging
    source, attempt = Import.objects.get(), Attempt.objects.get()
    assert (source.path, source.sample, source.examples, source.accepted) == ("", [], {}, 3)
    assert (attempt.strays, attempt.size, attempt.poll_at) == ([], 3, None)
    event = AuditEvent.objects.get(action="campaign.purge")
    assert (event.subject, event.details["messages"], event.actor) == (f"campaign:{campaign.pk}", 3, "system")
    nothing_is_broken()


def test_a_second_purge_finds_nothing_and_a_recount_leaves_the_figures():
    order = finished()
    run()
    assert run().startswith("0 campaigns purged, 0 callbacks removed.")
    before = figures(order.attempt.campaign)
    call_command("recount")
    assert figures(order.attempt.campaign) == before and before[1].total == 3
    nothing_is_broken()


def test_a_dry_run_says_what_would_go_and_removes_nothing():
    order = finished()
    before = left()
    said = run("--dry-run")
    assert f"Campaign {order.attempt.campaign_id} (Diwali) would go: 3 messages." in said and "Nothing was removed." in said
    assert left() == before and not Campaign.objects.exclude(purged_at=None).exists()


@pytest.mark.parametrize(
    ("days", "arguments", "goes"),
    [
        (399, (), False),
        (401, (), True),
        (10, ("--before", f"{timezone.now() - timedelta(days=5):%Y-%m-%d}"), True),
        (10, ("--before", f"{timezone.now() - timedelta(days=15):%Y-%m-%d}"), False),
    ],
)
def test_only_what_ended_long_enough_ago_goes(days, arguments, goes):
    finished(days)
    run(*arguments)
    assert (not Message.objects.exists()) is goes


def test_the_days_are_a_setting(settings):
    settings.KEEP_DAYS = 30
    finished(31)
    run()
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "given", [("--before", "soon"), ("--before", "2026-02-31"), ("--before", "2999-01-01"), ("--campaign", "99")]
)
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(CommandError):
        run(*given)


def test_one_campaign_can_be_purged_by_itself():
    first, second = finished(), finished()
    run("--campaign", str(second.attempt.campaign_id))
    assert set(Message.objects.values_list("campaign", flat=True)) == {first.attempt.campaign_id}
    assert set(CallbackEvent.objects.values_list("attempt", flat=True)) == {first.attempt.pk}
    nothing_is_broken()


# What is never touched -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "scheduled", "launching", "running", "paused", "stopped"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_what_has_not_ended_is_never_touched(state, force):
    order = finished()
    Campaign.objects.update(state=state)
    assert "has not ended" in run("--campaign", str(order.attempt.campaign_id), *force)
    assert Message.objects.count() == 3


@pytest.mark.parametrize(("force", "goes"), [((), False), (("--force",), True)])
def test_undecided_messages_keep_their_campaign_unless_forced(force, goes):
    aged(campaign_with(DELIVERED, DOUBT))
    said = run(*force)
    assert ("1 of its messages are unconfirmed" in said) is not goes
    assert (not Message.objects.exists()) is goes
    assert len(doubts.by_campaign()) == (0 if goes else 1)
    nothing_is_broken()


def test_a_cancelled_campaign_that_is_not_wound_up_stays():
    aged(campaign_with(DELIVERED, WAITING, state="cancelled"))
    assert "still wait" in run("--force")
    assert Message.objects.count() == 2


def test_while_exotel_is_being_asked_it_stays():
    order = finished(days=1)
    Attempt.objects.update(poll_at=timezone.now())
    today = f"{timezone.localdate():%Y-%m-%d}"
    assert "still being asked" in run("--before", today, "--campaign", str(order.attempt.campaign_id))
    assert Message.objects.count() == 3


def test_tries_of_one_campaign_go_together():
    parent = aged(campaign_with(FAILED, DELIVERED))
    child = retry.make(parent).campaign
    assert "another try of it has not ended" in run()
    assert Message.objects.count() == 2 and Recipient.objects.count() == 3
    outcomes(child, [], "finished")
    aged(child, 410)
    run()
    assert left() == {} and family.reach(parent).people == 2
    nothing_is_broken()


def test_messages_sent_again_go_before_those_they_repeat(monkeypatch):
    monkeypatch.setattr(sending_purge, "BATCH", 1)
    campaign = campaign_with(DELIVERED, DOUBT, DOUBT)
    for message in Message.objects.filter(campaign=campaign, state="unconfirmed"):
        resent(message, DELIVERED)
    aged(campaign)
    run("--force")
    assert left() == {}
    nothing_is_broken()


def test_whoever_sends_again_at_that_moment_wins_or_is_refused():
    campaign = aged(campaign_with(FAILED, DOUBT))
    ids = list(Message.objects.filter(state="unconfirmed").values_list("id", flat=True))
    resend.resend(campaign, ids)
    with pytest.raises(control.Refused):
        sending_purge.purge(campaign)
    assert Message.objects.count() == 3
    other = aged(campaign_with(FAILED, DOUBT))
    ids = list(Message.objects.filter(campaign=other, state="unconfirmed").values_list("id", flat=True))
    sending_purge._begin(other)
    for act in (lambda: resend.resend(other, ids), lambda: retry.make(other)):
        with pytest.raises(control.Refused, match="purged"):
            act()


# Killed, and in company ----------------------------------------------------------------------------------------------


def test_a_purge_that_is_killed_leaves_no_halves_and_the_next_one_ends_it():
    order = finished(recipients=9)
    script = (
        "from campaigns.sending import purge; purge.BATCH = 2\n"
        "from django.core.management import call_command; call_command('purge')"
    )
    for point, expected in (("purge.committed:kill:2", 5), ("purge.before:kill:2", 3)):
        killed = run_apart(script, point)
        assert killed.returncode == -9, killed.stderr
        assert Message.objects.count() == expected
        assert Campaign.objects.get(pk=order.attempt.campaign_id).purging
        nothing_is_broken()
    assert "3 messages" in run()
    assert left() == {}
    nothing_is_broken()


def test_reports_that_come_during_a_purge_break_nothing(monkeypatch):
    monkeypatch.setattr(sending_purge, "BATCH", 1)
    order = finished(recipients=30)
    faults = []

    def tell():
        try:
            for i in range(30):
                report(order, i, DateSent=f"2026-11-21 10:00:{i:02d}")
        except Exception as fault:
            faults.append(fault)
        connection.close()

    teller = threading.Thread(target=tell)
    teller.start()
    run()
    teller.join()
    assert faults == [] and left() == {}
    results = set(CallbackEvent.objects.values_list("result", flat=True))
    assert results <= {"applied", "duplicate", "purged"}
    nothing_is_broken()


# What comes too late -------------------------------------------------------------------------------------------------


def test_a_report_after_the_purge_is_counted_emptied_and_not_listed(admin_client):
    order = finished()
    run()
    for i in (0, 1, 77):
        event = report(order, i)
        assert (event.result, bytes(event.raw), event.next_try_at) == ("purged", b"", None)
    assert (purge.late(), LateCount.objects.count()) == (3, 1)
    for tab in ("quarantined", "parked", "nonsense"):
        page = admin_client.get(reverse("admin:set_aside") + f"?tab={tab}").content.decode()
        assert "3 callbacks came too late" in page and "Apply again" not in page
    run()
    assert not CallbackEvent.objects.exists() and purge.late() == 3
    assert left() == {}
    nothing_is_broken()


def test_a_click_after_the_purge_is_counted_as_late_and_nothing_else():
    order = finished()
    run()
    before = ClickCount.objects.aggregate(total=Sum("clicks"))
    for more in ({"PhoneNumber": "09800000000"}, {}):
        fields = {"Sid": uuid.uuid4().hex, "DateTime": "2026-11-21 10:00:00", "Browser": "x", "OriginalURL": "https://x.in/a",
                  "ShortURL": "https://exo.tl/a"} | more  # fmt: skip
        CallbackEvent.objects.create(
            received_at=timezone.now(), attempt=order.attempt.pk, kind="click", raw=urlencode(fields).encode()
        )
    while inbox.apply_next():
        pass
    assert set(CallbackEvent.objects.values_list("result", flat=True)) == {"purged"} and purge.late() == 2
    assert ClickCount.objects.aggregate(total=Sum("clicks")) == before and not Click.objects.exists()
    nothing_is_broken()


def test_a_report_on_day_ten_applies_and_one_for_an_unknown_request_is_parked():
    order = finished(days=10)
    run()
    assert report(order, 0, DateSent="2026-11-30 10:00:00").result == "applied"
    other = CallbackEvent.objects.create(
        received_at=timezone.now(), attempt=uuid.uuid4(), raw=b"SmsSid=x&To=09800000000&Status=sent"
    )
    inbox.apply_next()
    other.refresh_from_db()
    assert (other.result, purge.late()) == ("parked", 0)


@pytest.mark.parametrize(
    ("days", "result", "goes"),
    [(500, "parked", True), (500, "nonsense", True), (500, "applied", True), (500, "", False), (5, "parked", False)],
)
def test_callbacks_of_unknown_requests_go_with_their_age_but_never_unread(days, result, goes, monkeypatch):
    monkeypatch.setattr(purge, "WINDOW", 1)
    kept = finished(days=1)
    at = timezone.now() - timedelta(days=days)
    for _ in range(3):
        CallbackEvent.objects.create(received_at=at, attempt=uuid.uuid4(), raw=b"x=y", result=result)
    run()
    assert CallbackEvent.objects.filter(received_at=at).count() == (0 if goes else 3)
    assert CallbackEvent.objects.filter(attempt=kept.attempt.pk).count() == 4


def text(client, campaign):
    return client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()


def test_the_page_of_a_purged_campaign_says_so_and_keeps_its_figures(admin_client):
    campaign = aged(campaign_with(FAILED, FAILED, DELIVERED))
    assert "Retry failed" in text(admin_client, campaign)
    run()
    assert "Retry failed" not in text(admin_client, campaign)
    assert "People and messages of this campaign were removed" in text(admin_client, campaign)
    answer = Api("read", "write").post(f"/campaigns/{campaign.pk}/retry-failed/")
    assert (answer.status_code, answer.json()["code"]) == (409, "purged")
    assert Api("read").get(f"/campaigns/{campaign.pk}/").json()["purged_at"]
    for url in (reverse("admin:campaign_report", args=[campaign.pk]), "/", "/unconfirmed/", "/messages/"):
        assert admin_client.get(url).status_code == 200
