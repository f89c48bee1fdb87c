"""The WhatsApp API: what is posted, what each answer means for each message, and what its callbacks say."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel import whatsapp
from campaigns.exotel.errors import NotSent, Unknown
from campaigns.exotel.line import Answer
from campaigns.exotel.whatsapp import Batch, Item, WhatsApp
from campaigns.exotel.whatsapp_reports import callbacks, from_dlr
from campaigns.sending.outcomes import Kind
from campaigns.sending.outcomes.whatsapp import classify
from tests.raw import answering

A, B, C = "9812345670", "9812345671", "9812345672"
THREE = [A, B, C]
LETTERS = {Kind.ACCEPTED: "a", Kind.REJECTED: "r", Kind.PENDING: "p", Kind.UNCONFIRMED: "u"}
OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"

# What is posted

TEMPLATE = whatsapp.template(
    "order_ready",
    "en",
    [
        whatsapp.header({"type": "image", "image": {"link": "https://acme.example/a.png"}}),
        whatsapp.body(["42", "नमस्ते"]),
        whatsapp.button(0, "url", {"type": "text", "text": "42"}),
    ],
)
CONTENTS = [
    (whatsapp.text("Hello", preview_url=True), {"recipient_type": "individual", "type": "text",
     "text": {"body": "Hello", "preview_url": True}}),
    (whatsapp.media("image", "https://a.example/i.png", "Look"), {"recipient_type": "individual", "type": "image",
     "image": {"link": "https://a.example/i.png", "caption": "Look"}}),
    (whatsapp.media("document", "https://a.example/i.pdf", filename="i.pdf"), {"recipient_type": "individual",
     "type": "document", "document": {"link": "https://a.example/i.pdf", "filename": "i.pdf"}}),
    (whatsapp.media("audio", "https://a.example/i.mp3"), {"recipient_type": "individual", "type": "audio",
     "audio": {"link": "https://a.example/i.mp3"}}),
    (whatsapp.template("hello", "hi"), {"recipient_type": "individual", "type": "template",
     "template": {"name": "hello", "language": {"policy": "deterministic", "code": "hi"}}}),
    (TEMPLATE, {"recipient_type": "individual", "type": "template", "template": {
        "name": "order_ready", "language": {"policy": "deterministic", "code": "en"}, "components": [
            {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://acme.example/a.png"}}]},
            {"type": "body", "parameters": [{"type": "text", "text": "42"}, {"type": "text", "text": "नमस्ते"}]},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": [{"type": "text", "text": "42"}]}]}}),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), CONTENTS)
def test_content_has_the_documented_shape(content, expected):
    assert content == expected


@pytest.mark.parametrize(
    "make",
    [
        lambda: whatsapp.text(""),
        lambda: whatsapp.text("x" * 4097),
        lambda: whatsapp.media("gif", "https://a.example/i.gif"),
        lambda: whatsapp.media("audio", "https://a.example/i.mp3", caption="Listen"),
        lambda: whatsapp.media("image", "https://a.example/i.png", filename="i.png"),
    ],
)
def test_content_that_would_be_refused_is_not_made(make):
    with pytest.raises(ValueError, match=r"WhatsApp|media|document"):
        make()


def test_a_request_wraps_its_messages_and_says_where_reports_go(serve):
    server = serve(answering(OK))
    batch = Batch(
        "+918047112233", [Item(f"+91{A}", TEMPLATE, "b8.m3"), Item(f"+91{B}", whatsapp.text("Hi"))], "https://h/cb", "b8"
    )
    with WhatsApp(f"http://127.0.0.1:{server.port}", "acme1", "key", "token") as client:
        assert client.messages(batch).status == 202
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /v2/accounts/acme1/messages HTTP/1.1"
    assert "Content-Type: application/json" in headers
    assert f"Authorization: Basic {base64.b64encode(b'key:token').decode()}" in headers
    assert json.loads(body) == {
        "custom_data": "b8",
        "status_callback": "https://h/cb",
        "whatsapp": {
            "messages": [
                {"from": "+918047112233", "to": f"+91{A}", "content": TEMPLATE, "custom_data": "b8.m3"},
                {"from": "+918047112233", "to": f"+91{B}", "content": whatsapp.text("Hi")},
            ]
        },
    }


# What answers mean


def ok(sid):
    return {"code": 202, "error_data": None, "status": "success", "data": {"sid": sid}}


def failed(code=30012, data=None, **more):
    return {"code": 400, "error_data": {"code": code, "message": "No", "description": "Bad"}, "status": "failure",
            "data": data} | more  # fmt: skip


def envelope(*items):
    return {"request_id": "r", "method": "POST", "http_code": 202, "response": {"whatsapp": {"messages": list(items)}}}


def answer(status, body=b""):
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), 0.1)


def fates(outcome):
    assert [item.index for item in outcome.items] == list(range(len(outcome.items)))
    return "".join(LETTERS[item.state] for item in outcome.items)


ANSWERS = {
    "all accepted": (envelope(ok("s1"), ok("s2"), ok("s3")), "answered", "aaa"),
    "one failed": (envelope(ok("s1"), failed(), ok("s3")), "answered", "ara"),
    "all failed": (envelope(failed(), failed(), failed()), "answered", "rrr"),
    "a failure with a Sid was taken": (envelope(failed(data={"sid": "s1"}), ok("s2"), ok("s3")), "answered", "aaa"),
    "a success without a Sid": (envelope(ok(None), ok("s2"), ok("s3")), "answered", "uaa"),
    "a success without data": (envelope(ok("s1") | {"data": None}, ok("s2"), ok("s3")), "answered", "uaa"),
    "a Sid twice": (envelope(ok("s1"), ok("s1"), ok("s3")), "answered", "uua"),
    "an item that is none": (envelope(ok("s1"), None, "x"), "answered", "auu"),
    "an item too few": (envelope(ok("s1"), ok("s2")), "unknown", "uuu"),
    "an item too many": (envelope(ok("s1"), ok("s2"), ok("s3"), ok("s4")), "unknown", "uuu"),
    "a Sid too long": (envelope(ok("s" * 65), ok("s2"), ok("s3")), "answered", "uaa"),
    "a Sid of digits": (envelope(ok(7), ok("s2"), ok("s3")), "answered", "aaa"),
    "words in capitals": (envelope(ok("s1") | {"status": "SUCCESS"}, failed(status="FAILED"), ok("s3")), "answered", "ara"),
    "an unwrapped list": ({"messages": [ok("s1"), ok("s2"), ok("s3")]}, "unknown", "uuu"),
    "an empty list": (envelope(), "unknown", "uuu"),
    "nothing": (b"", "unknown", "uuu"),
    "text": (b"Accepted", "unknown", "uuu"),
    "cut short": (json.dumps(envelope(ok("s1"))).encode()[:-4], "unknown", "uuu"),
    "not UTF-8": (json.dumps(envelope(ok("s1"))).encode("utf-16"), "unknown", "uuu"),
    "nested without end": (b"[" * 100_000, "unknown", "uuu"),
    "a list where an object belongs": ([envelope(ok("s1"))], "unknown", "uuu"),
}


@pytest.mark.parametrize("status", [200, 202, 207])
@pytest.mark.parametrize(("body", "kind", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_a_success_is_read_item_by_item_in_order(status, body, kind, expected):
    outcome = classify(answer(status, body), THREE)
    assert (outcome.kind, fates(outcome)) == (kind, expected)


def test_a_rejected_item_carries_its_code_under_the_familys_prefix():
    items = classify(answer(207, envelope(failed(30012), failed("131026"), failed(None))), THREE).items
    assert [item.code for item in items] == ["wa:30012", "wa:131026", "wa:400"]


REFUSALS = [
    (
        400,
        {"response": {"error_data": {"code": 1001, "message": "at least one channel is mandatory"}}},
        "stop_account",
        "1001",
    ),
    (400, {"response": [{"code": "100", "error_data": None}]}, "split", "100"),
    (400, {"error": {"code": 102}}, "split", "102"),
    (400, b"Bad request", "split", ""),
    (401, {"http_code": 401}, "stop_account", ""),
    (401, b"Authentication is required to view this page.", "stop_account", ""),
    (402, {"response": {"code": 1000}}, "stop_account", "1000"),
    (403, {}, "stop_account", ""),
    (404, b"", "stop_account", ""),
    (302, b"", "stop_account", ""),
    (429, {"response": {"error_data": {"code": 400}}}, "throttled", "400"),
    (429, b"", "throttled", ""),
    (500, {"response": {"code": 35000}}, "unknown", "35000"),
    (502, b"<html>", "unknown", ""),
    (503, b"", "unknown", ""),
    (504, b"", "unknown", ""),
    (408, b"", "unknown", ""),
    (409, b"", "unknown", ""),
]


@pytest.mark.parametrize(("status", "body", "kind", "code"), REFUSALS)
def test_a_refused_request_is_read_by_its_status(status, body, kind, code):
    outcome = classify(answer(status, body), THREE)
    assert (outcome.kind, outcome.app_code, outcome.http_status) == (kind, code, status)
    assert fates(outcome) == ("uuu" if kind == "unknown" else "ppp")
    assert outcome.reason.endswith(".")


@pytest.mark.parametrize(("raised", "expected"), [(NotSent("Refused."), "ppp"), (Unknown("Timed out."), "uuu")])
def test_no_answer_is_pending_only_when_nothing_was_written(raised, expected):
    assert fates(classify(raised, THREE)) == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["response", "whatsapp", "messages", "data", "sid", "status", "error_data", "code", "x"]), inner
        )
    ),
    max_leaves=25,
)


@given(json_values, st.sampled_from([200, 202, 400, 401, 429, 500]))
def test_any_json_gives_an_outcome(value, status):
    outcome = classify(answer(status, json.dumps(value).encode()), THREE)
    assert len(outcome.items) == 3


# What callbacks say


def dlr(**fields):
    return {
        "callback_type": "dlr", "sid": "k3", "to": f"+91{A}", "exo_status_code": 30002,
        "exo_detailed_status": "EX_MESSAGE_DELIVERED", "description": "d", "timestamp": "2026-01-05T11:21:00.000+05:30",
        "custom_data": "b8.m3",
    } | fields  # fmt: skip


def wrapped(*items):
    return json.dumps({"whatsapp": {"messages": list(items)}}).encode()


ICM = {
    "callback_type": "icm", "sid": "in1", "from": f"+91{B}", "to": "+918047112233", "profile_name": "Asha",
    "timestamp": "2026-01-05T11:25:00+05:30", "content": {"type": "text", "text": {"body": "STOP"}},
}  # fmt: skip

STATES = [
    ({}, "delivered", "wa:30002"),
    ({"exo_status_code": "30002"}, "delivered", "wa:30002"),
    ({"exo_status_code": 30001, "exo_detailed_status": "EX_MESSAGE_SENT"}, "submitted", "wa:30001"),
    ({"exo_status_code": 30003, "exo_detailed_status": "EX_MESSAGE_SEEN"}, "read", "wa:30003"),
    ({"exo_status_code": 30013, "exo_detailed_status": "EX_INCAPABLE_RECIPIENT"}, "failed", "wa:30013"),
    ({"exo_status_code": None}, "delivered", "wa:30002"),
    ({"exo_detailed_status": None}, "delivered", "wa:30002"),
    ({"exo_status_code": 30007, "exo_detailed_status": "EX_MESSAGE_DELIVERED"}, "delivered", "wa:30002"),
    ({"exo_status_code": 99999, "exo_detailed_status": "EX_SOMETHING_NEW"}, "failed", "wa:99999"),
    ({"exo_status_code": None, "exo_detailed_status": "EX_SOMETHING_NEW"}, "failed", "wa:EX_SOMETHING_NEW"),
]


@pytest.mark.parametrize(("fields", "state", "code"), STATES)
def test_the_word_of_a_report_decides_before_its_number(fields, state, code):
    report = from_dlr(dlr(**fields))
    assert (report.state, report.code, report.sid, report.number10) == (state, code, "k3", A)


def test_a_report_carries_its_time_and_reference():
    report = from_dlr(dlr())
    assert report.date_sent == datetime(2026, 1, 5, 5, 51, tzinfo=UTC)
    assert report.custom == "b8.m3"


def test_a_time_without_a_zone_is_indian_and_nonsense_is_none():
    assert from_dlr(dlr(timestamp="2026-01-05T11:21:00")).date_sent == datetime(2026, 1, 5, 5, 51, tzinfo=UTC)
    assert from_dlr(dlr(timestamp="yesterday")).date_sent is None


def test_reports_and_incoming_messages_stand_in_one_array():
    reports, inbound = callbacks(wrapped(dlr(), ICM, dlr(sid="k4"), ICM | {"callback_type": "incoming_message"}, None, "x"))
    assert [report.sid for report in reports] == ["k3", "k4"]
    assert [(message.number10, message.kind, message.text, message.name) for message in inbound] == [
        (B, "text", "STOP", "Asha")
    ] * 2


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"type": "image", "image": {"url": "https://x", "caption": "Look"}}, "Look"),
        ({"type": "button", "button": {"text": "Yes"}}, "Yes"),
        ({"type": "sticker", "sticker": {"url": "https://x"}}, ""),
        ({"type": "text", "text": {"body": "a\x00b"}}, "ab"),
        ({"type": "text", "text": "plain"}, ""),
        ("text", ""),
        (None, ""),
    ],
)
def test_whatever_a_person_writes_is_text_or_nothing(content, text):
    [message] = callbacks(wrapped(ICM | {"content": content}))[1]
    assert message.text == text


def test_a_callback_is_looked_at_up_to_a_hundred_messages():
    assert len(callbacks(wrapped(*[dlr(sid=str(i)) for i in range(150)]))[0]) == 100


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b"whatsapp", b'{"whatsapp": 1}', b'{"whatsapp": {"messages": {}}}', b"\xff", b"[" * 100_000,
     wrapped({}), wrapped({"callback_type": "dlr"}), wrapped([dlr()])],
)  # fmt: skip
def test_what_says_nothing_about_a_status_is_no_report(raw):
    assert callbacks(raw) == ([], [])
