"""Where documents disagree: the captured side by default, and each losing side when the scenario says so."""

import hashlib
import hmac
import json
from xml.etree import ElementTree

import pytest

from campaigns.exotel.simulator import notices, options, scenario
from campaigns.exotel.simulator.names import told
from campaigns.exotel.simulator.readings import CHOICES, FLAGS, Readings
from tests.unit.test_simulator_dlt import Desk


def details(**play):
    """The details of a message, at once and after its outcome."""
    desk = Desk(**play)
    sent = desk.send()
    first = desk.details({"SMSMessage": {"Sid": sent["SMSMessage"]["Sid"]}})
    desk.at += 60
    return sent["SMSMessage"], first, desk.details(sent)


def test_every_choice_is_a_field_and_its_first_value_is_the_usual_one():
    usual = Readings()
    assert {name: choices[0] for name, choices in CHOICES.items()} == {name: getattr(usual, name) for name in CHOICES}
    assert all(name in options.AFTERWORD for name in {*CHOICES, *FLAGS})
    assert usual.captured


@pytest.mark.parametrize(
    ("kind", "sent", "shown"), [("captured", 21010, "20005"), ("number", 21010, 20005), ("text", "21010", "20005")]
)
def test_codes_are_numbers_or_texts(kind, sent, shown):
    answer, _, done = details(code_type=kind)
    assert (answer["DetailedStatusCode"], done["DetailedStatusCode"]) == (sent, shown)


@pytest.mark.parametrize(
    ("kind", "sent", "shown"),
    [
        ("captured", None, "1970-01-01 05:30:00"),
        ("null", None, None),
        ("epoch", "1970-01-01 05:30:00", "1970-01-01 05:30:00"),
    ],
)
def test_the_date_of_what_was_not_sent(kind, sent, shown):
    answer, waiting, done = details(unsent_date=kind)
    assert (answer["DateSent"], waiting["DateSent"]) == (sent, shown)
    assert done["DateSent"] > "2026"


def test_units_have_either_name():
    answer, waiting, _ = details(units_name="SMSUnits")
    assert "SMSUnits" in answer and waiting["SMSUnits"] == 1 and "SmsUnits" not in waiting


@pytest.mark.parametrize(
    ("form", "to"),
    [("national", "09812345670"), ("international", "+919812345670"), ("bare", "9812345670"), ("as_sent", "919812345670")],
)
def test_numbers_come_back_in_each_form(form, to):
    desk = Desk(number_form=form)
    assert desk.send("919812345670")["SMSMessage"]["To"] == to


def test_a_refused_item_has_the_other_shape_too():
    desk = Desk(code_type="text", unsent_date="epoch")
    fields = {
        "From": "A",
        "Messages[0][To]": "9812345670",
        "Messages[0][Body]": "",
        "Messages[1][To]": "9812345671",
        "Messages[1][Body]": "x",
    }
    bad, good = json.loads(desk.ask("POST", "/v1/Accounts/exodemo1/Sms/bulksend.json", fields).body)
    assert (bad["SMSMessage"]["DetailedStatusCode"], bad["SMSMessage"]["DateSent"]) == ("23000", None)
    assert good["SMSMessage"]["DetailedStatusCode"] == "21010"


@pytest.mark.parametrize(("code", "status"), [(40402, 429), (35006, 503), (40405, 503)])
def test_a_full_minute_is_429_or_503(code, status):
    desk = Desk("--rate", "1", throttle=str(code), throttle_retry_after="seconds")
    desk.send()
    reply = desk.ask("POST", "/v1/Accounts/exodemo1/Sms/send.json", {"From": "A", "To": "9812345670", "Body": "x"})
    assert (reply.status, json.loads(reply.body)["RestException"]["Code"]) == (status, code)
    assert dict(reply.headers) == {"Retry-After": "61"}


def test_an_unknown_sid_is_200_and_a_sentence_or_404():
    path = "/v1/Accounts/exodemo1/SMS/Messages/nope.json"
    usual = Desk().ask("GET", path)
    other = Desk(unknown_sid="404").ask("GET", path)
    assert (usual.status, usual.body) == (200, b"No matching results")
    assert (other.status, json.loads(other.body)) == (
        404,
        {"RestException": {"Status": 404, "Message": "No matching results"}},
    )


