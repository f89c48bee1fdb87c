"""GENIQ: a token before the first request, one text a request, and its own codes."""

import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel import geniq
from campaigns.exotel.bodies import Batch, Item
from campaigns.exotel.errors import NotSent, Unknown
from campaigns.exotel.geniq import Geniq, receipt
from campaigns.exotel.line import Answer
from campaigns.sending.outcomes import Kind
from campaigns.sending.outcomes.geniq import classify

A, B, C = "9812345670", "9812345671", "9812345672"
THREE = [A, B, C]
LETTERS = {Kind.ACCEPTED: "a", Kind.REJECTED: "r", Kind.PENDING: "p", Kind.UNCONFIRMED: "u"}
ONE = Batch("ACMEIN", [Item(f"+91{A}", "Hello नमस्ते & more")], custom_field="b7")
MANY = Batch("ACMEIN", [Item(f"+91{number}", "Hello") for number in THREE], encoding="plain")
SENT = {"reference": "b7", "responseMessage": "OK", "responseCode": "0", "messageIds": ["m1"]}


def jwt(seconds):
    claims = base64.urlsafe_b64encode(json.dumps({"exp": time.time() + seconds}).encode()).decode().rstrip("=")
    return f"e30.{claims}.sig"


def replying(*answers):
    """A handler that gives these (status, body) in turn, the last one for ever."""
    left = list(answers)

    def handler(connection, server):
        while server.read(connection):
            status, body = left.pop(0) if len(left) > 1 else left[0]
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return handler


def client_of(server):
    return Geniq(f"http://127.0.0.1:{server.port}", "acme", "key", "secret", connect_timeout=2, read_timeout=2)


def lines(server):
    return [request.split(b"\r\n")[0].decode().split()[1] for request in server.requests]


def header(request, name):
    found = [line for line in request.split(b"\r\n\r\n")[0].decode().split("\r\n") if line.startswith(f"{name}: ")]
    return found[0].partition(": ")[2]


# What is posted


def test_a_message_goes_out_under_a_token_fetched_with_key_and_secret(serve):
    token = jwt(3600)
    server = serve(replying((200, {"token": token}), (200, SENT)))
    with client_of(server) as client:
        assert client.bulksend(ONE).status == 200
    assert lines(server) == ["/rest/v1/token", "/rest/v1/sms"]
    assert header(server.requests[0], "Authorization") == f"Basic {base64.b64encode(b'key:secret').decode()}"
    assert header(server.requests[1], "Authorization") == f"Bearer {token}"
    fields = dict(parse_qsl(server.requests[1].partition(b"\r\n\r\n")[2].decode()))
    assert fields == {
        "message": "Hello नमस्ते & more", "recipient": f"91{A}", "originator": "ACMEIN", "originatorTon": "auto",
        "dataCoding": "auto", "reference": "b7",
    }  # fmt: skip


def test_one_text_to_several_numbers_is_one_request(serve):
    server = serve(replying((200, {"token": jwt(3600)}), (200, SENT)))
    with client_of(server) as client:
        client.bulksend(MANY)
    assert lines(server)[1] == "/rest/v1/batch_sms"
    fields = dict(parse_qsl(server.requests[1].partition(b"\r\n\r\n")[2].decode()))
    assert fields["recipients"] == f"91{A},91{B},91{C}"
    assert (fields["message"], fields["dataCoding"]) == ("Hello", "text")


def test_several_texts_in_one_request_are_refused_before_anything_is_sent(serve):
    server = serve(replying((200, {})))
    with client_of(server) as client, pytest.raises(ValueError, match="one text"):
        client.bulksend(Batch("ACMEIN", [Item(f"+91{A}", "One"), Item(f"+91{B}", "Two")]))
    assert server.requests == []


def test_a_token_is_used_until_shortly_before_its_end(serve):
    server = serve(replying((200, {"token": jwt(3600)}), (200, SENT)))
    with client_of(server) as client:
        for _ in range(3):
            client.bulksend(ONE)
    assert lines(server) == ["/rest/v1/token"] + ["/rest/v1/sms"] * 3


