"""Mistakes that were made on purpose: each is one change to the real code, and each must be found out.

A change that no longer fits the code raises; one that no longer bites is not caught. Both fail its test.
"""

import itertools
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from django.conf import settings
from django.db import connection, transaction

from campaigns.models import Account, Attempt, Message, Transition
from campaigns.models.states import FINAL_DELIVERY, AttemptPhase, CampaignState, MessageState
from campaigns.sending import control, evidence, intent, pace, recover, settle, states
from campaigns.sending.counting import Deltas
from campaigns.sending.outcomes import ItemResult, Kind, Outcome, refusals, sms
from campaigns.sending.outcomes.kinds import alike

PLANTED = {}


def planted(make):
    """Register a generator function that plants a bug, yields and takes it out again."""
    PLANTED[make.__name__] = contextmanager(make)
    return make


def instead(target, name, make):
    """Replace a function by ``make(the real one)``."""
    return patch.object(target, name, make(getattr(target, name)))


@contextmanager
def rewritten(old, new):
    """Every SQL statement with one phrase replaced."""

    def execute(run, sql, params, many, context):
        return run(sql.replace(old, new), params, many, context)

    with connection.execute_wrapper(execute):
        yield


# The two commits around a request -----------------------------------------------------------------------------------


@planted
def the_request_goes_out_before_its_intent_is_stored():
    """The naive sender: nothing is in the tables while the request is on the wire."""

    def forgetful(real):
        def commit(*arguments):
            if found := real(*arguments):
                attempt = found[1].attempt
                with transaction.atomic():
                    states.release(attempt, attempt.started_at, "")
                    Transition.objects.filter(attempt=attempt.pk).delete()
                    Attempt.objects.filter(pk=attempt.pk).delete()
            return found

        return commit

    def both(real):
        def store(order, outcome):
            with transaction.atomic():
                order.attempt.save(force_insert=True)
                states.claim(order.attempt, list(Message.objects.filter(pk__in=order.ids).values_list("id", "units")))
            return real(order, outcome)

        return store

    with instead(intent, "commit", forgetful), instead(settle, "settle", both):
        yield


@planted
def the_intent_looks_before_it_locks():
    def hasty(real):
        def commit(owner_id, account_id, only=()):
            seen = list(intent._turns(Account.objects.get(pk=account_id), intent._running(account_id)))
            with patch.object(intent, "_turns", lambda *_: iter(seen)):
                return real(owner_id, account_id, only)

        return commit

    with instead(intent, "commit", hasty):
        yield


@planted
def the_intent_picks_before_it_locks_and_takes_what_others_have():
    def hasty(real):
        def commit(owner_id, account_id, only=()):
            running = intent._running(account_id)
            ranges = [(campaign, sender_no) for campaign, _ in running for sender_no in range(len(campaign.senders))]
            seen = {(campaign.id, sender_no): pick(campaign, sender_no, 3, only) for campaign, sender_no in ranges}

            def picked(campaign, sender_no, *rest):
                return seen.pop((campaign.id, sender_no), None) or pick(campaign, sender_no, *rest)

            with patch.object(intent, "_pick", picked):
                return real(owner_id, account_id, only)

        return commit

    pick = intent._pick
    with instead(intent, "commit", hasty), rewritten("state = 'pending' AND id IN", "id IN"):
        yield


@planted
def the_hours_of_rows_are_not_heeded():
    with rewritten("AND m.due <= ", "AND 0 <= "):
        yield


@planted
def a_request_mixes_rows_of_different_headers():
    with rewritten("AND m.sender_no = ", "AND 0 <= "):
        yield


@planted
def what_became_due_wakes_nobody():
    """Campaigns whose rows have hours count as having nothing to send, as long as any of them is not due."""
    with patch.object(intent.rowwise, "due", lambda *_: Message.objects.none()):
        yield


@planted
def a_dead_owner_may_commit_intents():
    with patch.object(intent.permit, "FENCED", "false"):
        yield


@planted
def opt_outs_are_not_looked_up_again():
    with patch.object(intent, "_without_suppressed", lambda account_id, campaign_id, picks: picks):
        yield


