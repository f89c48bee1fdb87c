"""Clients that others published, unmodified, against a started simulator: only their own base URL says where it is."""

import time

import exotel
import exotelpy
import pytest
import requests
from exotelpy import exceptions

from tests.simulated import Simulator

# exotel 0.1.5 has no API key: it signs in with the account sid.
SID, TOKEN = "acme1", "acmetoken"
BODY = "Order 42 shipped"


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    made = Simulator(tmp_path_factory.mktemp("simulator"), "--account", f"{SID}:{SID}:{TOKEN}").start()
    yield made
    made.stop()


@pytest.fixture
def simulator(process):
    """The simulator with its usual scenario and account."""
    assert requests.put(f"{process.url}/_sim/scenario", json={"base": "all-delivered", "delay": [0, 0]}, timeout=5).ok
    usual = {"rate_per_minute": 0, "get_rate_per_minute": 0, "active": True, "trial": False}
    assert requests.put(f"{process.url}/_sim/accounts/{SID}", json=usual, timeout=5).ok
    return process


@pytest.fixture
def official_style(simulator):
    return exotelpy.Exotel(SID, SID, TOKEN, baseurl=simulator.url)


@pytest.fixture
def short_style(simulator):
    return exotel.Exotel(SID, TOKEN, baseurl=simulator.url + "/")


def account(simulator, **settings):
    assert requests.put(f"{simulator.url}/_sim/accounts/{SID}", json=settings, timeout=5).ok


def test_exotelpy_sends_to_one_number(official_style, simulator):
    sent = official_style.send_bulk_sms("ACMEIN", ["+919812345670"], BODY, dlt_entity_id="1501", dlt_template_id="1507")
    message = sent["SMSMessage"]
    assert (message["To"], message["Status"], message["Body"]) == ("09812345670", "queued", BODY)
    assert simulator.ledger()[-1]["dlt_template_id"] == "1507"


def test_exotelpy_sends_to_many_numbers_by_repeating_to(official_style):
    sent = official_style.send_bulk_sms(
        "ACMEIN",
        ["+919812345670", "+919812345671"],
        BODY,
        encoding_type="plain",
        priority="normal",
        sms_type="transactional",
    )
    assert [one["SMSMessage"]["To"] for one in sent] == ["09812345670", "09812345671"]


def test_exotelpy_asks_for_details(official_style):
    sid = official_style.send_bulk_sms("ACMEIN", ["+919812345670"], BODY)["SMSMessage"]["Sid"]
    message = official_style.get_sms_details(sid)["SMSMessage"]
    assert (message["Sid"], message["Status"], message["DetailedStatusCode"]) == (sid, "sent", "20005")


def test_exotelpy_gets_a_status_callback_sent(official_style, simulator):
    official_style.send_bulk_sms("ACMEIN", ["+919812345670"], BODY, status_callback="http://127.0.0.1:9/callback")
    assert simulator.ledger()[-1]["status_callback"] == "http://127.0.0.1:9/callback"


@pytest.mark.parametrize(
    ("body", "more", "sentence"),
    [
        ("", {}, "Message body cannot be empty."),
        (BODY, {"encoding_type": "ebcdic"}, "Encoding type is not properly set."),
        (BODY, {"sms_type": "urgent"}, "SmsType is not set correctly"),
    ],
)
def test_exotelpy_understands_a_wrong_request(official_style, body, more, sentence):
    with pytest.raises(exceptions.ValidationError, match=sentence):
        official_style.send_bulk_sms("ACMEIN", ["+919812345670"], body, **more)


def test_exotelpy_understands_too_many_messages(official_style):
    with pytest.raises(exceptions.ValidationError, match="Not more than 100"):
        official_style.send_bulk_sms("ACMEIN", [f"+9198{i:08d}" for i in range(101)], BODY)


def test_exotelpy_understands_that_it_may_not(official_style, simulator):
    account(simulator, active=False)
    with pytest.raises(exceptions.PermissionDenied):
        official_style.send_bulk_sms("ACMEIN", ["+919812345670"], BODY)


def test_exotelpy_understands_that_it_is_too_fast(official_style, simulator):
    account(simulator, rate_per_minute=1)
    with pytest.raises(exceptions.Throttled):
        for _ in range(2):
            official_style.send_bulk_sms("ACMEIN", ["+919812345670"], BODY)


def test_exotelpy_understands_an_unknown_message_in_the_reading_that_it_was_written_for(official_style, simulator):
    simulator.scenario(unknown_sid="404")
    with pytest.raises(exceptions.NotFound, match="No matching results"):
        official_style.get_sms_details("0" * 32)


def test_exotelpy_understands_the_errors_of_the_second_version(official_style, simulator):
    with pytest.raises(exceptions.NotFound, match="not found"):
        official_style.get_list_details("unknown")
    stranger = exotelpy.Exotel(SID, SID, "wrong", baseurl=simulator.url)
    with pytest.raises(exceptions.AuthenticationFailed, match="Unauthorized"):
        stranger.get_list_details("unknown")


def test_exotel_sends_and_asks_for_details(short_style):
    answer = short_style.sms("ACMEIN", "09812345670", BODY)
    assert answer.status_code == 200
    sid = answer.json()["SMSMessage"]["Sid"]
    time.sleep(0.01)
    details = short_style.sms_details(sid)
    assert (details.status_code, details.json()["SMSMessage"]["Status"]) == (200, "sent")


def test_exotel_hands_errors_on_as_they_are(short_style, simulator):
    refused = short_style.sms("ACMEIN", "09812345670", "")
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (400, 40200)
    assert short_style.sms_details("0" * 32).text == "No matching results"
    stranger = exotel.Exotel(SID, "wrong", baseurl=simulator.url + "/").sms("ACMEIN", "09812345670", BODY)
    assert (stranger.status_code, stranger.json()["RestException"]["Code"]) == (401, 34010)


def test_exotel_finds_no_calls_here(short_style):
    answer = short_style.call_number("09812345670", "08047112233", "09812345671")
    assert (answer.status_code, answer.json()["RestException"]["Code"]) == (403, 34009)
