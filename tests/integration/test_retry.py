"""Retry failed: a draft of only those failures that another try can help, made once, and what all tries came to."""

import itertools
import threading
import uuid
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from campaigns import audience
from campaigns.exotel.codes.stored import of_message
from campaigns.insight import counts, family, listing, recount
from campaigns.models import Attempt, AuditEvent, Campaign, Import, Message, Recipient, Suppression
from campaigns.models.family import has_resends
from campaigns.models.states import CampaignState, Delivery, MessageState
from campaigns.roles import create_roles
from campaigns.sending import control, intent, launch, retry
from campaigns.sending.counting import Deltas, place
from campaigns.sending.preflight import preflight
from campaigns.tasks import run_import
from tests import builders
from tests.integration.test_api import Api

pytestmark = pytest.mark.django_db

DELIVERED = ("accepted", "delivered", "20005")
AT_OPERATOR = ("accepted", "at_operator", "20006")
AWAITING = ("accepted", "awaiting", "")
SWITCHED_OFF = ("accepted", "failed", "23035")
EXPIRED = ("accepted", "failed", "23050")
DND = ("accepted", "failed", "23005")
DLT = ("accepted", "failed", "23082")
STRANGE = ("accepted", "failed", "99999")
REFUSED = ("rejected", "", "23030")
DOUBT = ("unconfirmed", "", "")
WAITING = ("pending", "", "")
_sids = itertools.count(1)


def tell(message, outcome, conflict=False):
    """Give a message an outcome, with the counters that say so."""
    state, delivery, code = outcome
    now = builders.now()
    deltas = Deltas()
    before = place(message.campaign_id, message.sent_at, message.state, message.delivery, message.code, message.conflict)
    message.state, message.delivery, message.code, message.conflict = state, delivery, code, conflict
    message.sent_at = None if state == "pending" else message.sent_at or now
    if state == "in_flight":
        message.attempt = Attempt.objects.create(
            id=uuid.uuid4(),
            campaign=message.campaign,
            account=message.account,
            owner=builders.owner(),
            size=1,
            started_at=now,
        )
    if state == "accepted":
        message.sid = message.sid or f"sid{next(_sids)}"
    message.save()
    after = place(message.campaign_id, message.sent_at, state, delivery, code, conflict)
    deltas.move(before, after, 1, message.units)
    deltas.write()


def resent(original, outcome):
    """An operator sent a message again while nobody knew of it, and that came to an outcome too."""
    again = Message.objects.create(
        campaign=original.campaign, account=original.account, recipient=original.recipient, resend_of=original,
        number=original.number, created_at=builders.now(),
    )  # fmt: skip
    deltas = Deltas()
    deltas.add(place(original.campaign_id, None, "pending"), 1, 1)
    deltas.write()
    tell(again, outcome)


def outcomes(campaign, told, state="finished"):
    """Each message of the campaign, in the order of its numbers, has come to one of the outcomes."""
    for message, outcome in zip(Message.objects.filter(campaign=campaign).order_by("number"), told, strict=True):
        tell(message, outcome)
    Campaign.objects.filter(pk=campaign.pk).update(state=state)
    campaign.refresh_from_db()
    return campaign


def campaign_with(*told, state="finished", **fields):
    return outcomes(builders.launched(recipients=len(told), **fields), told, state)


def people(campaign):
    numbers = Recipient.objects.filter(campaign=campaign).order_by("number").values_list("number", flat=True)
    return [number - builders.number(0) for number in numbers]


def sent(child, *told):
    launch.launch(child, None, accept_warnings=True)
    launch.write_messages(child.pk)
    return outcomes(child, told)


def refusal(campaign, **asked):
    before = Campaign.objects.count(), Recipient.objects.count(), Import.objects.count()
    with pytest.raises(control.Refused) as caught, transaction.atomic():
        retry.make(campaign, **asked)
    assert (Campaign.objects.count(), Recipient.objects.count(), Import.objects.count()) == before
    return caught.value.code, str(caught.value)


def nothing_is_broken():
    assert list(recount.breaches()) == []


# The draft ------------------------------------------------------------------------------------------------------------


def test_only_failures_that_another_try_can_help_are_taken():
    told = [DELIVERED, SWITCHED_OFF, DND, DLT, STRANGE, EXPIRED, REFUSED, DOUBT, AWAITING, AT_OPERATOR]
    campaign = campaign_with(*told)
    made = retry.make(campaign)
    assert people(made.campaign) == [1, 5, 6]
    assert (made.recipients, made.units, made.cost) == (3, 3, Decimal("0.6"))
    nothing_is_broken()


