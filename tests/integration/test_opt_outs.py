"""People who write STOP: kept before 200, suppressed once, and taken back only by their own START."""

import http.client
import json
import logging
import uuid
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from callbacks import inbox
from callbacks.models import CallbackEvent
from campaigns.models import AuditEvent, InboundMessage, Suppression
from campaigns.roles import create_roles
from campaigns.sending import callback_urls, intent
from campaigns.text import keywords
from campaigns.text.window import IST
from tests import builders
from tests.integration.test_ingest import Server, server  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = 919812345670


@pytest.fixture
def account(transactional_db):
    return builders.account()


def address(account):
    return urlsplit(callback_urls.sign(account.callback_id, callback_urls.INBOUND)).path


def fields(body, sid="i1", minutes=0, **more):
    at = timezone.now().astimezone(IST) - timedelta(hours=1) + timedelta(minutes=minutes)
    return {
        "SmsSid": sid,
        "From": "09812345670",
        "To": "08047112233",
        "Date": f"{at:%Y-%m-%d %H:%M:%S}",
        "Body": body,
        **more,
    }


def write(account, *told):
    """Incoming SMS as the ingest stores them, applied."""
    for one in told:
        CallbackEvent.objects.create(
            kind="inbound", received_at=timezone.now(), attempt=account.callback_id, raw=urlencode(one).encode()
        )
    while inbox.apply_next():
        pass


def listed():
    return list(Suppression.objects.order_by("id").values_list("account_id", "number", "reason", "own_wish"))


def results():
    return list(CallbackEvent.objects.order_by("id").values_list("result", flat=True))


def actions():
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


# Taken ---------------------------------------------------------------------------------------------------------------


def test_an_sms_is_stored_before_the_flow_applet_gets_its_200(server, account):  # noqa: F811
    query = urlencode(fields("STOP"))
    answer = server.post(b"", path=f"{address(account)}?{query}", method="GET")
    assert (answer.status, answer.text) == (200, b"")
    event = CallbackEvent.objects.get()
    assert (event.kind, event.attempt, bytes(event.raw)) == ("inbound", account.callback_id, query.encode())
    inbox.drain()
    assert listed() == [(account.pk, NUMBER, "opt_out", True)]


def test_a_form_is_taken_as_well(server, account):  # noqa: F811
    assert server.post(urlencode(fields("STOP")).encode(), path=address(account)).status == 200
    inbox.drain()
    assert listed() == [(account.pk, NUMBER, "opt_out", True)]


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_no_other_method_is_taken(server, account, method):  # noqa: F811
    answer = server.post(b"", path=address(account), method=method)
    assert (answer.status, answer.getheader("Allow")) == (405, "GET, POST")


def test_clicks_are_posted_and_never_fetched(server, account):  # noqa: F811
    path = address(account).replace("/inbound/", "/clicks/")
    assert server.post(b"", path=path, method="GET").status == 405
    assert server.post(b"sid=l1", path=path).status == 200
    assert CallbackEvent.objects.get().kind == "click"


def test_a_forged_address_is_not_found_and_nothing_is_stored(server, account):  # noqa: F811
    good = address(account)
    for path in (
        good[:-1],
        good[:-1] + "g",
        good + "/",
        "/callbacks/inbound/",
        "/callbacks/inbound/k2/x",
        good.replace("k2", "k1"),
    ):
        assert server.post(b"", path=f"{path}?Body=STOP", method="GET").status == 404
        assert server.post(b"Body=STOP", path=path).status == 404
    assert not CallbackEvent.objects.exists()


def test_a_query_that_is_too_long_is_refused(server, account):  # noqa: F811
    assert server.post(b"", path=f"{address(account)}?Body={'x' * 17_000}", method="GET").status in {400, 413, 414}
    assert not CallbackEvent.objects.exists()


def test_neither_number_nor_text_nor_token_is_logged(server, account, caplog):  # noqa: F811
    with caplog.at_level(logging.DEBUG):
        server.post(b"", path=f"{address(account)}?{urlencode(fields('SECRETWORD'))}", method="GET")
    assert "/callbacks/inbound/" in caplog.text
    assert "SECRETWORD" not in caplog.text and "9812345670" not in caplog.text and account.callback_id.hex not in caplog.text


