"""Numbers that are in vain: suppressed once enough reports say so, and never on a single doubt."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Account, AuditEvent, Message, Suppression
from campaigns.sending import learning
from tests import builders
from tests.integration.test_evidence import Sent
from tests.plans import plan_of

pytestmark = pytest.mark.django_db
Reason = Suppression.Reason


def fail(*codes, account=None, listed_meanwhile=()):
    """One request whose messages fail with these codes, to the same numbers each time."""
    Message.objects.exclude(sid=None).update(sid=Concat("sid", Value("-earlier")))
    sent = Sent(account)
    sent.accept(0, 1, 2, 3)
    for fields in listed_meanwhile:
        Suppression.objects.create(account=sent.campaign.account, **fields)
    word = {"20005": "sent", "20006": "sent"}
    sent.apply(*(sent.report(i, code=code, status=word.get(code, "failed")) for i, code in enumerate(codes)))
    return sent.campaign.account


def listed():
    rows = Suppression.objects.order_by("number").values_list("number", "reason")
    return [(number - builders.number(0), reason) for number, reason in rows]


def test_a_blacklisted_number_is_listed_at_once_and_another_failure_never():
    account = fail("23020", "23050", "23080", "23005")
    assert listed() == [(0, Reason.BLACKLIST)]
    row = Suppression.objects.get()
    assert (row.account, row.expires_at, row.own_wish) == (account, None, False)
    assert AuditEvent.objects.get(action="suppression.learn").details == {"reason": "blacklist", "numbers": 1}


def test_a_number_not_in_service_is_listed_at_the_second_failure_and_for_half_a_year():
    account = fail("23010", "23040")
    assert listed() == []
    fail("23040", "23050", account=account)
    assert listed() == [(0, Reason.INVALID)]
    assert Suppression.objects.get().expires_at - timezone.now() > timedelta(days=179)


def test_failures_of_another_account_do_not_count():
    fail("23010")
    fail("23010")
    assert listed() == []


@pytest.mark.parametrize(("after", "expected"), [(0, []), (1, [(0, Reason.DND)])])
def test_the_account_says_how_often(after, expected):
    account = builders.account(suppress_dnd_after=after)
    fail("23005", account=account)
    assert listed() == expected


def test_the_same_report_twice_counts_once():
    sent = Sent()
    sent.accept(0, 1, 2, 3)
    for _ in range(3):
        sent.apply(sent.report(0, code="23010", status="failed"))
    assert listed() == []


def test_a_number_that_is_listed_stays_as_it_is_unless_that_is_over():
    over = {"number": builders.number(1), "expires_at": timezone.now() - timedelta(days=1)}
    fail("23020", "23020", listed_meanwhile=[{"number": builders.number(0), "reason": Reason.OPT_OUT}, over])
    assert listed() == [(0, Reason.OPT_OUT), (1, Reason.BLACKLIST)]


def test_nothing_is_learnt_from_a_campaign_that_delivers():
    fail("20005", "20006")
    assert listed() == [] and Account.objects.exists() and Message.objects.filter(delivery="delivered").exists()


def test_numbers_are_looked_up_among_many_messages_by_their_index():
    """A hundred failures of a batch had PostgreSQL read the whole table: 35 ms at 360,000 messages, where this takes 1."""
    campaign = builders.launched(recipients=3000)
    failed = list(Message.objects.order_by("pk").values_list("pk", flat=True)[:100])
    with CaptureQueriesContext(connection) as queries:
        assert learning._often(campaign.account_id, Reason.INVALID, failed, 2) == []
    with connection.cursor() as cursor:
        for analyze in ("SELECT 1", "ANALYZE campaigns_message"):
            cursor.execute(analyze)
            looks = plan_of(queries[-1]["sql"])
            assert "messages_to_number" in looks
            assert "Seq Scan" not in looks and "SCAN t" not in looks