@planted
def one_number_stands_twice_in_a_batch():
    def greedy(real):
        def pick(campaign, sender_no, most, only):
            picks = real(campaign, sender_no, most, only)
            others = Message.objects.filter(campaign=campaign.id, state=MessageState.PENDING)
            others = others.exclude(pk__in=[p.id for p in picks]).filter(number__in=[p.number for p in picks])
            ids = list(others.values_list("id", flat=True))
            return picks + (real(campaign, sender_no, most, ids) if ids else [])

        return pick

    with instead(intent, "_pick", greedy):
        yield


@planted
def promotional_hours_are_not_looked_at():
    with patch.object(intent, "may_send_now", lambda *_: True):
        yield


# What an answer means -----------------------------------------------------------------------------------------------


@planted
def a_timeout_is_tried_again():
    def hopeful(real):
        return lambda error, size: Outcome("not_sent", alike(size, "not_sent"), reason="try again")

    with instead(sms, "unanswered", hopeful):
        yield


@planted
def a_500_is_tried_again():
    def hopeful(real):
        return lambda status, code, row: "throttled" if status == 500 else real(status, code, row)

    with instead(refusals, "_kind", hopeful):
        yield


@planted
def a_503_without_a_code_is_taken_for_a_throttle():
    def hopeful(real):
        return lambda status, code, row: "throttled" if status == 503 else real(status, code, row)

    with instead(refusals, "_kind", hopeful):
        yield


@planted
def an_unreadable_answer_is_tried_again():
    def hopeful(real):
        def answered(results, status, strays=None):
            outcome = real(results, status, strays)
            return Outcome("not_sent", outcome.items) if outcome.kind == "unknown" else outcome

        return answered

    with instead(sms, "answered", hopeful):
        yield


@planted
def a_partial_answer_sends_the_halves_again():
    def hopeful(real):
        def answered(results, status, strays=None):
            return Outcome("split", alike(len(results), "split"), status) if status == 207 else real(results, status, strays)

        return answered

    with instead(sms, "answered", hopeful):
        yield


@planted
def items_are_matched_by_position():
    def _match(entries, numbers):
        return dict(enumerate(entries[: len(numbers)])), []

    with patch.object(sms, "_match", _match):
        yield


@planted
def a_message_missing_from_the_answer_is_taken_for_rejected():
    def sure(real):
        return lambda i, entry: real(i, entry) if entry else ItemResult(i, Kind.REJECTED, code="failed")

    with instead(sms, "_item", sure):
        yield


@planted
def a_sid_that_another_message_has_is_taken():
    with patch.object(states.sids, "holders", lambda account_id, sids: {}):
        yield


@planted
def a_throttle_holds_nobody():
    with patch.object(pace, "push_back", lambda account_id, retry_after: 0.0):
        yield


@planted
def a_late_answer_overwrites_what_a_report_has_proved():
    known = "state IN ('in_flight', 'unconfirmed')"
    with rewritten(known, known.replace(")", ", 'accepted')")):
        yield


@planted
def a_doubt_overwrites_what_a_report_has_proved():
    def rough(real):
        def doubt(attempt, now, reason):
            Message.objects.filter(attempt=attempt, state=MessageState.ACCEPTED).update(state=MessageState.IN_FLIGHT)
            real(attempt, now, reason)

        return doubt

    with instead(states, "doubt", rough):
        yield


@planted
def a_counter_is_forgotten():
    def careless(real):
        def release(*arguments):
            with patch.object(Deltas, "write", lambda self: None):
                real(*arguments)

        return release

    with instead(states, "release", careless):
        yield


# Recovery -----------------------------------------------------------------------------------------------------------


@planted
def a_crash_gives_its_messages_back():
    def lose(attempt, reason):
        settle.persist(lambda: settle._close(attempt, AttemptPhase.DONE, "not_sent", reason))

    with patch.object(settle, "lose", lose):
        yield


@planted
def a_crash_is_never_noticed():
    with patch.object(recover, "_lose_requests", lambda: 0):
        yield


