"""Who may begin a request: everything that can forbid it is seen, and nobody changes it until the intent has committed."""

import threading
import time
from contextlib import closing

import pytest
from django.db import OperationalError, connection, transaction

from campaigns import bulk
from campaigns.models import Account, Attempt, Limiter, Message, Owner
from campaigns.sending import control, intent, pace, permit, recover
from tests import builders
from tests.elsewhere import elsewhere

together_on_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="transactions of SQLite that write are alone in any case"
)


def taken(owner, account):
    with bulk.transaction():
        return permit.take(owner.pk, account.pk)


def intent_under_way(owner, account):
    """Another connection that has its permit and has not committed yet."""
    return elsewhere(lambda: permit.take(owner.pk, account.pk))


def background(work):
    def run():
        with closing(connection):
            work()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def waits_for(over, work):
    """Whether the work is done only after the intent under way is over."""
    thread = background(work)
    thread.join(0.3)
    waited = thread.is_alive()
    over.set()
    thread.join(10)
    return waited and not thread.is_alive()


FORBIDS = {
    "a stopped account": lambda account, owner: Account.objects.filter(pk=account.pk).update(stopped_at=builders.now()),
    "a wait that Exotel asked for": lambda account, owner: pace.push_back(account.pk, 60),
    "an owner that is told to stop": lambda account, owner: Owner.objects.filter(pk=owner.pk).update(stop=True),
    "an owner that was declared dead": lambda account, owner: recover._fence(owner.pk),
    "an owner that nobody knows": lambda account, owner: Owner.objects.filter(pk=owner.pk).delete(),
}


@pytest.mark.django_db
@pytest.mark.parametrize("forbid", FORBIDS.values(), ids=FORBIDS)
def test_a_request_may_begin_until_something_forbids_it(forbid):
    account, owner = builders.account(), builders.owner()
    assert taken(owner, account) == (account, False)
    forbid(account, owner)
    assert taken(owner, account) is None


@pytest.mark.django_db
def test_a_wait_that_is_over_is_remembered_until_an_answer_comes():
    account, owner = builders.account(), builders.owner()
    pace.push_back(account.pk, 60)
    Limiter.objects.update(blocked_until=0)
    assert taken(owner, account).throttled
    pace.all_clear(account.pk)
    assert not taken(owner, account).throttled


@pytest.mark.django_db
def test_an_account_is_read_anew_when_it_has_changed():
    account, owner = builders.account(rate_per_minute=200), builders.owner()
    first = taken(owner, account).account
    assert taken(owner, account).account is first
    Account.objects.filter(pk=account.pk).update(rate_per_minute=7)
    assert taken(owner, account).account.rate_per_minute == 7


@together_on_postgres
@pytest.mark.django_db(transaction=True)
def test_two_intents_of_an_account_do_not_wait_for_each_other():
    account, owner = builders.account(), builders.owner()
    with intent_under_way(owner, account):
        assert taken(owner, account)


@pytest.mark.django_db(transaction=True)
def test_a_pause_waits_for_the_intent_under_way():
    campaign, owner = builders.launched(), builders.owner()
    with intent_under_way(owner, campaign.account) as over:
        assert waits_for(over, lambda: control.pause(campaign))
    assert taken(owner, campaign.account), "the account itself is free again"


@pytest.mark.django_db(transaction=True)
def test_recovery_waits_for_the_intent_under_way_before_it_declares_its_owner_dead():
    account, owner = builders.account(), builders.owner()
    with intent_under_way(owner, account) as over:
        assert waits_for(over, lambda: recover._fence(owner.pk))
    assert taken(owner, account) is None


@together_on_postgres
@pytest.mark.django_db(transaction=True)
def test_a_pause_gets_its_turn_among_intents_that_never_leave_a_gap():
    """With locks on the account's row it would not: who shares one is let in past those who want it alone."""
    campaign, owner = builders.launched(), builders.owner()
    over = threading.Event()

    def overlapping():
        while not over.is_set():
            with transaction.atomic():
                permit.take(owner.pk, campaign.account_id)
                time.sleep(0.05)

    senders = [background(overlapping) for _ in range(8)]
    pausing = background(lambda: control.pause(campaign))
    pausing.join(5)
    in_time = not pausing.is_alive()
    over.set()
    for thread in [*senders, pausing]:
        thread.join(10)
    assert in_time


@pytest.mark.django_db(transaction=True)
def test_two_campaigns_that_leave_out_who_got_a_message_lately_never_write_to_the_same_person():
    """Intents that do not wait for each other do not see each other's claims either: 400 of 1,200 people got two."""
    account, owner = builders.account(), builders.owner()
    for _ in range(2):
        builders.launched(account=account, recipients=600, skip_recent_days=7)

    def send_all():
        while intent.commit(owner.pk, account.pk):
            pass

    for thread in [background(send_all) for _ in range(4)]:
        thread.join(60)
    on_the_wire = list(Message.objects.filter(state="in_flight").values_list("number", flat=True))
    assert len(on_the_wire) == len(set(on_the_wire)) == 600
    assert Message.objects.filter(state="suppressed").count() == 600


@pytest.mark.django_db(transaction=True)
def test_requests_are_full_although_several_senders_pick_at_once():
    """They shared the rows that were left: requests of 85 and 15 where one of 100 would have done, of 200 a minute."""
    account, owner = builders.account(), builders.owner()
    for _ in range(10):
        campaign = builders.launched(account=account, recipients=200)
        together = threading.Barrier(4)

        def send_one(together=together):
            connection.ensure_connection()
            together.wait(10)
            intent.commit(owner.pk, account.pk)

        for thread in [background(send_one) for _ in range(4)]:
            thread.join(60)
        assert list(Attempt.objects.filter(campaign=campaign).values_list("size", flat=True)) == [100, 100]


@together_on_postgres
@pytest.mark.django_db(transaction=True)
def test_an_account_can_be_saved_and_its_stop_lifted_while_requests_stop_it():
    """The console saves the row first; whoever stops the account must not hold its lock while waiting for the row."""
    account = builders.account()
    control.stop_account(account.pk, "The key was refused.")
    saved, errors = threading.Event(), []

    def stop():
        saved.wait(10)
        try:
            control.stop_account(account.pk, "The key was refused again.")
        except OperationalError as error:
            errors.append(error)

    stopping = background(stop)
    with transaction.atomic():
        Account.objects.filter(pk=account.pk).update(base_url="https://api.exotel.com")
        saved.set()
        time.sleep(0.3)
        assert control.lift(account)
    stopping.join(10)
    assert not errors
    assert Account.objects.get(pk=account.pk).stop_reason == "The key was refused again."
