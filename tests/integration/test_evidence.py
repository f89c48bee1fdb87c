"""Reports become statuses, on the real database: any order, split and repetition ends in the same place."""

import itertools
import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns import bulk
from campaigns.exotel.reports import from_fields
from campaigns.insight import recount
from campaigns.models import Attempt, DeliveryEvent, Message, Transition
from campaigns.models.states import DELIVERY_OF
from campaigns.sending import evidence, intent, settle, states
from campaigns.sending.evidence import APPLIED, DUPLICATE, PARKED, QUARANTINED, Evidence
from campaigns.sending.outcomes import ItemResult, Kind
from campaigns.sending.standing import standing
from tests import builders
from tests.plans import plan_of

pytestmark = pytest.mark.django_db
NAMES = {"20005": "DELIVERED_TO_HANDSET", "20006": "DELIVERED_TO_OPERATOR", "23050": "FAILED_EXPIRED"}
ANSWERED = ("state", "sid", "delivery", "code", "standing", "conflict", "units")


class Sent:
    """One request with four messages: two in flight, then one accepted and one unconfirmed, as the tests ask."""

    def __init__(self, account=None):
        self.campaign = builders.launched(recipients=4, account=account or builders.account())
        _, self.order = intent.commit(builders.owner().pk, self.campaign.account_id)
        self.attempt = self.order.attempt

    def message(self, i):
        return Message.objects.get(pk=self.order.ids[i])

    def accept(self, *which):
        """Exotel's answer about these messages; about the others it says nothing yet."""
        results = [(self.order.ids[i], ItemResult(i, Kind.ACCEPTED, f"sid{i}")) for i in which]
        with transaction.atomic():
            states.settle(self.attempt, results, timezone.now())

    def report(self, i, code="20005", status="sent", sid=None, second=0, attempt=None, **more):
        fields = {
            "SmsSid": f"sid{i}" if sid is None else sid, "To": f"098000{i:05d}", "Status": status, "DetailedStatusCode": code,
            "DetailedStatus": NAMES.get(code, ""), "DateSent": f"2026-11-21 10:00:{second:02d}",
        } | more  # fmt: skip
        return Evidence.of(attempt or self.attempt.pk, from_fields(fields, "callback"), timezone.now())

    def apply(self, *reports):
        with transaction.atomic():
            return [verdict.result for verdict in evidence.apply(reports)]

    def shape(self):
        """All that any page shows of the messages and their reports."""
        messages = list(Message.objects.filter(campaign=self.campaign).order_by("id").values_list("id", *ANSWERED))
        events = DeliveryEvent.objects.filter(message__campaign=self.campaign).values_list("message", "digest", "state")
        return messages, sorted((pk, bytes(digest), state) for pk, digest, state in events)

    def counters_are_true(self):
        return recount.differences(self.campaign.pk) == {}


@pytest.fixture
def sent(db):
    return Sent()