@planted
def recovery_gives_up_requests_of_the_living():
    def _lose_requests():
        lost = list(Attempt.objects.filter(phase=AttemptPhase.SENDING))
        for attempt in lost:
            settle.lose(attempt, "lost")
        return len(lost)

    with patch.object(recover, "_lose_requests", _lose_requests):
        yield


@planted
def a_silence_of_seconds_is_taken_for_death():
    with patch.object(settings, "OWNER_TIMEOUT", 0):
        yield


@planted
def doubt_is_sent_again_after_a_while():
    def impatient(real):
        def sweep(observer):
            done = real(observer)
            doubtful = Message.objects.filter(state=MessageState.UNCONFIRMED)
            doubtful.update(state=MessageState.PENDING, attempt=None, sent_at=None, settled_at=None)
            return done

        return sweep

    with instead(recover, "sweep", impatient):
        yield


# Operators ----------------------------------------------------------------------------------------------------------


@planted
def a_pause_does_not_hold():
    def lazy(real):
        def pause(campaign):
            real(campaign)
            control.enter(campaign.pk, CampaignState.RUNNING)

        return pause

    with instead(control, "pause", lazy):
        yield


@planted
def a_pause_is_written_over_whatever_came_between():
    def pause(campaign):
        with control.account_lock(campaign.account_id):
            campaign.state = CampaignState.PAUSED
            campaign.save()

    with patch.object(control, "pause", pause):
        yield


@planted
def a_resume_sends_what_is_on_the_wire_again():
    def eager(real):
        def resume(campaign):
            real(campaign)
            flying = Message.objects.filter(campaign=campaign, state=MessageState.IN_FLIGHT)
            flying.update(state=MessageState.PENDING, attempt=None, sent_at=None)

        return resume

    with instead(control, "resume", eager):
        yield


@planted
def a_resume_leaves_the_account_stopped():
    def half(real):
        def resume(campaign):
            stopped = Account.objects.filter(pk=campaign.account_id).values_list("stopped_at", flat=True).get()
            real(campaign)
            Account.objects.filter(pk=campaign.account_id).update(stopped_at=stopped)

        return resume

    with instead(control, "resume", half):
        yield


@planted
def a_cancel_leaves_messages_pending():
    with patch.object(control, "wind_up", lambda campaign_id: 0):
        yield


@planted
def a_campaign_finishes_with_requests_on_the_wire():
    nothing = SimpleNamespace(filter=lambda **_: SimpleNamespace(exists=lambda: False))
    with patch.object(control, "Attempt", SimpleNamespace(objects=nothing)):
        yield


# Reports ------------------------------------------------------------------------------------------------------------


@planted
def a_report_for_a_wrong_number_is_adopted():
    class Generous(dict):
        def get(self, key, default=None):
            return super().get(key) or next((self[known] for known in self if known[0] == key[0]), default)

    def generous(real):
        def _subjects(keys, attempts):
            found = Generous(real(keys, attempts))
            for attempt, number10 in keys:
                message = Message.objects.filter(attempt=attempt).order_by("id").first()
                if (attempt, number10) not in found and message:
                    found.update(real({(attempt, f"{message.number % 10**10:010d}")}, attempts))
            return found

        return _subjects

    with instead(evidence, "_subjects", generous):
        yield


@planted
def a_report_with_another_sid_is_adopted():
    with patch.object(evidence, "_check", lambda subject, report, holders: None):
        yield


@planted
def the_last_report_wins():
    later = itertools.count(10**18)
    with patch.object(evidence, "standing", lambda report: next(later)):
        yield


@planted
def the_first_final_report_wins():
    def stubborn(real):
        return lambda subject, item: None if subject.delivery in FINAL_DELIVERY else real(subject, item)

    with instead(evidence, "_learn", stubborn):
        yield


@planted
def a_conflict_is_not_marked():
    def blind(real):
        def _learn(subject, item):
            real(subject, item)
            subject.conflict = False

        return _learn

    with instead(evidence, "_learn", blind):
        yield


@planted
def an_adopted_message_is_not_counted():
    def careless(real):
        def move(self, before, after, *numbers):
            if before.state != MessageState.UNCONFIRMED:
                real(self, before, after, *numbers)

        return move

    with instead(Deltas, "move", careless):
        yield
