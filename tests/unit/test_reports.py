"""Reading what Exotel says of messages, in every spelling that documents and captures show, and in none."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel.line import Answer
from campaigns.exotel.reports import error_of, from_details, from_fields, items, of_item

CALLBACK = {
    "SmsSid": "9f0c0a60517e6e6a0f6d9a7e9af8630e",
    "To": "09812345670",
    "Status": "sent",
    "DetailedStatus": "DELIVERED_TO_HANDSET",
    "DetailedStatusCode": "20005",
    "DateSent": "2026-01-05 11:20:09",
    "SmsUnits": "2",
    "CustomField": "b7.m19",
}
DETAILS = {
    "Sid": "9f0c0a60517e6e6a0f6d9a7e9af8630e", "AccountSid": "acme1", "From": "08047112233/ACMEIN", "To": "9812345670",
    "DateCreated": "2026-01-05 11:20:03", "DateUpdated": "2026-01-05 11:20:09", "DateSent": "2026-01-05 11:20:09",
    "Body": "Order 42", "Direction": "outbound-api", "Uri": "/v1/x.json", "ApiVersion": None, "Price": "0.180000",
    "Status": "sent", "DetailedStatusCode": 20005, "DetailedStatus": "DELIVERED_TO_HANDSET", "SMSUnits": 2,
}  # fmt: skip


def answer(body, status=200):
    return Answer(status, {}, body if isinstance(body, bytes) else body.encode(), 0.1)


def test_a_callback_is_read_whole():
    report = from_fields(CALLBACK, "callback")
    assert (report.source, report.sid, report.to, report.number10) == (
        "callback", CALLBACK["SmsSid"], "09812345670", "9812345670",
    )  # fmt: skip
    assert (report.word, report.code, report.name, report.state) == ("sent", "20005", "DELIVERED_TO_HANDSET", "delivered")
    assert report.date_sent == datetime(2026, 1, 5, 5, 50, 9, tzinfo=UTC)
    assert (report.units, report.custom) == (2, "b7.m19")


def test_a_poll_of_the_same_status_is_the_same_statement():
    polled = from_details(answer(json.dumps({"SMSMessage": DETAILS})))
    assert polled.source == "poll"
    assert polled.digest == from_fields(CALLBACK, "callback").digest


@pytest.mark.parametrize(
    "change",
    [{"SmsSid": "other"}, {"Status": "failed"}, {"DetailedStatusCode": "20006"}, {"DateSent": "2026-01-05 11:20:10"}],
)
def test_another_statement_has_another_digest(change):
    assert from_fields(CALLBACK | change, "callback").digest != from_fields(CALLBACK, "callback").digest


def test_a_digest_is_sixteen_bytes_and_blind_to_what_says_nothing_of_the_status():
    changed = CALLBACK | {"To": "+91 98123 45670", "SmsUnits": "3", "CustomField": ""}
    digest = from_fields(CALLBACK, "callback").digest
    assert (len(digest), digest) == (16, from_fields(changed, "poll").digest)


STATES = [
    # Status, DetailedStatusCode, DetailedStatus > state, code
    ("queued", 21010, "PENDING_TO_OPERATOR", "queued", "21010"),
    ("sending", "21015", "SENDING_TO_OPERATOR", "sending", "21015"),
    ("submitted", "21020", "PENDING_ON_OPERATOR", "submitted", "21020"),
    ("sent", "20006", "DELIVERED_TO_OPERATOR", "at_operator", "20006"),
    ("sent", "", "", "at_operator", ""),  # the lesser of its two meanings
    ("sent", "", "DELIVERED_TO_HANDSET", "delivered", "20005"),
    ("", "20005", "", "delivered", "20005"),
    ("", "", "DELIVERED_TO_HANDSET", "delivered", "20005"),
    ("failed", "20005", "", "delivered", "20005"),  # the code decides
    ("failed", "23010", "FAILED_INVALID_NUMBER", "failed", "23010"),
    ("failed-dnd", "23005", "FAILED_REJECTED_DND", "failed", "23005"),
    ("failed_dnd", "", "", "failed", "23005"),
    ("Failed_DND", "", "", "failed", "23005"),
    ("failed", "99999", "FAILED_SOMEHOW", "failed", "99999"),
    ("sent", "99999", "", "at_operator", "99999"),
    ("delivered", "", "", "delivered", ""),
    ("expired", "", "", "failed", ""),
    ("undelivered", "x", "", "failed", "x"),
    ("strange", "", "", "", ""),
    ("strange", "99999", "", "", "99999"),
]


@pytest.mark.parametrize(("word", "code", "name", "state", "kept"), STATES)
def test_the_code_decides_the_state_else_the_name_else_the_word(word, code, name, state, kept):
    report = from_fields({"Status": word, "DetailedStatusCode": code, "DetailedStatus": name}, "callback")
    assert (report.state, report.code, report.name) == (state, kept, name)
    assert report.word == word.lower().replace("_", "-")


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"SmsSid": "9f", "To": "09812345670"}, {"Status": ""}, {"Status": None}, {"Status": ["sent"]}, {"Status": True},
        {"Status": " \x00 "}, {"status code": "20005"}, {1: "sent"},
    ],
)  # fmt: skip
def test_fields_without_any_status_are_no_report(fields):
    assert from_fields(fields, "callback") is None


SPELLINGS = [
    ("SmsSid", "sid", "9f0c"), ("Sid", "sid", "9f0c"), ("sms_sid", "sid", "9f0c"), ("Sms Sid", "sid", "9f0c"),
    ("SMSUnits", "units", 3), ("SmsUnits", "units", 3), ("sms_units", "units", 3),
    ("custom_field", "custom", "c1"), ("CustomField", "custom", "c1"), ("TO", "to", "09812345670"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "attribute", "value"), SPELLINGS)
def test_field_names_are_read_in_any_spelling(name, attribute, value):
    assert getattr(from_fields({"Status": "sent", name: value}, "callback"), attribute) == value


@pytest.mark.parametrize(
    ("to", "number10"),
    [
        ("09812345670", "9812345670"), ("+919812345670", "9812345670"), ("9812345670", "9812345670"),
        ("+91 98123-45670", "9812345670"), (919812345670, "9812345670"), ("XXXXX45670", ""), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_numbers_are_compared_by_their_last_ten_digits(to, number10):
    assert from_fields({"Status": "sent", "To": to}, "callback").number10 == number10


@pytest.mark.parametrize(
    "sent",
    [
        None,
        "",
        "1970-01-01 05:30:00",
        "1970-01-01 00:00:00",
        "0000-00-00 00:00:00",
        "soon",
        "2026-02-30 10:00:00",
        5,
        "9" * 400,
    ],
)
def test_a_date_that_is_none_is_none(sent):
    assert from_fields(CALLBACK | {"DateSent": sent}, "callback").date_sent is None


@pytest.mark.parametrize(
    ("units", "read"),
    [(1, 1), ("1", 1), (" 7 ", 7), (100, 100), (None, None), ("", None), (0, None), (-1, None), (101, None), ("9" * 40, None),
     (10**40, None), ("two", None), ("²", None), (1.5, None), (True, None), ([1], None)],
)  # fmt: skip
def test_units_are_a_small_number_or_unknown(units, read):
    assert from_fields(CALLBACK | {"SmsUnits": units}, "callback").units == read


def test_text_is_bounded_and_clean():
    hostile = dict.fromkeys(CALLBACK, "\x00" + ("é" + chr(0xD800)) * 5_000)  # half of a character, as JSON can spell it
    report = from_fields(hostile, "callback")
    sizes = [len(value) for value in (report.word, report.code, report.name, report.to, report.custom)]
    assert sizes == [32, 32, 80, 40, 128]
    assert "\x00" not in report.name
    report.name.encode()
    assert len(from_fields(CALLBACK | {"DetailedStatusCode": "9" * 40}, "callback").code) == 32


@pytest.mark.parametrize(
    ("sid", "read"),
    [("9f0c", "9f0c"), (" 9f0c\x00", "9f0c"), (None, None), ("", None), ("x" * 64, "x" * 64), ("x" * 65, ""), (["9f0c"], ""),
     ({}, ""), (True, ""), (42, "42"), (10**70, "")],
)  # fmt: skip
def test_a_sid_is_taken_whole_or_not_at_all(sid, read):
    assert of_item({"Sid": sid, "To": "09812345670"})[:2] == (read, "9812345670")
    assert from_fields({"Sid": sid, "Status": "sent"}, "answer").sid == (read or "")


# Answers

XML = """<?xml version="1.0" encoding="UTF-8"?>
<TwilioResponse>
 <SMSMessage><Sid/><To>09812345670</To><Body></Body><Status>failed</Status><DetailedStatusCode>23000</DetailedStatusCode></SMSMessage>
 <SMSMessage><Sid>9f0c</Sid><To>09812345671</To><Status>queued</Status></SMSMessage>
