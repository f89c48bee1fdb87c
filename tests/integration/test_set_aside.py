"""Callbacks that were set aside: shown with their reason, safely, and given to the inbox once more."""

import uuid
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from callbacks import inbox
from callbacks.console import set_aside
from callbacks.models import CallbackEvent
from campaigns import bulk
from campaigns.models import AuditEvent, Message
from campaigns.roles import create_roles
from campaigns.sending import intent
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
Result = CallbackEvent.Result
TABS = ("quarantined", "parked", "nonsense", "conflicts")


def login(role):
    create_roles()
    user = User.objects.create_user(role)
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sent(transactional_db):
    campaign = builders.launched(recipients=3, name="Diwali")
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    return order


def report(i, code="20005", status="sent", **more):
    return {"SmsSid": f"sid{i}", "To": f"098000{i:05d}", "Status": status, "DetailedStatusCode": code, **more}


def store(attempt, *told, **values):
    for one in told:
        raw = one if isinstance(one, bytes) else urlencode(one).encode()
        CallbackEvent.objects.create(received_at=timezone.now(), attempt=attempt, raw=raw, **values)
    while inbox.apply_next():
        pass


def page(client, tab="quarantined", query=""):
    response = client.get(reverse("admin:set_aside") + f"?tab={tab}{query}")
    assert response.status_code == 200
    return response


def text(client, tab="quarantined"):
    return page(client, tab).content.decode()


def again(client, **given):
    return client.post(reverse("admin:set_aside_again"), given, follow=True).content.decode()


@pytest.fixture
def launcher(transactional_db):
    return login("Launcher")


# Shown ---------------------------------------------------------------------------------------------------------------


def test_a_quarantined_callback_is_shown_with_reason_campaign_message_and_content(sent, launcher):
    store(sent.attempt.pk, report(0), report(0, SmsSid="other"), report(77))
    shown = text(launcher)
    assert "The report carries another Sid than Exotel&#x27;s answer did." in shown
    assert "The report names a number that was not in this request." in shown
    assert "Diwali" in shown and reverse("admin:message", args=[sent.ids[0]]) in shown
    assert "SmsSid: other" in shown and "To: 09800000077" in shown
    assert "Status report" in shown


def test_a_parked_callback_says_when_it_is_tried_again(sent, launcher):
    store(uuid.uuid4(), report(0))
    assert "1 time, again at" in text(launcher, "parked")
    CallbackEvent.objects.update(next_try_at=None)
    assert "not any more by itself" in text(launcher, "parked")


def test_nonsense_is_shown_as_it_was(sent, launcher):
    store(sent.attempt.pk, b"hello=world", b"")
    shown = text(launcher, "nonsense")
    assert "It holds no status." in shown and "hello: world" in shown and "Nothing: it was empty." in shown


def test_messages_reported_both_failed_and_delivered_are_listed_with_what_counts(sent, launcher):
    store(sent.attempt.pk, report(1, "23050", "failed"), report(1))
    shown = text(launcher, "conflicts")
    assert "+91 98000 00001" in shown and "Delivered" in shown and reverse("admin:message", args=[sent.ids[1]]) in shown
    assert "Apply" not in shown


@pytest.mark.parametrize("tab", TABS)
def test_an_empty_tab_says_so(launcher, tab):
    assert set_aside.BY_KEY[tab].empty in text(launcher, tab)


def test_an_unknown_tab_is_not_found(launcher):
    assert launcher.get(reverse("admin:set_aside") + "?tab=applied").status_code == 404


def test_numbers_are_masked_for_those_who_may_not_see_them(sent):
    store(
        sent.attempt.pk,
        report(77),
        b'{"Status": "sent", "To": "+91 98000 00078", "SmsSid": "x"}',
        report(1),
        report(1, "23050", "failed"),
    )
    viewer = login("Viewer")
    for tab in TABS:
        shown = text(viewer, tab)
        assert "9800000077" not in shown and "98000 00078" not in shown and "98000 00001" not in shown
    assert "••••077" in text(viewer) and "Apply" not in text(viewer)


@pytest.mark.parametrize(
    "raw",
    [
        b"Status=<script>alert(1)</script>&To=1",
        b"<img src=x onerror=alert(1)>",
        b'{"</div><script>": "alert(1)"}',
        bytes(range(256)) * 60,
    ],
)
def test_hostile_bytes_are_shown_as_harmless_text(sent, launcher, raw):
    CallbackEvent.objects.create(
        received_at=timezone.now(), attempt=sent.attempt.pk, raw=raw, result="nonsense", reason="<script>alert(2)</script>"
    )
    shown = text(launcher, "nonsense")
    assert "<script>alert" not in shown and "<img src=x" not in shown and "</div><script>" not in shown


