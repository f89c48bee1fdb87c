"""The machine holds a campaign that goes wrong or missed its hour, says why, and goes on when it is told to."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from campaigns.models import Alert, Attempt, Campaign, Message
from campaigns.sending import control, launch, recover, spikes
from campaigns.text.window import resolve_local
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def fresh(campaign):
    return Campaign.objects.select_related("account").get(pk=campaign.pk)


# Too many failures with one code ------------------------------------------------------------------------------------


def outcomes(campaign, *groups, at=None):
    """Give messages outcomes, oldest first: (how many, delivery, code) or ``rejected`` as the delivery."""
    at = at or timezone.now()
    messages = Message.objects.filter(campaign=campaign, state="pending").order_by("id")
    for n, delivery, code in groups:
        attempt = Attempt.objects.create(
            id=uuid4(),
            campaign=campaign,
            account=campaign.account,
            owner=builders.owner(),
            phase="done",
            size=n,
            started_at=at,
        )
        for message in messages[:n]:
            rejected = delivery == "rejected"
            Message.objects.filter(pk=message.pk).update(
                attempt=attempt, sent_at=at, code=code, delivery="" if rejected else delivery,
                state="rejected" if rejected else "accepted", sid=None if rejected else f"sid{message.pk}",
            )  # fmt: skip
        at += timedelta(seconds=1)


CASES = [
    # outcomes, oldest first > stopped
    ([(100, "delivered", "20005")], False),
    ([(79, "delivered", ""), (21, "failed", "23082")], True),
    ([(80, "delivered", ""), (20, "failed", "23082")], False),
    ([(60, "delivered", ""), (20, "failed", "23082"), (20, "failed", "23010")], False),
    ([(20, "delivered", ""), (79, "failed", "23082")], False),
    ([(79, "delivered", ""), (21, "rejected", "23000")], True),
    ([(79, "at_operator", ""), (21, "failed", "23050")], True),
    ([(79, "awaiting", ""), (21, "failed", "23082")], False),
    ([(50, "failed", "23082"), (450, "delivered", "")], False),
    ([(120, "failed", "23082"), (500, "delivered", "")], False),
]


@pytest.mark.parametrize(("groups", "stopped"), CASES)
def test_one_code_above_the_share_of_the_latest_messages_stops_the_campaign(groups, stopped):
    campaign = builders.launched(recipients=sum(n for n, _, _ in groups) + 1)
    outcomes(campaign, *groups)
    assert spikes.watch() == int(stopped)
    found = fresh(campaign)
    assert found.state == ("stopped" if stopped else "running")
    assert Alert.objects.filter(campaign=campaign, closed_at=None).exists() is stopped


def test_the_reason_names_the_code_and_what_to_do():
    campaign = builders.launched(recipients=200)
    outcomes(campaign, (60, "delivered", ""), (40, "failed", "23082"))
    recover.sweep(recover.Observer())
    reason = fresh(campaign).state_reason
    assert reason.startswith("40 of the last 100 messages failed with one code.")
    assert "23082" in reason and "press Resume" in reason


@pytest.mark.parametrize(("percent", "stopped"), [(0, False), (20, True), (50, False)])
def test_the_share_is_the_accounts(percent, stopped):
    campaign = builders.launched(recipients=200)
    campaign.account.spike_percent = percent
    campaign.account.save()
    outcomes(campaign, (60, "delivered", ""), (40, "failed", "23082"))
    assert spikes.watch() == int(stopped)


def test_after_resume_only_what_is_new_counts():
    campaign = builders.launched(recipients=400)
    outcomes(campaign, (60, "delivered", ""), (40, "failed", "23082"), at=timezone.now() - timedelta(minutes=5))
    assert spikes.watch() == 1
    control.resume(fresh(campaign))
    assert spikes.watch() == 0
    assert not Alert.objects.filter(campaign=campaign, closed_at=None).exists(), "resuming closes the alert"
    outcomes(campaign, (60, "delivered", ""), (40, "failed", "23082"), at=timezone.now() + timedelta(seconds=1))
    assert spikes.watch() == 1


def test_a_matter_noticed_twice_is_one_alert():
    campaign = builders.launched(recipients=1)
    for text in ("First.", "Second."):
        Alert.notice("stopped", campaign, text)
    alert = Alert.objects.get()
    assert (alert.times, alert.text) == (2, "Second.")


# Schedules ----------------------------------------------------------------------------------------------------------


def scheduled(minutes_ago, **fields):
    campaign = builders.campaign(recipients=3, schedule_at=timezone.now() + timedelta(hours=1), **fields)
    launch.launch(campaign, None, accept_warnings=True)
    Campaign.objects.filter(pk=campaign.pk).update(schedule_at=timezone.now() - timedelta(minutes=minutes_ago))
    return fresh(campaign)


@pytest.mark.parametrize(
    ("minutes_ago", "state"), [(-10, "scheduled"), (0, "launching"), (29, "launching"), (30, "stopped")]
)
def test_a_start_that_was_missed_by_long_waits_for_a_decision(minutes_ago, state):
    campaign = scheduled(minutes_ago)
    launch.start_due(timezone.now())
    assert fresh(campaign).state == state


def test_a_missed_start_says_when_it_was_and_can_be_made_up_for():
    campaign = scheduled(200)
    recover.sweep(recover.Observer())
    reason = fresh(campaign).state_reason
    assert "IST" in reason and "200 minutes ago" in reason and "Nothing was sent" in reason
    assert Alert.objects.filter(campaign=campaign, closed_at=None).exists()
    control.resume(fresh(campaign))
    assert fresh(campaign).state == "launching"
    launch.write_messages(campaign.pk)
    assert (fresh(campaign).state, Message.objects.filter(campaign=campaign).count()) == ("running", 3)


def test_a_missed_start_can_be_cancelled():
    campaign = scheduled(200)
    launch.start_due(timezone.now())
    control.cancel(fresh(campaign))
    assert (fresh(campaign).state, Message.objects.filter(campaign=campaign).count()) == ("cancelled", 0)


def test_a_schedule_fires_once():
    campaign = scheduled(1)
    assert [launch.start_due(timezone.now()) for _ in range(3)] == [1, 0, 0]
    launch.write_messages(campaign.pk)
    launch.start_due(timezone.now())
    assert Message.objects.filter(campaign=campaign).count() == 3


@pytest.mark.parametrize(
    ("wall", "instant"),
    [
        ("2026-03-29 01:30", "2026-03-29 00:30"),  # an ordinary hour of the night
        ("2026-03-29 02:30", "2026-03-29 01:00"),  # does not exist in Berlin: the first instant after the gap
        ("2026-10-25 02:30", "2026-10-25 00:30"),  # comes twice: the first
        ("2026-10-25 03:30", "2026-10-25 02:30"),
    ],
)
def test_a_local_hour_is_one_instant_also_when_clocks_change(wall, instant):
    at = resolve_local(datetime.fromisoformat(wall), ZoneInfo("Europe/Berlin")).astimezone(UTC)
    assert at == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    campaign = scheduled(0)
    Campaign.objects.filter(pk=campaign.pk).update(schedule_at=at)
    assert launch.start_due(at - timedelta(seconds=1)) == 0
    assert launch.start_due(at) == 1
    assert launch.start_due(at + timedelta(hours=1)) == 0
