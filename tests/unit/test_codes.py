"""The code dictionary: total over the documents' tables, legal in every column, and never at a loss."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from campaigns.exotel.codes import (
    FAILURE_CLASSES,
    SMS_STATUS_WORDS,
    every,
    failure_class,
    lookup,
    state_of_whatsapp_word,
    state_of_word,
)
from campaigns.exotel.codes.markdown import TITLES, page
from campaigns.exotel.codes.rows import BrokenTable, family_of, key_of, read, shipped
from campaigns.exotel.codes.words import ACTORS, CHARGES, EFFECTS, STATES

HTTP = ("exotel", "any", "http")
SMS = ("exotel", "sms", "status")
SMS_LIFE = ("exotel", "sms", "lifecycle")
SMS_REQUEST = ("exotel", "sms", "request")
UPLOAD = ("exotel", "contacts", "upload")
CALL = ("exotel", "voice", "status")
CCM = ("exotel", "voice", "ccm")
WA = ("exotel", "whatsapp", "status")
WA_DICTIONARY = ("exotel", "whatsapp", "dictionary")
WA_PAYMENT = ("exotel", "whatsapp", "payment")
WA_LIFE = ("exotel", "whatsapp", "lifecycle")
WA_REQUEST = ("exotel", "whatsapp", "request")
META = ("meta", "whatsapp", "cloud")
RESPONSE = ("geniq", "sms", "response")
REASON = ("geniq", "sms", "reason")
TEMPLATE = ("geniq", "whatsapp", "template")


def span(first, last):
    return " ".join(map(str, range(first, last + 1)))


FAILED_BOTH = (
    "23010 23015 23020 23030 23035 23040 23050 23060 23070 23072 23080 23081 23082 23083 24010 24105 24110 24120 24990"
)
MOVING = "21010 21015 21020 20005 20006 23005"
# One entry a table of a document: document, family, its codes.
TABLES = [
    ("S000", HTTP, "200 202 400 401 402 403 404 409 429 500 502 503"),
    ("S000", CALL, "queued ringing in-progress completed failed busy no-answer canceled"),
    ("S000", CCM, "1010 10731 1012 10705 10706 10716 1100"),
    ("S000", SMS, "21010 21015 21020 20005 20006 23005 23010 23015 23020 23072 23080 23081 23082 23083"),
    ("S000", WA_DICTIONARY, f"30001 30002 30003 {span(30004, 30014)} 30020 30030 30040 30041"),
    ("S000", WA_PAYMENT, "30049 30050"),
    ("S000", UPLOAD, "INVALID_PHONE DUPLICATE_ENTRY MISSING_REQUIRED INVALID_FORMAT QUOTA_EXCEEDED INVALID_EMAIL"),
    ("S001", HTTP, "200 207 400 401 403 405 429 500 503"),
    ("S001", SMS, f"{MOVING} {FAILED_BOTH} 23000 {span(23181, 23186)} 23281"),
    ("S001", SMS_LIFE, "queued sending submitted sent failed-dnd failed"),
    ("S001", SMS_REQUEST,
     f"40000 340030 40001 40003 35000 40100 {span(40200, 40210)} 40300 40301 40400 40402 40404 35006 40405 40406 40502"
     " 40002 40500 34009 34010 34001"),
    ("S002", WA_LIFE, "accepted queued sent delivered read failed"),
    ("S002", WA_REQUEST, f"0 1 2 {span(100, 105)} 400 401 470 {span(1000, 1003)} {span(2000, 2006)}"),
    ("S002", META,
     "130429 130472 130497 131000 131005 131008 131009 131016 131021 131026 131042 131045 131047 131048 131051 131052 131053"),
    ("S003", HTTP, "200 400 401 403 429"),
    ("S003", SMS, f"{MOVING} {FAILED_BOTH} 23084"),
    ("S003", SMS_LIFE, "queued sending submitted sent failed-dnd failed"),
    ("S003", SMS_REQUEST, "40403 40501 40002 40500 34009 34010 34001"),
    ("S004", RESPONSE, f"{span(0, 7)} {span(10, 19)} 21 22 88 99 301"),
    ("S004", REASON, f"{span(0, 13)} 201"),
    ("S004", TEMPLATE,
     "0 1 2 3 4 10 100 190 368 506 80007 131001 131006 131008 131009 131021 131031 131051 131055 132000 132001 132005 132007"
     " 132012 133000"),
    ("LEG", WA, span(30001, 30041)),
]  # fmt: skip
EXTRA = {  # rows that stand in none of these tables
    HTTP: "408 413 504",
    WA: "EX_RESTRICTED_BY_META",
    META: "131031 131049 131050 131056 132000 132001 132005 132007 132012 132015 132016",
    RESPONSE: "20 23 24",
}


@pytest.mark.parametrize(
    ("document", "family", "codes"), TABLES, ids=lambda value: "/".join(value) if isinstance(value, tuple) else value[:20]
)
def test_every_code_of_every_documents_table_is_a_row_and_names_the_document(document, family, codes):
    rows = {row.code: row for row in every(*family)}
    assert set(codes.split()) - set(rows) == set()
    assert [code for code in codes.split() if document not in rows[code].sources] == []


def test_no_row_comes_from_nowhere():
    for family in {family_of(row) for row in every()}:
        told = {code for _, of, codes in TABLES if of == family for code in codes.split()} | set(
            EXTRA.get(family, "").split()
        )
        assert {row.code for row in every(*family)} == told, family


S000_NAMES = {
    "21010": "queued", "21015": "sending", "21020": "submitted", "20005": "DELIVERED_TO_HANDSET",
    "20006": "DELIVERED_TO_OPERATOR", "23005": "FAILED_DND", "23010": "FAILED_INVALID_NUMBER", "23015": "FAILED_SPAM",
    "23020": "FAILED_BLACKLISTED", "23072": "FAILED_INVALID_SENDER", "23080": "FAILED_DLT_SCRUBBING",
    "23081": "FAILED_DLT_ENTITY", "23082": "FAILED_DLT_TEMPLATE", "23083": "FAILED_DLT_CONSENT",
}  # fmt: skip


@pytest.mark.parametrize(("code", "name"), S000_NAMES.items())
def test_the_dictionarys_sms_names_lead_to_the_same_row(code, name):
    row = lookup(*SMS, code)
    assert name in {row.name, *row.aliases}
    if code != "23083":  # the name speaks of consent, which is 23084 when no number is beside it (C3)
        assert lookup(*SMS, None, name) is row


# Rows


def test_keys_are_unique_and_every_row_speaks_plainly():
    rows = every()
    assert len({key_of(row) for row in rows}) == len(rows)
    for row in rows:
        assert 1 <= len(row.title.split()) <= 8 and not row.title.endswith("."), row.title
        for text in (row.meaning, row.remedy):
            assert 10 <= len(text) <= 220 and text.endswith(".") and text[0].isupper(), (row.code, text)
            assert not re.search(r"\b(simply|just|easily)\b|  ", text), (row.code, text)
        assert row.note == "" or row.note.endswith("."), (row.code, row.note)


def test_every_rows_words_are_legal():
    for row in every():
        assert row.name and row.name == row.name.strip() and row.sources
        assert row.state in STATES and row.actor in ACTORS and row.effect in EFFECTS and row.charged in CHARGES, row
        assert row.known and not row.overlaid
        assert row.final or row.state in {"queued", "sending", "submitted", ""}, row


def test_what_would_fail_again_is_never_retryable():
    for row in every():
        assert not (row.retryable and row.actor in {"list_owner", "dlt_admin"}), row
        assert not (row.retryable and row.state in {"delivered", "read", "at_operator", "queued"}), row
    for code in "23005 23010 23020 23040 23080 23081 23082 23083 23084 23181 23185 23281".split():
        assert not lookup(*SMS, code).retryable


DISAGREEMENTS = {
    "C1": (SMS, "23005 23010 23015 23020 23072"),
    "C2": (SMS, "23080 23081 23082 23083"),
    "C3": (SMS, "23083"),
    "C4": (SMS, f"23084 {span(23181, 23186)} 23281"),
    "C5": (SMS, "20006"),
    "C6": (SMS, "20005 20006"),
    "C8": (SMS_REQUEST, "35006 40405"),
    "C9": (HTTP, "200 404"),
    "C10": (HTTP, "402 403"),
    "C11": (WA, f"{span(30004, 30014)} 30020 30030 30040 30041"),
    "C12": (WA_REQUEST, f"0 1 2 {span(100, 105)} 400 401 470 {span(1000, 1003)} {span(2000, 2006)}"),
    "C13": (SMS, "21020"),
    "C14": (SMS, "23005"),
    "C16": (SMS_REQUEST, "40400 40406"),
    "C18": (SMS_REQUEST, "40210"),
    "C19": (HTTP, "200"),
    "C20": (RESPONSE, f"{span(0, 7)} {span(10, 13)}"),
}


@pytest.mark.parametrize("matter", DISAGREEMENTS)
def test_rows_note_where_documents_disagree(matter):
    family, codes = DISAGREEMENTS[matter]
    assert [code for code in codes.split() if not re.search(rf"\b{matter}\b", lookup(*family, code).note)] == []


@pytest.mark.parametrize(
    ("matter", "family", "codes"),
    [
        ("C6", WA, "30001"), ("C6", WA_LIFE, "sent"), ("C6", SMS_LIFE, "sent"), ("C14", SMS_LIFE, "failed-dnd"), ("C8", HTTP, "429 503"), ("C10", SMS_REQUEST, "40001"),
        ("C11", WA_DICTIONARY, f"{span(30004, 30014)} 30020 30030 30040 30041"), ("C20", REASON, span(0, 13)), ("C20", TEMPLATE, "0 1 2 3 4 10"),
    ],
)  # fmt: skip
def test_the_other_side_of_a_disagreement_is_noted_as_well(matter, family, codes):
    assert [code for code in codes.split() if matter not in lookup(*family, code).note] == []


def test_what_was_never_seen_on_a_wire_says_so():
    for row in every():
        assert ("S002" in row.sources and row.namespace in {"request", "cloud"}) == (
            "documented, not seen on any wire" in row.note
        ), row


@pytest.mark.parametrize("code", "130472 130497 131021 131042 131045".split())
def test_where_metas_meaning_differs_from_s002s_the_note_says_which_is_used(code):
    assert re.search(r"Meta's (meaning is used|certificate)", lookup(*META, code).note)


@pytest.mark.parametrize(
    ("code", "effect"),
    [
        ("34010", "stop_account"), ("34009", "stop_account"), ("40001", "stop_account"), ("40002", "stop_account"), ("340030", "stop_account"),
        ("40404", "stop_account"), ("40204", "stop_campaign"), ("40206", "stop_campaign"), ("40210", "stop_campaign"), ("40300", "stop_campaign"),
        ("40200", "split"), ("40202", "split"), ("40203", "split"), ("40402", "throttle"), ("40405", "throttle"), ("35006", "throttle"),
        ("35000", "unknown"), ("40100", "unknown"),
    ],
)  # fmt: skip
def test_request_errors_say_what_the_sender_does(code, effect):
    assert lookup(*SMS_REQUEST, code).effect == effect


@pytest.mark.parametrize("family", [WA_REQUEST, RESPONSE], ids="/".join)
def test_every_throttle_may_be_sent_again_and_no_stopped_account_may(family):
    for row in every(*family):
        if row.effect in {"throttle", "stop_account"}:
            assert row.retryable == (row.effect == "throttle"), row


# Looking up


@pytest.mark.parametrize(
    ("code", "word", "name"),
    [
        ("23005", "", "FAILED_REJECTED_DND"), (23005, "", "FAILED_REJECTED_DND"), (None, "FAILED_DND", "FAILED_REJECTED_DND"),
        ("", "failed-dnd", "FAILED_REJECTED_DND"), (None, "delivered-to-handset", "DELIVERED_TO_HANDSET"), ("23083", "", "FAILED_DLT_SCRUBBING_ERROR"),
        ("23083", "FAILED_DLT_CONSENT", "FAILED_DLT_CONSENT_ERROR"), (None, "FAILED_DLT_CONSENT", "FAILED_DLT_CONSENT_ERROR"),
        ("23083", "failed", "FAILED_DLT_SCRUBBING_ERROR"), ("23005", "FAILED_SPAM", "FAILED_REJECTED_DND"),
    ],
)  # fmt: skip
def test_codes_are_found_by_number_name_and_alias(code, word, name):
    assert lookup(*SMS, code, word).name == name


@pytest.mark.parametrize(
    ("code", "word", "state"),
    [("99999", "failed", "failed"), (None, "failed", "failed"), (None, "sent", "at_operator"), ("99999", "failed_dnd", "failed"), ("99999", "sent", "at_operator"), ("99999", "odd", ""), (None, "", "")],
)  # fmt: skip
def test_an_unknown_code_is_a_value_with_the_state_of_its_word(code, word, state):
    row = lookup(*SMS, code, word)
    assert (row.known, row.state) == (False, state)
    assert row.title and row.meaning and row.remedy


def test_one_number_means_something_else_in_each_family():
    assert len({lookup(*family, "0").name for family in (WA_REQUEST, RESPONSE, REASON, TEMPLATE)}) == 4
    assert lookup(*WA, "30004").name == "EX_SYSTEM_ERROR" and lookup(*WA_DICTIONARY, "30004").name == "RATE_LIMIT_EXCEEDED"
    assert lookup(*HTTP, "401").title != lookup(*WA_REQUEST, "401").title
    assert not lookup(*SMS, "30002").known


@pytest.mark.parametrize(
    ("code", "word", "name", "state"),
    [
        (30002, "EX_MESSAGE_DELIVERED", "EX_MESSAGE_DELIVERED", "delivered"),
        (30004, "EX_RATE_LIMIT_HIT", "EX_RATE_LIMIT_HIT", "failed"),  # the string wins
        ("30002", "EX_MESSAGE_SEEN", "EX_MESSAGE_SEEN", "read"),
        ("30001", "", "EX_MESSAGE_SENT", "submitted"),
        ("30024", "EX_RENAMED_SINCE", "EX_TEMPLATE_NOT_FOUND", "failed"),  # an unlisted string leaves it to the number
        ("30024", "failed", "EX_TEMPLATE_NOT_FOUND", "failed"),
        (None, "ex-message-seen", "EX_MESSAGE_SEEN", "read"),
        (99999, "EX_RESTRICTED_BY_META", "EX_RESTRICTED_BY_META", "failed"),
        ("EX_MESSAGE_SEEN", "", "EX_MESSAGE_SEEN", "read"),
        (None, "delivered", "EX_MESSAGE_DELIVERED", "delivered"),
        (None, "accepted", "ACCEPTED", "queued"),
        (None, "failed", "FAILED", "failed"),
        (30050, "", "PAYMENT_SUCCESS", ""),
    ],
)
def test_whatsapp_is_told_by_the_string_before_the_number(code, word, name, state):
    row = lookup(*WA, code, word)
    assert (row.known, row.name, row.state) == (True, name, state)


@pytest.mark.parametrize(
    ("code", "word", "state"),
    [
        ("30099", "EX_NEW_FAULT", "failed"), (None, "EX_NEW_FAULT", "failed"), ("EX_NEW_FAULT", "", "failed"), ("30099", "delivered", "delivered"),
        ("30099", "Sent", "submitted"), ("30099", "seen", "read"), ("30099", "odd", ""), ("30099", "", ""), (None, "", ""),
    ],
)  # fmt: skip
def test_an_unknown_whatsapp_code_is_a_value_and_an_unknown_string_a_failure(code, word, state):
    row = lookup(*WA, code, word)
    assert (row.known, row.state, failure_class(row)) == (False, state, "unknown")


def test_every_state_of_the_whatsapp_families():
    happy = {"30001": "submitted", "30002": "delivered", "30003": "read"}
    for family in (WA, WA_DICTIONARY):
        assert {row.code: row.state for row in every(*family)} == {
            row.code: happy.get(row.code, "failed") for row in every(*family)
        }
    assert {row.code: row.state for row in every(*WA_LIFE)} == {
        "accepted": "queued", "queued": "queued", "sent": "submitted", "delivered": "delivered", "read": "read", "failed": "failed",
    }  # fmt: skip
    for row in every(*WA_LIFE):
        assert state_of_whatsapp_word(row.code) == row.state
    assert {row.state for row in (*every(*WA_REQUEST), *every(*META))} == {"failed"}
    assert {row.state for row in every(*WA_PAYMENT)} == {""}


@pytest.mark.parametrize(("word", "state"), [("EX_MESSAGE_SENT", "submitted"), ("EX_NEW", "failed"), ("Delivered", "delivered"), ("seen", "read"), ("odd", ""), ("", "")])  # fmt: skip
def test_states_of_whatsapp_words(word, state):
    assert state_of_whatsapp_word(word) == state


def test_every_sms_status_word_is_a_row_with_the_state_that_the_word_gives():
    assert {row.code: row.state for row in every(*SMS_LIFE)} == {
        word: state for word, state in SMS_STATUS_WORDS.items() if word not in {"delivered", "undelivered", "expired"}
    }, "those three are in no document"
    assert lookup(*SMS_LIFE, "failed_dnd") is lookup(*SMS_LIFE, "failed-dnd") is lookup(*SMS_LIFE, None, "Failed-DND")


def test_the_word_sent_never_means_delivery():
    assert SMS_STATUS_WORDS["sent"] == state_of_word("sent") == "at_operator"
    assert state_of_whatsapp_word("sent") == "submitted"


@pytest.mark.parametrize(
    ("family", "code", "group"),
    [
        (SMS, "23005", "list"), (SMS, "23010", "list"), (SMS, "23082", "dlt"), (SMS, "23035", "network"), (SMS, "24010", "provider"),
        (WA, "30012", "list"), (WA, "30023", "content"), (WA, "30028", "network"), (REASON, "5", "list"),
    ],
)  # fmt: skip
def test_failures_fall_into_classes(family, code, group):
    assert failure_class(lookup(*family, code)) == group
    assert group in FAILURE_CLASSES


def test_a_broken_row_names_file_and_line(tmp_path):
    path = tmp_path / "bad.csv"
    columns = "provider,channel,namespace,code,name,aliases,state,final,retryable,charged,actor,effect,title,meaning,remedy,sources,note"
    path.write_text(f"{columns}\na,b,c,1,N,,nowhere,yes,no,no,nobody,,t,m,r,S1,\n", encoding="utf-8")
    with pytest.raises(BrokenTable, match=re.escape("bad.csv:2")):
        list(read(path))


# Printed


def printed(*arguments):
    out = StringIO()
    call_command("codes", *arguments, stdout=out)
    return out.getvalue()


def test_the_page_in_docs_is_what_the_command_prints():
    path = Path(__file__).parents[2] / "docs/status-codes.md"
    assert path.read_text(encoding="utf-8") == printed("--markdown"), (
        "run: manage.py codes --markdown > docs/status-codes.md"
    )


def test_the_page_has_every_family_code_and_note():
    text = page(shipped().by_key.values())
    assert {family_of(row) for row in every()} == set(TITLES)
    for row in every():
        assert f"| `{row.code}`" in text and row.note in text


def test_json_and_lines_have_every_row():
    rows = json.loads(printed("--json"))
    assert len(rows) == len(every())
    columns = "provider channel namespace code name aliases state final retryable meaning remedy overlaid"
    assert set(columns.split()) <= set(rows[0])
    assert all(row.code in printed("whatsapp") for row in every(channel="whatsapp"))