def test_a_failure_that_was_also_reported_delivered_is_left():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF)
    tell(Message.objects.filter(campaign=campaign).first(), DELIVERED, conflict=True)
    assert people(retry.make(campaign).campaign) == [1]


def test_the_database_chooses_as_the_rules_do():
    """Every place a message can stand at, with a code for and one against: the two must not drift apart."""
    places = [(s, d, c) for s in MessageState.values for d in Delivery.values for c in ("23035", "23005", "")]
    campaign = campaign_with(*places, state="cancelled")
    limits = retry.Limits(3)
    expected = [i for i, (s, d, c) in enumerate(places) if retry.decide(of_message(c), s, d, 1, limits).may]
    assert people(retry.make(campaign).campaign) == expected
    assert len(expected) > 1


def test_the_draft_is_made_like_its_parent():
    user = User.objects.create_user("asha")
    campaign = campaign_with(SWITCHED_OFF, DELIVERED, name="Dues", sender_id="OTHER1", priority=2)
    child = retry.make(campaign, user).campaign
    child.refresh_from_db()
    same = ("account_id", "template_id", "channel", "sender_id", "priority")
    assert [getattr(child, name) for name in same] == [getattr(campaign, name) for name in same]
    assert (child.state, child.retry_of, child.name, child.created_by) == ("draft", campaign, "Dues, try 2", user)
    assert (child.snapshot, child.schedule_at, child.launched_at) == ({}, None, None)


def test_each_import_of_the_parent_has_one_in_the_draft_with_true_counts():
    campaign = builders.campaign(recipients=3)
    builders.add_recipients(campaign, [builders.number(i) for i in (3, 4)])
    builders.add_recipients(campaign, [builders.number(5)])
    Recipient.objects.filter(campaign=campaign, number=builders.number(1)).update(units=4)
    launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    outcomes(campaign, [SWITCHED_OFF, SWITCHED_OFF, DELIVERED, DELIVERED, EXPIRED, DELIVERED])
    made = retry.make(campaign)
    old = Import.objects.filter(campaign=campaign).order_by("pk")
    new = Import.objects.filter(campaign=made.campaign).order_by("pk")
    assert [(i.state, i.filename, i.rows, i.accepted, i.rejected, i.units) for i in new] == [
        ("done", f"retry of campaign {campaign.pk}", 2, 2, 0, 5), ("done", f"retry of campaign {campaign.pk}", 1, 1, 0, 1),
    ]  # fmt: skip
    assert [(i.header, i.mapping, i.template_version) for i in new] == [
        (i.header, i.mapping, i.template_version) for i in old[:2]
    ]
    assert new[0].findings == {"MANY_UNITS": 1} and new[0].sample[0] == ["919800000000", "Person 0", "0.50"]
    copies = (
        Recipient.objects.filter(campaign=made.campaign).order_by("number").values_list("line", "number", "cells", "units")
    )
    originals = Recipient.objects.filter(campaign=campaign, number__in=[row[1] for row in copies]).order_by("number")
    assert list(copies) == list(originals.values_list("line", "number", "cells", "units"))


def test_the_draft_is_checked_launched_and_written_like_any_other():
    campaign = campaign_with(SWITCHED_OFF, DELIVERED, EXPIRED)
    child = retry.make(campaign).campaign
    report = preflight(child)
    assert (report.messages, report.units, report.cost) == (2, 2, Decimal("0.4"))
    assert not [finding for finding in report.findings if finding.level == "error"]
    launch.launch(child, None, accept_warnings=True)
    launch.write_messages(child.pk)
    child.refresh_from_db()
    assert (child.state, Message.objects.filter(campaign=child).count()) == ("running", 2)
    source = Import.objects.get(campaign=child)
    assert child.snapshot["columns"] == {str(source.pk): [1, 2]}
    nothing_is_broken()


def test_people_who_opted_out_meanwhile_are_left_and_the_rest_goes():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF)
    past = builders.now().replace(year=2020)
    Suppression.objects.create(number=builders.number(0))
    Suppression.objects.create(number=builders.number(1), account=campaign.account)
    Suppression.objects.create(number=builders.number(2), account=builders.account())
    Suppression.objects.create(number=builders.number(3), expires_at=past)
    assert people(retry.make(campaign).campaign) == [2, 3]


