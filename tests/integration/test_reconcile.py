"""Asking Exotel about messages without a report, against a real simulator: what is learnt, when, and how fast it is asked."""

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_q.models import OrmQ

from campaigns import bulk, jobs, leases, tasks
from campaigns.exotel.reports import from_fields
from campaigns.insight import recount
from campaigns.models import Account, Attempt, Campaign, Count, DeliveryEvent, Limiter, Message
from campaigns.sending import control, dispatch, evidence, intent, pace, reconcile, recover, settle
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(simulator, exotel_account):
    """Exotel calls nobody back, outcomes are there at once, and we may ask quickly."""
    simulator.scenario(lost=1.0, delay=[0, 0])
    exotel_account.polls_per_minute = 6_000
    exotel_account.save()
    return exotel_account


def sent(account, recipients=3, hours=2.0):
    """A campaign whose messages were accepted so long ago."""
    campaign = builders.launched(account=account, recipients=recipients)
    dispatch.pump(account.pk)
    age(hours)
    return campaign


def age(hours):
    """All that was sent happened so much earlier."""
    back = timedelta(hours=hours)
    Attempt.objects.update(started_at=F("started_at") - back, poll_at=F("poll_at") - back)
    Message.objects.update(sent_at=F("sent_at") - back)
    Count.objects.filter(quarter__gt=0).update(quarter=F("quarter") - int(4 * hours))


def deliveries(campaign):
    found = Message.objects.filter(campaign=campaign).order_by("id").values_list("delivery", flat=True)
    return {word: list(found).count(word) for word in set(found)}


def questions(simulator):
    return [request for request in simulator.requests() if request["method"] == "GET"]


def round_of(campaign):
    """Rounds done and when the next is, in hours after the request."""
    attempt = Attempt.objects.get(campaign=campaign)
    return attempt.polls, attempt.poll_at and round((attempt.poll_at - attempt.started_at).total_seconds() / 3600)


def counters_are_true():
    return list(recount.breaches()) == []


# What is learnt -----------------------------------------------------------------------------------------------------


def test_a_message_without_a_report_is_known_delivered_by_asking(simulator, account):
    campaign = sent(account)
    assert deliveries(campaign) == {"awaiting": 3}
    assert reconcile.poll(account.pk) == {"asked": 3, "told": 3}
    assert deliveries(campaign) == {"delivered": 3}
    assert set(DeliveryEvent.objects.values_list("source", flat=True)) == {"poll"}
    assert counters_are_true()


@pytest.mark.parametrize(
    ("code", "delivery"), [("20006", "at_operator"), ("23005", "failed"), ("23050", "failed"), ("20005", "delivered")]
)
def test_whatever_exotel_knows_is_applied_like_a_callback(simulator, account, code, delivery):
    simulator.scenario(outcomes={code: 1})
    campaign = sent(account, recipients=1)
    reconcile.poll(account.pk)
    message = Message.objects.get(campaign=campaign)
    assert (message.delivery, message.code) == (delivery, code)
    assert message.final_at and message.units == 1
    assert counters_are_true()


def test_nothing_is_asked_before_its_time(simulator, account):
    sent(account, hours=1.9)
    assert reconcile.waiting() == []
    assert reconcile.poll(account.pk) == {"asked": 0, "told": 0}
    assert questions(simulator) == []


def test_a_message_on_its_way_stays_awaited_and_is_asked_about_in_all_rounds(simulator, account):
    simulator.scenario(delay=[9_000, 9_000])
    campaign = sent(account, recipients=2)
    for hours, rounds in ((10, (1, 12)), (36, (2, 48)), (24, (3, 72)), (100, (4, None))):
        reconcile.poll(account.pk)
        assert round_of(campaign) == rounds
        assert not reconcile.waiting()
        age(hours)
    assert deliveries(campaign) == {"awaiting": 2}
    assert len(questions(simulator)) == 8
    assert reconcile.waiting() == []


def test_once_all_is_final_nothing_is_asked_any_more(simulator, account):
    campaign = sent(account)
    reconcile.poll(account.pk)
    assert round_of(campaign) == (1, None)


def test_a_request_whose_reports_all_came_is_forgotten_without_a_question(simulator, account):
    campaign = sent(account)
    told(campaign)
    assert reconcile.poll(account.pk)["asked"] == 0
    assert round_of(campaign) == (0, None)
    assert questions(simulator) == []