def test_a_tab_is_shown_a_page_at_a_time_without_counting(sent, launcher):
    store(sent.attempt.pk, *[report(100 + i) for i in range(60)])
    seen, query = [], ""
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            response = page(launcher, query=query)
            seen += [row.event.pk for row in response.context["rows"]]
            query = "&" + response.context["older"].partition("&")[2]
    assert (len(seen), len(set(seen))) == (60, 60) and seen == sorted(seen, reverse=True)
    assert response.context["older"] == ""
    assert not [query["sql"] for query in queries if "COUNT(" in query["sql"].upper() and "callbackevent" in query["sql"]]
    newer = "&" + response.context["newer"].partition("&")[2]
    assert [row.event.pk for row in page(launcher, query=newer).context["rows"]] == seen[25:50]


def test_the_pages_use_their_index(sent):
    wanted = [(set_aside._events(set_aside.BY_KEY[tab]), "callbacks_set_aside") for tab in TABS[:3]]
    wanted.append((set_aside._conflicts().select_related(None), "conflicting_messages"))
    with bulk.transaction(), connection.cursor() as cursor:
        if bulk.is_postgres():
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
        for rows, index in wanted:
            assert index in rows.order_by("-pk")[:26].explain()


# Applied again -------------------------------------------------------------------------------------------------------


def test_one_callback_is_applied_again_and_it_is_audited(sent, launcher):
    store(uuid.uuid4(), report(0), report(1))
    CallbackEvent.objects.update(attempt=sent.attempt.pk)
    one = CallbackEvent.objects.order_by("id").first()
    OrmQ.objects.all().delete()
    assert "1 callback will be applied again" in again(launcher, tab="parked", id=one.pk)
    assert OrmQ.objects.count() == 1
    assert list(CallbackEvent.objects.order_by("id").values_list("result", "tries")) == [("", 0), ("parked", 1)]
    inbox.apply_next()
    assert Message.objects.get(pk=sent.ids[0]).delivery == "delivered"
    entry = AuditEvent.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("callback.apply_again", f"callback:{one.pk}", "Launcher")


@pytest.mark.parametrize("chunk", [2, 5_000])
def test_all_of_a_tab_are_applied_again_and_others_stay(sent, launcher, monkeypatch, chunk):
    monkeypatch.setattr(set_aside, "CHUNK", chunk)
    store(uuid.uuid4(), report(0), report(1), report(2))
    store(sent.attempt.pk, report(88), b"x=y")
    CallbackEvent.objects.filter(result="parked").update(
        attempt=sent.attempt.pk, next_try_at=timezone.now() + timedelta(days=1)
    )
    assert "3 callbacks will be applied again" in again(launcher, tab="parked")
    inbox.drain()
    assert list(CallbackEvent.objects.order_by("id").values_list("result", flat=True)) == [
        "applied", "applied", "applied", "quarantined", "nonsense",
    ]  # fmt: skip
    assert AuditEvent.objects.get().details == {"callbacks": 3, "tab": "parked"}


def test_what_cannot_be_applied_again_comes_back_with_its_reason(sent, launcher):
    store(sent.attempt.pk, report(88))
    again(launcher, tab="quarantined")
    inbox.apply_next()
    event = CallbackEvent.objects.get()
    assert (event.result, event.reason, event.tries) == (
        "quarantined",
        "The report names a number that was not in this request.",
        1,
    )


def test_nothing_left_to_apply_is_said_and_not_audited(sent, launcher):
    assert "Nothing was left to apply" in again(launcher, tab="parked")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {"tab": "conflicts"},
        {"tab": "applied"},
        {"tab": ""},
        {},
        {"tab": "parked", "id": "x"},
        {"tab": "parked", "id": "9" * 30},
    ],
)
def test_whatever_else_is_asked_for_is_not_found(launcher, given):
    assert launcher.post(reverse("admin:set_aside_again"), given).status_code == 404


def test_an_applied_callback_is_never_reset(sent, launcher):
    store(sent.attempt.pk, report(0))
    one = CallbackEvent.objects.get()
    for tab in TABS[:3]:
        again(launcher, tab=tab, id=one.pk)
        again(launcher, tab=tab)
    assert CallbackEvent.objects.get().result == Result.APPLIED


@pytest.mark.parametrize("role", ["Viewer", "Editor", "Auditor"])
def test_only_launchers_apply_again(sent, role):
    store(sent.attempt.pk, report(88))
    assert login(role).post(reverse("admin:set_aside_again"), {"tab": "quarantined"}).status_code == 403
    assert CallbackEvent.objects.get().result == "quarantined"


def test_it_is_not_done_by_following_a_link(launcher):
    assert launcher.get(reverse("admin:set_aside_again")).status_code == 405