@pytest.mark.parametrize("status", [403, 402])
def test_no_balance_is_403_or_402(status):
    desk = Desk(no_balance=status)
    desk.put("accounts/exodemo1", balance=0)
    refused = desk.send()["RestException"]
    assert (refused["Status"], refused["Code"]) == (status, 40001)


@pytest.mark.parametrize(("choice", "more"), [("number", {"Code": 40200}), ("text", {"Code": "40200"}), ("absent", {})])
def test_the_code_of_an_error_is_a_number_a_text_or_absent(choice, more):
    assert Desk(error_code=choice).send(Body="")["RestException"] == {
        "Status": 400, "Message": "Message body cannot be empty.",
    } | more  # fmt: skip


def test_an_error_may_point_to_more():
    assert Desk(more_info=True).send(Body="")["RestException"]["MoreInfo"].startswith("https://")
    root = ElementTree.fromstring(
        Desk(error_code="absent").ask("POST", "/v1/Accounts/exodemo1/Sms/send", {"From": "A"}).body
    )
    assert [field.tag for field in root[0]] == ["Status", "Message"]


@pytest.mark.parametrize("word", ["failed-dnd", "failed_dnd"])
def test_dnd_has_a_hyphen_or_an_underscore(word):
    _, _, done = details(dnd_word=word, numbers={"9812345670": "23005"})
    assert (done["Status"], done["DetailedStatus"]) == (word, "FAILED_REJECTED_DND")


def test_missing_consent_is_23084_or_23083_under_another_name():
    assert told("23084", Readings()) == ("failed", "FAILED_DLT_CONSENT_ERROR", "23084")
    assert told("23084", Readings(consent="23083")) == ("failed", "FAILED_DLT_CONSENT", "23083")
    assert told("23083", Readings()) == ("failed", "FAILED_DLT_SCRUBBING_ERROR", "23083")


def callback(desk, **changes):
    desk.send(StatusCallback="http://127.0.0.1:9/x", **changes)
    ledger = desk.exotel.desk.ledger
    (pair,) = ledger.due([ledger.callbacks])
    return notices.notice(*pair, desk.exotel.desk.fates)


def test_a_callback_is_json_when_the_request_asked_for_it():
    notice = callback(Desk(), StatusCallbackContentType="application/json", CustomField="b7")
    fields = json.loads(notice.body)
    assert notice.content_type == "application/json"
    assert list(fields) == [
        "SmsSid",
        "To",
        "Status",
        "DetailedStatus",
        "DetailedStatusCode",
        "DateSent",
        "SmsUnits",
        "CustomField",
    ]
    assert callback(Desk()).content_type == "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_callback_is_signed_only_in_one_reading(kind):
    notice = callback(Desk())
    expected = hmac.new(b"secret", notice.body, getattr(hashlib, kind)).hexdigest()
    assert notices.signature(notice, kind, "secret") == f"X-Exotel-Signature: {expected}\r\n"
    assert notices.signature(notice, "none", "secret") == ""


@pytest.mark.parametrize(
    "changes", [{"throttle": "429"}, {"dnd_word": 5}, {"error_code": None}, {"more_info": "yes"}, {"consent": ["23083"]},
                {"callback_retry_schedule": 5}, {"callback_retry_schedule": [-1]}, {"late_by": [2, 1]}, {"numbers": {"1": "²"}},
                {"geniq_outcomes": {"20005": 1}}, {"whatsapp_numbers": 5}, {"promotional_hours": [10]}, {"clock_ahead": -1}],
)  # fmt: skip
def test_a_choice_that_is_none_is_refused_by_name(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        scenario.changed(scenario.Scenario(), changes)


def test_a_scenario_that_was_read_can_be_put_back():
    play = scenario.changed(scenario.BUILT_IN["mixed"], {"faults": [{"kind": "html", "at": [2]}], "throttle": 35006})
    assert scenario.changed(scenario.Scenario(), json.loads(json.dumps(scenario.as_json(play)))) == play