def test_a_template_changed_since_must_be_checked_again_and_can_be():
    campaign = campaign_with(SWITCHED_OFF, DELIVERED, SWITCHED_OFF)
    campaign.template.body = "Hello {#var#}, please pay your due amount of Rs {#var#} by tomorrow. -ACME"
    campaign.template.save()
    child = Campaign.objects.get(pk=retry.make(campaign).campaign.pk)
    assert "TEMPLATE_CHANGED" in {finding.code for finding in preflight(child).findings if finding.level == "error"}
    with pytest.raises(launch.Blocked):
        launch.launch(child, None, accept_warnings=True)
    source = Import.objects.get(campaign=child)
    audience.restart(source)
    run_import(source.pk)
    source.refresh_from_db()
    assert (source.state, source.rows, source.accepted, source.rejected) == ("done", 2, 2, 0)
    assert people(child) == [0, 2]
    assert not [finding for finding in preflight(child).findings if finding.level == "error"]
    launch.launch(child, None, accept_warnings=True)
    assert launch.write_messages(child.pk)
    nothing_is_broken()


# Once only ------------------------------------------------------------------------------------------------------------


def test_a_second_press_takes_nobody_twice():
    campaign = campaign_with(SWITCHED_OFF, EXPIRED, DELIVERED, name="Dues")
    retry.make(campaign)
    code, sentence = refusal(campaign)
    assert code == "already_retried"
    assert sentence == "None of the 2 failures can be sent again: 2 in “Dues, try 2” already."


def test_failures_that_came_in_later_are_taken_by_a_second_draft():
    campaign = campaign_with(SWITCHED_OFF, AWAITING)
    first = retry.make(campaign).campaign
    tell(Message.objects.get(campaign=campaign, number=builders.number(1)), EXPIRED)
    assert (people(first), people(retry.make(campaign).campaign)) == ([0], [1])


@pytest.mark.parametrize("how", ["deleted", "cancelled before it was sent"])
def test_people_of_a_draft_that_is_gone_can_be_taken_again(how):
    campaign = campaign_with(SWITCHED_OFF, EXPIRED)
    child = retry.make(campaign).campaign
    if how == "deleted":
        child.delete()
    else:
        launch.launch(child, None, accept_warnings=True)
        launch.write_messages(child.pk)
        control.cancel(child)
        control.wind_up(child.pk)
    assert people(retry.make(campaign).campaign) == [0, 1]
    nothing_is_broken()


def test_whoever_was_reached_by_a_cancelled_try_is_not_sent_to_again():
    campaign = campaign_with(*[SWITCHED_OFF] * 7)
    child = sent(
        retry.make(campaign).campaign, DELIVERED, DOUBT, AWAITING, SWITCHED_OFF, DND, ("cancelled", "", ""), AT_OPERATOR
    )
    Campaign.objects.filter(pk=child.pk).update(state="cancelled")
    assert people(retry.make(campaign).campaign) == [3, 5]
    code, sentence = refusal(child)
    assert code == "already_retried" and "1 in “" in sentence
    nothing_is_broken()


def test_a_late_delivery_in_the_first_try_ends_the_chain():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF)
    child = sent(retry.make(campaign).campaign, EXPIRED, EXPIRED)
    tell(Message.objects.get(campaign=campaign, number=builders.number(0)), DELIVERED, conflict=True)
    assert people(retry.make(child).campaign) == [1]


def test_a_doubt_that_was_sent_again_counts_by_both_its_messages():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF)
    for i, outcome in ((0, DELIVERED), (1, SWITCHED_OFF)):
        resent(Message.objects.get(campaign=campaign, number=builders.number(i)), outcome)
    assert people(retry.make(campaign).campaign) == [1, 2]
    reach = family.reach(campaign)
    assert (reach.people, reach.reached, reach.failed, reach.messages) == (3, 1, 2, 5)


def test_a_person_has_three_tries_in_all(settings):
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, name="Dues")
    second = sent(retry.make(campaign).campaign, SWITCHED_OFF, DELIVERED)
    third = sent(retry.make(second).campaign, EXPIRED)
    assert (third.name, people(third)) == ("Dues, try 3", [0])
    code, sentence = refusal(third)
    assert (code, sentence) == (
        "nothing_to_retry", "The one failure cannot be sent again: 1 after 3 tries, which is the limit.",
    )  # fmt: skip
    settings.MOST_TRIES = 4
    assert people(retry.make(third).campaign) == [0]
    nothing_is_broken()