@pytest.mark.parametrize("seconds", [1, -5])
def test_a_token_about_to_end_is_replaced(serve, monkeypatch, seconds):
    server = serve(replying((200, {"token": jwt(seconds)}), (200, SENT), (200, {"token": jwt(3600)}), (200, SENT)))
    with client_of(server) as client:
        client.bulksend(ONE)
        later = time.monotonic() + 2
        monkeypatch.setattr(geniq.time, "monotonic", lambda: later)
        client.bulksend(ONE)
    assert lines(server).count("/rest/v1/token") == 2


@pytest.mark.parametrize("answer", [(401, b""), (200, {"responseCode": "23"}), (400, {"responseCode": 20})])
def test_a_refused_token_is_replaced_for_the_next_request_and_this_one_is_not_repeated(serve, answer):
    server = serve(replying((200, {"token": jwt(3600)}), answer, (200, {"token": jwt(3600)}), (200, SENT)))
    with client_of(server) as client:
        client.bulksend(ONE)
        client.bulksend(ONE)
    assert lines(server) == ["/rest/v1/token", "/rest/v1/sms"] * 2


@pytest.mark.parametrize(
    "answer", [(401, {"responseCode": "1"}), (403, b""), (200, {"responseCode": "4"}), (400, {"responseCode": "3"})]
)
def test_refused_credentials_are_the_answer_and_no_message_is_sent(serve, answer):
    server = serve(replying(answer))
    with client_of(server) as client:
        outcome = classify(client.bulksend(ONE), [A])
    assert (outcome.kind, lines(server)) == ("stop_account", ["/rest/v1/token"])


@pytest.mark.parametrize(
    "answer", [(500, b""), (503, b"busy"), (429, b""), (200, b""), (200, {"responseCode": "88"}), (200, {"token": "a\nb"})]
)
def test_without_a_token_nothing_is_sent(serve, answer):
    server = serve(replying(answer))
    with client_of(server) as client, pytest.raises(NotSent, match="No message was sent"):
        client.bulksend(ONE)
    assert lines(server) == ["/rest/v1/token"]


def test_a_token_request_that_breaks_sent_no_message(serve):
    server = serve(lambda connection, server: server.read(connection))
    with client_of(server) as client, pytest.raises(NotSent):
        client.bulksend(ONE)


# What answers mean


def answer(status, body=b""):
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode(), 0.1)


def fates(outcome):
    assert [item.index for item in outcome.items] == list(range(len(outcome.items)))
    return "".join(LETTERS[item.state] for item in outcome.items)


def code(value):
    return {"responseCode": value, "responseMessage": "Words"}


def details(*pairs):
    recipients = [{"recipient": number, "messageIds": ids} for number, ids in pairs]
    return {"responseCode": "0", "details": {"total": len(pairs), "recipients": recipients}}


ALONE = [
    (200, SENT, "answered", "a"),
    (201, SENT | {"responseCode": 0}, "answered", "a"),
    (200, SENT | {"messageIds": ["m1", "m2", "m3"]}, "answered", "a"),
    (200, SENT | {"messageIds": []}, "unknown", "u"),
    (200, SENT | {"messageIds": None}, "unknown", "u"),
    (200, SENT | {"messageIds": [None]}, "unknown", "u"),
    (200, {"responseCode": "0"}, "unknown", "u"),
    (500, SENT, "unknown", "u"),
    (200, code("1"), "stop_account", "p"),
    (200, code("2"), "stop_account", "p"),
    (200, code("3"), "stop_account", "p"),
    (200, code("4"), "stop_account", "p"),
    (200, code("5"), "throttled", "p"),
    (200, code("6"), "stop_account", "p"),
    (200, code("7"), "stop_account", "p"),
    (200, code("10"), "answered", "r"),
    (200, code("11"), "answered", "r"),
    (200, code("12"), "stop_campaign", "p"),
    (200, code("13"), "stop_campaign", "p"),
    (200, code("15"), "answered", "r"),
    (200, code("16"), "answered", "r"),
    (200, code("20"), "not_sent", "p"),
    (401, code("23"), "not_sent", "p"),
    (200, code("88"), "unknown", "u"),
    (200, code("99"), "unknown", "u"),
    (500, code("99"), "unknown", "u"),
    (401, b"", "stop_account", "p"),
    (403, b"<html>", "stop_account", "p"),
    (404, b"", "stop_account", "p"),
    (429, b"", "throttled", "p"),
    (400, b"", "answered", "r"),
    (500, b"", "unknown", "u"),
    (502, b"<html>", "unknown", "u"),
    (503, b"", "unknown", "u"),
    (200, b"", "unknown", "u"),
    (200, b"OK", "unknown", "u"),
    (200, code("12345"), "unknown", "u"),
    (200, code(None), "unknown", "u"),
]