def test_at_the_operator_needs_no_question(simulator, account):
    campaign = sent(account, recipients=2)
    told(campaign, code="20006")
    assert reconcile.poll(account.pk)["asked"] == 0
    assert deliveries(campaign) == {"at_operator": 2}


def told(campaign, code="20005", which=None):
    """Callbacks about these messages."""
    for message in Message.objects.filter(campaign=campaign).order_by("id")[slice(which)]:
        fields = {
            "SmsSid": message.sid or "x",
            "To": f"0{message.number % 10**10}",
            "Status": "sent",
            "DetailedStatusCode": code,
        }
        apply(message, fields)


def apply(message, fields):
    with bulk.transaction():
        evidence.apply([evidence.Evidence.of(message.attempt_id, from_fields(fields, "callback"), timezone.now())])


def test_only_those_without_a_report_are_asked_about(simulator, account):
    campaign = sent(account, recipients=5)
    told(campaign, which=3)
    assert reconcile.poll(account.pk) == {"asked": 2, "told": 2}
    assert deliveries(campaign) == {"delivered": 5}


def test_released_messages_are_not_waited_for(simulator, account):
    simulator.scenario(faults=[{"kind": "wrong_credentials", "share": 1}])
    builders.launched(account=account, recipients=2)
    dispatch.pump(account.pk)
    assert set(Attempt.objects.values_list("poll_at", flat=True)) == {None}


def test_unconfirmed_messages_are_not_asked_about_but_waited_for(simulator, account):
    simulator.scenario(faults=[{"kind": "reset_after", "at": [1]}])
    campaign = sent(account)
    reconcile.poll(account.pk)
    assert questions(simulator) == []
    assert round_of(campaign) == (1, 12)
    told_sid(campaign, simulator)
    age(10)
    reconcile.poll(account.pk)
    assert len(questions(simulator)) == 1
    assert Message.objects.filter(campaign=campaign, delivery="delivered").count() == 1


def told_sid(campaign, simulator):
    """A callback "submitted" for the first message: its Sid is known from then on."""
    message = Message.objects.filter(campaign=campaign).earliest("id")
    entry = next(entry for entry in simulator.ledger() if entry["number10"] == str(message.number)[2:])
    fields = {"SmsSid": entry["sid"], "To": entry["to"], "Status": "submitted", "DetailedStatusCode": "21020"}
    apply(message, fields)


def test_a_request_lost_by_a_crash_is_waited_for_too(account):
    builders.launched(account=account, recipients=2)
    _, order = intent.commit(builders.owner().pk, account.pk)
    settle.lose(order.attempt, "lost")
    attempt = Attempt.objects.get()
    assert attempt.poll_at == attempt.started_at + timedelta(hours=2)


# What is not taken --------------------------------------------------------------------------------------------------


def test_an_answer_about_another_number_changes_nothing(simulator, account):
    campaign = sent(account, recipients=2)
    first = Message.objects.filter(campaign=campaign).earliest("id")
    Message.objects.filter(pk=first.pk).update(number=builders.number(77))
    assert reconcile.poll(account.pk) == {"asked": 2, "told": 1}
    first.refresh_from_db()
    assert first.delivery == "awaiting"
    assert not DeliveryEvent.objects.filter(message=first).exists()


def test_an_answer_about_a_neighbour_of_the_same_request_changes_neither(simulator, account):
    """The Sids of two messages are exchanged: each answer names the other's number."""
    campaign = sent(account, recipients=2)
    one, other = Message.objects.filter(campaign=campaign).order_by("id")
    Message.objects.filter(pk=one.pk).update(sid="between")
    Message.objects.filter(pk=other.pk).update(sid=one.sid)
    Message.objects.filter(pk=one.pk).update(sid=other.sid)
    assert reconcile.poll(account.pk) == {"asked": 2, "told": 0}
    assert deliveries(campaign) == {"awaiting": 2}


@pytest.mark.parametrize("reading", ["200", "404"])
def test_a_sid_that_exotel_does_not_know_is_no_report(simulator, account, reading):
    simulator.scenario(unknown_sid=reading)
    campaign = sent(account, recipients=2)
    Message.objects.filter(campaign=campaign, number=builders.number(0)).update(sid="never-heard-of-it")
    assert reconcile.poll(account.pk) == {"asked": 2, "told": 1}
    assert deliveries(campaign) == {"awaiting": 1, "delivered": 1}
    assert round_of(campaign) == (1, 12)