@pytest.mark.parametrize("query", ["%", "%%%", "From=%ff%fe&Body=%00", "=&=&", "From=" + "9" * 9_000, "Body=STOP"])
def test_nonsense_at_a_proven_address_is_kept_and_harms_nothing(server, account, query):  # noqa: F811
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    client.putrequest("GET", f"{address(account)}?{query}", skip_accept_encoding=True)
    client.endheaders()
    assert client.getresponse().status == 200
    client.close()
    inbox.drain()
    assert results()[0] in {"nonsense", "applied"}
    assert not Suppression.objects.exists()


# What it does --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ["STOP", " stop. ", "Band Karo", "OPT OUT", "Stop sending this"])
def test_a_word_of_leaving_suppresses_the_number_for_the_account(account, body):
    write(account, fields(body))
    row = Suppression.objects.get()
    assert (row.account, row.number, row.reason, row.expires_at) == (account, NUMBER, "opt_out", None)
    assert row.note.startswith("Asked by SMS on ")
    entry = AuditEvent.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("suppression.opt_out", "system", f"suppression:{row.pk}")
    assert entry.details["number"] == "+91 98••• ••670"


def test_whoever_opted_out_gets_nothing_more_of_a_running_campaign(transactional_db):
    campaign = builders.launched(numbers=[NUMBER, NUMBER + 1])
    write(campaign.account, fields("STOP"))
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    assert order.numbers == ["9812345671"]


def test_a_repeated_callback_changes_nothing(account):
    told = fields("STOP")
    write(account, told, told)
    write(account, told)
    assert results() == ["applied", "duplicate", "duplicate"]
    assert len(listed()) == InboundMessage.objects.count() == len(actions()) == 1


def test_a_late_repetition_of_stop_does_not_undo_start(account):
    stop = fields("STOP", "i1")
    write(account, stop, fields("START", "i2", 1))
    write(account, stop)
    assert listed() == []
    assert actions() == ["suppression.opt_out", "suppression.opt_in"] or actions() == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_written_last_counts_in_whatever_order_it_arrives(account, order, at_once):
    said = [fields("STOP", "i1", 0), fields("START", "i2", 1), fields("STOP", "i3", 2)]
    for batch in [[said[i] for i in order]] if at_once else [[said[i]] for i in order]:
        write(account, *batch)
    assert listed() == [(account.pk, NUMBER, "opt_out", True)]


def test_of_one_second_leaving_counts(account):
    write(account, fields("STOP", "i1"), fields("START", "i2"))
    assert len(listed()) == 1


def test_start_takes_back_only_what_the_persons_own_stop_began(account):
    Suppression.objects.create(account=account, number=NUMBER, reason="manual", note="a complaint")
    Suppression.objects.create(number=NUMBER, reason="opt_out", note="entered by hand")
    write(account, fields("STOP", "i1"), fields("START", "i2", 1))
    assert [(row[2], row[3]) for row in listed()] == [("manual", False), ("opt_out", False)]
    assert actions() == []


def test_a_stop_outlives_a_listing_for_a_time(account):
    until = timezone.now() + timedelta(days=1)
    Suppression.objects.create(account=account, number=NUMBER, reason="invalid", note="for now", expires_at=until)
    write(account, fields("STOP", "i1"))
    row = Suppression.objects.get()
    assert (row.reason, row.expires_at, row.own_wish) == ("opt_out", None, False)
    assert "before: Number not in service. for now" in row.note
    write(account, fields("START", "i2", 1))
    assert Suppression.objects.exists()


def test_a_listing_that_is_over_is_the_persons_own_again(account):
    Suppression.objects.create(account=account, number=NUMBER, expires_at=timezone.now() - timedelta(days=1))
    write(account, fields("STOP", "i1"))
    assert listed() == [(account.pk, NUMBER, "opt_out", True)]
    write(account, fields("START", "i2", 1))
    assert listed() == []


def test_each_account_has_words_of_its_own(account):
    account.stop_words = "BASTA"
    account.save()
    write(account, fields("STOP", "i1"))
    assert listed() == []
    write(account, fields("basta!", "i2"))
    assert len(listed()) == 1


def test_any_other_text_is_kept_and_does_nothing(account):
    write(account, fields("Is it open today?"), fields("", "i2"))
    assert list(InboundMessage.objects.order_by("id").values_list("text", "wish", "number", "channel")) == [
        ("Is it open today?", "", NUMBER, "sms"), ("", "", NUMBER, "sms"),
    ]  # fmt: skip
    assert not Suppression.objects.exists()


