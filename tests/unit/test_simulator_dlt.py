"""The networks' side of an SMS: templates that messages are held against, senders, hours for promotional messages."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from campaigns.exotel.simulator import dlt, options, scenario
from campaigns.exotel.simulator.__main__ import provider
from campaigns.exotel.simulator.clock import Clock
from campaigns.exotel.simulator.control import Control
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.ledger import Ledger
from campaigns.exotel.simulator.server import Request

AUTHORIZATION = "Basic " + base64.b64encode(b"demokey:demotoken").decode()
ENTITY, TEMPLATE = "1501000000000000001", "1507000000000000002"
GOOD = {
    "From": "ACMEIN",
    "DltEntityId": ENTITY,
    "DltTemplateId": TEMPLATE,
    "SmsType": "transactional",
    "Body": "Order 42 shipped",
}
OPERATORS = ["9812345670", "9812345671", "9812345672", "9812345673", "9812345674", "9812345675"]


class Desk:
    """A provider without a process around it, whose clock stands where the test puts it."""

    def __init__(self, *arguments, at=None, **play):
        self.at = time.time() if at is None else at
        given = options.read(["--scenario", "all-delivered", *arguments])
        self.exotel = provider(given, Ledger(given.ledger), Clock(lambda: self.at))
        self.control = Control(self.exotel.desk, 1)
        if play:
            self.exotel.desk.play(Fates(scenario.changed(scenario.Scenario(), play), 1))

    def ask(self, method, path, fields="", headers=None, query=""):
        body = urlencode(fields, doseq=True).encode() if isinstance(fields, dict) else fields
        body = body.encode() if isinstance(body, str) else body
        request = Request(method, path, query, {"authorization": AUTHORIZATION} | (headers or {}), body, self.at)
        return asyncio.run(self.exotel.answer(request))

    def put(self, path, **values):
        made = self.control.handle(Request("PUT", f"/_sim/{path}", "", {}, json.dumps(values).encode(), self.at))
        assert made.status == 200, made.body
        return json.loads(made.body)

    def send(self, to=OPERATORS[0], **changes):
        fields = {name: value for name, value in (GOOD | {"To": to} | changes).items() if value is not None}
        reply = self.ask("POST", "/v1/Accounts/exodemo1/Sms/send.json", fields)
        return json.loads(reply.body)

    def outcome(self, *arguments, **changes):
        """The code that a message ends in."""
        sent = self.send(*arguments, **changes)
        assert "SMSMessage" in sent, sent
        return self.exotel.desk.ledger.page("message", self.exotel.desk.ledger.messages - 1, 1)[0]["code"]

    def details(self, sent):
        path = f"/v1/Accounts/exodemo1/Sms/Messages/{sent['SMSMessage']['Sid']}.json"
        return json.loads(self.ask("GET", path).body)["SMSMessage"]


@pytest.fixture
def scrubbed():
    desk = Desk()
    desk.put("accounts/exodemo1", scrubbing=True)
    desk.put(
        f"templates/{TEMPLATE}", body="Order {#var#} shipped", entity=ENTITY, header="ACMEIN", category="service_implicit"
    )
    return desk


def test_a_message_as_registered_passes(scrubbed):
    assert scrubbed.outcome() == "20005"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"DltEntityId": None}, {"23081"}),
        ({"DltEntityId": "1501000000000000009"}, {"23081"}),
        ({"DltTemplateId": None}, {"23082"}),
        ({"DltTemplateId": "order shipped"}, {"23181", "23182"}),
        ({"DltTemplateId": "1507000000000000009"}, {"23182"}),
        ({"DltTemplateId": "1507000000000000009", "DltEntityId": "1501000000000000009"}, {"23281", "23081"}),
        ({"From": "OTHERS"}, {"23080"}),
        ({"Body": "Parcel 42 shipped"}, {"23185", "23082"}),
        ({"Body": f"Order {'x' * 2000} shipped"}, {"23186", "23185"}),
        ({"SmsType": "transactional_opt_in"}, {"23083"}),
    ],
)
def test_what_was_not_registered_so_ends_in_its_own_code_which_some_operators_change(scrubbed, changes, codes):
    assert {scrubbed.outcome(number, **changes) for number in OPERATORS} == codes


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"state": "inactive"}, "23183"),
        ({"state": "blacklisted"}, "23184"),
        ({"state": "blocked"}, "23083"),
        ({"consent": False}, "23084"),
    ],
)
def test_a_template_that_may_not_be_used_ends_in_its_code(scrubbed, state, code):
    scrubbed.put(f"templates/{TEMPLATE}", body="Order {#var#} shipped", **state)
    assert scrubbed.outcome() == code


def test_a_template_takes_every_header_it_lists_and_the_exophones_own(scrubbed):
    scrubbed.put(f"templates/{TEMPLATE}", body="Order {#var#} shipped", headers=["ACMEIN", "EXODMO"])
    assert [scrubbed.outcome(From=sender) for sender in ("ACMEIN", "08047112233", "OTHERS")] == ["20005", "20005", "23080"]


def test_without_scrubbing_only_the_text_of_a_registered_template_is_looked_at():
    desk = Desk()
    desk.put(f"templates/{TEMPLATE}", body="Order {#var#} shipped", entity="1", header="OTHERS")
    assert (desk.outcome(), desk.outcome(DltTemplateId="1508")) == ("20005", "20005")
    assert desk.outcome(Body="Sale") in {"23185", "23082"}


def test_a_template_with_a_body_alone_is_still_a_template(scrubbed):
    shown = scrubbed.put(f"templates/{TEMPLATE}", body="Order {#var#} shipped")
    assert (shown["dlt_template_id"], shown["body"]) == (TEMPLATE, "Order {#var#} shipped")
    assert scrubbed.outcome(From="ANYONE", SmsType="transactional_opt_in") == "20005"


def test_templates_outlive_the_process(tmp_path):
    path = str(tmp_path / "ledger")
    first = Desk("--ledger", path)
    first.put(f"templates/{TEMPLATE}", body="A {#var#}", headers=["ACMEIN"], category="promotional")
    first.exotel.desk.ledger.close()
    kept = Desk("--ledger", path).exotel.desk.templates[TEMPLATE]
    assert (kept.body, kept.headers, kept.category) == ("A {#var#}", ("ACMEIN",), "promotional")


@pytest.mark.parametrize(
    "given",
    [{}, {"body": ""}, {"body": "x", "headers": "ACMEIN"}, {"body": "x", "category": "spam"}, {"body": "x", "state": "lost"},
     {"body": "x", "id": "2"}, {"body": "x", "color": 1}, {"body": "x", "entity": 1501}, {"body": "x", "consent": "yes"}],
)  # fmt: skip
def test_a_template_that_cannot_be_is_refused_with_a_sentence(given):
    with pytest.raises(ValueError, match=r"\.$"):
        dlt.template("1507", given)


def test_a_ledger_of_the_first_version_goes_on(tmp_path):
    path = tmp_path / "ledger"
    first = Desk("--ledger", str(path))
    first.send()
    database = first.exotel.desk.ledger.db
    database.executescript(
        "ALTER TABLE message DROP COLUMN channel; ALTER TABLE message DROP COLUMN extra; ALTER TABLE template DROP COLUMN settings;"
        "INSERT INTO template VALUES ('1507', 'A {#var#}'); PRAGMA user_version = 1;"
    )
    first.exotel.desk.ledger.close()
    second = Desk("--ledger", str(path))
    second.send()
    assert [row["channel"] for row in second.exotel.desk.ledger.page("message", 0, 9)] == ["sms", "sms"]
    assert second.exotel.desk.templates["1507"].body == "A {#var#}"


def test_an_unregistered_sender_fails_later_and_a_registered_one_passes():
    desk = Desk()
    desk.put("accounts/exodemo1", headers="ACMEIN, 612345")
    assert (desk.outcome(), desk.outcome(From="OTHERS")) == ("20005", "23072")


def test_an_indian_account_without_a_numeric_header_sends_nothing_promotional():
    desk = Desk()
    desk.put("accounts/exodemo1", headers="ACMEIN")
    refused = desk.send(From="612345", SmsType="promotional")["RestException"]
    assert (refused["Code"], refused["Status"]) == (40300, 400)


def test_an_international_account_needs_a_sender_of_its_own():
    desk = Desk()
    desk.put("accounts/exodemo1", headers="ACMEIN", international=True)
    assert desk.send(From="OTHERS")["RestException"]["Code"] == 40301
    assert "SMSMessage" in desk.send()


def test_an_international_account_sends_abroad_and_others_do_not():
    desk = Desk(at=at(23), numbers={"2079460000": "23050"})
    assert desk.send("+14155550123")["RestException"]["Code"] == 40003
    desk.put("accounts/exodemo1", international=True, scrubbing=True)
    for to, code in (("+1 415-555-0123", "20005"), ("00442079460000", "23050")):
        shown = desk.send(to, **PROMOTION, StatusCallback="http://127.0.0.1:9/x")["SMSMessage"]
        assert (shown["To"], shown["Status"]) == (to, "queued")
        row = desk.exotel.desk.ledger.page("message", 0, 9)[-1]
        assert (row["to"], row["code"]) == (to, code), "India's registers and hours are not another country's"
        assert row["due_at"] - row["accepted_at"] < 4
    assert desk.send("12345")["RestException"]["Code"] == 40203


def test_a_trial_without_kyc_sends_to_its_whitelist_alone():
    desk = Desk()
    desk.put("accounts/exodemo1", trial=True, kyc=False, whitelist="+919812345670, 9812345671")
    assert "SMSMessage" in desk.send("9812345671")
    refused = desk.send("9812345672")["RestException"]
    assert (refused["Code"], refused["Status"], refused["Message"]) == (
        340030,
        403,
        "Your account is not yet KYC compliant;",
    )


def at(hour, minute=0):
    """A time of day in India."""
    return datetime(2026, 1, 5, hour, minute, tzinfo=UTC).timestamp() - dlt.IST


PROMOTION = {"From": "612345", "SmsType": "promotional"}


@pytest.mark.parametrize(
    ("hour", "minute", "waits"), [(10, 0, 0), (20, 59, 0), (21, 0, 13), (23, 30, 10.5), (0, 0, 10), (9, 59, 1 / 60)]
)
def test_a_promotional_message_waits_for_its_hours(hour, minute, waits):
    assert dlt.opening(at(hour, minute), 10, 21) - at(hour, minute) == pytest.approx(waits * 3600)


def test_a_promotional_message_by_night_is_taken_and_pending_until_ten():
    desk = Desk(at=at(23))
    sent = desk.send(**PROMOTION)
    assert sent["SMSMessage"]["Status"] == "queued"
    seen = []
    for hours in (0.01, 5, 10.99, 11.01):
        desk.at = at(23) + hours * 3600
        seen.append(desk.details(sent)["DetailedStatusCode"])
    assert seen == ["21020", "21020", "21020", "20005"]


def test_a_transactional_message_by_night_does_not_wait():
    desk = Desk(at=at(23))
    sent = desk.send()
    desk.at += 10
    assert desk.details(sent)["Status"] == "sent"


def test_the_hours_can_be_set_and_the_clock_too():
    desk = Desk(at=at(23), promotional_hours=[0, 24])
    desk.send(**PROMOTION)
    desk.exotel.desk.play(Fates(scenario.changed(scenario.Scenario(), {"clock_ahead": 12 * 3600}), 1))
    desk.send(**PROMOTION)
    for row in desk.exotel.desk.ledger.page("message", 0, 9):
        assert row["due_at"] - row["accepted_at"] < 4


def test_a_message_held_by_night_is_not_reported_early():
    desk = Desk(at=at(23), early=1)
    desk.send(**PROMOTION, StatusCallback="http://127.0.0.1:9/x")
    (row,) = desk.exotel.desk.ledger.page("callback", 0, 9)
    assert row["due_at"] >= at(23) + 11 * 3600


def test_a_text_without_a_type_that_is_no_template_is_promotional_in_one_reading():
    desk = Desk(at=at(23), untyped_sms="looked_up")
    desk.put(f"templates/{TEMPLATE}", body="Order {#var#} shipped", category="service_explicit")
    desk.send(SmsType=None)
    desk.send(SmsType=None, Body="Sale today", DltTemplateId=None, From="612345")
    rows = desk.exotel.desk.ledger.page("message", 0, 9)
    assert [row["sms_type"] for row in rows] == ["transactional_opt_in", "promotional"]
    assert rows[1]["due_at"] - rows[1]["accepted_at"] > 3600