@pytest.mark.django_db(transaction=True)
def test_twenty_presses_at_once_make_one_draft():
    campaign = campaign_with(*[SWITCHED_OFF] * 30)
    barrier, made, refused = threading.Barrier(20), [], []

    def press():
        barrier.wait()
        try:
            made.append(retry.make(campaign))
        except control.Refused as error:
            refused.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), refused) == (1, ["already_retried"] * 19)
    assert Campaign.objects.filter(retry_of=campaign).count() == 1
    assert Recipient.objects.exclude(campaign=campaign).count() == 30


# Refused --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["draft", "scheduled", "launching", "running"])
def test_a_campaign_that_is_not_at_rest_is_refused(state):
    code, sentence = refusal(campaign_with(SWITCHED_OFF, state=state))
    assert code == "wrong_state"
    assert CampaignState(state).label.lower() in sentence


@pytest.mark.parametrize("state", ["finished", "cancelled", "paused", "stopped"])
def test_a_campaign_at_rest_is_taken(state):
    assert people(retry.make(campaign_with(SWITCHED_OFF, WAITING, state=state)).campaign) == [0]


def test_without_failures_there_is_nothing_to_do():
    code, sentence = refusal(campaign_with(DELIVERED, AT_OPERATOR))
    assert (code, sentence) == ("nothing_failed", "Nothing of this campaign has failed, so there is nothing to send again.")


def test_the_refusal_says_how_many_failed_and_why_none_can_be_taken():
    campaign = campaign_with(DND, DND, DND, DLT, DLT, STRANGE, ("accepted", "failed", "23070"), DELIVERED)
    code, sentence = refusal(campaign)
    assert code == "nothing_to_retry"
    assert sentence == (
        "None of the 7 failures can be sent again: 3 with a number that takes no such message (Do Not Disturb, opted out or "
        "not in service); 2 blocked until the DLT registration is mended; 1 with a code that nobody can explain; "
        "1 with a text that must be mended first."
    )


def test_a_retry_over_its_cost_limit_is_not_made():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF)
    code, sentence = refusal(campaign, max_cost=Decimal("0.5999"))
    assert code == "over_cost"
    assert "3 people again would cost about ₹ 0.60, more than the limit of ₹ 0.60" in sentence
    assert retry.make(campaign, max_cost=Decimal("0.6")).recipients == 3


# What all tries came to -----------------------------------------------------------------------------------------------


def both_ways(campaign):
    """The reach, which must be the same from the counters alone and from the messages."""
    reach = family.reach(campaign)
    members = [line.campaign for line in reach.lines]
    counted = counts.for_campaigns(members)
    known = {key: n for key, n in family._from_messages(members, counted).items() if n}
    assert known == {key: n for key, n in family._from_counters(members, counted).items() if n}
    return reach


def test_reach_counts_each_person_once_by_the_best_that_is_known():
    told = [DELIVERED, AT_OPERATOR, AWAITING, DND, SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF]
    campaign = campaign_with(*told)
    second = sent(retry.make(campaign).campaign, DELIVERED, AT_OPERATOR, EXPIRED, EXPIRED, ("suppressed", "", ""))
    sent(retry.make(second).campaign, DELIVERED, DND)
    for member in (campaign, second, Campaign.objects.last()):
        reach = both_ways(member)
        assert reach.root == campaign
        assert (reach.people, reach.reached, reach.at_operator, reach.open, reach.failed) == (9, 3, 2, 1, 3)
        assert (reach.messages, reach.units, reach.cost) == (15, 15, Decimal("3.0"))
    assert [line.people for line in reach.lines] == [9, 5, 2]


def test_a_draft_and_a_cancelled_try_leave_the_failures_failed():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, DELIVERED)
    first = sent(retry.make(campaign).campaign, ("cancelled", "", ""), DELIVERED)
    Campaign.objects.filter(pk=first.pk).update(state="cancelled")
    retry.make(campaign)
    reach = both_ways(campaign)
    assert (reach.people, reach.reached, reach.failed) == (3, 2, 1)
    assert [line.people for line in reach.lines] == [3, 2, 1]