def test_a_sender_that_is_no_mobile_number_is_kept_and_not_suppressed(account):
    write(account, fields("STOP", From="VK-ACMEIN"))
    assert InboundMessage.objects.get().number == 0
    assert not Suppression.objects.exists()


def test_two_messages_without_sid_and_time_are_two(account):
    bare = {"From": "09812345670", "Body": "hello"}
    write(account, bare)
    write(account, bare)
    assert InboundMessage.objects.count() == 2


def test_a_message_to_an_account_that_is_not_known_is_parked(account):
    CallbackEvent.objects.create(
        kind="inbound", received_at=timezone.now(), attempt=uuid.uuid4(), raw=urlencode(fields("STOP")).encode()
    )
    inbox.apply_next()
    assert results() == ["parked"]


def test_whoever_writes_stop_by_whatsapp_is_suppressed_too(transactional_db):
    campaign = builders.launched(recipients=1)
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    dlr = {"callback_type": "dlr", "sid": "w1", "to": "+919800000000", "exo_detailed_status": "EX_MESSAGE_SEEN"}
    stop = {"callback_type": "icm", "sid": "in1", "from": "+919800000000", "timestamp": timezone.now().isoformat(),
            "content": {"type": "text", "text": {"body": "STOP"}}}  # fmt: skip
    raw = json.dumps({"whatsapp": {"messages": [dlr, stop]}}).encode()
    for _ in range(2):
        CallbackEvent.objects.create(received_at=timezone.now(), attempt=order.attempt.pk, raw=raw)
    inbox.drain()
    assert listed() == [(campaign.account_id, 919800000000, "opt_out", True)]
    assert InboundMessage.objects.get().channel == "whatsapp"
    assert results() == ["applied", "duplicate"]


# Shown ---------------------------------------------------------------------------------------------------------------


def login(role):
    create_roles()
    user = User.objects.create_user(role)
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    return client


def test_the_accounts_page_shows_the_address_for_exotel_and_its_words(account):
    text = login("Administrator").get(reverse("admin:campaigns_account_change", args=[account.pk])).content.decode()
    assert callback_urls.sign(account.callback_id, callback_urls.INBOUND) in text
    assert keywords.STOP in text


def test_a_word_cannot_opt_out_and_in(account):
    account.start_words = "unstop, Stop"
    with pytest.raises(Exception, match="“stop” opts out already"):
        account.clean()


def test_an_empty_list_of_words_means_the_usual_ones(account):
    account.stop_words = ""
    account.clean()
    assert account.stop_words == keywords.STOP


@pytest.mark.parametrize(("role", "whole"), [("Viewer", False), ("Launcher", True)])
def test_replies_are_listed_with_numbers_masked_for_those_who_may_not_see_them(account, role, whole):
    write(account, fields("STOP", "i1"), fields("Call 98765 43210 <b>now</b>", "i2"))
    text = login(role).get(reverse("admin:replies")).content.decode()
    assert ("+91 98123 45670" in text) is whole
    assert ("98765 43210" in text) is whole
    assert "Opted out" in text and "<b>now" not in text and account.name in text


def test_replies_are_shown_a_page_at_a_time(account):
    write(account, *[fields(f"hello {i}.", f"i{i}") for i in range(60)])
    client, seen, url = login("Viewer"), [], reverse("admin:replies")
    for _ in range(3):
        response = client.get(url)
        seen += [row.text for row in response.context["rows"]]
        url = reverse("admin:replies") + response.context["older"]
    assert (len(seen), len(set(seen)), response.context["older"]) == (60, 60, "")
    assert client.get(reverse("admin:replies") + response.context["newer"]).context["rows"][0].text == "hello 34."


def test_without_replies_the_page_says_how_to_get_them(account):
    assert "Nobody has written yet" in login("Viewer").get(reverse("admin:replies")).content.decode()


def test_a_word_with_any_bytes_around_it_is_read_alike_on_both_databases(account):
    for i, body in enumerate(["STOP\x00", "\ud800STOP".encode("utf-8", "replace").decode(), "STOP\u200b", "%"]):
        raw = f"SmsSid=i{i}&From=09812345670&Body={quote(body)}".encode()
        CallbackEvent.objects.create(kind="inbound", received_at=timezone.now(), attempt=account.callback_id, raw=raw)
    inbox.drain()
    assert set(results()) == {"applied"}
    assert len(listed()) == 1
