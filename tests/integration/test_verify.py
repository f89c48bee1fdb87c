"""Final statuses checked with Exotel's own record, against a real simulator: which, when, how often, and what it comes to."""

import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from campaigns import bulk
from campaigns.insight import checks, recount, watch
from campaigns.models import (
    Account,
    Alert,
    AlertRule,
    Attempt,
    Campaign,
    CheckCount,
    Limiter,
    Message,
    Verification,
)
from campaigns.sending import dispatch, reconcile, recover, verify
from tests import builders
from tests.integration.test_reconcile import account, age, questions, sent, told  # noqa: F401  account is a fixture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def every(account):  # noqa: F811
    """Each final status is checked."""
    Account.objects.filter(pk=account.pk).update(verify_one_in=1)
    return account


def due():
    """The time has come for all checks; nothing else is asked."""
    Verification.objects.update(due_at=F("due_at") - timedelta(hours=1))
    Attempt.objects.update(poll_at=None)
    Limiter.objects.update(next_poll=0)


def results():
    return list(Verification.objects.order_by("message", "why").values_list("why", "result", "stood", "told"))


def counts():
    return dict(CheckCount.objects.values_list("result", "n"))


# Which ---------------------------------------------------------------------------------------------------------------


def test_a_sample_of_final_messages_is_planned_and_always_the_same(account):  # noqa: F811
    Account.objects.filter(pk=account.pk).update(verify_one_in=3)
    campaign = sent(account, recipients=12)
    told(campaign)
    told(campaign)
    planned = set(Verification.objects.values_list("message", "why"))
    assert planned == {(pk, "sample") for pk in Message.objects.values_list("id", flat=True) if pk % 3 == 0}
    assert len(planned) == 4


@pytest.mark.parametrize(("one_in", "expected"), [(0, 0), (1, 4), (10_000_000, 0)])
def test_the_account_says_how_many(account, one_in, expected):  # noqa: F811
    Account.objects.filter(pk=account.pk).update(verify_one_in=one_in)
    told(sent(account, recipients=4))
    assert Verification.objects.count() == expected


@pytest.mark.parametrize("codes", [("23050", "20005"), ("20005", "23050")])
def test_every_contradiction_is_checked_once_whatever_the_sample(account, codes):  # noqa: F811
    Account.objects.filter(pk=account.pk).update(verify_one_in=0)
    campaign = sent(account, recipients=2)
    for code in (*codes, *codes):
        told(campaign, code, which=1)
    first = Message.objects.order_by("id").first()
    assert list(Verification.objects.values_list("message", "why")) == [(first.pk, "conflict")]
    assert first.conflict


def test_what_is_not_final_is_not_checked(every):
    campaign = sent(every)
    told(campaign, "21015")
    assert not Verification.objects.exists()
    reconcile.poll(every.pk)  # asked a moment ago: known from Exotel itself
    assert Message.objects.filter(delivery="delivered").count() == 3
    assert not Verification.objects.exists()


# When ----------------------------------------------------------------------------------------------------------------


def test_exotel_is_asked_after_a_while_and_once(simulator, every):
    told(sent(every, hours=0))
    assert not reconcile.waiting()
    assert reconcile.poll(every.pk)["asked"] == 0
    due()
    assert reconcile.waiting() == [every.pk]
    assert reconcile.poll(every.pk)["asked"] == 3
    due()
    assert not reconcile.waiting() and reconcile.poll(every.pk)["asked"] == 0
    assert len(questions(simulator)) == 3
    assert results() == [("sample", "agreed", "delivered", "delivered")] * 3
    assert counts() == {"agreed": 3} and list(recount.breaches()) == []


def test_what_is_overdue_comes_first_and_checks_get_what_is_left(simulator, every, settings):
    settings.TASK_BUDGET = 2
    final = sent(every, recipients=4, hours=0)
    told(final)
    due()
    overdue = sent(every, recipients=4, hours=2.1)
    Account.objects.filter(pk=every.pk).update(polls_per_minute=180)  # three a second
    began = time.monotonic()
    reconcile.poll(every.pk)
    sids = dict(Message.objects.values_list("sid", "campaign"))
    asked = [sids[request["path"].rsplit("/", 1)[-1].removesuffix(".json")] for request in questions(simulator)]
    assert asked[:4] == [overdue.pk] * 4
    assert set(asked[4:]) == {final.pk} and 1 <= len(asked[4:]) <= 3
    assert len(asked) <= 1 + 3 * (time.monotonic() - began)
    assert OrmQ.objects.exists()  # rings for the rest


def test_recovery_rings_for_checks(every):
    told(sent(every, hours=0))
    due()
    OrmQ.objects.all().delete()
    assert recover.ring() == 1


@pytest.mark.parametrize("change", [{"polls_per_minute": 0}, {"stopped_at": timezone.now()}])
def test_without_a_budget_and_on_a_stopped_account_nothing_is_checked(simulator, every, change):
    told(sent(every, hours=0))
    due()
    Account.objects.filter(pk=every.pk).update(**change)
    assert not reconcile.waiting() and reconcile.poll(every.pk)["asked"] == 0
    assert questions(simulator) == []