def test_a_person_who_got_two_of_the_tries_is_one_person():
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, DELIVERED)
    sent(retry.make(campaign).campaign, DELIVERED, EXPIRED)
    tell(Message.objects.get(campaign=campaign, number=builders.number(0)), DELIVERED, conflict=True)
    reach = family.reach(campaign)
    assert (reach.people, reach.reached, reach.failed) == (3, 2, 1)


def test_people_whom_an_operator_added_to_the_draft_are_counted_too():
    campaign = campaign_with(SWITCHED_OFF, DELIVERED)
    child = retry.make(campaign).campaign
    builders.add_recipients(child, [builders.number(1), builders.number(7)])
    Import.objects.filter(campaign=child, filename="people.csv").update(sha256="a" * 64)
    sent(child, DELIVERED, DELIVERED, EXPIRED)
    reach = family.reach(campaign)
    assert (reach.people, reach.reached, reach.failed) == (3, 2, 1)


def test_a_campaign_without_tries_is_its_own_family(django_assert_max_num_queries):
    campaign = campaign_with(DELIVERED, DND)
    with django_assert_max_num_queries(6):
        reach = family.reach(campaign)
    assert (reach.campaigns, reach.people, reach.reached, reach.failed) == ([campaign.pk], 2, 1, 1)
    assert retry.outlook(campaign).may == 0


# REST -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def api():
    return Api("read", "write")


