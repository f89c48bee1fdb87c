"""Set-based SQL: the same answers on both databases, and by an index on both."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from callbacks.models import CallbackEvent
from campaigns import bulk
from campaigns.models import Attempt, Import, Recipient
from campaigns.sending import intent, settle
from campaigns.sending.outcomes import ItemResult, Kind, Outcome
from tests import builders
from tests.plans import plan_of

pytestmark = pytest.mark.django_db


def with_recipients(n):
    campaign = builders.campaign()
    source = Import.objects.create(campaign=campaign, filename="people.csv")
    columns = ("campaign", "source", "line", "number", "cells", "units")
    bulk.insert_rows(Recipient, columns, [(campaign.pk, source.pk, i + 2, 919800000000 + i, "[]", 1) for i in range(n)])
    return campaign


def lines(campaign, numbers):
    here = "t.campaign_id = %s AND t.number = v.number"
    return bulk.of_values(Recipient, "number", numbers, "t.number, t.line", here, [campaign.pk])


@pytest.mark.parametrize("asked", [0, 1, 100, 101, 1000, 2500])
def test_the_rows_of_some_numbers_and_no_others(asked):
    campaign, other = with_recipients(1200), with_recipients(3)
    found = lines(campaign, [919800000000 + i for i in range(asked)])
    assert sorted(found) == [(919800000000 + i, i + 2) for i in range(min(asked, 1200))]
    assert lines(other, [919800000005]) == []


def test_many_numbers_are_looked_up_one_by_one_in_the_index():
    """Reading the whole table for each 10,000 numbers made a file of a million rows take twice its time on PostgreSQL."""
    campaign = with_recipients(10_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE campaigns_recipient")
    with CaptureQueriesContext(connection) as queries:
        assert len(lines(campaign, [919800000000 + i for i in range(5000)])) == 5000
    looks = plan_of(queries[0]["sql"])
    wanted = "recipient_number_unique_in_campaign" if bulk.is_postgres() else "t USING INDEX sqlite_autoindex"
    assert wanted in looks
    assert "Hash" not in looks and "SCAN t" not in looks


TEXTS = ['text/"odd\\kind"', "{NULL,1}", "NULL", "", "a, b; c=\u0906\x7f", "'; --"]
COLUMNS = ("received_at", "kind", "attempt", "content_type", "raw", "result", "reason", "tries", "next_try_at")


def callbacks(n):
    return [
        (timezone.now(), "status", uuid4(), TEXTS[i % 6], bytes([i % 256, 0, 34, 92, 255]), "", "", i % 32_767, None)
        for i in range(n)
    ]


@pytest.mark.parametrize("n", [1, bulk.AT_ONCE, bulk.AT_ONCE + 1, 1000])
@pytest.mark.django_db(transaction=True)
def test_rows_are_committed_as_they_were_given(n):
    rows = callbacks(n)
    bulk.commit_rows(CallbackEvent, COLUMNS, rows)
    assert [
        (*row[:4], bytes(row[4]), *row[5:]) for row in CallbackEvent.objects.order_by("id").values_list(*COLUMNS)
    ] == rows


@pytest.mark.parametrize("n", [2, bulk.AT_ONCE, bulk.AT_ONCE + 1, 1000])
@pytest.mark.django_db(transaction=True)
def test_of_rows_committed_together_all_or_none_are_stored(n):
    rows = callbacks(n)
    rows[-1] = (*rows[-1][:2], None, *rows[-1][3:])
    with pytest.raises(IntegrityError):
        bulk.commit_rows(CallbackEvent, COLUMNS, rows)
    assert not CallbackEvent.objects.exists()


def test_a_row_is_written_and_changed_as_the_orm_would():
    campaign, at = builders.launched(), timezone.now()
    mine, theirs = (
        Attempt(id=uuid4(), campaign=campaign, account=campaign.account, owner=builders.owner(), size=3, started_at=at)
        for _ in range(2)
    )
    bulk.insert_one(mine)
    theirs.save(force_insert=True)
    change = {"phase": "done", "http_status": 207, "strays": [{"To": "दूसरा", "n": None}], "finished_at": at, "poll_at": None}
    assert bulk.update_one(Attempt, mine.pk, **change)
    Attempt.objects.filter(pk=theirs.pk).update(**change)
    same = [name for name in (field.attname for field in Attempt._meta.concrete_fields) if name not in {"id", "owner_id"}]
    written, expected = (Attempt.objects.filter(pk=one.pk).values(*same).get() for one in (mine, theirs))
    assert written == expected
    assert not bulk.update_one(Attempt, uuid4(), phase="done")


@pytest.mark.parametrize("analysed", [False, True])
def test_a_request_finds_its_messages_by_their_keys_whatever_else_is_pending(analysed):
    """PostgreSQL read all that was pending to claim 100 messages, and all that was sent to store the outcome of 100."""
    campaign, owner = builders.launched(recipients=30_000), builders.owner()
    if analysed:
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE campaigns_message")
    with CaptureQueriesContext(connection) as queries:
        for first in range(0, 1000, 100):
            _, order = intent.commit(owner.pk, campaign.account_id)
            accepted = [ItemResult(i, Kind.ACCEPTED, f"{first + i:032x}") for i in range(100)]
            settle.settle(order, Outcome("answered", accepted, 200))
    kinds = ("UPDATE campaigns_message SET", 'UPDATE "campaigns_message"', "SELECT t.sid")
    claim, outcome, sids = (
        plan_of([query["sql"] for query in queries if query["sql"].startswith(kind)][-1]) for kind in kinds
    )
    key = "campaigns_message_pkey" if bulk.is_postgres() else "USING INTEGER PRIMARY KEY"
    assert key in claim and "pending_messages" not in claim
    assert key in outcome and "messages_of_attempt" not in outcome
    assert "sid_unique_in_account" in sids and ("sid=?" in sids or "(sid)::text = v.sid" in sids)


def test_queries_are_not_compiled():
    """A hundred looks at an index of a table without statistics took 80 ms to compile."""
    if not bulk.is_postgres():
        pytest.skip("SQLite compiles nothing")
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