@pytest.mark.parametrize(("status", "body", "kind", "expected"), ALONE)
def test_the_fate_of_one_message(status, body, kind, expected):
    outcome = classify(answer(status, body), [A])
    assert (outcome.kind, fates(outcome)) == (kind, expected)
    assert outcome.reason.endswith(".") or outcome.kind == "answered"


BATCHES = {
    "all": (details((f"91{A}", ["a"]), (f"91{B}", ["b"]), (f"91{C}", ["c"])), "answered", "aaa"),
    "in another order": (details((f"91{C}", ["c"]), (f"+91{A}", ["a"]), (B, ["b"])), "answered", "aaa"),
    "one without an id": (details((f"91{A}", ["a"]), (f"91{B}", []), (f"91{C}", ["c"])), "answered", "aua"),
    "one missing": (details((f"91{A}", ["a"])), "answered", "auu"),
    "an id twice": (details((f"91{A}", ["a"]), (f"91{B}", ["a"]), (f"91{C}", ["c"])), "answered", "uua"),
    "a stranger": (details(("919898989898", ["z"])), "unknown", "uuu"),
    "no details": ({"responseCode": "0", "messageIds": ["m1"]}, "unknown", "uuu"),
    "details that are none": ({"responseCode": "0", "details": {"recipients": [None, "x", 5]}}, "unknown", "uuu"),
    "throttled": (code("5"), "throttled", "ppp"),
    "one bad number spoils all": (code("11"), "split", "ppp"),
}


@pytest.mark.parametrize(("body", "kind", "expected"), BATCHES.values(), ids=BATCHES)
def test_the_fates_of_a_batch(body, kind, expected):
    outcome = classify(answer(200, body), THREE)
    assert (outcome.kind, fates(outcome)) == (kind, expected)


@pytest.mark.parametrize(("raised", "expected"), [(NotSent("Refused."), "p"), (Unknown("Timed out."), "u")])
def test_no_answer_is_pending_only_when_nothing_was_written(raised, expected):
    assert fates(classify(raised, [A])) == expected


def test_a_rejection_carries_its_code_under_the_familys_prefix():
    [item] = classify(answer(200, code("11")), [A]).items
    assert item.code == "geniq:11"


# Receipts

RECEIPT = {
    "messageId": "m1", "channel": "sms", "recipient": f"91{A}", "status": "delivered", "reasonCode": "0",
    "messageTimestamp": "2026-01-05T05:51:00Z", "operatorTimestamp": "2026-01-05T05:51:02Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("status", "reason", "state", "stored"),
    [
        ("processed", "0", "submitted", ""),
        ("delivered", "0", "delivered", ""),
        ("DELIVERED", 0, "delivered", ""),
        ("expired", "8", "failed", "geniq-reason:8"),
        ("deleted", "4", "failed", "geniq-reason:4"),
        ("undeliverable", "5", "failed", "geniq-reason:5"),
        ("rejected", 6, "failed", "geniq-reason:6"),
        ("rejected", "", "failed", ""),
        ("unknown", "0", "", ""),
        ("something", "0", "", ""),
    ],
)
def test_a_receipt_is_a_report_on_our_scale(status, reason, state, stored):
    report = receipt(RECEIPT | {"status": status, "reasonCode": reason})
    assert (report.sid, report.number10, report.state, report.code) == ("m1", A, state, stored)
    assert report.date_sent == datetime(2026, 1, 5, 5, 51, tzinfo=UTC)


@pytest.mark.parametrize("gone", ["messageId", "status"])
def test_a_receipt_without_a_message_or_a_status_is_none(gone):
    assert receipt({name: value for name, value in RECEIPT.items() if name != gone}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["responseCode", "messageIds", "details", "recipients", "recipient", "status", "messageId"]),
            inner,
        )
    ),
    max_leaves=25,
)


@given(json_values, st.sampled_from([200, 400, 401, 429, 500]))
def test_any_json_gives_an_outcome_and_no_stray_exception(value, status):
    outcome = classify(answer(status, json.dumps(value).encode()), THREE)
    assert len(outcome.items) == 3
    if isinstance(value, dict):
        receipt(value)
