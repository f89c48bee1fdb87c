"""Clicks on short links: each counted once, whose it was when that can be known, and shown from counters alone."""

import json
import re
import time
import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from callbacks import clicks, inbox
from callbacks.models import CallbackEvent
from campaigns.insight import clicks as insight
from campaigns.insight import recount, squash
from campaigns.models import ApiToken, Campaign, Click, ClickCount, Message
from campaigns.sending import callback_urls, dispatch, intent, preflight, retry, settle
from campaigns.text.window import IST
from tests import builders
from tests.integration.test_ingest import Server

pytestmark = pytest.mark.django_db(transaction=True)
LINK = "https://shop.example.in/sale"
BODY = f"Dear {{#var#}}, the sale is on: {LINK}?u={{#var#}} -ACME"


def tracked(**fields):
    return {"shorten_links": True, "template": builders.template(body=BODY)} | fields


class Sent:
    def __init__(self, recipients=3):
        self.campaign = builders.launched(recipients=recipients, **tracked())
        _, self.order = intent.commit(builders.owner().pk, self.campaign.account_id)

    def tell(self, *told, attempt=None, as_json=False):
        for fields in told:
            raw = fields if isinstance(fields, bytes) else (json.dumps(fields) if as_json else urlencode(fields)).encode()
            CallbackEvent.objects.create(
                kind="click", received_at=timezone.now(), attempt=attempt or self.order.attempt.pk, raw=raw
            )
        while inbox.apply_next():
            pass

    def counted(self):
        return insight.clicks(self.campaign, IST)


@pytest.fixture
def sent(transactional_db):
    return Sent()


def click(i, second=0, **more):
    at = timezone.now().replace(microsecond=0) - timedelta(hours=1) + timedelta(seconds=second)
    return {
        "sid": f"link{i}", "short_url": f"https://exo.tl/abc{i}", "long_url": f"{LINK}?u={i}.50", "To": f"098000{i:05d}",
        "Last_viewed": at.astimezone(IST).isoformat(), "Total_clicks": "1", "city": "Pune", "Region": "MH", "Country": "IN",
        "IP": "198.51.100.7", "Device_name": "Pixel 8", "OS_name": "Android", "OS_version": "14", **more,
    }  # fmt: skip


def results():
    return list(CallbackEvent.objects.order_by("id").values_list("result", flat=True))


def no_breach():
    return list(recount.breaches()) == []


# What is asked of Exotel ---------------------------------------------------------------------------------------------


def test_a_campaign_that_tracks_asks_for_short_links_and_names_a_signed_address(sent):
    shorten = sent.order.batch.shorten
    assert (shorten.header, shorten.domain, shorten.tracking) == (builders.HEADER, "", True)
    assert "/callbacks/clicks/k2/" in shorten.callback
    assert callback_urls.verify(re.sub("https?://[^/]+", "", shorten.callback)) == sent.order.attempt.pk


def test_a_campaign_that_does_not_track_asks_for_nothing(db):
    campaign = builders.launched()
    assert intent.commit(builders.owner().pk, campaign.account_id)[1].batch.shorten is None


def test_the_launch_fixes_whether_links_are_shortened(db):
    campaign = builders.launched(**tracked(short_domain="go.example.in"))
    Campaign.objects.update(shorten_links=False, short_domain="")
    batch = intent.commit(builders.owner().pk, campaign.account_id)[1].batch
    assert batch.shorten.domain == "go.example.in"
    assert insight.tracks(Campaign.objects.get())


def test_another_try_of_failures_shortens_as_the_first_did(db):
    campaign = builders.launched(recipients=1, **tracked(short_domain="go.example.in"))
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    settle.lose(order.attempt, "lost")
    told = {"SmsSid": "s0", "To": "09800000000", "Status": "failed", "DetailedStatusCode": "23035"}
    CallbackEvent.objects.create(received_at=timezone.now(), attempt=order.attempt.pk, raw=urlencode(told).encode())
    inbox.apply_next()
    Campaign.objects.update(state="finished")
    made = retry.make(Campaign.objects.get())
    assert (made.campaign.shorten_links, made.campaign.short_domain) == (True, "go.example.in")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "LINKS_SHORTENED"),
        ({"template": {"body": "No link at all. -ACME"}}, "NO_LINK"),
        ({"account": {"provider": "geniq"}}, "NOT_SHORTENED"),
    ],
)
def test_the_checks_before_launch_say_what_becomes_of_links(db, fields, code):
    made = {name: getattr(builders, name)(**values) for name, values in fields.items()}
    campaign = builders.campaign(recipients=1, **tracked(**made))
    codes = {finding.code for finding in preflight.preflight(campaign).findings}
    assert codes & {"LINKS_SHORTENED", "NO_LINK", "NOT_SHORTENED"} == {code}


