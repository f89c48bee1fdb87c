"""One launch, however often and from wherever it is pressed, and one message for each recipient."""

import threading
from collections import Counter

import pytest
from django.db import connection

from campaigns.models import AuditEvent, Campaign, Message
from campaigns.sending import launch
from tests import builders
from tests.integration.test_api import Api

pytestmark = pytest.mark.django_db(transaction=True)
PRESSES, PEOPLE = 50, 30


def at_once(press):
    """Press fifty times at one moment; what each press was told."""
    told, ready = [None] * PRESSES, threading.Barrier(PRESSES)

    def run(i):
        try:
            ready.wait()
            told[i] = press(i)
        except Exception as error:
            told[i] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[i]) for i in range(PRESSES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return told


@pytest.fixture
def draft():
    return builders.campaign(recipients=PEOPLE)


@pytest.fixture
def api():
    return Api("launch", "read")


def press(api, draft, key):
    path = f"/campaigns/{draft.pk}/launch/"
    return lambda i: (
        (answer := api.post(path, {"accept_warnings": True}, **{"Idempotency-Key": key(i)}))
        and (
            answer.status_code,
            answer.json().get("state") or answer.json().get("code"),
        )
    )


def test_fifty_presses_with_one_key_are_one_launch_and_all_are_told_so(api, draft):
    assert Counter(at_once(press(api, draft, lambda _: "the-same"))) == {(200, "launching"): PRESSES}
    assert AuditEvent.objects.filter(action="campaign.launch").count() == 1


def test_of_fifty_presses_with_different_keys_one_wins_and_the_others_are_refused(api, draft):
    told = Counter(at_once(press(api, draft, lambda i: f"key-{i}")))
    assert told == {(200, "launching"): 1, (409, "already_launched"): PRESSES - 1}
    assert AuditEvent.objects.filter(action="campaign.launch").count() == 1


def test_messages_written_by_fifty_jobs_at_once_are_one_for_each_recipient(draft):
    launch.launch(draft, None, accept_warnings=True)
    assert set(at_once(lambda _: launch.write_messages(draft.pk))) == {True}
    assert Counter(Message.objects.values_list("recipient", flat=True)) == dict.fromkeys(
        draft.recipients.values_list("pk", flat=True), 1
    )
    assert Campaign.objects.get(pk=draft.pk).state == "running"


def test_a_key_longer_than_can_be_stored_is_still_one_key(api, draft):
    one = press(api, draft, lambda i: "k" * 200)
    assert [one(0), one(1)] == [(200, "launching")] * 2
    assert press(api, draft, lambda i: "k" * 200 + "other")(0) == (409, "already_launched")
