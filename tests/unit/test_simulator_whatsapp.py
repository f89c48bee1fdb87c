"""WhatsApp in the simulator: the envelope, what is taken and what is not, and the reports that follow."""

import json
import re

import pytest

from campaigns.exotel.codes import every
from campaigns.exotel.simulator import names, notices
from tests.unit.test_simulator_dlt import Desk

TEXT = {"recipient_type": "individual", "type": "text", "text": {"preview_url": False, "body": "Order 42 is ready"}}
TEMPLATE = {
    "type": "template",
    "template": {
        "name": "order_ready", "language": {"policy": "deterministic", "code": "en"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "42"}]}],
    },
}  # fmt: skip
HOOK = "http://127.0.0.1:9/wa"


def item(content=TEXT, to="+919812345670", **more):
    return {"from": "+918047112233", "to": to, "content": content, **more}


def ask(desk, body, sid="exodemo1"):
    """Status and envelope."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = desk.ask("POST", f"/v2/accounts/{sid}/messages", body, {"content-type": "application/json"})
    return reply.status, json.loads(reply.body)


def send(desk, *items, **outer):
    status, answer = ask(desk, {"whatsapp": {"messages": list(items)}, **outer})
    assert status == 202, answer
    return answer["response"]["whatsapp"]["messages"]


def reports(desk):
    """(address, items) of every callback as it would leave, in the order in which they are due."""
    ledger = desk.exotel.desk.ledger
    rows = sorted(ledger.page("callback", 0, 10_000), key=lambda row: (row["due_at"], row["id"]))
    made = [notices.notice(*pair, desk.exotel.desk.fates) for row in rows for pair in ledger.due([row["id"]])]
    assert {notice.content_type for notice in made} <= {"application/json"}
    return [(notice.url, json.loads(notice.body)["whatsapp"]["messages"]) for notice in made]


def test_a_request_is_answered_202_with_an_envelope_and_one_entry_a_message_in_order():
    status, answer = ask(Desk(), {"whatsapp": {"messages": [item(), item(to="nobody"), item(TEMPLATE)]}})
    assert status == 202
    assert list(answer) == ["request_id", "method", "http_code", "metadata", "response"]
    assert (answer["method"], answer["http_code"]) == ("POST", 202)
    assert answer["metadata"] == {"total": 3, "success": 2, "failed": 1}
    good, bad, other = answer["response"]["whatsapp"]["messages"]
    assert (good["code"], good["error_data"], good["status"], list(good["data"])) == (202, None, "success", ["sid"])
    assert (bad["status"], bad["data"], list(bad["error_data"])) == ("failure", None, ["code", "description", "message"])
    assert good["data"]["sid"] != other["data"]["sid"]


MEDIA = {
    kind: {"type": kind, kind: {"link": "https://cdn.example/a"}}
    for kind in ("image", "video", "audio", "sticker", "document")
}
CONTENTS = [
    TEXT, TEMPLATE, *MEDIA.values(),
    {"type": "document", "document": {"link": "https://cdn.example/a.pdf", "filename": "a.pdf", "caption": "Bill"}},
    {"type": "location", "location": {"latitude": 12.97, "longitude": "77.59", "name": "Shop", "address": "MG Road"}},
    {"type": "contacts", "contacts": [{"name": {"formatted_name": "Asha"}, "phones": []}]},
    {"type": "interactive", "interactive": {"type": "button", "body": {"text": "?"}, "action": {"buttons": [{"type": "reply"}]}}},
    {"type": "interactive", "interactive": {"type": "list", "action": {"sections": [{"rows": [{"id": str(i)} for i in range(10)]}]}}},
    {"type": "interactive", "interactive": {"type": "flow", "action": {"name": "flow"}}},
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS)
def test_every_kind_of_content_is_taken(content):
    (answer,) = send(Desk(), item(content))
    assert answer["status"] == "success"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, 101), ("x", 100), ({}, 101), ({"type": "text"}, 101), ({"type": "text", "text": {"body": ""}}, 101),
        ({"type": "text", "text": {"body": "x" * 4097}}, 100), ({"type": "text", "text": "x"}, 100),
        ({"type": "fax", "fax": {}}, 104), ({"type": ["text"]}, 101), ({"type": "image", "image": {"caption": "x"}}, 101),
        ({"type": "image", "image": {"link": "ftp://x"}}, 105), ({"type": "location", "location": {"latitude": 1}}, 101),
        ({"type": "location", "location": {"latitude": 91, "longitude": 0}}, 100),
        ({"type": "contacts", "contacts": {"name": "x"}}, 100), ({"type": "contacts", "contacts": [{}]}, 101),
        ({"type": "template", "template": {"name": "x"}}, 101),
        ({"type": "template", "template": {"name": "x", "language": {"code": "en"}, "components": {}}}, 100),
        ({"type": "interactive", "interactive": {"type": "button", "action": {"buttons": [1] * 4}}}, 100),
        ({"type": "interactive", "interactive": {"type": "list", "action": {"sections": [{"rows": [1] * 11}]}}}, 100),
        ({"type": "interactive", "interactive": {"type": "list", "action": {}}}, 101),
    ],
)  # fmt: skip
def test_content_that_cannot_be_sent_fails_alone(content, code):
    desk = Desk()
    bad, good = send(desk, item(content), item())
    assert (bad["status"], bad["code"], bad["error_data"]["code"]) == ("failure", 400, code)
    assert good["status"] == "success"
    assert desk.exotel.desk.ledger.messages == 1


@pytest.mark.parametrize(
    "broken", ["x", None, {}, {"from": "1"}, [], 7, {"from": "+918047112233", "to": "12", "content": TEXT}]
)
def test_an_item_that_is_no_message_fails_alone(broken):
    bad, good = send(Desk(), broken, item())
    assert (bad["status"], good["status"]) == ("failure", "success")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"from": "+918047112233", "to": "+919812345670", "content": TEXT}, 1001),
        ({"messages": [item()]}, 1001),
        ({"channel": "whatsapp", "whatsapp": []}, 1001),
        ({"whatsapp": {}}, 100),
        ({"whatsapp": {"messages": []}}, 100),
        ({"whatsapp": {"messages": {"0": item()}}}, 100),
        ({"whatsapp": {"messages": [item()] * 101}}, 100),
        ([], 100),
        (b"", 100),
        (b"{", 100),
    ],
)
def test_a_request_of_the_wrong_shape_is_refused_whole(body, code):
    desk = Desk()
    status, answer = ask(desk, body)
    assert (status, answer["http_code"], answer["response"]["error_data"]["code"]) == (400, 400, code)
    assert desk.exotel.desk.ledger.messages == 0


def test_a_flat_body_gets_the_sentence_that_was_observed():
    _, answer = ask(Desk(), item())
    assert answer["response"]["error_data"]["description"] == "at least one channel is mandatory"


def test_a_hundred_messages_are_taken():
    assert len(send(Desk(), *[item()] * 100)) == 100


def test_sent_delivered_and_seen_are_each_reported_in_the_captured_shape():
    desk = Desk()
    (answer,) = send(desk, item(status_callback=HOOK, custom_data="b8.m3"))
    told = reports(desk)
    assert [one["exo_detailed_status"] for _, items in told for one in items] == [
        "EX_MESSAGE_SENT", "EX_MESSAGE_DELIVERED", "EX_MESSAGE_SEEN",
    ]  # fmt: skip
    url, (first,) = told[0]
    assert url == HOOK
    assert list(first) == [
        "callback_type", "sid", "to", "exo_status_code", "exo_detailed_status", "description", "timestamp", "custom_data",
    ]  # fmt: skip
    assert (first["callback_type"], first["sid"], first["exo_status_code"]) == ("dlr", answer["data"]["sid"], 30001)
    assert (first["to"], first["custom_data"]) == ("+919812345670", "b8.m3")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+05:30", first["timestamp"])


def test_the_innermost_address_and_reference_win():
    desk = Desk(whatsapp_outcomes={"30001": 1})
    whatsapp = {"custom_data": "middle", "messages": [item(custom_data="inner", status_callback=f"{HOOK}/inner"), item()]}
    ask(desk, {"custom_data": "outer", "status_callback": HOOK, "whatsapp": whatsapp})
    assert {(url, one["custom_data"]) for url, items in reports(desk) for one in items} == {
        (f"{HOOK}/inner", "inner"), (HOOK, "middle"),
    }  # fmt: skip


@pytest.mark.parametrize("code", ["30013", "30018", "30023", "30041"])
def test_a_failure_of_the_scenario_is_reported_by_its_number_and_name(code):
    desk = Desk(whatsapp_numbers={"9812345670": code})
    send(desk, item(), item(to="+919812345671"), status_callback=HOOK)
    failed = [one for _, items in reports(desk) for one in items if one["to"] == "+919812345670"]
    assert [one["exo_status_code"] for one in failed] == [int(code)]
    assert failed[0]["exo_detailed_status"].startswith("EX_")


def test_a_state_that_has_a_name_alone_has_no_number():
    desk = Desk(whatsapp_outcomes={"EX_RESTRICTED_BY_META": 1})
    send(desk, item(), status_callback=HOOK)
    ((_, (told,)),) = reports(desk)
    assert (told["exo_detailed_status"], told["exo_status_code"]) == ("EX_RESTRICTED_BY_META", None)


def test_names_are_those_of_the_dictionary():
    rows = {row.code: row.name for row in every("exotel", "whatsapp", "status") if row.code.isdigit()}
    assert rows == names.WHATSAPP_NAMES


def test_names_are_the_legacy_ones():
    desk = Desk(whatsapp_numbers={"9812345670": "30013", "9812345671": "30041"})
    send(desk, item(), item(to="+919812345671"), status_callback=HOOK)
    assert {one["exo_detailed_status"] for _, items in reports(desk) for one in items} == {
        "EX_INCAPABLE_RECIPIENT", "EX_CHAR_POLICY_VIOLATION",
    }  # fmt: skip


@pytest.mark.parametrize("word", ["incoming_message", "icm"])
def test_a_reply_comes_in_the_array_of_the_last_report(word):
    desk = Desk(whatsapp_replies=1, inbound_type=word)
    send(desk, item(status_callback=HOOK))
    _, (report, reply) = reports(desk)[-1]
    assert (report["callback_type"], reply["callback_type"]) == ("dlr", word)
    assert (reply["from"], reply["to"]) == ("+919812345670", "+918047112233")
    assert reply["content"]["text"]["body"]


def test_the_order_of_reports_may_be_turned_round():
    desk = Desk(reordered=1)
    send(desk, item(status_callback=HOOK))
    assert [items[0]["exo_status_code"] for _, items in reports(desk)] == [30003, 30002, 30001]


def test_who_may_not_send_is_told_in_the_envelope():
    desk = Desk()
    desk.put("accounts/exodemo1", balance=1)
    status, answer = ask(desk, {"whatsapp": {"messages": [item(), item()]}})
    assert (status, answer["response"]["error_data"]["code"]) == (402, 40001)
    status, answer = ask(desk, {"whatsapp": {"messages": [item()]}}, sid="nobody")
    assert (status, answer["response"]["error_data"]["code"]) == (403, 34009)
    reply = desk.ask("POST", "/v2/accounts/exodemo1/messages", "{}", {"authorization": "Basic eDp5"})
    assert (reply.status, json.loads(reply.body)["response"]["status"]) == (401, "failure")


def test_a_full_minute_is_429_in_the_envelope():
    desk = Desk("--rate", "1")
    assert ask(desk, {"whatsapp": {"messages": [item()]}})[0] == 202
    assert ask(desk, {"whatsapp": {"messages": [item()]}})[0] == 429


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "messages"), ("POST", "faxes"), ("GET", "messages/1"), ("DELETE", "messages")]
)
def test_what_is_not_offered_is_404_in_the_envelope(method, path):
    reply = Desk().ask(method, f"/v2/accounts/exodemo1/{path}", "{}")
    assert (reply.status, json.loads(reply.body)["http_code"]) == (404, 404)


def test_templates_can_be_asked_for():
    desk = Desk()
    path = "/v2/accounts/exodemo1/templates"
    assert desk.ask("GET", path, query="waba_id=1").status == 200
    assert desk.ask("GET", path).status == 400


def test_half_a_surrogate_pair_is_kept_as_something_that_can_be_written():
    desk = Desk()
    body = json.dumps({"whatsapp": {"messages": [item({"type": "text", "text": {"body": "\ud83d"}}, custom_data="\udc00")]}})
    assert ask(desk, body.encode())[0] == 202
    assert "?" in desk.exotel.desk.ledger.page("message", 0, 9)[0]["body"]


def test_an_sms_details_call_does_not_show_a_whatsapp_message():
    desk = Desk()
    (answer,) = send(desk, item())
    reply = desk.ask("GET", f"/v1/Accounts/exodemo1/SMS/Messages/{answer['data']['sid']}.json")
    assert reply.body == b"No matching results"