def test_rest_makes_the_draft_and_tells_of_the_family(api):
    campaign = campaign_with(SWITCHED_OFF, DELIVERED, EXPIRED, DND, name="Dues")
    answer = api.post(f"/campaigns/{campaign.pk}/retry-failed/", {"max_cost": "12.50", "name": "Dues again"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert {key: body[key] for key in ("recipients", "units", "cost")} == {"recipients": 2, "units": 2, "cost": "0.4000"}
    child = api.get(f"/campaigns/{body['id']}/").json()
    assert (child["name"], child["state"], child["retry_of"]) == ("Dues again", "draft", campaign.pk)
    assert child["family"] == api.get(f"/campaigns/{campaign.pk}/").json()["family"]
    assert child["family"] == {
        "root": campaign.pk, "campaigns": [campaign.pk, body["id"]], "people": 4, "reached": 1, "at_operator": 0, "open": 0,
        "failed": 3, "messages": 4, "units": 4, "cost": "0.8000",
    }  # fmt: skip
    event = AuditEvent.objects.get(action="campaign.retry")
    assert (event.actor, event.subject) == ("asha", f"campaign:{body['id']}")
    assert event.details == {"of": campaign.pk, "recipients": 2, "units": 2, "cost": "0.4000"}
    checks = api.post(f"/campaigns/{body['id']}/preflight/").json()
    assert (checks["messages"], checks["cost"]) == (2, "0.4000")


@pytest.mark.parametrize(
    ("told", "state", "body", "status", "code"),
    [
        (SWITCHED_OFF, "running", {}, 409, "wrong_state"),
        (SWITCHED_OFF, "draft", {}, 409, "wrong_state"),
        (DND, "finished", {}, 422, "nothing_to_retry"),
        (DELIVERED, "finished", {}, 422, "nothing_failed"),
        (SWITCHED_OFF, "finished", {"max_cost": "0"}, 422, "over_cost"),
        (SWITCHED_OFF, "finished", {"max_cost": "-1"}, 400, "min_value"),
        (SWITCHED_OFF, "finished", {"max_cost": "plenty"}, 400, "invalid"),
        (SWITCHED_OFF, "finished", {"max_cost": "NaN"}, 400, "invalid"),
        (SWITCHED_OFF, "finished", {"max_cost": "1e99"}, 400, "max_digits"),
        (SWITCHED_OFF, "finished", {"max_cost": [1]}, 400, "invalid"),
        (SWITCHED_OFF, "finished", {"max_cost": "0.00001"}, 400, "max_decimal_places"),
        (SWITCHED_OFF, "finished", {"name": "x" * 121}, 400, "max_length"),
        (SWITCHED_OFF, "finished", {"name": "a\u0000b"}, 400, "parse_error"),
        (SWITCHED_OFF, "finished", {"name": {}}, 400, "invalid"),
        (SWITCHED_OFF, "finished", ["x"], 400, "invalid"),
    ],
)
def test_rest_refuses_with_a_problem_and_makes_nothing(api, told, state, body, status, code):
    campaign = campaign_with(told, state=state)
    answer = api.post(f"/campaigns/{campaign.pk}/retry-failed/", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer.json()["detail"].rstrip().endswith(".")
    assert answer["Content-Type"] == "application/problem+json"
    assert (Campaign.objects.count(), AuditEvent.objects.filter(action="campaign.retry").count()) == (1, 0)


def test_rest_refuses_the_second_press(api):
    campaign = campaign_with(SWITCHED_OFF)
    assert api.post(f"/campaigns/{campaign.pk}/retry-failed/").status_code == 201
    again = api.post(f"/campaigns/{campaign.pk}/retry-failed/")
    assert (again.status_code, again.json()["code"]) == (409, "already_retried")


def test_rest_needs_the_scope_to_write_and_a_campaign():
    campaign = campaign_with(SWITCHED_OFF)
    assert Api("read", "launch").post(f"/campaigns/{campaign.pk}/retry-failed/").json()["code"] == "missing_scope"
    assert Api("write").post("/campaigns/999999/retry-failed/").status_code == 404
    assert Api("write").get(f"/campaigns/{campaign.pk}/retry-failed/").status_code == 405
    assert Campaign.objects.count() == 1


def test_the_schema_describes_the_call(api):
    text = api.get("/schema/").content.decode()
    assert "/api/v1/campaigns/{id}/retry-failed/" in text
    assert "RetryInput" in text and "RetryOutput" in text and "CampaignDetailOutput" in text


# Sending --------------------------------------------------------------------------------------------------------------


def test_whoever_was_reached_meanwhile_is_not_sent_to_although_the_draft_has_them(monkeypatch):
    campaign = campaign_with(SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF, SWITCHED_OFF, DELIVERED)
    child = retry.make(campaign).campaign
    builders.add_recipients(child, [builders.number(4)])
    Import.objects.filter(campaign=child, filename="people.csv").update(sha256="a" * 64)
    launch.launch(child, None, accept_warnings=True)
    launch.write_messages(child.pk)
    first = Message.objects.filter(campaign=campaign).order_by("number")
    tell(first[0], DELIVERED, conflict=True)
    tell(first[1], AT_OPERATOR)
    _, order = intent.commit(builders.owner().pk, child.account_id)
    assert [item.to[-1] for item in order.batch.items] == ["2", "3", "4"]
    states = Message.objects.filter(campaign=child).order_by("number").values_list("state", flat=True)
    assert list(states) == ["suppressed", "suppressed", "in_flight", "in_flight", "in_flight"]
    message = Message.objects.get(campaign=child, number=builders.number(0))
    assert listing.history(message)[-1].text == "Not sent. An earlier try reached this person, or may have"
    assert not recount.differences(child.pk)


# Console --------------------------------------------------------------------------------------------------------------


def logged_in(role=None):
    client = Client()
    user = User.objects.create_user("asha") if role else User.objects.create_superuser("asha")
    if role:
        create_roles()
        user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    return client


def page(client, campaign):
    response = client.get(reverse("admin:campaign", args=[campaign.pk]))
    assert response.status_code == 200
    return response.content.decode()


def press(client, campaign):
    return client.post(reverse("admin:campaign_retry", args=[campaign.pk]), follow=True)


def test_one_press_leads_to_the_review_of_the_draft_and_is_audited():
    campaign, client = campaign_with(SWITCHED_OFF, EXPIRED, DND, DELIVERED), logged_in()
    text = page(client, campaign)
    assert "Retry failed (2 can be retried)" in text and 'id="tries"' not in text
    assert "Left out of 3 failures: 1 with a number that takes no such message" in text
    response = press(client, campaign)
    child = Campaign.objects.get(retry_of=campaign)
    assert response.redirect_chain == [(reverse("admin:draft_review", args=[child.pk]), 302)]
    text = response.content.decode()
    assert "A draft with 2 failed messages is ready. Nothing is sent before you launch it." in text
    assert "All clear" in text or "Checks before launch" in text
    assert (
        f'It sends failures of <a href="{reverse("admin:campaign", args=[campaign.pk])}">{campaign.name}</a> again.' in text
    )
    event = AuditEvent.objects.get()
    assert (event.action, event.actor, event.subject) == ("campaign.retry", "asha", f"campaign:{child.pk}")


def test_when_nothing_can_be_retried_the_page_says_why_instead():
    campaign, client = campaign_with(DND, DLT), logged_in()
    text = page(client, campaign)
    assert "Retry failed (" not in text and 'id="retry-failed"' not in text
    assert "None of the 2 failures can be sent again: 1 blocked until the DLT registration is mended" in text
    response = press(client, campaign)
    assert "None of the 2 failures can be sent again" in response.content.decode()
    assert Campaign.objects.count() == 1 and not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("state", "offered"),
    [("running", False), ("launching", False), ("paused", True), ("stopped", True), ("cancelled", True), ("finished", True)],
)
def test_the_button_is_there_once_a_campaign_is_at_rest(state, offered):
    client, campaign = logged_in(), campaign_with(SWITCHED_OFF, WAITING, state=state)
    assert ('id="retry-failed"' in page(client, campaign)) == offered
    live = client.get(reverse("admin:campaign_live", args=[campaign.pk])).content.decode()
    assert ('id="retry-failed"' in live) == offered
    if not offered:
        assert "its failures can be sent again once it is finished" in press(client, campaign).content.decode()
        assert Campaign.objects.count() == 1


def test_a_page_without_failures_speaks_of_no_retry():
    assert 'id="retry"' not in page(logged_in(), campaign_with(DELIVERED))


def test_the_second_press_shows_where_the_people_are():
    campaign, client = campaign_with(SWITCHED_OFF, name="Dues"), logged_in()
    press(client, campaign)
    text = press(client, campaign).content.decode()
    assert "The one failure cannot be sent again: 1 in “Dues, try 2” already." in text
    assert Campaign.objects.count() == 2


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Auditor", False), ("Editor", True), ("Launcher", True)])
def test_only_those_who_prepare_campaigns_may_press(role, may):
    campaign, client = campaign_with(SWITCHED_OFF), logged_in(role)
    assert ('id="retry-failed"' in page(client, campaign)) == may
    assert may or "by someone whose role lets them prepare campaigns" in page(client, campaign)
    assert press(client, campaign).status_code == (200 if may else 403)
    assert Campaign.objects.count() == 1 + may


def test_the_button_works_by_post_only_and_with_its_csrf_token():
    campaign = campaign_with(SWITCHED_OFF)
    client = logged_in()
    assert client.get(reverse("admin:campaign_retry", args=[campaign.pk])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert strict.post(reverse("admin:campaign_retry", args=[campaign.pk])).status_code == 403
    assert press(client, Campaign(pk=999999)).status_code == 404
    assert Campaign.objects.count() == 1


def test_the_card_lists_the_tries_and_their_sum():
    campaign, client = campaign_with(SWITCHED_OFF, SWITCHED_OFF, DELIVERED, name="Dues"), logged_in()
    second = sent(retry.make(campaign).campaign, DELIVERED, EXPIRED)
    retry.make(second)
    for member in (campaign, second):
        card = page(client, member).partition('id="tries"')[2].partition("</section>")[0]
        assert "2 of 3 people reached" in card
        assert [name for name in ("Dues", "Dues, try 2", "Dues, try 3", "All tries") if name in card][-1] == "All tries"
        assert "5 messages handed over in 3 tries." in card
        assert "₹ 1.00" in card


def test_the_live_part_keeps_the_number_of_a_large_campaign_instead_of_counting_again(monkeypatch):
    campaign, client = campaign_with(SWITCHED_OFF, SWITCHED_OFF), logged_in()
    retry.make(campaign)
    monkeypatch.setattr(retry, "CHEAP", 1)
    live = client.get(reverse("admin:campaign_live", args=[campaign.pk])).content.decode()
    assert 'id="retry" hx-preserve="true"></div>' in live
    assert "2 in “" in page(client, campaign) and 'id="retry" hx-preserve' not in page(client, campaign)


def test_a_resend_is_noticed_in_a_campaign_that_was_cancelled_while_its_messages_were_written(monkeypatch):
    campaign = builders.campaign(recipients=5)
    monkeypatch.setattr(launch, "CHUNK", 2)
    launch.launch(campaign, None, accept_warnings=True)
    launch._write_chunk(campaign.pk)
    outcomes(campaign, [SWITCHED_OFF, SWITCHED_OFF], state="cancelled")
    assert not has_resends([campaign.pk])
    original = Message.objects.filter(campaign=campaign).order_by("number").first()
    resent(original, DELIVERED)
    assert has_resends([campaign.pk])
    assert people(retry.make(campaign).campaign) == [1]