def test_checks_that_cannot_be_asked_are_forgotten(simulator, every):
    told(sent(every, hours=0))
    due()
    Campaign.objects.update(channel="whatsapp")
    assert reconcile.poll(every.pk)["asked"] == 0
    assert not Verification.objects.exists() and questions(simulator) == []


# What it comes to ----------------------------------------------------------------------------------------------------


def test_a_disagreement_enters_as_evidence_and_is_counted(simulator, every, admin_client):
    campaign = sent(every, recipients=3, hours=0)
    told(campaign, "23050", which=1)  # a callback that was wrong: Exotel has it delivered
    due()
    assert reconcile.poll(every.pk)["asked"] == 1
    wrong = Message.objects.filter(campaign=campaign).order_by("id").first()
    assert (wrong.delivery, wrong.conflict) == ("delivered", True)
    assert results() == [("sample", "differed", "failed", "delivered")]
    assert (counts(), checks.of(every).sentence) == ({"differed": 1}, "Last 30 days: checked 1, 1 differed.")
    assert list(recount.breaches()) == []
    due()
    assert reconcile.poll(every.pk)["asked"] == 0  # that contradiction came from Exotel's own answer
    page = admin_client.get(reverse("admin:set_aside") + "?tab=conflicts").content.decode()
    assert "checked 1, 1 differed" in page and "2 reports" in page
    assert "Exotel was asked and says delivered, where failed was known." in page
    assert "Report by callback" in page and "Report by poll" in page
    story = admin_client.get(reverse("admin:message", args=[wrong.pk])).content.decode()
    assert "Exotel was asked and says delivered, where failed was known." in story
    assert (
        "checked 1, 1 differed"
        in admin_client.get(reverse("admin:campaigns_account_change", args=[every.pk])).content.decode()
    )


def test_a_contradiction_is_settled_by_asking(simulator, account, admin_client):  # noqa: F811
    campaign = sent(account, recipients=1, hours=0)
    told(campaign, "23050")
    told(campaign, "20005")
    page = admin_client.get(reverse("admin:set_aside") + "?tab=conflicts").content.decode()
    assert "Exotel will be asked." in page
    due()
    reconcile.poll(account.pk)
    assert results()[0] == ("conflict", "agreed", "delivered", "delivered")
    page = admin_client.get(reverse("admin:set_aside") + "?tab=conflicts").content.decode()
    assert "Exotel was asked and agrees: delivered." in page


def test_a_delivery_that_exotel_knows_as_failed_stays_delivered_in_conflict(simulator, every):
    simulator.scenario(outcomes={"23050": 1})
    told(sent(every, recipients=1, hours=0))
    due()
    reconcile.poll(every.pk)
    message = Message.objects.get()
    assert (message.delivery, message.conflict, counts()) == ("delivered", True, {"differed": 1})
    assert list(recount.breaches()) == []


def test_an_answer_without_a_final_status_is_no_disagreement(simulator, every):
    simulator.scenario(delay=[9_000, 9_000])
    told(sent(every, recipients=2, hours=0))
    due()
    reconcile.poll(every.pk)
    assert counts() == {"unknown": 2} and Message.objects.filter(delivery="delivered").count() == 2
    assert checks.of().sentence.endswith("Exotel gave no final status for 2 more.")


def test_questions_without_an_answer_are_asked_again_later_and_then_given_up(simulator, every):
    told(sent(every, recipients=1, hours=0))
    simulator.stop()
    for tries in (1, 2):
        due()
        reconcile.poll(every.pk)
        check = Verification.objects.get()
        assert (check.tries, check.result) == (tries, "")
        assert check.due_at > timezone.now() + timedelta(minutes=50)
    due()
    reconcile.poll(every.pk)
    assert counts() == {"unknown": 1}


def test_a_check_that_two_processes_ask_is_counted_once(every):
    told(sent(every, recipients=1, hours=0))
    check = Verification.objects.get()
    for _ in range(2):
        with bulk.transaction():
            verify.conclude(check, None)
    assert counts() == {"unknown": 1}


@pytest.mark.parametrize(("differed", "agreed", "expected"), [(2, 18, True), (1, 19, False), (2, 17, False), (0, 40, False)])
def test_many_disagreements_raise_an_alert(account, differed, agreed, expected):  # noqa: F811
    AlertRule.create_defaults()
    quarter = int(timezone.now().timestamp()) // 900
    for result, n in (("differed", differed), ("agreed", agreed), ("unknown", 50)):
        CheckCount.objects.create(account=account, quarter=quarter, result=result, n=n)
    watch.look()
    found = Alert.objects.filter(kind="disagreement", closed_at=None, account=account)
    assert found.exists() is expected
    if expected:
        assert "Of 20 statuses checked with Exotel" in found.get().text and "(10.0 %)" in found.get().text


def test_the_list_of_conflicts_costs_the_same_for_any_number(account, admin_client):  # noqa: F811
    def cost(recipients):
        campaign = builders.launched(account=account, recipients=recipients)
        dispatch.pump(account.pk)
        told(campaign, "23050")
        told(campaign, "20005")
        with CaptureQueriesContext(connection) as queries:
            assert admin_client.get(reverse("admin:set_aside") + "?tab=conflicts").status_code == 200
        return len(queries)

    assert cost(2) == cost(20)