# Applying ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_json", [False, True])
def test_a_click_is_kept_with_what_it_tells_and_without_the_ip_address(sent, as_json):
    sent.tell(click(1), as_json=as_json)
    row, event = Click.objects.get(), CallbackEvent.objects.get()
    assert (row.message_id, row.attempt, row.campaign_id) == (sent.order.ids[1], sent.order.attempt.pk, sent.campaign.pk)
    assert (row.link, row.device, row.os, row.city, row.region, row.country) == (
        LINK,
        "Pixel 8",
        "Android 14",
        "Pune",
        "MH",
        "IN",
    )
    assert (event.result, event.message_id, bytes(event.raw)) == ("applied", sent.order.ids[1], b"")
    assert no_breach()


def test_clicks_are_counted_by_person_link_device_city_and_hour(sent):
    other = {"long_url": "https://shop.example.in/terms", "Device_name": "iPhone", "city": "Delhi"}
    sent.tell(click(0), click(0, 1), click(0, 2, **other), click(1), click(2, 5, **other))
    found = sent.counted()
    assert (found.clicks, found.people) == (5, 3)
    assert [tuple(line) for line in found.links] == [(LINK, 3, 2), ("https://shop.example.in/terms", 2, 2)]
    assert [tuple(line) for line in found.devices] == [("Pixel 8", 3, 2), ("iPhone", 2, 1)]
    assert [tuple(line) for line in found.cities] == [("Pune", 3, 2), ("Delhi", 2, 1)]
    assert (sum(hour.clicks for hour in found.hours), sum(hour.people for hour in found.hours)) == (5, 3)
    assert no_breach()


def test_a_repeated_click_callback_counts_once(sent):
    told = click(0)
    sent.tell(told, told)
    sent.tell(told | {"Total_clicks": "7"})
    assert results() == ["applied", "duplicate", "duplicate"]
    assert (sent.counted().clicks, Click.objects.count()) == (1, 1)
    assert {bytes(raw) for raw in CallbackEvent.objects.values_list("raw", flat=True)} == {b""}


def test_whose_click_it_was_the_sid_tells_where_no_number_does(sent):
    Message.objects.filter(pk=sent.order.ids[2]).update(sid="sms2")
    sent.tell(click(2, To="", Sms_sid="sms2", long_url="https://elsewhere.in/"))
    assert Click.objects.get().message_id == sent.order.ids[2]


def test_whose_click_it_was_the_text_tells_where_nothing_else_does(sent):
    sent.tell(click(1, To=""), click(9, To="", long_url=LINK))
    assert list(Click.objects.order_by("id").values_list("message_id", flat=True)) in (
        [sent.order.ids[1], None], [None, sent.order.ids[1]],
    )  # fmt: skip
    assert sent.counted().people == 2


def test_a_visitor_whose_message_is_not_known_counts_once_by_the_link(sent):
    unknown = {"To": "", "long_url": "https://elsewhere.in/"}
    sent.tell(click(7, 0, **unknown), click(7, 1, **unknown), click(8, 0, **unknown))
    assert (sent.counted().clicks, sent.counted().people) == (3, 2)


def test_a_click_that_cannot_be_is_set_aside_with_its_reason_and_its_bytes(sent):
    sent.tell(click(99), b"To=09800000001", b"")
    sent.tell(click(0), attempt=uuid.uuid4())
    assert results() == ["quarantined", "nonsense", "nonsense", "parked"]
    event = CallbackEvent.objects.order_by("id").first()
    assert event.reason == "The click names a number that was not in this request."
    assert b"link99" in bytes(event.raw)
    assert not Click.objects.exists() and not ClickCount.objects.exists()


def test_a_parked_click_is_counted_once_its_request_is_known(sent):
    sent.tell(click(0), attempt=uuid.uuid4())
    CallbackEvent.objects.update(attempt=sent.order.attempt.pk, next_try_at=timezone.now())
    inbox.drain()
    assert sent.counted().clicks == 1


@pytest.mark.parametrize("at", ["", "yesterday", "9999-12-31T23:59:59+05:30", "1999-01-01T00:00:00"])
def test_a_time_that_cannot_be_is_the_time_it_was_told(sent, at):
    sent.tell(click(0, Last_viewed=at))
    assert abs(Click.objects.get().at - timezone.now()) < timedelta(minutes=1)


def test_a_status_report_and_a_click_in_one_batch_are_each_applied(sent):
    told = {"SmsSid": "s0", "To": "09800000000", "Status": "sent", "DetailedStatusCode": "20005"}
    CallbackEvent.objects.create(received_at=timezone.now(), attempt=sent.order.attempt.pk, raw=urlencode(told).encode())
    sent.tell(click(0))
    assert results() == ["applied", "applied"]
    assert Message.objects.get(pk=sent.order.ids[0]).delivery == "delivered"


def test_more_links_than_a_page_can_show_are_counted_together(sent, monkeypatch):
    monkeypatch.setattr(clicks, "MOST_VALUES", 3)
    sent.tell(*[click(0, i, long_url=f"https://shop.example.in/{i}") for i in range(5)])
    sent.tell(*[click(1, i, long_url=f"https://shop.example.in/{i}") for i in range(5)])
    links = {line.value: line.clicks for line in sent.counted().links}
    assert len(links) == 4
    assert (links[clicks.OTHERS], sum(links.values())) == (4, 10)


