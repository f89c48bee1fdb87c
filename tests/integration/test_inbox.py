"""The inbox: what is stored becomes a status once, whatever breaks on the way."""

import gc
import json
import logging
import threading
import time
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from callbacks import inbox, ingest, parsing, reading, tasks
from callbacks.models import CallbackEvent
from campaigns import bulk, jobs, leases
from campaigns.exotel.reports import from_fields
from campaigns.insight import recount
from campaigns.models import DeliveryEvent, Lease, Message
from campaigns.models.states import MessageState
from campaigns.sending import evidence, intent
from campaigns.sending.settle import lose
from tests import builders
from tests.elsewhere import elsewhere
from tests.integration.test_ingest import HOSTILE
from tests.plans import plan_of

pytestmark = pytest.mark.django_db(transaction=True)
Result = CallbackEvent.Result


class Sent:
    def __init__(self, recipients=3):
        self.campaign = builders.launched(recipients=recipients)
        _, self.order = intent.commit(builders.owner().pk, self.campaign.account_id)

    def store(self, *bodies, attempt=None, received_at=None, **values):
        for body in bodies:
            raw = body if isinstance(body, bytes) else urlencode(body).encode()
            CallbackEvent.objects.create(
                received_at=received_at or timezone.now(), attempt=attempt or self.order.attempt.pk, raw=raw, **values
            )

    def message(self, i):
        return Message.objects.get(pk=self.order.ids[i])

    def counters_are_true(self):
        return recount.differences(self.campaign.pk) == {}


@pytest.fixture
def sent(transactional_db):
    return Sent()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(inbox, "LINGER", 0.05)
    monkeypatch.setattr(inbox, "PAUSE", 0.01)


@pytest.fixture
def rings(monkeypatch):
    rung = []
    monkeypatch.setattr(jobs, "enqueue", lambda *job: rung.append(job))
    return rung


def report(i, code="20005", status="sent", **more):
    return {"SmsSid": f"sid{i}", "To": f"098000{i:05d}", "Status": status, "DetailedStatusCode": code,
            "DateSent": "2026-11-21 10:00:00", "SmsUnits": "1", **more}  # fmt: skip


def results():
    return list(CallbackEvent.objects.order_by("id").values_list("result", flat=True))


# Applying -----------------------------------------------------------------------------------------------------------


def test_a_stored_callback_becomes_the_status_of_its_message(sent):
    sent.store(report(0))
    assert tasks.drain() == 1
    event, message = CallbackEvent.objects.get(), sent.message(0)
    assert (event.result, event.reason, event.message_id, event.tries) == (Result.APPLIED, "", message.pk, 1)
    assert event.applied_at
    assert event.next_try_at is None
    assert (message.state, message.sid, message.delivery, message.code) == ("accepted", "sid0", "delivered", "20005")
    assert message.final_at == event.received_at
    assert sent.counters_are_true()


def test_a_callback_settles_an_unconfirmed_message(sent):
    lose(sent.order.attempt, "lost")
    assert sent.message(1).state == MessageState.UNCONFIRMED
    sent.store(report(1, "23050", "failed"))
    inbox.drain()
    assert (sent.message(1).state, sent.message(1).delivery, sent.message(1).code) == ("accepted", "failed", "23050")
    assert sent.counters_are_true()


def test_each_callback_is_marked_with_what_became_of_it(sent):
    sent.store(report(0), report(0), report(9), report(1, SmsSid="sid0"), b"{}", b"Status=", json.dumps(report(2)).encode())
    sent.store(report(0), attempt=uuid.uuid4())
    assert inbox.drain() == 8
    assert results() == [
        Result.APPLIED, Result.DUPLICATE, Result.QUARANTINED, Result.QUARANTINED, Result.NONSENSE, Result.NONSENSE,
        Result.APPLIED, Result.PARKED,
    ]  # fmt: skip
    events = list(CallbackEvent.objects.order_by("id"))
    assert [bool(event.reason) for event in events] == [False, False, True, True, True, True, False, True]
    assert [event.message_id for event in events] == [
        sent.order.ids[0], sent.order.ids[0], None, sent.order.ids[1], None, None, sent.order.ids[2], None,
    ]  # fmt: skip
    assert [bool(event.applied_at) for event in events] == [True] * 7 + [False]
    assert sent.counters_are_true()