@pytest.mark.parametrize("form", ["international", "bare", "as_sent"])
def test_numbers_in_any_form_are_recognised(simulator, account, form):
    simulator.scenario(number_form=form, code_type="number", units_name="SMSUnits")
    campaign = sent(account, recipients=1)
    reconcile.poll(account.pk)
    assert deliveries(campaign) == {"delivered": 1}


def test_the_same_report_by_callback_and_by_asking_counts_once(simulator, account):
    campaign = sent(account, recipients=1)
    reconcile.poll(account.pk)
    Attempt.objects.update(poll_at=timezone.now())
    Message.objects.update(delivery="awaiting", final_at=None, standing=0)
    reconcile.poll(account.pk)
    assert DeliveryEvent.objects.filter(message__campaign=campaign).count() == 1


def test_callbacks_and_questions_at_the_same_time_end_in_one_truth(simulator, account):
    campaign = sent(account, recipients=30)

    def callbacks():
        told(campaign)
        connection.close()

    other = threading.Thread(target=callbacks)
    other.start()
    reconcile.poll(account.pk)
    other.join()
    assert deliveries(campaign) == {"delivered": 30}
    assert counters_are_true()


# How fast, and when not ---------------------------------------------------------------------------------------------


def test_two_workers_together_keep_the_budget(simulator, account, settings):
    settings.TASK_BUDGET = 2
    Account.objects.filter(pk=account.pk).update(polls_per_minute=600)
    simulator.scenario(delay=[9_000, 9_000])
    sent(account, recipients=60)

    def work():
        asker = reconcile.Asker(account.pk, uuid.uuid4())
        asker.run()
        asker.close()
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    times = [request["at"] for request in questions(simulator)]
    assert 5 <= len(times) <= (times[-1] - times[0]) / 0.1 + 3


def test_questions_and_messages_do_not_wait_for_each_other():
    account = builders.account(rate_per_minute=600, polls_per_minute=600)
    waits = [pace.take_poll(account, 60) for _ in range(20)]
    assert waits[0] == 0 and 1.0 < waits[-1] <= 2.0
    assert pace.take(account) == 0
    pace.push_polls(account.pk, 300)
    assert pace.take(account) <= 0.102
    assert 290 < pace.poll_wait(account.pk) <= 300
    assert pace.blocked(account.pk) == 0


def test_a_slot_that_is_too_far_away_is_not_reserved():
    account = builders.account(polls_per_minute=1)
    assert pace.take_poll(account, 20) == 0
    for _ in range(5):
        assert pace.take_poll(account, 20) is None
    assert 59 < pace.take_poll(account, 900) <= 60.6


@pytest.mark.parametrize("hours", [-24, 24 * 365])
def test_a_clock_that_jumped_neither_stalls_nor_floods_the_questions(hours):
    account = builders.account(polls_per_minute=600)
    odd = int(time.time() * 1e6 + hours * 3600e6)
    Limiter.objects.filter(account=account).update(next_poll=odd, blocked_until=odd)
    assert pace.poll_wait(account.pk) == 0
    assert pace.take_poll(account, 1) == 0
    assert 0 < pace.take_poll(account, 1) <= 0.11


def test_a_stopped_account_is_not_asked(simulator, account):
    sent(account)
    control.stop_account(account.pk, "No credit.")
    assert reconcile.waiting() == []
    assert reconcile.poll(account.pk)["asked"] == 0
    assert questions(simulator) == []


def test_an_account_that_must_wait_is_not_asked(simulator, account):
    sent(account)
    pace.push_back(account.pk, 60.0)
    assert reconcile.waiting() == []
    assert reconcile.poll(account.pk)["asked"] == 0
    assert questions(simulator) == []


def test_without_a_budget_nothing_is_asked(simulator, account):
    sent(account)
    Account.objects.filter(pk=account.pk).update(polls_per_minute=0)
    assert reconcile.waiting() == []
    assert reconcile.poll(account.pk)["asked"] == 0


def test_a_throttled_question_holds_the_questions_and_not_the_messages(simulator, account):
    simulator.account(get_rate_per_minute=2)
    simulator.scenario(throttle_retry_after="seconds")
    campaign = sent(account, recipients=5)
    reconcile.poll(account.pk)
    assert deliveries(campaign) == {"delivered": 2, "awaiting": 3}
    assert 50 < pace.poll_wait(account.pk) <= 61
    assert pace.blocked(account.pk) == 0
    assert not reconcile.waiting()
    assert not Account.objects.get(pk=account.pk).stopped_at
    simulator.account(get_rate_per_minute=0)
    Limiter.objects.update(next_poll=0)
    reconcile.poll(account.pk)
    assert deliveries(campaign) == {"delivered": 5}, "the round goes on where it was cut off"


