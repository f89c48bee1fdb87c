"""GENIQ, the second provider: tokens, its own codes as texts, and receipts until they are taken."""

import base64
import json
import re

import pytest

from campaigns.exotel.codes import every
from campaigns.exotel.simulator import geniq, notices, options, scenario
from tests.unit.test_simulator_dlt import Desk

SMS = {"message": "Order 42 shipped", "recipient": "919812345670", "originator": "ACME", "reference": "r1"}


def basic(text):
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def ask(desk, action, fields=None, headers=None, query=""):
    reply = desk.ask("POST", f"{geniq.PREFIX}/{action}", fields or {}, headers, query)
    return reply.status, json.loads(reply.body)


def token(desk):
    status, answer = ask(desk, "token")
    assert status == 200
    return answer["token"]


def send(desk, action="sms", bearer=None, **changes):
    fields = {name: value for name, value in (SMS | changes).items() if value is not None}
    return ask(desk, action, fields, {"authorization": f"Bearer {bearer or token(desk)}"})


def receipts(desk):
    ledger = desk.exotel.desk.ledger
    pairs = ledger.due([row["id"] for row in ledger.page("callback", 0, 100)])
    return [json.loads(notices.notice(*pair, desk.exotel.desk.fates).body) for pair in pairs]


def test_a_token_is_given_for_key_and_secret():
    _, answer = ask(Desk(), "token")
    assert (answer["responseCode"], answer["responseMessage"]) == ("0", "Success")
    assert answer["token"].count(".") == 2 and answer["expiry"]


def test_an_sms_is_taken_with_an_id_for_each_part():
    desk = Desk()
    status, answer = send(desk, message="x" * 200)
    assert (status, answer["responseCode"], answer["reference"]) == (200, "0", "r1")
    assert len(answer["messageIds"]) == len(set(answer["messageIds"])) == 2
    (row,) = desk.exotel.desk.ledger.page("message", 0, 9)
    assert (row["channel"], row["number10"], row["units"]) == ("geniq", "9812345670", 2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipient": "+919812345670"}, "11"), ({"recipient": ""}, "11"), ({"recipient": "12"}, "11"), ({"originator": ""}, "12"),
        ({"originator": "TWELVELETTER"}, "13"), ({"message": ""}, "88"), ({"originatorTon": "loud"}, "88"),
    ],
)  # fmt: skip
def test_a_wrong_request_gets_its_code_as_a_text_and_nothing_is_accepted(changes, code):
    desk = Desk()
    _, answer = send(desk, **changes)
    assert (answer["responseCode"], answer["responseMessage"]) == (code, geniq.MESSAGES[code])
    assert desk.exotel.desk.ledger.messages == 0


def test_who_has_no_good_token_is_turned_away():
    desk = Desk()
    good = token(desk)
    forged = good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB")
    for bearer in (forged, "x", "a.b.c", good + "x", "e30.bm90IGpzb24.x", "é"):
        assert send(desk, bearer=bearer)[1]["responseCode"] == "20"
    status, answer = ask(desk, "sms", SMS, basic("demokey:demotoken"))
    assert (status, answer["responseCode"]) == (401, "20")
    assert ask(desk, "token", headers=basic("demokey:wrong"))[1]["responseCode"] == "1"
    assert ask(desk, "token", headers={"authorization": ""})[1]["responseCode"] == "1"


def test_a_token_expires():
    desk = Desk()
    bearer = token(desk)
    desk.at += geniq.LIFE + 1
    assert send(desk, bearer=bearer)[1]["responseCode"] == "23"
    assert send(desk)[1]["responseCode"] == "0"


def test_a_batch_tells_each_recipient_apart():
    desk = Desk()
    _, answer = send(desk, "batch_sms", recipient=None, recipients="919812345670, 12,919812345671,919812345670")
    details = answer["details"]
    assert (details["total"], details["processed"], details["failed"]) == (4, 2, 2)
    assert [one["responseCode"] for one in details["recipients"]] == ["0", "11", "0", "16"]
    assert [len(one["messageIds"]) for one in details["recipients"]] == [1, 0, 1, 0]
    too_many = ",".join(f"9198{i:08d}" for i in range(101))
    assert send(desk, "batch_sms", recipients=too_many)[1]["responseCode"] == "17"
    assert send(desk, "batch_sms", recipients="")[1]["responseCode"] == "11"


def test_fields_may_be_in_the_query_string():
    desk = Desk()
    query = "message=x&recipient=919812345670&originator=ACME"
    assert ask(desk, "sms", {}, {"authorization": f"Bearer {token(desk)}"}, query)[1]["responseCode"] == "0"


def test_every_part_has_a_receipt_of_the_documented_fields():
    desk = Desk(geniq_outcomes={"undeliverable:8": 1})
    desk.put("accounts/exodemo1", receipt_url="http://127.0.0.1:9/receipts")
    _, answer = send(desk, message="x" * 200)
    told = receipts(desk)
    assert [one["messageId"] for one in told] == answer["messageIds"]
    assert list(told[0]) == [
        "messageId", "channel", "recipient", "status", "reasonCode", "messageTimestamp", "operatorTimestamp",
    ]  # fmt: skip
    assert (told[0]["channel"], told[0]["recipient"]) == ("sms", "919812345670")
    assert (told[0]["status"], told[0]["reasonCode"]) == ("undeliverable", "8")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+05:30", told[0]["operatorTimestamp"])


def test_a_receipt_on_the_way_comes_before_the_last():
    desk = Desk(intermediate=1)
    desk.put("accounts/exodemo1", receipt_url="http://127.0.0.1:9/receipts")
    send(desk)
    assert [one["status"] for one in receipts(desk)] == ["processed", "delivered"]


def test_balance_and_rate_have_their_codes():
    desk = Desk("--rate", "2")
    bearer = token(desk)
    desk.put("accounts/exodemo1", balance=1)
    assert send(desk, "batch_sms", bearer, recipients="919812345670,919812345671")[1]["responseCode"] == "6"
    assert send(desk, bearer=bearer)[1]["responseCode"] == "0"
    status, answer = send(desk, bearer=bearer)
    assert (status, answer["responseCode"]) == (429, "5")


@pytest.mark.parametrize("action", ["", "fax", "sms/x"])
def test_what_is_not_offered_is_a_general_failure(action):
    desk = Desk()
    assert ask(desk, action, {}, {"authorization": f"Bearer {token(desk)}"})[1]["responseCode"] == "88"
    assert json.loads(desk.ask("GET", f"{geniq.PREFIX}/sms").body)["responseCode"] == "88"


def test_faults_strike_and_help_names_the_address():
    desk = Desk(faults=[{"kind": "error500", "share": 1}])
    status, answer = send(desk)
    assert (status, answer["responseCode"]) == (500, "99")
    assert geniq.PREFIX in options.AFTERWORD


def test_every_code_it_gives_is_in_the_dictionary():
    responses, reasons = ({row.code for row in every("geniq", "sms", kind)} for kind in ("response", "reason"))
    assert set(geniq.MESSAGES) <= responses
    assert {code.partition(":")[2] for code in scenario.BUILT_IN["mixed"].geniq_outcomes} <= reasons