@pytest.mark.parametrize("shape", [lambda r: r, lambda r: [r], lambda r: {"SMSMessage": r}, lambda r: [{"SMSMessage": r}]])
def test_json_says_the_same_as_a_form(sent, shape):
    sent.store(report(0), json.dumps(shape(report(0) | {"DetailedStatusCode": 20005, "SmsUnits": 1})).encode())
    inbox.drain()
    assert results() == [Result.APPLIED, Result.DUPLICATE]


def test_hostile_bodies_have_the_same_harmless_end_on_every_database(sent):
    sent.store(*HOSTILE)
    inbox.drain()
    says_something = [from_fields(parsing.fields(body), "callback") is not None for body in HOSTILE]
    assert 20 < sum(says_something) < len(HOSTILE) - 20
    # The messages that they name, if any, were not in the request.
    assert results() == [Result.QUARANTINED if said else Result.NONSENSE for said in says_something]
    assert [bytes(raw) for raw in CallbackEvent.objects.order_by("id").values_list("raw", flat=True)] == HOSTILE
    assert not DeliveryEvent.objects.exists()
    assert {sent.message(i).state for i in range(3)} == {MessageState.IN_FLIGHT}
    assert sent.counters_are_true()


def test_a_backlog_larger_than_a_batch_is_drained_in_order(sent, monkeypatch):
    monkeypatch.setattr(evidence, "chunk", lambda: 4)
    sent.store(*[report(i % 3, code) for code in ("21010", "21020", "20006", "20005") for i in range(3)])
    assert inbox.drain() == 12
    assert set(results()) == {Result.APPLIED}
    assert {sent.message(i).delivery for i in range(3)} == {"delivered"}
    assert sent.counters_are_true()


# Parked -------------------------------------------------------------------------------------------------------------


def park(sent, tries=0, age=timedelta()):
    sent.store(report(0), attempt=uuid.uuid4(), tries=tries, received_at=timezone.now() - age)
    before = timezone.now()
    inbox.apply_next()
    event = CallbackEvent.objects.get()
    return event, event.next_try_at and (event.next_try_at - before).total_seconds()


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(0, 30), (1, 60), (2, 120), (5, 960), (9, 15_360), (10, 21_600), (40, 21_600), (30_000, 21_600)],
)
def test_a_report_for_an_unknown_request_is_tried_again_ever_later(sent, tries, seconds):
    event, wait = park(sent, tries)
    assert (event.result, event.tries, event.applied_at) == (Result.PARKED, tries + 1, None)
    assert seconds <= wait < seconds + 20


def test_after_seven_days_it_stays_listed_and_is_left_alone(sent):
    event, _ = park(sent, 20, timedelta(days=7, minutes=1))
    assert (event.result, event.next_try_at) == (Result.PARKED, None)
    assert not inbox.waiting()
    assert inbox.drain() == 0


def test_a_parked_report_is_applied_when_its_request_is_known(sent):
    event, _ = park(sent)
    assert inbox.apply_next() == 0  # not yet
    CallbackEvent.objects.update(attempt=sent.order.attempt.pk, next_try_at=timezone.now())
    assert inbox.waiting()
    assert inbox.drain() == 1
    event.refresh_from_db()
    assert (event.result, event.tries, event.next_try_at, event.reason) == (Result.APPLIED, 2, None, "")
    assert sent.message(0).delivery == "delivered"


def test_parked_reports_do_not_hold_up_fresh_ones(sent, monkeypatch):
    monkeypatch.setattr(evidence, "chunk", lambda: 3)
    sent.store(*[report(0)] * 5, attempt=uuid.uuid4(), result=Result.PARKED, next_try_at=timezone.now())
    sent.store(report(0), report(1))
    inbox.apply_next()
    assert (sent.message(0).delivery, sent.message(1).delivery) == ("delivered", "delivered")