def test_squashing_changes_no_figure(sent, monkeypatch):
    monkeypatch.setattr(squash, "ENOUGH", 3)
    for i in range(3):
        for second in range(4):
            sent.tell(click(i, second))
    before, rows = sent.counted(), ClickCount.objects.count()
    assert squash.squash() > 0
    assert ClickCount.objects.count() < rows / 4
    assert sent.counted() == before
    assert no_breach()


def test_a_batch_of_clicks_costs_a_fixed_number_of_statements(transactional_db):
    sent = Sent(100)

    def cost(*told):
        with CaptureQueriesContext(connection) as queries:
            sent.tell(*told)
        return len(queries) - len(told)

    assert cost(*[click(i) for i in range(100)]) == cost(click(0, 9))


# Shown ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def operator(transactional_db):
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    return client


def text_of(client, campaign):
    response = client.get(reverse("admin:campaign", args=[campaign.pk]))
    assert response.status_code == 200
    return response.content.decode()


def test_the_campaigns_page_shows_its_clicks(sent, operator):
    assert "Nobody has clicked so far" in text_of(operator, sent.campaign)
    sent.tell(click(0), click(0, 1), click(1, city=""))
    text = text_of(operator, sent.campaign)
    assert '<div class="figure">3</div>' in text and '<div class="figure">2</div>' in text
    assert LINK in text and "Pixel 8" in text and "Pune" in text and "not told" in text
    assert "by exo.tl, clicks counted" in text


def test_a_campaign_that_does_not_track_shows_no_clicks(operator):
    assert 'id="clicks"' not in text_of(operator, builders.launched())


def test_no_page_counts_clicks_or_reads_them(sent, operator):
    sent.tell(click(0), click(1))
    with CaptureQueriesContext(connection) as queries:
        text_of(operator, sent.campaign)
    assert not [
        query["sql"] for query in queries if 'campaigns_click"' in query["sql"] or "campaigns_clicker" in query["sql"]
    ]


def test_a_messages_history_tells_of_its_clicks(sent, operator):
    sent.tell(click(0))
    text = operator.get(reverse("admin:message", args=[sent.order.ids[0]])).content.decode()
    assert f"Clicked {LINK} on Pixel 8 in Pune." in text


def test_hostile_words_of_a_click_are_shown_as_text(sent, operator):
    sent.tell(click(0, city="<script>alert(1)</script>", Device_name='"><img src=x>', long_url="javascript:alert(1)"))
    text = text_of(operator, sent.campaign)
    assert "<script>alert" not in text and "<img src" not in text and 'href="javascript' not in text


def test_the_api_tells_the_same(sent):
    sent.tell(click(0), click(0, 1), click(1))
    token = ApiToken.issue(user=User.objects.create_user("bot"), name="t", scopes=["read"])[1]
    answer = (
        Client().get(f"/api/v1/campaigns/{sent.campaign.pk}/clicks/", headers={"Authorization": f"Token {token}"}).json()
    )
    assert (answer["tracked"], answer["total"], answer["unique"]) == (True, 3, 2)
    assert answer["links"] == [{"value": LINK, "total": 3, "unique": 2}]
    assert sum(hour["total"] for hour in answer["hours"]) == 3
    other = builders.launched()
    answer = Client().get(f"/api/v1/campaigns/{other.pk}/clicks/", headers={"Authorization": f"Token {token}"}).json()
    assert answer == {"tracked": False, "total": 0, "unique": 0, "links": [], "devices": [], "cities": [], "hours": []}


# From end to end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("click_format", ["form", "json"])
def test_what_people_click_at_the_simulator_is_what_the_campaign_shows(simulator, exotel_account, settings, click_format):
    server = Server().start()
    try:
        settings.PUBLIC_URL = f"http://127.0.0.1:{server.port}"
        simulator.scenario(
            clicks=1.0, click_delay=[0, 0.2], delay=[0, 0.1], outcomes={"20005": 1}, click_format=click_format
        )
        campaign = builders.launched(account=exotel_account, recipients=20, **tracked())
        dispatch.pump(exotel_account.pk)
        made = {row["number10"]: row["sid"] for row in simulator.ledger()}
        until = time.monotonic() + 30
        while insight.clicks(campaign, IST).people < 20 or CallbackEvent.objects.filter(result="").exists():
            assert time.monotonic() < until, insight.clicks(campaign, IST)
            inbox.apply_next()
            time.sleep(0.05)
    finally:
        server.stop()
    found = insight.clicks(campaign, IST)
    assert (len(made), found.people, found.clicks) == (20, 20, Click.objects.count())
    assert set(Click.objects.values_list("message__sid", flat=True)) == set(made.values())
    assert {line.value for line in found.links} == {LINK}
    assert not [raw for raw in CallbackEvent.objects.values_list("raw", flat=True) if b"198.51.100." in bytes(raw)]
    assert no_breach()
