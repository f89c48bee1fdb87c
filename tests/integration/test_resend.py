"""Doubtful messages: where they are seen, and how an operator has them sent again, once."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from campaigns import bulk, jobs
from campaigns.exotel.reports import from_fields
from campaigns.insight import listing, recount
from campaigns.models import ApiToken, Attempt, AuditEvent, Campaign, Count, Message, Suppression
from campaigns.sending import control, dispatch, evidence, intent, settle
from campaigns.sending.outcomes import ItemResult, Kind, Outcome
from campaigns.sending.resend import resend, runs
from tests import builders
from tests.people import as_role

pytestmark = pytest.mark.django_db(transaction=True)


def doubtful(recipients=3, **fields):
    """A finished campaign whose only request was lost."""
    campaign = builders.launched(recipients=recipients, **fields)
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    settle.lose(order.attempt, "The answer did not come in time.")
    settle.finish(campaign.account_id, campaign.pk)
    return fresh(campaign)


def fresh(campaign):
    return Campaign.objects.select_related("account").get(pk=campaign.pk)


def ids(campaign, **which):
    return list(Message.objects.filter(campaign=campaign, **which).order_by("id").values_list("id", flat=True))


def report(message_id, sid="late"):
    """A callback about a message: Exotel had it all the time."""
    message = Message.objects.get(pk=message_id)
    fields = {
        "SmsSid": f"{sid}{message_id}",
        "To": f"0{message.number % 10**10}",
        "Status": "sent",
        "DetailedStatusCode": "20005",
    }
    with bulk.transaction():
        evidence.apply([evidence.Evidence.of(message.attempt_id, from_fields(fields, "callback"), timezone.now())])


def all_holds():
    return list(recount.breaches()) == []


# The decision -------------------------------------------------------------------------------------------------------


def test_doubtful_messages_are_sent_again_as_new_messages_of_the_campaign(simulator, exotel_account):
    campaign = doubtful(account=exotel_account)
    assert campaign.state == "finished"
    old = ids(campaign)
    OrmQ.objects.all().delete()
    done = resend(campaign, old)
    assert (done.of, done.left_out) == (old, [])
    assert jobs.PUMP in [row.func() for row in OrmQ.objects.all()]
    assert (fresh(campaign).state, fresh(campaign).finished_at) == ("running", None)
    assert all_holds()
    dispatch.pump(exotel_account.pk)
    for new, first in zip(
        Message.objects.filter(pk__in=done.new).order_by("id"),
        Message.objects.filter(pk__in=old).order_by("id"),
        strict=True,
    ):
        assert (new.resend_of_id, new.number, new.recipient_id, new.units) == (
            first.pk,
            first.number,
            first.recipient_id,
            first.units,
        )
        assert (new.state, first.state) == ("accepted", "unconfirmed")
    assert len(simulator.ledger()) == 3
    assert simulator.ledger()[1]["body"].startswith("Dear Person 1")
    assert fresh(campaign).state == "finished"
    assert all_holds()


def test_a_suppression_that_came_meanwhile_is_respected(simulator, exotel_account):
    campaign = doubtful(account=exotel_account, recipients=2)
    Suppression.objects.create(number=builders.number(0), reason="opt_out")
    resend(campaign, ids(campaign))
    dispatch.pump(exotel_account.pk)
    assert [entry["number10"] for entry in simulator.ledger()] == ["9800000001"]
    assert all_holds()


def test_one_that_was_settled_meanwhile_is_left_out():
    campaign = doubtful()
    first, *others = ids(campaign)
    report(first)
    done = resend(campaign, [first, *others])
    assert done.of == others
    assert [(one.id, one.why) for one in done.left_out] == [
        (first, "It is accepted by now, so nothing is in doubt any more.")
    ]
    assert all_holds()


def test_when_nothing_is_in_doubt_any_more_nothing_changes():
    campaign = doubtful(recipients=1)
    report(ids(campaign)[0])
    with pytest.raises(control.Refused, match=r"Nothing was sent again\. It is accepted by now"):
        resend(campaign, ids(campaign))
    assert fresh(campaign).state == "finished"
    assert Message.objects.count() == 1


def test_a_message_is_not_sent_again_while_its_resend_is_under_way():
    campaign = doubtful(recipients=1)
    (old,) = ids(campaign)
    (new,) = resend(campaign, [old]).new
    with pytest.raises(control.Refused, match=f"sent again as message {new}, which is waiting"):
        resend(campaign, [old])
    assert Message.objects.count() == 2


def test_when_the_resend_is_in_doubt_too_one_more_may_follow_it():
    campaign = doubtful(recipients=1)
    (old,) = ids(campaign)
    (second,) = resend(campaign, [old]).new
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    settle.lose(order.attempt, "lost again")
    done = resend(campaign, [old, second])
    assert done.of == [second], "one message to a person, linked with the newest"
    assert done.left_out[0].id == old
    assert all_holds()


def test_nobody_is_written_to_again_whose_first_message_turned_out_sent():
    campaign = doubtful(recipients=1)
    (old,) = ids(campaign)
    (second,) = resend(campaign, [old]).new
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    settle.lose(order.attempt, "lost again")
    report(old)
    with pytest.raises(control.Refused, match=f"The earlier message {old} to this person is accepted"):
        resend(campaign, [second])


def test_a_message_of_another_campaign_is_never_taken():
    campaign, other = doubtful(recipients=1), doubtful(recipients=1)
    mine, theirs = ids(campaign), ids(other)
    with pytest.raises(control.Refused, match="no such message"):
        resend(campaign, theirs)
    assert resend(campaign, [*mine, *theirs]).of == mine


def test_two_presses_at_the_same_time_make_one_resend():
    campaign = doubtful(recipients=20)
    old, made, refused = ids(campaign), [], []

    def press():
        try:
            made.append(resend(campaign, old).new)
        except control.Refused as error:
            refused.append(str(error))
        finally:
            connection.close()

    presses = [threading.Thread(target=press) for _ in range(4)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert (len(made), len(refused)) == (1, 3)
    assert Message.objects.filter(resend_of__in=old).count() == 20
    assert all_holds()


def test_a_report_and_a_press_at_the_same_time_leave_all_true():
    campaign = doubtful(recipients=20)
    old = ids(campaign)

    def reports():
        for pk in old:
            report(pk)
        connection.close()

    other = threading.Thread(target=reports)
    other.start()
    try:
        done = resend(campaign, old)
        assert len(done.new) + len(done.left_out) == 20
    except control.Refused:
        pass
    other.join()
    assert Message.objects.filter(campaign=campaign, resend_of=None, state="accepted").count() == 20
    assert all_holds()


@pytest.mark.parametrize("hold", ["pause", "stop"])
def test_a_held_campaign_stays_held_and_sends_when_it_is_resumed(simulator, exotel_account, hold):
    campaign = doubtful(account=exotel_account, recipients=1)
    Campaign.objects.filter(pk=campaign.pk).update(state="running")
    control.pause(campaign) if hold == "pause" else control.stop_campaign(campaign.pk, exotel_account.pk, "Mend it.")
    resend(campaign, ids(campaign))
    dispatch.pump(exotel_account.pk)
    assert simulator.ledger() == []
    control.resume(fresh(campaign))
    dispatch.pump(exotel_account.pk)
    assert len(simulator.ledger()) == 1


def test_on_a_stopped_account_the_campaign_waits_with_the_reason():
    campaign = doubtful(recipients=1)
    control.stop_account(campaign.account_id, "No credit.")
    resend(campaign, ids(campaign))
    assert (fresh(campaign).state, fresh(campaign).state_reason) == ("stopped", "No credit.")


def test_a_cancelled_campaign_sends_nothing_again():
    campaign = doubtful(recipients=1)
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    with pytest.raises(control.Refused, match="cancelled"):
        resend(campaign, ids(campaign))


def test_a_finished_campaign_is_reopened_by_nothing_else():
    campaign = doubtful(recipients=1)
    with pytest.raises(control.Refused):
        control.resume(campaign)
    assert fresh(campaign).state == "finished"


def test_both_messages_tell_of_each_other():
    campaign = doubtful(recipients=1)
    (old,) = ids(campaign)
    (new,) = resend(campaign, [old]).new
    texts = [event.text for event in listing.history(Message.objects.get(pk=old))]
    assert f"Sent again by an operator as message {new}." in texts
    assert f"message {old} again" in listing.history(Message.objects.get(pk=new))[0].text
    found = listing.page(phone=str(builders.number(0))).rows
    assert [message.pk for message in found] == [new, old]


def test_ids_are_written_in_short():
    assert runs([4, 5, 6, 9, 11, 12]) == "4-6, 9, 11-12"
    assert runs([]) == ""


# The page -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def login(db):
    return as_role


def text(client, route="admin:unconfirmed", status=200, **query):
    response = client.get(reverse(route), query)
    assert response.status_code == status
    return response.content.decode()


def test_without_doubts_the_page_says_what_would_come_here(login):
    shown = text(login("Viewer"))
    assert "Nothing is in doubt" in shown and "You then see what is known" in shown
    assert "Nobody knows yet" not in shown


def test_doubts_are_shown_by_request_with_what_is_known(login):
    campaign = doubtful(recipients=3)
    Attempt.objects.update(http_status=502, strays=[{"Sid": "x"}])
    report(ids(campaign)[0])
    shown = text(login("Viewer"))
    assert "2 messages in 1 campaign" in shown
    assert "The answer did not come in time." in shown and "<code>502</code>" in shown
    assert "1 of its 3 messages is known by now" in shown and "1 item of Exotel&#x27;s answer" in shown
    assert "+91 98••• ••001" in shown and "98000 00001" not in shown
    assert "+91 98••• ••000" not in shown, "the settled one is gone"
    assert "unconfirmed/resend/" not in shown


def test_who_may_see_numbers_sees_them_and_who_may_launch_may_resend(login):
    campaign = doubtful(recipients=2)
    shown = text(login("Launcher"))
    assert "+91 98000 00001" in shown
    assert f"?request={Attempt.objects.get().pk.hex}" in shown and f"?message={ids(campaign)[0]}" in shown


def test_the_page_can_be_held_to_one_campaign(login):
    one, other = doubtful(recipients=1, name="Diwali"), doubtful(recipients=1, name="Pongal")
    shown = text(login("Viewer"), campaign=one.pk)
    assert shown.count('class="card doubt"') == 1
    assert reverse("admin:campaign", args=[one.pk]) in shown and reverse("admin:campaign", args=[other.pk]) not in shown


def test_many_doubts_come_a_page_at_a_time_newest_first(login):
    campaign = doubtful(recipients=70)
    client, all_ids = login("Viewer"), ids(campaign)
    first = text(client)
    assert reverse("admin:message", args=[all_ids[-1]]) in first and reverse("admin:message", args=[all_ids[0]]) not in first
    second = text(client, cursor=f"<{all_ids[20]}")
    assert reverse("admin:message", args=[all_ids[0]]) in second and 'rel="prev"' in second
    assert "not valid any more" in text(client, cursor="nonsense")


def test_after_three_days_the_outcome_is_called_unknown(login):
    campaign = doubtful(recipients=1)
    long_ago = timezone.now() - timezone.timedelta(hours=73)
    Message.objects.update(sent_at=long_ago)
    Attempt.objects.update(started_at=long_ago)
    client = login("Viewer")
    assert "Outcome unknown" in text(client)
    page = client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()
    assert "Outcome unknown" in page
    Message.objects.update(state="accepted", sid="s", delivery="awaiting")
    assert "No report after 72 h" in client.get(reverse("admin:message", args=[ids(campaign)[0]])).content.decode()
    Message.objects.update(sent_at=F("created_at"))
    assert "No report after 72 h" not in client.get(reverse("admin:message", args=[ids(campaign)[0]])).content.decode()


def test_the_totals_come_from_counters(login, django_assert_max_num_queries):
    doubtful(recipients=30)
    client = login("Viewer")
    with django_assert_max_num_queries(40) as asked:
        text(client)
    counting = [q["sql"] for q in asked.captured_queries if "COUNT(" in q["sql"].upper() and "campaigns_message" in q["sql"]]
    assert all("attempt_id" in sql for sql in counting), "only within the requests on the page"
    Count.objects.all().delete()
    assert "30 of 30 messages" in text(client) and "30 messages in 1 campaign" not in text(client)


# The question and the press -----------------------------------------------------------------------------------------


def press(client, wanted, typed=None, reason="They called us"):
    given = {"ids": ",".join(map(str, wanted)), "typed": len(wanted) if typed is None else typed, "reason": reason}
    return client.post(reverse("admin:unconfirmed_resend"), given, follow=True)


def test_the_question_says_that_it_may_arrive_twice_and_what_it_costs(login):
    campaign = doubtful(recipients=3)
    client = login("Launcher")
    shown = text(client, "admin:unconfirmed_resend", request=Attempt.objects.get().pk.hex)
    assert "Each of them may arrive twice." in shown and "3 messages" in shown and "₹" in shown
    assert "It may arrive twice." in text(client, "admin:unconfirmed_resend", message=ids(campaign)[0])


def test_an_operator_has_them_sent_again_and_it_is_audited(login):
    campaign = doubtful(recipients=3)
    response = press(login("Launcher"), ids(campaign))
    assert "3 messages will be sent again as new messages." in response.content.decode()
    assert Message.objects.filter(resend_of__isnull=False, state="pending").count() == 3
    event = AuditEvent.objects.get(action="campaign.resend")
    assert (event.actor, event.subject) == ("somebody-Launcher", f"campaign:{campaign.pk}")
    assert event.details["reason"] == "They called us" and event.details["messages"] == 3
    assert event.details["of"] == runs(ids(campaign, resend_of=None))


@pytest.mark.parametrize(("typed", "reason"), [("2", "good"), ("", "good"), ("three", "good"), ("3", ""), ("3", "  ")])
def test_without_the_number_and_a_reason_nothing_is_sent(login, typed, reason):
    campaign = doubtful(recipients=3)
    response = press(login("Launcher"), ids(campaign), typed, reason)
    assert response.status_code == 200 and "error" in response.content.decode()
    assert Message.objects.count() == 3
    assert not AuditEvent.objects.filter(action="campaign.resend").exists()


def test_a_second_press_is_told_so(login):
    campaign = doubtful(recipients=2)
    client, wanted = login("Launcher"), ids(campaign)
    press(client, wanted)
    assert "Nothing was sent again. It was sent again as message" in press(client, wanted).content.decode()
    assert Message.objects.count() == 4
    assert AuditEvent.objects.filter(action="campaign.resend").count() == 1


def test_who_was_settled_between_the_question_and_the_press_is_left_out(login):
    campaign = doubtful(recipients=2)
    wanted = ids(campaign)
    report(wanted[0])
    shown = press(login("Launcher"), wanted).content.decode()
    assert "1 message will be sent again" in shown and "1 message left out. It is accepted by now" in shown


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Auditor"])
def test_only_launchers_decide(login, role):
    campaign = doubtful(recipients=1)
    client = login(role)
    text(client, "admin:unconfirmed_resend", status=403, message=ids(campaign)[0])
    assert press(client, ids(campaign)).status_code == 403
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    "query", [{}, {"message": "0"}, {"message": "9" * 30}, {"request": "zz"}, {"request": "0" * 32}, {"message": "\x00"}]
)
def test_a_question_about_nothing_is_not_found(login, query):
    text(login("Launcher"), "admin:unconfirmed_resend", status=404, **query)


@pytest.mark.parametrize("wanted", ["", "x", "1,,2", "9" * 25, "-1", "1;2"])
def test_a_press_about_nothing_is_not_found(login, wanted):
    client = login("Launcher")
    assert (
        client.post(reverse("admin:unconfirmed_resend"), {"ids": wanted, "typed": "1", "reason": "why"}).status_code == 404
    )


# REST ---------------------------------------------------------------------------------------------------------------


def api(*scopes):
    client = APIClient()
    user = User.objects.create_user(f"robot-{'-'.join(scopes)}")
    _, token = ApiToken.issue(user=user, name="robot", scopes=list(scopes))
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client


def address(campaign):
    return f"/api/v1/campaigns/{campaign.pk}/resend-unconfirmed/"


def test_programs_resend_with_the_number_and_a_reason():
    campaign = doubtful(recipients=3)
    client = api("read", "launch")
    listed = client.get(f"/api/v1/campaigns/{campaign.pk}/messages/?status=unconfirmed").json()["results"]
    wanted = [message["id"] for message in listed]
    report(wanted[0])
    given = {"messages": wanted, "confirm": 3, "reason": "asked for by phone"}
    answer = client.post(address(campaign), given, format="json")
    assert answer.status_code == 201
    body = answer.json()
    assert body["resend_of"] == sorted(wanted[1:]) and len(body["messages"]) == 2
    assert body["left_out"][0]["id"] == wanted[0]
    assert client.get(f"/api/v1/messages/{body['messages'][0]}/").json()["resend_of"] == body["resend_of"][0]
    assert AuditEvent.objects.get(action="campaign.resend").details["messages"] == 2
    again = client.post(address(campaign), given, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_resend")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"confirm": 2}, "confirm"), ({"confirm": None}, "confirm"), ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages.0"), ({"messages": [10**30]}, "messages.0"), ({"reason": ""}, "reason"),
        ({"reason": "x" * 500}, "reason"), ({"messages": "all"}, "messages"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_problem_and_sends_nothing(change, field):
    campaign = doubtful(recipients=1)
    given = {"messages": ids(campaign), "confirm": 1, "reason": "because"} | change
    answer = api("launch").post(address(campaign), given, format="json")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert Message.objects.count() == 1


def test_the_scope_launch_is_needed_and_the_campaign_must_exist():
    campaign = doubtful(recipients=1)
    given = {"messages": ids(campaign), "confirm": 1, "reason": "because"}
    assert api("read", "write").post(address(campaign), given, format="json").status_code == 403
    assert api("launch").post("/api/v1/campaigns/999999/resend-unconfirmed/", given, format="json").status_code == 404


# Invariants ---------------------------------------------------------------------------------------------------------


def test_the_proof_notices_a_resend_to_somebody_else():
    campaign = doubtful(recipients=2)
    done = resend(campaign, ids(campaign))
    assert all_holds()
    Message.objects.filter(pk=done.new[0]).update(resend_of=done.of[1])
    assert any("another person" in breach for breach in recount.breaches())


def test_answers_that_leave_one_in_doubt_group_it_alone(login):
    campaign = builders.launched(recipients=3)
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    items = [ItemResult(0, Kind.ACCEPTED, "s0"), ItemResult(1, Kind.ACCEPTED, "s1"), ItemResult(2, Kind.UNCONFIRMED)]
    settle.settle(order, Outcome("answered", items, 200))
    shown = text(login("Launcher"))
    assert "1 of 3 messages" in shown and "2 of its 3 messages are known by now" in shown
    assert "Send it again" in shown