</TwilioResponse>"""
BROKEN = (
    '[{"SMSMessage": {"Sid": null, "DetailedStatus": "FAILED_MISSING_BODY" "SmsUnits": null}}]'  # as document S001 has it
)


@pytest.mark.parametrize(
    ("body", "sids"),
    [
        ('{"SMSMessage": {"Sid": "a"}}', ["a"]),
        ('[{"SMSMessage": {"Sid": "a"}}, {"SMSMessage": {"Sid": "b"}}]', ["a", "b"]),
        ('\ufeff \n[{"SMSMessage": {"Sid": "a"}}]\n', ["a"]),
        ('[{"SMSMessage": {"Sid": "a"}}, null, 5, "x", [], {}, {"SMSMessage": null}, {"SMSMessage": []}]', ["a"]),
        (XML, [None, "9f0c"]),
    ],
)
def test_messages_are_read_from_json_and_xml(body, sids):
    assert [item["Sid"] for item in items(body.encode())] == sids


UNREADABLE = [
    b"", b"  ", b"null", b"[]", b"{}", b"5", b'"SMSMessage"', b"[[]]", b"[null]", b"No matching results",
    b'[{"SMSMessage": {"Sid": "a"}}', b'{"RestException": {"Status": 400}}', b"<html><body>Bad gateway</body></html>", b"<",
    b"<TwilioResponse/>", b"<SMSMessage><Sid>a</Sid></SMSMessage>", XML[:-1].encode(), XML.encode("utf-16"),
    b'{"SMSMessage": {"Sid": "\xe9"}}', '{"SMSMessage": {"Sid": "a"}}'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 100_000,
    b"9" * 10_000, b'{"SMSMessage": {"Sid": ' + b"9" * 10_000 + b"}}", b"\x1f\x8b\x08\x00",
    b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><TwilioResponse><SMSMessage><Sid>&b;</Sid></SMSMessage></TwilioResponse>',
    b'<?xml version="1.0" encoding="utf-7"?><TwilioResponse><SMSMessage><Sid>a</Sid>',
]  # fmt: skip


def test_the_documents_own_sample_is_read_though_a_comma_is_missing():
    [item] = items(BROKEN.encode())
    assert item == {"Sid": None, "DetailedStatus": "FAILED_MISSING_BODY", "SmsUnits": None}


@pytest.mark.parametrize("body", UNREADABLE, ids=lambda body: repr(body[:40]))
def test_what_cannot_be_read_is_none(body):
    assert items(body) is None
    assert from_details(answer(body)) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, json.dumps({"SMSMessage": DETAILS})), (200, "No matching results"), (200, '{"SMSMessage": {"Sid": "a"}}')],
)
def test_details_that_name_no_message_are_no_report(status, body):
    assert from_details(answer(body, status)) is None


ERRORS = [
    ('{"RestException": {"Status": 403, "Message": "Insufficient balance", "Code": 40001}}', "40001", "Insufficient balance"),
    ('{"RestException": {"Status": 403, "Message": "Insufficient balance", "Code": "40001"}}', "40001", "Insufficient balance"),
    ('{"RestException": {"Status": 401, "Message": "Unauthorized;"}}', "", "Unauthorized;"),
    ('{"RestException": {"Code": null, "Message": null}}', "", ""),
    ('{"RestException": "no"}', "", ""),
    ('{"code": 40402, "message": "Too many POST requests."}', "40402", "Too many POST requests."),
    ("<TwilioResponse><RestException><Status>403</Status><Message>A &amp; B</Message><Code>40001</Code></RestException>"
     "</TwilioResponse>", "40001", "A & B"),
    ("<TwilioResponse><RestException><Status>403</Status><Message>No</Message></RestException></TwilioResponse>", "", "No"),
    ("Authentication is required to view this page.", "", "Authentication is required to view this page."),
    ("<html><body><code>40001</code></body></html>", "", ""),
    ("<html><body>unclosed", "", ""),
    ("", "", ""),
    ("[]", "", "[]"),
    ('{"RestException": {"Code": "%s", "Message": "%s"}}' % ("9" * 40, "m" * 900), "9" * 32, "m" * 500),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "message"), ERRORS)
def test_an_error_is_read_from_json_xml_and_plain_text(body, code, message):
    assert error_of(answer(body, 400)) == (code, message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["SMSMessage", "RestException", *DETAILS]) | st.text(max_size=5), inner, max_size=6
        )
    ),
    max_leaves=20,
)


@given(JSON | st.binary(max_size=200))
def test_nothing_that_is_received_raises(value):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    for item in items(body) or ():
        of_item(item)
        from_fields(item, "answer")
    assert all(isinstance(part, str) for part in error_of(answer(body)))
    from_details(answer(body))
    if isinstance(value, dict):
        from_fields(value, "callback")