# One report ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status", "delivery"),
    [
        ("21010", "queued", "awaiting"), ("21020", "submitted", "awaiting"), ("20006", "sent", "at_operator"),
        ("23005", "failed-dnd", "failed"), ("23050", "failed", "failed"), ("20005", "sent", "delivered"),
        ("", "sent", "at_operator"), ("", "delivered", "delivered"), ("99999", "failed", "failed"),
        ("99999", "sent", "at_operator"), ("9" * 40, "failed", "failed"), ("x-y-z", "failed", "failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", ["accepted", "in_flight", "unconfirmed"])
def test_a_report_settles_a_message_whatever_is_known_of_it(sent, known, code, status, delivery):
    if known == "accepted":
        sent.accept(0)
    if known == "unconfirmed":
        settle.lose(sent.attempt, "lost")
    assert sent.message(0).state == known
    assert sent.apply(sent.report(0, code, status)) == [APPLIED]
    found = sent.message(0)
    assert (found.state, found.sid, found.delivery) == ("accepted", "sid0", delivery)
    assert found.code == code[:32]
    assert bool(found.final_at) == (delivery != "awaiting")
    assert sent.counters_are_true()


def test_a_status_nobody_knows_is_kept_and_changes_no_delivery(sent):
    sent.accept(0)
    assert sent.apply(sent.report(0, "", "telepathy")) == [APPLIED]
    assert (sent.message(0).delivery, sent.message(0).standing) == ("awaiting", 0)
    assert DeliveryEvent.objects.get().word == "telepathy"
    assert sent.counters_are_true()


def test_what_is_stored_of_a_report_is_bounded_like_its_columns(sent):
    long = sent.report(0, "7" * 500, "f" * 500, DetailedStatus="N" * 500, SmsUnits="9" * 500)
    assert sent.apply(long) == [APPLIED]
    event = DeliveryEvent.objects.get()
    assert (len(event.code), len(event.word), len(event.name)) == (32, 32, 80)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("told", "units"),
    [
        ([("20005", "sent", "3"), ("21020", "submitted", "2")], 3),
        ([("20005", "sent", ""), ("21020", "submitted", "2")], 2),  # the report that decides does not say
        ([("20005", "sent", ""), ("20005", "sent", "2")], 2),  # nor does one that else says the same
        ([("20005", "sent", ""), ("23050", "failed", "")], 1),
        ([("telepathy", "telepathy", "7")], 1),
    ],
)
def test_exotels_count_of_units_replaces_the_estimate_in_any_order(sent, told, units, together):
    reached = set()
    for order in itertools.permutations(sent.report(0, code, word, SmsUnits=n) for code, word, n in told):
        with transaction.atomic():
            sent.accept(0)
            for batch in [order] if together else [[item] for item in order]:
                sent.apply(*batch)
            reached.add(sent.message(0).units)
            assert sent.counters_are_true()
            transaction.set_rollback(True)
    assert reached == {units}


def test_the_history_of_an_adopted_message_says_how_it_became_known(sent):
    sent.apply(sent.report(0))
    last = Transition.objects.filter(message=sent.order.ids[0]).order_by("id").last()
    assert (last.state, last.attempt, last.reason) == ("accepted", sent.attempt.pk, "Known from its status report")


# Several reports ----------------------------------------------------------------------------------------------------

PAIRS = [("21020", "submitted"), ("20006", "sent"), ("24990", "failed"), ("23050", "failed"), ("23005", "failed-dnd"),
         ("20005", "sent"), ("", "delivered")]  # fmt: skip


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(PAIRS, 2)))
def test_of_two_reports_the_one_that_proves_more_decides(sent, first, second):
    sent.accept(0)
    one, two = sent.report(0, *first), sent.report(0, *second)
    deciding = max(one.report, two.report, key=standing)
    assert sent.apply(one) + sent.apply(two) == [APPLIED, APPLIED]
    found = sent.message(0)
    assert (found.delivery, found.code) == (DELIVERY_OF[deciding.state], deciding.code)
    assert found.conflict == ({one.report.state, two.report.state} == {"failed", "delivered"})
    assert sent.counters_are_true()


def test_a_receipt_after_days_still_counts(sent):
    sent.accept(0)
    sent.apply(sent.report(0, "23050", "failed"))
    Message.objects.update(settled_at=timezone.now() - timedelta(days=10))
    sent.apply(sent.report(0, "20005", "sent", second=30))
    assert (sent.message(0).delivery, sent.message(0).conflict) == ("delivered", True)


def test_of_codes_that_are_no_numbers_one_decides_in_any_order(sent):
    reports = [sent.report(0, code, "failed") for code in ("AA", "BB", "0" * 6 + "1", "1000001")]
    reached = set()
    for order in itertools.permutations(reports):
        with transaction.atomic():
            for item in order:
                sent.apply(item)
            reached.add(sent.message(0).code)
            transaction.set_rollback(True)
    assert len(reached) == 1


@pytest.mark.parametrize("first", ["answer", "report"])
@pytest.mark.parametrize("pair", PAIRS)
def test_a_report_may_overtake_the_answer(sent, pair, first):
    steps = [lambda: sent.accept(0), lambda: sent.apply(sent.report(0, *pair))]
    for step in steps if first == "answer" else reversed(steps):
        step()
    found = sent.message(0)
    deciding = sent.report(0, *pair).report
    assert (found.state, found.sid) == ("accepted", "sid0")
    assert (found.delivery, found.code, found.standing) == (DELIVERY_OF[deciding.state], deciding.code, standing(deciding))
    assert sent.counters_are_true()


