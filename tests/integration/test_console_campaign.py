"""A campaign's page: true figures, one button for each thing that can be done, a refusal in words for what cannot."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import Attempt, AuditEvent, Campaign, Count, DeliveryEvent, Message, Transition
from campaigns.sending import control
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(db):
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    return client


def text_of(client, path, **extra):
    response = client.get(path, **extra)
    assert response.status_code == 200
    return response.content.decode()


def page(client, campaign, query=""):
    return text_of(client, reverse("admin:campaign", args=[campaign.pk]) + query)


def settle(message, state="accepted", delivery="delivered", code="20005", units=1):
    """Give a message an outcome, with the counters that say so."""
    now = builders.now()
    attempt = Attempt.objects.create(
        id=f"00000000-0000-0000-0000-{message.pk:012d}", campaign=message.campaign, account=message.account,
        owner=builders.owner(), phase="done", size=1, outcome="answered", http_status=200, started_at=now, finished_at=now,
    )  # fmt: skip
    sid = f"sid{message.pk}" if state == "accepted" else None
    Message.objects.filter(pk=message.pk).update(
        state=state, delivery=delivery, code=code, sid=sid, attempt=attempt, sent_at=now, settled_at=now, final_at=now
    )
    quarter = int(now.timestamp()) // 900
    failed = code if state == "rejected" or delivery == "failed" else ""
    Count.objects.create(campaign=message.campaign, quarter=0, state="pending", n=-1, units=-1)
    Count.objects.create(
        campaign=message.campaign, quarter=quarter, state=state, delivery=delivery, code=failed, n=1, units=units
    )
    Transition.objects.create(message=message, state=state, at=now, attempt=attempt.pk)


def steer(client, campaign, verb):
    response = client.post(reverse("admin:campaign_steer", args=[campaign.pk, verb]), follow=True)
    campaign.refresh_from_db()
    return response.content.decode()


def test_the_figures_are_those_of_the_counters(operator):
    campaign = builders.launched(recipients=4)
    first, second, third, _ = Message.objects.order_by("id")
    settle(first)
    settle(second, delivery="failed", code="23005")
    settle(third, state="rejected", delivery="", code="23082")
    text = page(operator, campaign)
    assert "3 of 4 sent" in text
    assert "33.3 %" in text and "1 of 3 final" in text
    assert "Number is on Do Not Disturb <code>23005</code>" in text
    assert "Waiting 1" in text


def test_a_running_campaign_can_be_paused_resumed_and_cancelled_and_each_is_audited(operator):
    campaign = builders.launched()
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        steer(operator, campaign, verb)
        assert campaign.state == state
    assert list(AuditEvent.objects.order_by("id").values_list("action", "actor")) == [
        ("campaign.pause", "asha"), ("campaign.resume", "asha"), ("campaign.cancel", "asha"),
    ]  # fmt: skip


def test_what_the_state_does_not_allow_is_refused_in_words_and_not_audited(operator):
    campaign = builders.paused()
    text = steer(operator, campaign, "pause")
    assert "This campaign is paused, so it cannot be paused. Nothing was changed." in text
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("verb", ["explode", "launchnow"])
def test_an_unknown_verb_is_not_found(operator, verb):
    campaign = builders.launched()
    assert operator.post(f"/campaigns/{campaign.pk}/{verb}/").status_code == 404


def test_a_state_is_changed_by_post_only(operator):
    campaign = builders.launched()
    assert operator.get(reverse("admin:campaign_steer", args=[campaign.pk, "pause"])).status_code == 405


def test_a_stopped_campaign_shows_its_reason_what_is_kept_and_one_button_to_resume(operator):
    campaign = builders.launched(recipients=3)
    control.stop_campaign(
        campaign.pk, campaign.account_id, "Exotel refused the API key. Enter the present one, then resume."
    )
    text = page(operator, campaign)
    assert "Exotel refused the API key. Enter the present one, then resume." in text
    assert "3 messages" in text
    assert text.count('id="resume"') == 1
    steer(operator, campaign, "resume")
    assert campaign.state == "running"


@pytest.mark.parametrize(
    ("state", "buttons"),
    [
        ("running", {"pause", "cancel"}),
        ("paused", {"resume", "cancel"}),
        ("stopped", {"resume", "cancel"}),
        ("scheduled", {"cancel"}),
        ("launching", {"cancel"}),
        ("finished", set()),
        ("cancelled", set()),
    ],
)
def test_each_state_offers_only_what_it_allows(operator, state, buttons):
    campaign = builders.launched()
    Campaign.objects.filter(pk=campaign.pk).update(state=state)
    text = page(operator, campaign)
    assert {name for name in ("pause", "resume", "cancel") if f'id="{name}"' in text} == buttons


def test_the_live_part_asks_again_while_it_is_sent_and_then_stops(operator):
    campaign = builders.launched(recipients=1)
    live = reverse("admin:campaign_live", args=[campaign.pk])
    assert 'hx-trigger="every 2s"' in text_of(operator, live)
    settle(Message.objects.get())
    Campaign.objects.filter(pk=campaign.pk).update(state="finished", finished_at=builders.now())
    last = operator.get(live)
    assert last.status_code == 286
    assert b"hx-trigger" not in last.content


def test_reports_are_waited_for_after_the_last_message_was_sent(operator):
    campaign = builders.launched(recipients=1)
    settle(Message.objects.get(), delivery="awaiting", code="21010")
    Campaign.objects.filter(pk=campaign.pk).update(state="finished", finished_at=builders.now())
    assert 'hx-trigger="every 2s"' in text_of(operator, reverse("admin:campaign_live", args=[campaign.pk]))


def test_a_draft_is_gone_on_with_instead_of_shown(operator):
    campaign = builders.campaign(recipients=2)
    response = operator.get(reverse("admin:campaign", args=[campaign.pk]))
    assert response["Location"] == reverse("admin:draft_message", args=[campaign.pk])


def test_messages_are_filtered_by_status_code_and_number(operator):
    campaign = builders.launched(recipients=3)
    first, second, third = Message.objects.order_by("id")
    settle(first)
    settle(second, delivery="failed", code="23035")
    settle(third, delivery="failed", code="23005")
    for query, expected in (
        ("?status=delivered", {0}), ("?status=failed", {1, 2}), ("?status=dnd", {2}), ("?code=23035", {1}),
        (f"?phone=0{builders.number(1) % 10**10}", {1}), ("?status=pending", set()),
    ):  # fmt: skip
        rows = page(operator, campaign, query).partition('id="message-list"')[2]
        shown = {i for i in range(3) if f"+91 98000 0000{i}" in rows}
        assert (query, shown) == (query, expected)


@pytest.mark.parametrize(
    "query", ["?status=nonsense", "?cursor=nonsense", "?cursor=<9999999999999999999999", "?phone=12", "?code=x%00"]
)
def test_a_filter_that_makes_no_sense_is_answered_in_words(operator, query):
    text = page(operator, builders.launched(), query)
    assert "not valid any more" in text or "mobile number" in text or "No message matches" in text


def test_pages_of_messages_lead_forward_and_back(operator):
    campaign = builders.launched(recipients=30)
    first = page(operator, campaign)
    older = first.partition('rel="next"')[0].rpartition('href="')[2].partition("#")[0].replace("&amp;", "&")
    second = page(operator, campaign, older)
    numbers = [f"{builders.number(i) % 10**10:010d}" for i in range(30)]
    on_first, on_second = (
        {n for n in numbers if f"{n[:5]} {n[5:]}" in text.partition('id="message-list"')[2]} for text in (first, second)
    )
    assert len(on_first) == 25 and len(on_second) == 5
    assert not on_first & on_second
    assert 'rel="prev"' in second and 'rel="next"' not in second


def test_every_message_to_a_number_is_found_over_all_campaigns(operator):
    one, two = builders.launched(recipients=1), builders.launched(recipients=1)
    text = text_of(operator, f"/messages/?phone={builders.number(0)}")
    assert one.name in text and two.name in text
    assert "Search by a phone number" in text_of(operator, "/messages/")


def test_a_message_tells_its_whole_story(operator):
    builders.launched(recipients=1)
    message = Message.objects.get()
    settle(message, delivery="failed", code="23005")
    DeliveryEvent.objects.create(
        message=message,
        digest=b"1" * 16,
        source="callback",
        word="failed",
        code="23005",
        state="failed",
        received_at=builders.now(),
    )
    text = text_of(operator, reverse("admin:message", args=[message.pk]))
    assert "Prepared from the recipients file." in text
    assert "Accepted by Exotel" in text
    assert text.count("Number is on Do Not Disturb") >= 2  # in the story, and as what it means
    assert "IST" in text


def test_a_report_streams_with_its_numbers_and_is_audited(operator):
    campaign = builders.launched(recipients=2)
    response = operator.get(reverse("admin:campaign_report", args=[campaign.pk]))
    body = b"".join(response.streaming_content).decode()
    assert response["Content-Type"].startswith("text/csv")
    assert str(builders.number(1)) in body
    assert AuditEvent.objects.get().action == "campaign.export"


def test_the_list_finds_campaigns_by_name_and_state(operator):
    builders.launched(name="KYC reminder")
    builders.campaign(name="Diwali offer")
    for query, found, missing in (
        ("?q=kyc", "KYC reminder", "Diwali offer"), ("?state=draft", "Diwali offer", "KYC reminder"),
    ):  # fmt: skip
        text = text_of(operator, f"/campaigns/{query}")
        assert found in text and missing not in text
    for query in ("?q=nothing", "?state=nothing", "?q=x%00", "?state=x%00"):
        assert "No campaign matches" in text_of(operator, f"/campaigns/{query}")


@pytest.mark.parametrize("query", ["before=x", "after=-1", "before=99999999999999999999", "after=99999999999999999999"])
def test_a_place_in_the_list_that_cannot_be_is_no_error(operator, query):
    builders.campaign()
    text_of(operator, f"/campaigns/?{query}")


def test_a_long_list_is_paged_without_skipping_anyone(operator):
    account, template = builders.account(), builders.template()
    for i in range(60):
        builders.campaign(name=f"Number {i:02d} of sixty", account=account, template=template)
    seen, query = [], ""
    for _ in range(4):
        text = text_of(operator, f"/campaigns/{query}")
        seen += [i for i in range(59, -1, -1) if f"Number {i:02d} of sixty" in text]
        if 'rel="next"' not in text:
            break
        query = text.partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    assert seen == list(range(59, -1, -1))


def test_the_list_costs_the_same_for_any_number_of_campaigns(operator, django_assert_max_num_queries):
    account, template = builders.account(), builders.template()
    for _ in range(20):
        builders.launched(account=account, template=template, recipients=1)
    with django_assert_max_num_queries(8):
        text_of(operator, "/campaigns/")
