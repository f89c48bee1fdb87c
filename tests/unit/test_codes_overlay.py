"""An administrator's words over the shipped codes: they are shown, and they break nothing."""

import logging

import pytest

from campaigns.exotel.codes import Correction, every, failure_class, lookup, overlay, set_overlay
from campaigns.exotel.codes.markdown import page
from campaigns.exotel.codes.rows import shipped

SMS = ("exotel", "sms", "status")
WA = ("exotel", "whatsapp", "status")


@pytest.fixture(autouse=True)
def the_overlay_of_the_application_comes_back(monkeypatch):
    monkeypatch.setattr(overlay, "_overlay", None)
    monkeypatch.setattr(overlay, "tables", shipped)


@pytest.fixture
def lay():
    return lambda corrections: set_overlay(lambda: corrections)


def test_without_an_overlay_the_files_alone_are_asked():
    set_overlay(dict)
    set_overlay(None)
    assert overlay.tables is shipped


def test_a_corrected_row_says_so_and_keeps_what_was_not_corrected(lay):
    before = lookup(*SMS, "23030")
    lay({(*SMS, "23030"): Correction(remedy="Call Asha.", actor="operator", retryable=False)})
    row = lookup(*SMS, "23030")
    assert (row.remedy, row.actor, row.retryable, row.overlaid, row.known) == ("Call Asha.", "operator", False, True, True)
    assert (row.title, row.meaning, row.state, row.name) == (before.title, before.meaning, before.state, before.name)
    assert lookup(*SMS, None, "FAILED_UNAVAILABLE_ROUTE") == row
    assert not lookup(*SMS, "23035").overlaid
    assert len(every()) == len(shipped().by_key)


def test_an_added_row_has_the_words_and_leaves_the_state_to_the_wire(lay):
    lay({(*SMS, "29999"): Correction("Tower down", "The tower fell over.", "Wait a week.", "nobody", True)})
    row = lookup(*SMS, "29999", "failed")
    assert (row.title, row.state, row.retryable, row.overlaid, row.known) == ("Tower down", "failed", True, True, False)
    assert lookup(*SMS, "29999", "sent").state == "at_operator"
    assert lookup(*SMS, "29999", "FAILED_TOWER").name == "FAILED_TOWER"
    assert failure_class(row) == "network"
    assert every()[-1].code == "29999" and len(every(*SMS)) == 35


def test_an_added_string_of_whatsapp_is_a_failure_with_words(lay):
    lay({(*WA, "EX_NEW"): Correction(title="New fault"), (*WA, "30099"): Correction(title="New number")})
    row = lookup(*WA, "EX_NEW")
    assert (row.title, row.state, row.known) == ("New fault", "failed", False)
    assert row.meaning and row.remedy
    row = lookup(*WA, 30099, "EX_OTHER")
    assert (row.title, row.state) == ("New number", "failed")


def test_an_added_row_of_a_request_family_is_known(lay):
    lay({("exotel", "sms", "request", "40999"): Correction("New rule", "A new rule.", "Obey it.")})
    row = lookup("exotel", "sms", "request", "40999")
    assert (row.known, row.state, row.effect, row.title) == (True, "", "", "New rule")


def test_the_consent_rule_holds_over_corrections(lay):
    lay({(*SMS, "23084"): Correction(title="Ask for consent"), (*SMS, "23083"): Correction(title="Scrubbed")})
    assert lookup(*SMS, "23083", "FAILED_DLT_CONSENT").title == "Ask for consent"
    assert lookup(*SMS, "23083").title == "Scrubbed"


@pytest.mark.parametrize("code", ["23005", "23082"])
def test_a_fault_of_list_or_registration_cannot_be_made_retryable(lay, code):
    lay({(*SMS, code): Correction(retryable=True)})
    assert not lookup(*SMS, code).retryable


def test_an_actor_that_does_not_exist_is_passed_over(lay):
    lay({(*SMS, "23030"): Correction(title=" Other ", actor="somebody")})
    assert (lookup(*SMS, "23030").actor, lookup(*SMS, "23030").title) == ("provider", "Other")


def test_a_failing_source_is_told_of_once_and_breaks_no_lookup(caplog, monkeypatch):
    answers = iter([{(*SMS, "23030"): Correction(title="Good")}, OSError("gone"), OSError("gone"), {}])

    def source():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    laid = overlay.Overlay(source, 0)
    monkeypatch.setattr(overlay, "tables", laid.tables)
    with caplog.at_level(logging.WARNING):
        titles = []
        for _ in range(4):
            titles.append(laid.tables().by_key[*SMS, "23030"].title)
    assert titles == ["Good", "Good", "Good", "No route to the operator"]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("answer", [None, {"23030": 1}, {(*SMS, "1"): None}, {("a", "b"): Correction()}])
def test_a_source_that_answers_nonsense_breaks_no_lookup(answer, lay):
    lay(answer)
    assert lookup(*SMS, "23005").name == "FAILED_REJECTED_DND"


def test_the_source_is_asked_once_in_a_while_and_after_a_change():
    asked = []
    set_overlay(lambda: asked.append(1) or {}, seconds=60)
    for _ in range(100):
        lookup(*SMS, "23005")
    assert len(asked) == 1
    overlay.refresh()
    lookup(*SMS, "23005")
    assert len(asked) == 2


def test_a_source_may_look_codes_up_itself():
    set_overlay(lambda: {(*SMS, "23030"): Correction(title=lookup(*SMS, "23035").title)})
    assert lookup(*SMS, "23030").title == "Phone switched off or out of reach"


def test_the_page_in_docs_knows_no_corrections(lay):
    before = page(shipped().by_key.values())
    lay({(*SMS, "23030"): Correction(title="Other")})
    assert page(shipped().by_key.values()) == before