def test_repetition_changes_nothing(sent):
    report = sent.report(0)
    assert sent.apply(report, report, report) == [APPLIED, DUPLICATE, DUPLICATE]
    before = sent.shape()
    assert sent.apply(report, report) == [DUPLICATE, DUPLICATE]
    assert sent.shape() == before
    assert sent.counters_are_true()


def test_the_same_statement_by_callback_and_poll_is_one(sent):
    polled = sent.report(0)
    poll = Evidence.of(polled.attempt, from_fields({"Sid": "sid0", "To": "+919800000000", "Status": "sent",
                    "DetailedStatusCode": 20005, "DateSent": "2026-11-21 10:00:00"}, "poll"), polled.received_at)  # fmt: skip
    assert sent.apply(polled, poll) == [APPLIED, DUPLICATE]


# Any set of reports in any order ------------------------------------------------------------------------------------

ONE = st.tuples(
    st.integers(0, 4),  # the fifth number was not in the request
    st.sampled_from([*PAIRS, ("21010", "queued"), ("99999", "failed"), ("X", "failed"), ("Y", "failed"), ("", "telepathy")]),
    st.integers(0, 2),
    st.sampled_from(["", "1", "2", "3"]),  # units
)


def oracle(sent, reports):
    """What design/statuses.md says of a set of reports, in plain Python."""
    expected = []
    for i in range(4):
        mine = [told for told in {item.report for item in reports} if told.number10 == f"98000{i:05d}"]
        ranked = sorted((standing(told), told.code, told.state) for told in mine if standing(told))
        outcomes = {DELIVERY_OF.get(told.state) for told in mine}
        conflict = "failed" in outcomes and bool(outcomes & {"delivered", "read"})
        decided = (DELIVERY_OF[ranked[-1][2]], ranked[-1][1], conflict) if ranked else None
        expected.append(decided)
    return expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_order_split_and_repetition_ends_in_the_same_place(sent, data):
    drawn = data.draw(st.lists(ONE, min_size=1, max_size=12), "reports")
    reports = [sent.report(i, *pair, second=second, SmsUnits=units) for i, pair, second, units in drawn]
    repeated = data.draw(st.permutations(reports + reports[: len(reports) // 2]), "order")
    cuts = data.draw(st.lists(st.integers(0, len(repeated)), max_size=4).map(sorted), "cuts")
    answer_at = data.draw(st.integers(0, len(cuts) + 1), "answer after batch")
    batches = [repeated[a:b] for a, b in itertools.pairwise([0, *cuts, len(repeated)])]
    reached = []
    for plan in ([reports], batches):
        with transaction.atomic():
            for number, batch in enumerate(plan):
                if number == answer_at:
                    sent.accept(1, 2)
                sent.apply(*batch)
            sent.accept(1, 2)
            assert sent.counters_are_true()
            reached.append(sent.shape())
            transaction.set_rollback(True)
    assert reached[0] == reached[1]
    for message, expected in zip(reached[0][0], oracle(sent, reports), strict=True):
        if expected:
            _, state, _, delivery, code, _, conflict, _ = message
            assert (state, (delivery, code, bool(conflict))) == ("accepted", expected)


# What contradicts the request ---------------------------------------------------------------------------------------


def test_a_number_outside_the_request_is_quarantined(sent):
    before = sent.shape()
    assert sent.apply(sent.report(7), sent.report(0, To=""), sent.report(0, To="12345")) == [QUARANTINED] * 3
    assert sent.shape() == before


def test_a_number_of_another_request_is_quarantined(sent):
    other = builders.launched(account=sent.campaign.account, numbers=[builders.number(50)])
    _, order = intent.commit(builders.owner().pk, other.account_id)
    assert sent.apply(sent.report(0, attempt=order.attempt.pk), sent.report(50)) == [QUARANTINED] * 2
    assert not DeliveryEvent.objects.exists()


def test_an_unknown_request_is_parked(sent):
    assert sent.apply(sent.report(0, attempt=uuid.uuid4())) == [PARKED]
    assert sent.message(0).state == "in_flight"


def test_a_second_sid_is_quarantined_and_the_first_stays(sent):
    sent.accept(0)
    with transaction.atomic():
        verdict = evidence.apply([sent.report(0, sid="other")])[0]
    assert (verdict.result, verdict.message_id) == (QUARANTINED, sent.order.ids[0])
    assert "another Sid" in verdict.reason
    assert (sent.message(0).sid, sent.message(0).delivery) == ("sid0", "awaiting")


@pytest.mark.parametrize("together", [True, False])
def test_two_sids_for_one_message_count_once_however_they_are_split(sent, together):
    reports = [
        sent.report(0, sid="one"),
        sent.report(0, "23050", "failed", sid="two"),
        sent.report(0, "21020", "submitted", sid="one"),
    ]
    verdicts = sent.apply(*reports) if together else [result for item in reports for result in sent.apply(item)]
    assert verdicts == [APPLIED, QUARANTINED, APPLIED]
    assert (sent.message(0).sid, sent.message(0).delivery, sent.message(0).conflict) == ("one", "delivered", False)


@pytest.mark.parametrize("together", [True, False])
def test_one_sid_for_two_messages_stays_with_the_first(sent, together):
    reports = [sent.report(0, sid="one"), sent.report(1, sid="one"), sent.report(1)]
    verdicts = sent.apply(*reports) if together else [result for item in reports for result in sent.apply(item)]
    assert verdicts == [APPLIED, QUARANTINED, APPLIED]
    assert (sent.message(0).sid, sent.message(1).sid) == ("one", "sid1")


def test_a_sid_that_an_accepted_message_holds_is_not_adopted(sent):
    sent.accept(2)
    assert sent.apply(sent.report(0, sid="sid2")) == [QUARANTINED]
    assert (sent.message(0).state, sent.message(0).sid) == ("in_flight", None)


def test_a_refused_report_reserves_no_sid(sent):
    """The first names the Sid for a message that was refused, so the second may still bring it."""
    with transaction.atomic():
        states.settle(sent.attempt, [(sent.order.ids[0], ItemResult(0, Kind.REJECTED, code="23010"))], timezone.now())
    assert sent.apply(sent.report(0, sid="one"), sent.report(1, sid="one")) == [QUARANTINED, APPLIED]


def test_the_same_sid_on_another_account_is_no_contradiction(sent):
    sent.accept(0)
    other = builders.launched(numbers=[builders.number(60)])
    _, order = intent.commit(builders.owner().pk, other.account_id)
    theirs = sent.report(60, sid="sid0", attempt=order.attempt.pk)
    assert sent.apply(sent.report(1, sid="sid0"), theirs, sent.report(1)) == [QUARANTINED, APPLIED, APPLIED]


def test_a_report_without_a_sid_counts_once_the_sid_is_known(sent):
    assert sent.apply(sent.report(0, sid="")) == [QUARANTINED]
    sent.accept(0)
    assert sent.apply(sent.report(0, sid="")) == [APPLIED]
    assert sent.message(0).delivery == "delivered"


def test_a_message_that_was_given_back_is_not_changed_by_its_old_request(sent):
    with transaction.atomic():
        states.release(sent.attempt, timezone.now(), "not sent")
    assert sent.apply(sent.report(0)) == [QUARANTINED]
    assert sent.message(0).state == "pending"
    assert sent.counters_are_true()


def test_a_rejected_message_is_not_revived(sent):
    with transaction.atomic():
        states.settle(sent.attempt, [(sent.order.ids[0], ItemResult(0, Kind.REJECTED, code="23010"))], timezone.now())
    assert sent.apply(sent.report(0)) == [QUARANTINED]
    assert (sent.message(0).state, sent.message(0).code) == ("rejected", "23010")
    assert sent.counters_are_true()


def test_a_late_answer_leaves_what_a_report_has_proved(sent):
    sent.apply(sent.report(0))
    settle.lose(sent.attempt, "lost")
    sent.accept(0, 1)
    found = sent.message(0)
    assert (found.state, found.delivery) == ("accepted", "delivered")
    assert sent.message(1).state == "accepted"
    assert sent.counters_are_true()


# Size and company ---------------------------------------------------------------------------------------------------


def test_a_full_batch_takes_few_queries(django_assert_max_num_queries):
    campaign = builders.launched(recipients=1_000)
    owner = builders.owner()
    items = []
    while committed := intent.commit(owner.pk, campaign.account_id):
        order = committed[1]
        fields = [{"SmsSid": f"sid{n}", "To": n, "Status": "sent", "DetailedStatusCode": "20005"} for n in order.numbers]
        items += [Evidence.of(order.attempt.pk, from_fields(f, "callback"), timezone.now()) for f in fields]
    assert (len(items), Attempt.objects.count()) == (1_000, 10)
    with transaction.atomic(), django_assert_max_num_queries(11):
        assert {verdict.result for verdict in evidence.apply(items)} == {APPLIED}
    assert Message.objects.filter(state="accepted", delivery="delivered").count() == 1_000
    assert recount.differences(campaign.pk) == {}


@pytest.mark.django_db(transaction=True)
def test_the_same_reports_from_two_sides_at_once_count_once(transactional_db):
    sent = Sent()
    items = [sent.report(i, code, status) for i in range(4) for code, status in PAIRS]
    applied, started = [], threading.Barrier(4)

    def work(mine):
        started.wait()
        for start in range(0, len(mine), 5):
            applied.extend(sent.apply(*mine[start : start + 5]))
        connection.close()

    threads = [threading.Thread(target=work, args=(order,)) for order in (items, items[::-1], items[7:] + items[:7], items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (applied.count(APPLIED), len(applied)) == (len(items), 4 * len(items))
    assert DeliveryEvent.objects.count() == len(items)
    assert sent.counters_are_true()


# Reports for an account as a whole: the Sid alone says which message is meant --------------------------------------------


def test_a_report_for_the_account_finds_its_message_by_sid(sent):
    sent.accept(0, 1)
    account = sent.campaign.account
    verdicts = sent.apply(sent.report(1, attempt=account.callback_id, To=""))
    assert verdicts == [APPLIED]
    assert (sent.message(0).delivery, sent.message(1).delivery) == ("awaiting", "delivered")
    assert sent.counters_are_true()


def test_the_same_report_by_either_address_is_one_event(sent):
    sent.accept(0)
    account = sent.campaign.account
    assert sent.apply(sent.report(0), sent.report(0, attempt=account.callback_id)) == [APPLIED, DUPLICATE]
    assert sent.apply(sent.report(0, attempt=account.callback_id)) == [DUPLICATE]
    assert DeliveryEvent.objects.count() == 1


def test_a_report_for_the_account_with_a_sid_not_yet_known_is_parked(sent):
    assert sent.apply(sent.report(0, attempt=sent.campaign.account.callback_id)) == [PARKED]
    sent.accept(0)
    assert sent.apply(sent.report(0, attempt=sent.campaign.account.callback_id)) == [APPLIED]


def test_an_account_cannot_report_on_anothers_message(sent):
    sent.accept(0)
    other = builders.account()
    assert sent.apply(sent.report(0, attempt=other.callback_id)) == [PARKED]
    assert sent.message(0).delivery == "awaiting"


@pytest.mark.parametrize("sid", ["", "nowhere"])
def test_a_report_for_the_account_that_names_no_message_is_parked(sent, sid):
    sent.accept(0)
    assert sent.apply(sent.report(0, sid=sid, attempt=sent.campaign.account.callback_id)) == [PARKED]


def test_reports_find_their_messages_without_reading_the_table(db):
    """SQLite read all of it for each batch, so a report took three times as long at 150,000 messages."""
    requests = [uuid.uuid4() for _ in range(20)]
    keys = {(request.int, f"98{i:08d}") for i in range(50) for request in requests}
    with CaptureQueriesContext(connection) as queries:
        assert evidence._subjects(keys, dict.fromkeys(requests, timezone.now())) == {}
    with transaction.atomic(), connection.cursor() as cursor:
        if bulk.is_postgres():
            cursor.execute("SET LOCAL enable_seqscan = off")
        reads = plan_of(queries[0]["sql"])
    assert "messages_of_attempt" in reads
    assert "SCAN m'" not in reads