# What breaks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("culprits", [{0}, {6}, {12}, {3, 4}, {0, 5, 12}, set(range(13))])
def test_a_poison_callback_stands_aside_alone(sent, monkeypatch, culprits, caplog):
    real, calls = evidence.apply, []

    def poisoned(items):
        calls.append(len(items))
        if any(item.report.custom == "poison" for item in items):
            raise ZeroDivisionError("09800000001")
        return real(items)

    monkeypatch.setattr(evidence, "apply", poisoned)
    codes = ["21010", "21015", "21020", "20006", "23050", "23010", "20005"]
    bodies = [report(i % 3, codes[i // 3], CustomField="poison" if i in culprits else "") for i in range(13)]
    sent.store(*bodies)
    assert inbox.drain() == 13
    assert results() == [Result.QUARANTINED if i in culprits else Result.APPLIED for i in range(13)]
    assert set(CallbackEvent.objects.filter(result=Result.QUARANTINED).values_list("reason", flat=True)) == {
        "It could not be applied (ZeroDivisionError)."
    }
    assert len(calls) <= 2 * 13
    assert DeliveryEvent.objects.count() == 13 - len(culprits)
    assert sent.counters_are_true()
    assert "09800000001" not in caplog.text


def test_mark_and_effect_are_committed_together(sent, monkeypatch):
    sent.store(report(0), report(1))
    real = bulk.update_rows

    def update_rows(model, *rest, **more):
        if model is CallbackEvent:
            raise OperationalError("the database went away")
        return real(model, *rest, **more)

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(bulk, "update_rows", update_rows)
        inbox.apply_next()
    assert results() == [Result.WAITING, Result.WAITING]
    assert (sent.message(0).state, DeliveryEvent.objects.count()) == (MessageState.IN_FLIGHT, 0)
    assert inbox.drain() == 2
    assert (results(), sent.message(0).delivery) == ([Result.APPLIED, Result.APPLIED], "delivered")
    assert sent.counters_are_true()


def test_a_database_that_is_away_sets_nothing_aside_and_frees_the_turn(sent, monkeypatch, rings):
    sent.store(report(0))

    def away(_):
        raise OperationalError

    with monkeypatch.context() as patch, pytest.raises(OperationalError):
        patch.setattr(evidence, "apply", away)
        inbox.drain()
    assert results() == [Result.WAITING]
    assert not leases.held(inbox.LEASE)
    assert inbox.ring()
    assert inbox.drain() == 1


def test_an_error_in_the_database_does_not_spoil_the_rest_of_the_batch(sent, monkeypatch):
    """On PostgreSQL a failed statement spoils its transaction; the callbacks around it must still be applied."""
    real = evidence.apply

    def poisoned(items):
        verdicts = real(items)
        if any(item.report.custom == "poison" for item in items):
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO campaigns_deliveryevent (id) VALUES (NULL)")
        return verdicts

    monkeypatch.setattr(evidence, "apply", poisoned)
    sent.store(report(0), report(1, CustomField="poison"), report(2))
    inbox.drain()
    assert results() == [Result.APPLIED, Result.QUARANTINED, Result.APPLIED]
    assert (sent.message(0).delivery, sent.message(1).state) == ("delivered", MessageState.IN_FLIGHT)
    assert sent.counters_are_true()


def test_no_number_or_body_reaches_a_log(sent, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(evidence, "apply", lambda items: int(items[0].report.to))
    sent.store(report(0, To="9800000000"), b"Status=\x00nonsense")
    inbox.drain()
    assert "set aside" in caplog.text
    for secret in ("9800000000", "sid0", "nonsense", sent.order.attempt.pk.hex, str(sent.order.attempt.pk)):
        assert secret not in caplog.text


def test_a_batch_is_applied_without_the_garbage_collector_and_what_follows_with_it(sent, monkeypatch):
    """To look for cycles among the objects of a batch took a fifth of the time that Python takes for it."""
    collecting = []
    monkeypatch.setattr(evidence, "apply", lambda _: collecting.append(gc.isenabled()) or 1 / 0)
    sent.store(report(0))
    assert inbox.apply_next() == 1
    monkeypatch.setattr(reading, "batch", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        inbox.apply_next()
    assert (collecting, gc.isenabled()) == ([False], True)


def test_the_garbage_collector_comes_back_when_the_last_of_several_batches_ends():
    first, second = reading.uncollected(), reading.uncollected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


# Turns --------------------------------------------------------------------------------------------------------------


def test_one_drain_at_a_time(sent, rings):
    sent.store(report(0))
    assert leases.take(inbox.LEASE, uuid.uuid4())
    assert inbox.drain() == 0
    assert (results(), rings) == ([Result.WAITING], [])


def test_a_drain_that_lost_its_turn_ends(sent, monkeypatch, rings):
    monkeypatch.setattr(inbox, "RENEW", 0.0)
    turns = iter([True])
    monkeypatch.setattr(leases, "take", lambda *_: next(turns, False))
    sent.store(report(0))
    assert inbox.drain() == 0
    assert results() == [Result.WAITING]


def test_a_drain_renews_its_turn_and_gives_it_back(sent, monkeypatch, rings):
    monkeypatch.setattr(inbox, "RENEW", 0.0)
    taken, real = [], leases.take
    monkeypatch.setattr(leases, "take", lambda *turn: taken.append(turn) or real(*turn))
    sent.store(report(0))
    inbox.drain()
    assert len(taken) > 2
    assert len(set(taken)) == 1
    assert not leases.held(inbox.LEASE)


def test_a_drain_takes_what_comes_while_it_lingers_and_ends_in_silence(sent, monkeypatch, rings):
    late = iter([report(1), report(2)])
    monkeypatch.setattr(inbox, "LINGER", 0.5)
    monkeypatch.setattr(time, "sleep", lambda _: [sent.store(body) for body in [next(late, None)] if body])
    sent.store(report(0))
    assert inbox.drain() == 3
    assert (set(results()), rings) == ({Result.APPLIED}, [])


def test_a_drain_whose_time_is_over_calls_its_successor(sent, settings, rings):
    settings.TASK_BUDGET = 0
    sent.store(report(0))
    assert inbox.drain() == 0
    assert rings == [(jobs.DRAIN,)]
    assert not leases.held(inbox.LEASE)


def test_what_came_after_the_last_look_is_rung_for(sent, monkeypatch, rings):
    def give_back(name, owner):
        sent.store(report(0))
        real(name, owner)

    real = leases.give_back
    monkeypatch.setattr(leases, "give_back", give_back)
    assert inbox.drain() == 0
    assert rings == [(jobs.DRAIN,)]


@pytest.mark.parametrize(
    ("result", "due_in", "held", "rung"),
    [
        (Result.WAITING, None, False, True),
        (Result.WAITING, None, True, False),
        (Result.PARKED, -1, False, True),
        (Result.PARKED, 60, False, False),
        (Result.PARKED, None, False, False),
        (Result.APPLIED, None, False, False),
        (Result.QUARANTINED, None, False, False),
        (Result.NONSENSE, None, False, False),
    ],
)
def test_the_watchdog_rings_when_something_is_to_be_done_and_nobody_is_at_it(sent, rings, result, due_in, held, rung):
    due = timezone.now() + timedelta(seconds=due_in) if due_in is not None else None
    sent.store(report(0), result=result, next_try_at=due)
    if held:
        leases.take(inbox.LEASE, uuid.uuid4())
    assert inbox.ring() is rung
    assert rings == [(jobs.DRAIN,)] * rung


def test_the_bell_reaches_the_cluster(sent):
    sent.store(report(0))
    assert inbox.ring()
    assert OrmQ.objects.order_by("id").last().func() == jobs.DRAIN


def test_drains_at_once_apply_each_callback_once(transactional_db, rings):
    """The lease is an economy: without it two drains still do no harm."""
    sent = Sent(recipients=60)
    codes = ["21010", "21020", "20006", "23050", "20005"]
    sent.store(*[report(i, code) for code in codes for i in range(60)])
    started = threading.Barrier(3)

    def work():
        started.wait()
        while inbox.apply_next():
            pass
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(results()) == {Result.APPLIED}
    assert set(CallbackEvent.objects.values_list("tries", flat=True)) == {1}
    assert DeliveryEvent.objects.count() == 300
    assert sent.counters_are_true()


def backlog(monkeypatch):
    monkeypatch.setattr(evidence, "chunk", lambda: 10)
    sent = Sent(recipients=60)
    sent.store(*[report(i, code) for code in ("21010", "21020", "20006", "23050", "20005") for i in range(60)])
    return sent


def test_a_backlog_calls_for_a_second_hand_once_where_two_can_write(transactional_db, monkeypatch, rings):
    backlog(monkeypatch)
    assert inbox.drain() == 300
    assert rings.count((jobs.ASSIST,)) == int(bulk.is_postgres())  # SQLite has one writer


def test_a_batch_that_is_not_full_calls_nobody(sent, rings):
    sent.store(report(0))
    assert inbox.drain() == 1
    assert rings == []


def test_two_hands_apply_a_backlog_once(transactional_db, monkeypatch, rings):
    sent = backlog(monkeypatch)
    started, done = threading.Barrier(2), []

    def work(hand):
        started.wait()
        done.append(hand())
        connection.close()

    threads = [threading.Thread(target=work, args=[hand]) for hand in (inbox.drain, tasks.assist)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 300
    assert (set(results()), DeliveryEvent.objects.count()) == ({Result.APPLIED}, 300)
    assert set(CallbackEvent.objects.values_list("tries", flat=True)) == {1}
    assert sent.counters_are_true()


def test_one_assistant_is_enough_and_it_does_not_linger(sent, rings):
    sent.store(report(0), report(1))
    leases.take(inbox.ASSISTANT, uuid.uuid4())
    assert tasks.assist() == 0
    Lease.objects.all().delete()
    assert tasks.assist() == 2
    assert not leases.held(inbox.ASSISTANT)


def test_a_callback_locked_by_another_drain_is_left_to_it(sent):
    if not bulk.is_postgres():
        pytest.skip("SQLite's writers exclude each other whole")
    sent.store(report(0), report(1))
    mine = reading.batch()
    with elsewhere(lambda: CallbackEvent.objects.select_for_update().get(pk=mine[0].id)):
        inbox.apply_next()
        assert results() == [Result.WAITING, Result.APPLIED]


def test_the_queries_for_waiting_callbacks_use_their_indexes(sent):
    """A look costs the same with many applied callbacks, or parked ones that are not due: it must not read them."""
    later = timezone.now() + timedelta(hours=1)
    shapes = [{"result": Result.APPLIED}, {"result": Result.PARKED, "next_try_at": later}]
    CallbackEvent.objects.bulk_create(
        CallbackEvent(received_at=later, attempt=sent.order.attempt.pk, raw=b"", **shape)
        for shape in shapes
        for _ in range(2000)
    )
    if bulk.is_postgres():
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE callbacks_callbackevent")
    assert "callbacks_waiting" in reading.waiting()[:10].explain()
    assert "callbacks_parked" in reading.due()[:10].explain()


def inserted(sent, ids):
    """Waiting callbacks with these ids."""
    alike = (timezone.now(), "status", sent.order.attempt.pk, "", b"", "", "", 0)
    bulk.insert_rows(CallbackEvent, ("id", *ingest.COLUMNS), [(i, *alike) for i in ids])


def analyze():
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE callbacks_callbackevent")


@pytest.mark.parametrize("analyzed", [False, True])
@pytest.mark.parametrize("applied", [0, 3000])
def test_a_batch_reads_no_more_of_a_backlog_than_its_ranges(sent, analyzed, applied):
    """PostgreSQL sorted all that waited for each batch: of 300,000 a callback cost three times as much as of 20,000."""
    if not bulk.is_postgres():
        pytest.skip("SQLite reads in the order of the index")
    inserted(sent, range(1, 20_001))
    if analyzed:  # before they are applied: statistics are of a moment
        analyze()
    CallbackEvent.objects.filter(id__lte=applied).update(result=Result.APPLIED)
    with CaptureQueriesContext(connection) as queries, transaction.atomic():
        assert [item.id for item in reading.batch()] == list(range(applied + 1, applied + evidence.chunk() + 1))
    picking = [query["sql"] for query in queries if "SKIP LOCKED" in query["sql"]]
    assert len(picking) == 1
    assert rows_read(picking[0]) <= 5 * evidence.chunk()


def rows_read(sql):
    """The most rows that any step of a query handled, thrown away ones among them."""

    def most(node):
        seen = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return max([seen * node["Actual Loops"], *map(most, node.get("Plans", []))])

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        return most(cursor.fetchone()[0][0]["Plan"])


def test_a_batch_passes_by_ranges_in_which_others_have_all_in_hand(sent, monkeypatch):
    if not bulk.is_postgres():
        pytest.skip("SQLite's writers exclude each other whole")
    monkeypatch.setattr(evidence, "chunk", lambda: 4)
    inserted(sent, range(1, 41))
    theirs = CallbackEvent.objects.filter(id__lte=30).exclude(id=20).select_for_update()
    with elsewhere(lambda: list(theirs)), transaction.atomic():
        assert [item.id for item in reading.batch()] == [20, 31, 32, 33]


def test_waiting_callbacks_far_apart_make_one_batch(sent, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(evidence, "chunk", lambda: 10)
    ids = [i * 5000 for i in range(1, 9)]
    inserted(sent, ids)
    with transaction.atomic(), django_assert_max_num_queries(2 * 8 + 2):
        assert [item.id for item in reading.batch()] == ids
    assert [item.id for item in reading.after(ids[2])] == ids[3:]


@pytest.mark.parametrize("applied", [0, 2000])
def test_a_look_for_a_backlog_reads_the_index_whatever_the_statistics_say(sent, monkeypatch, applied):
    """They may date from a backlog: then all of the table was read to find that nothing waits."""
    if not bulk.is_postgres():
        pytest.skip("nobody makes statistics there")
    monkeypatch.setattr(evidence, "chunk", lambda: 10)
    inserted(sent, range(1, 2001))
    analyze()
    CallbackEvent.objects.filter(id__lte=applied).update(result=Result.APPLIED)
    assert (reading.backlog(), inbox.waiting()) == (not applied, not applied)
    with CaptureQueriesContext(connection) as queries:
        reading.backlog()
        reading.found(reading.waiting())
    for query in queries.captured_queries:
        assert "callbacks_waiting" in plan_of(query["sql"])


# Other shapes -------------------------------------------------------------------------------------------------------


def dlr(i, code=30002, name="EX_MESSAGE_DELIVERED", **more):
    return {"callback_type": "dlr", "sid": f"sid{i}", "to": f"+9198000{i:05d}", "exo_status_code": code,
            "exo_detailed_status": name, "timestamp": "2026-11-21T10:00:00+05:30"} | more  # fmt: skip


def whatsapp(*items):
    return json.dumps({"whatsapp": {"messages": list(items)}}).encode()


def test_one_whatsapp_callback_reports_on_several_messages(sent):
    sent.store(whatsapp(dlr(0), {"callback_type": "icm", "from": "+919800000001"}, dlr(1, 30013, "EX_INCAPABLE_RECIPIENT")))
    inbox.apply_next()
    assert results() == ["applied"]
    assert [sent.message(i).delivery for i in range(3)] == ["delivered", "failed", ""]
    assert sent.message(1).code == "wa:30013"
    assert sent.counters_are_true()


def test_a_whatsapp_callback_of_which_a_part_contradicts_is_listed_and_the_rest_applied(sent):
    sent.store(whatsapp(dlr(0), dlr(77)))
    inbox.apply_next()
    assert results() == ["quarantined"]
    assert sent.message(0).delivery == "delivered"


def test_more_reports_than_one_statement_takes_are_applied_in_cuts(sent, monkeypatch):
    monkeypatch.setattr(evidence, "chunk", lambda: 2)
    sent.store(whatsapp(dlr(0), dlr(1), dlr(2)))
    inbox.apply_next()
    assert [sent.message(i).delivery for i in range(3)] == ["delivered"] * 3


def test_an_incoming_whatsapp_message_alone_is_kept_and_changes_no_status(sent):
    sent.store(whatsapp({"callback_type": "incoming_message", "from": "+919800000001", "sid": "in1"}))
    inbox.apply_next()
    assert results() == ["applied"]
    assert not DeliveryEvent.objects.exists()


def test_a_receipt_of_geniq_finds_its_message_by_id(sent):
    sent.store(report(0))
    inbox.apply_next()
    receipt = {"messageId": "sid0", "status": "undeliverable", "reasonCode": "5", "recipient": "919800000000"}
    sent.store(json.dumps(receipt).encode(), attempt=sent.campaign.account.callback_id)
    inbox.apply_next()
    assert results() == ["applied", "applied"]
    assert sent.message(0).conflict, "delivered before, and now said to have failed"
