"""Request bodies are what a client that follows document S001 posts through ``requests``."""

from urllib.parse import parse_qsl, quote_plus, urlencode

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel.bodies import Batch, Item, Shorten, bulk_body, send_body

FULL = Batch(
    sender="ACMEIN",
    items=[
        Item("+919812345670", "Hello World one", "1107160000000000001", "transactional"),
        Item("+919812345671", "50% off & more = fun + नमस्ते 🙂\nline", sender="LM WEB"),
    ],
    dlt_entity_id="1101400000000000001",
    status_callback="https://host/callbacks/v1/k1/ab.cd?x=1&y=2",
    custom_field="b7.m19",
    encoding="unicode",
    priority="high",
)


def test_a_bulk_body_is_what_requests_makes_of_the_documented_fields():
    fields = {
        "From": "ACMEIN",
        "DltEntityId": "1101400000000000001",
        "StatusCallback": "https://host/callbacks/v1/k1/ab.cd?x=1&y=2",
        "CustomField": "b7.m19",
        "EncodingType": "unicode",
        "Priority": "high",
        "Messages[0][To]": "+919812345670",
        "Messages[0][Body]": "Hello World one",
        "Messages[0][SmsType]": "transactional",
        "Messages[0][DltTemplateId]": "1107160000000000001",
        "Messages[1][To]": "+919812345671",
        "Messages[1][Body]": "50% off & more = fun + नमस्ते 🙂\nline",
        "Messages[1][From]": "LM WEB",
    }
    assert bulk_body(FULL) == requests.Request("POST", "http://127.0.0.1", data=fields).prepare().body.encode()


SHORTENED = [
    (Shorten(), {"ShortenUrl": "true"}),
    (
        Shorten("ACMEIN", "acme.link", True, "https://host/clicks/ab.cd?x=1&y"),
        {
            "ShortenUrl": "true",
            "ShortenUrlParams[Header]": "ACMEIN",
            "ShortenUrlParams[CustomDomain]": "acme.link",
            "ShortenUrlParams[Tracking]": "true",
            "ShortenUrlParams[ClickTrackingCallbackUrl]": "https://host/clicks/ab.cd?x=1&y",
        },
    ),
]


@pytest.mark.parametrize("body", [bulk_body, send_body])
@pytest.mark.parametrize(("shorten", "expected"), SHORTENED)
def test_links_are_shortened_for_the_whole_request(body, shorten, expected):
    plain, item = {"From": "ACMEIN"}, Item("+919812345670", "Hello")
    read = dict(parse_qsl(body(Batch("ACMEIN", [item], shorten=shorten)).decode()))
    assert {name: value for name, value in read.items() if name.startswith("Shorten")} == expected
    assert read.items() >= plain.items()


def test_what_is_not_known_is_left_out():
    body = bulk_body(Batch("ACMEIN", [Item("+919812345670", "Hello")]))
    assert body == b"From=ACMEIN&Messages%5B0%5D%5BTo%5D=%2B919812345670&Messages%5B0%5D%5BBody%5D=Hello"


def test_an_empty_text_is_sent_as_such_so_that_exotel_can_refuse_its_message_alone():
    body = bulk_body(Batch("ACMEIN", [Item("+919812345670", "")]))
    assert ("Messages[0][Body]", "") in parse_qsl(body.decode(), keep_blank_values=True)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=5))
def test_any_text_arrives_unchanged(texts):
    items = [Item(f"+91981234567{i}", text, text, text, text) for i, text in enumerate(texts)]
    body = bulk_body(Batch("ACMEIN", items)).decode("ascii")
    read = dict(parse_qsl(body, keep_blank_values=True))
    assert [read[f"Messages[{i}][Body]"] for i in range(len(texts))] == texts
    assert all(f"Body%5D={quote_plus(text)}" in body for text in texts)
    assert len(read) == 1 + sum(2 + 3 * bool(text) for text in texts), "no text can add a field"


def test_a_hundred_messages_are_numbered_through():
    items = [Item(f"+9198123{i:05d}", f"Text {i}") for i in range(100)]
    read = dict(parse_qsl(bulk_body(Batch("ACMEIN", items)).decode()))
    assert [read[f"Messages[{i}][To]"] for i in range(100)] == [item.to for item in items]


ONE = Item("+919812345670", "Order 42 shipped", "1507000000000000002", "transactional")


@pytest.mark.parametrize(
    ("items", "to"),
    [
        ([ONE], {"To": "+919812345670"}),
        ([ONE, Item("+919812345671", *("Order 42 shipped", "1507000000000000002", "transactional"))],
         {"To[0]": "+919812345670", "To[1]": "+919812345671"}),
    ],
)  # fmt: skip
def test_a_static_body_names_one_number_or_lists_them(items, to):
    batch = Batch("ACMEIN", items, "1501000000000000001", custom_field="b7")
    rest = {"Body": ONE.body, "SmsType": ONE.sms_type, "DltTemplateId": ONE.dlt_template_id}
    outer = {"From": "ACMEIN", "DltEntityId": "1501000000000000001", "CustomField": "b7"}
    assert send_body(batch).decode() == urlencode(outer | to | rest)


def test_the_header_of_the_message_stands_before_that_of_the_batch():
    assert send_body(Batch("ACMEIN", [Item("+919812345670", "Hi", sender="OTHERS")])).startswith(b"From=OTHERS&To=")


@pytest.mark.parametrize("change", ["body", "dlt_template_id", "sms_type", "sender"])
def test_a_static_body_refuses_messages_that_differ(change):
    other = Item(**{"to": "+919812345671", "body": ONE.body, "dlt_template_id": ONE.dlt_template_id,
                    "sms_type": ONE.sms_type} | {change: "different"})  # fmt: skip
    with pytest.raises(ValueError, match="one text"):
        send_body(Batch("ACMEIN", [ONE, other]))
