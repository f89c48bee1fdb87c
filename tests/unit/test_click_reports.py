"""A click callback as S001 spells it: mixed case, spaces, and whatever else comes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from callbacks import parsing
from campaigns.exotel.clicks import click
from campaigns.exotel.inbound import sms

FIELDS = {
    "sid": "l1", "short_url": "https://exo.tl/abc1234", "short_code": "abc1234", "long_url": "https://shop.example.in/sale?u=42#top",
    "Tracking": "true", "custom_field": "b7", "Last_viewed": "2026-11-21T10:00:05+05:30", "Total_clicks": "2", "Account_sid": "acme",
    "Country_code": "IN", "Sms_sid": "s1", "To": "09812345670", "city": "Pune", "Country": "IN", "IP": "198.51.100.7",
    "Postal code": "411001", "Region": "MH", "Accuracy radius": "20", "OS_version": "14", "OS_name": "Android",
    "Device_name": "Pixel 8", "Platform type": "mobile",
}  # fmt: skip


def test_what_a_click_tells_is_read_from_its_loose_names():
    told = click(FIELDS)
    assert (told.sid, told.sms_sid, told.number10) == ("l1", "s1", "9812345670")
    assert (told.device, told.os, told.city, told.region, told.country) == ("Pixel 8", "Android 14", "Pune", "MH", "IN")
    assert told.at == datetime(2026, 11, 21, 4, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "rename", [str.lower, str.upper, lambda name: name.replace("_", " "), lambda name: name.replace(" ", "_").title()]
)
def test_case_spaces_and_underscores_make_no_difference(rename):
    assert click({rename(name): value for name, value in FIELDS.items()}) == click(FIELDS)


def test_the_ip_address_is_in_nothing_that_is_read():
    assert "198.51" not in repr(click(FIELDS))


def test_a_link_is_counted_without_what_is_each_persons_own():
    assert click(FIELDS).link == "https://shop.example.in/sale"
    assert click(FIELDS | {"long_url": ""}).link == "https://exo.tl/abc1234"
    assert len(click(FIELDS | {"long_url": "https://x.in/" + "a" * 2_000}).link) == 200


def test_the_same_link_at_the_same_time_is_the_same_click():
    same = [FIELDS, FIELDS | {"city": "Delhi"}, FIELDS | {"Total_clicks": "9"}]
    others = [FIELDS | {"Last_viewed": "2026-11-21T10:00:06+05:30"}, FIELDS | {"sid": "l2"}, FIELDS | {"Last_viewed": ""}]
    assert len({click(fields).digest for fields in same}) == 1
    assert len({click(fields).digest for fields in [FIELDS, *others]}) == 4


def test_without_a_time_the_count_of_clicks_tells_them_apart():
    timeless = FIELDS | {"Last_viewed": ""}
    assert click(timeless).digest != click(timeless | {"Total_clicks": "3"}).digest
    assert click(timeless).at is None


@pytest.mark.parametrize("fields", [{}, {"To": "09812345670"}, {"sid": ""}, {"city": "Pune"}, {"sid": ["x"]}, {"sid": None}])
def test_what_names_no_link_is_no_click(fields):
    assert click(fields) is None


@pytest.mark.parametrize("at", ["yesterday", "0", "99999-01-01", "2026-13-01T00:00:00", "\x00", "2026-11-21T10:00:05 05:30"])
def test_a_time_that_cannot_be_read_is_no_time(at):
    assert click(FIELDS | {"Last_viewed": at}).at is None


def test_each_kind_of_callback_is_read_as_what_it_is():
    raw = b"sid=l1&From=09812345670&Body=Stop&Status=sent&To=09812345670"
    assert [len(told) for told in parsing.read("click", raw)] == [0, 1, 0]
    assert [len(told) for told in parsing.read("inbound", raw)] == [0, 0, 1]
    assert [len(told) for told in parsing.read("status", raw)] == [1, 0, 0]


def test_an_incoming_sms_is_read_from_the_fields_of_the_flow_applet():
    said = sms({"SmsSid": "i1", "From": "09812345670", "To": "08047112233", "Date": "2026-11-21 10:00:00", "Body": " STOP "})
    assert (said.sid, said.number10, said.text) == ("i1", "9812345670", "STOP")
    assert said.at == datetime(2026, 11, 21, 10, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert sms({"sms_sid": "i1", "from": "+919812345670"}).text == ""
    assert sms({"SmsSid": "i1", "Body": "STOP"}) is None
