"""Short links, and what is told when they are followed."""

import json
import re

import pytest

from campaigns.exotel.simulator import links, notices, scenario
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.rows import Callback, Message
from tests.unit.test_simulator_dlt import Desk

CLICKS = "http://127.0.0.1:9/clicks"
LONG = "https://shop.example/orders/42?a=1&b=2"
TRACKED = {
    "ShortenUrl": "true", "ShortenUrlParams[Tracking]": "true", "ShortenUrlParams[ClickTrackingCallbackUrl]": CLICKS,
    "ShortenUrlParams[Header]": "ACMEIN", "Body": f"See {LONG}, or http://shop.example/help.", "CustomField": "b7",
}  # fmt: skip
SEED_FIELDS = [
    "sid", "short_url", "short_code", "long_url", "Tracking", "custom_field", "Expires_at", "Created_time", "Last_viewed",
    "Total_clicks", "Account_sid", "Country_code", "Date_created", "Sms_sid", "To", "city", "Country", "IP", "Postal code",
    "Region", "Accuracy radius", "OS_version", "OS_name", "Device_name", "Platform type",
]  # fmt: skip


def clicks_of(desk):
    """The callbacks about clicks as they would leave."""
    ledger = desk.exotel.desk.ledger
    rows = [row for row in ledger.page("callback", 0, 10_000) if row["code"].startswith("click:")]
    pairs = ledger.due([row["id"] for row in rows])
    return [notices.notice(callback, message, desk.exotel.desk.fates) for callback, message in pairs]


def form(notice):
    return dict(links_of.split("=", 1) for links_of in notice.body.decode().split("&"))


def test_every_url_of_a_text_becomes_short_and_the_rest_stays():
    shown = Desk().send(**TRACKED)["SMSMessage"]["Body"]
    assert re.fullmatch(r"See https://exo\.tl/\w{7}, or https://exo\.tl/\w{7}\.", shown)


def test_a_custom_domain_takes_the_place_of_the_usual_one():
    changes = {"ShortenUrlParams[CustomDomain]": "https://go.acme.example/"}
    assert "https://go.acme.example/" in Desk().send(**TRACKED, **changes)["SMSMessage"]["Body"]


@pytest.mark.parametrize("asked", [{}, {"ShortenUrl": "false"}, {"ShortenUrl": "yes"}])
def test_a_text_stays_as_it_is_unless_asked(asked):
    assert Desk().send(Body=LONG, **asked)["SMSMessage"]["Body"] == LONG


def test_a_text_without_a_url_has_nothing_to_follow():
    desk = Desk(clicks=1)
    assert desk.send(**TRACKED | {"Body": "No link"})["SMSMessage"]["Body"] == "No link"
    assert clicks_of(desk) == []


def test_a_click_is_told_with_the_documented_names_as_they_are_printed():
    desk = Desk(clicks=1, click_format="json")
    sent = desk.send(**TRACKED)["SMSMessage"]
    notice = clicks_of(desk)[0]
    told = json.loads(notice.body)
    assert list(told) == SEED_FIELDS
    assert notice.url == CLICKS
    assert (told["long_url"], told["Sms_sid"], told["To"], told["custom_field"]) == (LONG, sent["Sid"], sent["To"], "b7")
    assert told["short_url"] == f"https://exo.tl/{told['short_code']}" and told["short_url"] in sent["Body"]
    assert told["Total_clicks"] == "1"
    assert told["Expires_at"] > told["Last_viewed"] >= told["Created_time"]


def test_clicks_are_forms_unless_the_scenario_says_json():
    desk = Desk(clicks=1)
    desk.send(**TRACKED)
    notice = clicks_of(desk)[0]
    assert notice.content_type == "application/x-www-form-urlencoded"
    assert b"Postal+code=" in notice.body and b"Platform+type=" in notice.body


@pytest.mark.parametrize(
    "missing",
    [{"ShortenUrlParams[Tracking]": "false"}, {"ShortenUrlParams[ClickTrackingCallbackUrl]": ""}, {"ShortenUrl": "false"}],
)
def test_without_tracking_or_an_address_no_click_is_told(missing):
    desk = Desk(clicks=1)
    desk.send(**TRACKED | missing)
    assert clicks_of(desk) == []


def test_only_what_was_delivered_is_followed():
    desk = Desk(clicks=1, outcomes={"23035": 1})
    desk.send(**TRACKED)
    assert clicks_of(desk) == []


def test_a_seeded_share_of_messages_is_followed_and_the_same_ones_again():
    runs = []
    for _ in range(2):
        desk = Desk(clicks=0.3, click_format="json")
        for i in range(60):
            desk.send(f"98{i:08d}", **TRACKED | {"Body": LONG})
        runs.append([(json.loads(one.body)["To"], json.loads(one.body)["short_code"]) for one in clicks_of(desk)])
    assert runs[0] == runs[1]
    assert 8 <= len({to for to, _ in runs[0]}) <= 30


def test_the_time_to_expiry_is_in_minutes():
    message = Message(
        1, 1, "s", "a", "9812345670", "9812345670", "x", "", "", "", "", "", "", 0.0, 1.0, "20005", 1, "sms",
        json.dumps(links.wanted({"ShortenUrlParams[TimeToExpiry]": "90"}, [{"code": "c", "long": LONG, "short": "https://exo.tl/c"}])),
    )  # fmt: skip
    told = links.told(message, "click:0:1", 5.0, Fates(scenario.Scenario(), 1))
    assert (told["Created_time"], told["Expires_at"]) == ("1970-01-01T05:30:00+05:30", "1970-01-01T07:00:00+05:30")


def test_a_header_that_is_not_the_senders_fails_at_scrubbing():
    desk = Desk()
    desk.put("accounts/exodemo1", scrubbing=True)
    desk.put("templates/1507000000000000002", body="See {#var#}")
    wrong = {"ShortenUrlParams[Header]": "OTHERS", "Body": f"See {LONG}"}
    assert desk.outcome(**TRACKED | wrong) == "23080"
    assert desk.outcome(**TRACKED | {"Body": f"See {LONG}"}) == "20005"


def test_a_click_callback_goes_to_its_own_address():
    extra = json.dumps({"click_url": CLICKS})
    message = Message(
        1, 1, "s", "a", "", "", "", "", "", "", "", "", "http://127.0.0.1:9/status", 0, 0, "20005", 1, "sms", extra
    )
    urls = [notices.url(Callback(1, 1, code, 0, "waiting"), message) for code in ("20005", "click:0:1")]
    assert urls == ["http://127.0.0.1:9/status", CLICKS]
