"""Which failures an operator may send again, code by code and place by place."""

from dataclasses import replace
from decimal import Decimal

import pytest

from campaigns.exotel import codes
from campaigns.exotel.codes import Correction
from campaigns.exotel.codes.stored import of_message
from campaigns.models.states import Delivery, MessageState
from campaigns.sending.retry import Limits, decide
from campaigns.sending.retry.rules import affordable

LIMITS = Limits(tries=3)
# The whole SMS status family: those that another try can help, and every other one.
AGAIN = {"23030", "23035", "23050", "24010", "24110", "24120"}
NEVER = {
    "20005", "20006", "21010", "21015", "21020", "23000", "23005", "23010", "23015", "23020", "23040", "23060", "23070", "23072",
    "23080", "23081", "23082", "23083", "23084", "23181", "23182", "23183", "23184", "23185", "23186", "23281", "24105", "24990",
}  # fmt: skip
UNKNOWN = ["", "0", "99999", "23999", "lost in space", "wa:99999", "geniq:99999", "2" * 32]


def failed(code, tries=1, limits=LIMITS):
    return decide(of_message(code), MessageState.ACCEPTED, Delivery.FAILED, tries, limits)


def test_the_table_below_has_every_code_of_the_family():
    assert {row.code for row in codes.every("exotel", "sms", "status")} == AGAIN | NEVER


@pytest.mark.parametrize("code", sorted(AGAIN))
def test_a_code_that_another_try_can_help_is_taken(code):
    assert failed(code).may
    assert decide(of_message(code), MessageState.REJECTED, Delivery.NONE, 1, LIMITS).may


@pytest.mark.parametrize("code", sorted(NEVER) + UNKNOWN)
def test_any_other_code_is_left_with_a_reason(code):
    decision = failed(code)
    assert not decision.may
    assert decision.reason.endswith(".") and len(decision.reason) > 20


@pytest.mark.parametrize("row", codes.every(), ids=lambda row: f"{row.namespace}-{row.code}")
def test_no_row_of_any_family_is_taken_unless_it_says_retryable(row):
    may = decide(row, MessageState.ACCEPTED, Delivery.FAILED, 1, LIMITS).may
    assert may == row.retryable
    assert not may or row.actor not in {"list_owner", "dlt_admin"}


@pytest.mark.parametrize("code", ["23005", "23010", "23020", "23080", "23082"])
def test_lists_and_dlt_stay_closed_even_if_a_row_says_otherwise(code):
    assert not decide(replace(of_message(code), retryable=True), MessageState.ACCEPTED, Delivery.FAILED, 1, LIMITS).may


def test_an_administrators_note_on_a_code_counts():
    codes.set_overlay(lambda: {("exotel", "sms", "status", "23060"): Correction(retryable=True)})
    assert failed("23060").may
    codes.set_overlay(lambda: {("exotel", "sms", "status", "23035"): Correction(retryable=False)})
    assert not failed("23035").may


@pytest.mark.parametrize("state", MessageState)
@pytest.mark.parametrize("delivery", Delivery)
@pytest.mark.parametrize("conflict", [False, True])
def test_only_a_plain_failure_is_taken_wherever_a_message_stands(state, delivery, conflict):
    decision = decide(of_message("23035"), state, delivery, 1, LIMITS, conflict)
    handed_over = state in {MessageState.ACCEPTED, MessageState.REJECTED}
    failure = delivery == Delivery.FAILED or (state == MessageState.REJECTED and delivery == Delivery.NONE)
    assert decision.may == (handed_over and failure and not conflict)
    assert decision.reason.endswith(".")


@pytest.mark.parametrize(("tries", "most", "may"), [(1, 3, True), (2, 3, True), (3, 3, False), (4, 3, False), (1, 1, False)])
def test_a_person_has_so_many_tries(tries, most, may):
    decision = failed("23035", tries, Limits(most))
    assert decision.may == may
    assert may or f"{tries} of at most {most} tries" in decision.reason


@pytest.mark.parametrize(
    ("cost", "limit", "may"), [("10", None, True), ("10", "10", True), ("10.0001", "10", False), ("0.2", "0", False)]
)
def test_a_retry_stays_within_its_cost(cost, limit, may):
    decision = affordable(5, Decimal(cost), Limits(3, None if limit is None else Decimal(limit)))
    assert decision.may == may


def test_the_sentence_on_cost_names_people_cost_and_limit():
    decision = affordable(123456, Decimal("24691.2"), Limits(3, Decimal("12.5")))
    assert decision.reason == (
        "Sending to 1,23,456 people again would cost about ₹ 24,691.20, more than the limit of ₹ 12.50. Nothing was made."
    )
    assert "1 person again" in affordable(1, Decimal(2), Limits(3, Decimal(1))).reason