def test_refused_credentials_hold_the_questions_and_stop_nothing(simulator, account):
    campaign = sent(account)
    account.set_credentials("old", "old")
    account.save()
    assert reconcile.poll(account.pk)["asked"] == 1
    assert pace.poll_wait(account.pk) > 800
    assert not Account.objects.get(pk=account.pk).stopped_at
    assert round_of(campaign) == (0, 2)


def test_while_exotel_is_away_the_others_wait_and_lose_no_round(simulator, account):
    campaign = sent(account, recipients=10)
    simulator.stop()
    assert reconcile.poll(account.pk) == {"asked": reconcile.FAILURES, "told": 0}
    assert 200 < pace.poll_wait(account.pk) <= reconcile.TROUBLED
    assert round_of(campaign) == (0, 2)
    assert deliveries(campaign) == {"awaiting": 10}


# Backlogs -----------------------------------------------------------------------------------------------------------


def test_a_backlog_beyond_an_hour_is_sampled_and_the_next_round_goes_on_with_the_rest(simulator, account, settings):
    """Two requests of 100 and an hour's budget of 60: 30 of each."""
    settings.TASK_BUDGET = 60
    simulator.scenario(delay=[9_000, 9_000])
    campaign = sent(account, recipients=200)
    Account.objects.filter(pk=account.pk).update(polls_per_minute=1)
    asker = fast(account)
    asker.run()
    attempts = Attempt.objects.filter(campaign=campaign)
    assert asker.asked == 60
    assert {attempt.polls for attempt in attempts} == {1}
    first = {request["path"] for request in questions(simulator)}
    assert len(first) == 60
    age(10)
    asker = fast(account)
    asker.run()
    second = {request["path"] for request in questions(simulator)} - first
    assert len(second) == 60, "none of them a second time"


def fast(account):
    """Somebody who waits for no slot, with the account's budget as it is."""
    asker = reconcile.Asker(account.pk, uuid.uuid4())
    asker._turn = lambda: account
    return asker


def test_who_has_been_due_longest_is_asked_about_first(simulator, account):
    older, newer = sent(account, 1, hours=3), sent(account, 1, hours=2)
    reconcile.poll(account.pk)
    sids = [request["path"] for request in questions(simulator)]
    assert [
        Message.objects.get(campaign=campaign).sid in sid for campaign, sid in zip((older, newer), sids, strict=True)
    ] == [True, True]


def test_a_run_ends_in_time_and_rings_for_its_successor(simulator, account, settings):
    settings.TASK_BUDGET = 1
    Account.objects.filter(pk=account.pk).update(polls_per_minute=300)
    campaign = sent(account, recipients=20)
    OrmQ.objects.all().delete()
    begun = time.monotonic()
    asked = reconcile.poll(account.pk)["asked"]
    assert 1 <= asked <= 6 and time.monotonic() - begun < 15
    assert jobs.POLL in [row.func() for row in OrmQ.objects.all()]
    Account.objects.filter(pk=account.pk).update(polls_per_minute=6_000)
    tasks.poll(account.pk)
    assert deliveries(campaign) == {"delivered": 20}
    assert len(questions(simulator)) == 20, "each of them once"


def test_recovery_rings_for_what_is_due_unless_somebody_is_at_it(simulator, account):
    sent(account)
    OrmQ.objects.all().delete()
    recover.ring()
    assert jobs.POLL in [row.func() for row in OrmQ.objects.all()]
    OrmQ.objects.all().delete()
    leases.take(f"poll:{account.pk}", uuid.uuid4())
    recover.ring()
    assert jobs.POLL not in [row.func() for row in OrmQ.objects.all()]
    assert reconcile.poll(account.pk) == {"asked": 0, "told": 0}


def test_what_cannot_be_asked_about_is_forgotten(simulator, account):
    campaign = sent(account)
    Campaign.objects.filter(pk=campaign.pk).update(channel="whatsapp")
    assert reconcile.poll(account.pk)["asked"] == 0
    assert round_of(campaign) == (0, None)
    Attempt.objects.update(poll_at=timezone.now())
    Account.objects.filter(pk=account.pk).update(provider="geniq")
    assert reconcile.poll(account.pk)["asked"] == 0
    assert round_of(campaign) == (0, None)
