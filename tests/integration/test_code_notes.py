"""Administrators' notes on codes: laid over the dictionary everywhere, without a release."""

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

from campaigns.exotel import codes
from campaigns.exotel.codes import overlay
from campaigns.exotel.codes.stored import of_message
from campaigns.insight import code_notes
from campaigns.models import CodeNote, Count
from campaigns.roles import create_roles
from tests import builders

pytestmark = pytest.mark.django_db
KEY = {"provider": "exotel", "channel": "sms", "namespace": "status"}
FORM = KEY | {"code": "23999", "title": "Filter of an operator", "meaning": "Jio filters this header.", "remedy": "",
              "actor": "dlt_admin", "retryable": "unknown"}  # fmt: skip


@pytest.fixture(autouse=True)
def overlaid():
    codes.set_overlay(code_notes.corrections, seconds=60)


def failed(code, n=7):
    campaign = builders.launched(recipients=1)
    Count.objects.create(campaign=campaign, quarter=1, state="accepted", delivery="failed", code=code, n=n, units=n)
    return campaign


def test_a_note_on_an_unknown_code_is_what_pages_say_of_it(admin_client):
    failed("23999")
    page = admin_client.get(reverse("admin:codes")).content.decode()
    assert "Received, and not in the dictionary" in page
    assert "23999" in page
    added = admin_client.post(reverse("admin:campaigns_codenote_add"), FORM)
    assert added.status_code == 302, added.context["adminform"].errors
    assert of_message("23999").title == "Filter of an operator"
    assert "Jio filters this header." in admin_client.get(reverse("admin:codes")).content.decode()


def test_a_correction_changes_what_is_filled_and_leaves_the_rest():
    shipped = of_message("23030")
    CodeNote.objects.create(**KEY, code="23030", remedy="Call our account manager.")
    overlay.refresh()
    row = of_message("23030")
    assert (row.remedy, row.meaning, row.overlaid) == ("Call our account manager.", shipped.meaning, True)


def test_a_deleted_note_leaves_the_row_as_shipped(admin_client):
    note = CodeNote.objects.create(**KEY, code="23030", title="Ours")
    overlay.refresh()
    assert of_message("23030").title == "Ours"
    admin_client.post(reverse("admin:campaigns_codenote_delete", args=[note.pk]), {"post": "yes"})
    assert of_message("23030").title != "Ours"


def test_the_link_from_a_code_leads_to_its_note_or_to_a_new_one_with_its_key(admin_client):
    query = "?provider=exotel&channel=sms&namespace=status&code=23030"
    first = admin_client.get(reverse("admin:code_note") + query)
    assert first.url.startswith(reverse("admin:campaigns_codenote_add"))
    assert 'value="23030"' in admin_client.get(first.url).content.decode()
    note = CodeNote.objects.create(**KEY, code="23030", title="Ours")
    assert admin_client.get(reverse("admin:code_note") + query).url == reverse(
        "admin:campaigns_codenote_change", args=[note.pk]
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": "", "meaning": "", "actor": ""}, "Write a title, meaning or remedy"),
        ({"code": ""}, "required"),
        ({"code": "a b"}, "Use letters, digits"),
        ({"code": "x" * 33}, "at most 32"),
    ],
)
def test_a_note_that_says_nothing_or_names_no_code_is_refused(admin_client, change, words):
    page = admin_client.post(reverse("admin:campaigns_codenote_add"), FORM | change)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert not CodeNote.objects.exists()


def test_a_second_note_on_one_code_is_refused(admin_client):
    admin_client.post(reverse("admin:campaigns_codenote_add"), FORM)
    page = admin_client.post(reverse("admin:campaigns_codenote_add"), FORM)
    assert "There is a note on this code already" in page.content.decode()


@pytest.mark.parametrize(("role", "status"), [("Viewer", 403), ("Launcher", 403), ("Auditor", 403), ("Administrator", 200)])
def test_only_administrators_write_notes(client, role, status):
    create_roles()
    user = User.objects.create_user("asha")
    user.groups.set(Group.objects.filter(name=role))
    client.force_login(user)
    assert client.get(reverse("admin:campaigns_codenote_add")).status_code == status
    assert client.get(reverse("admin:code_note") + "?code=1").status_code == {200: 302}.get(status, status)


def test_the_whole_dictionary_shows_the_note():
    CodeNote.objects.create(**KEY, code="23030", title="Ours", meaning="Ours too.")
    overlay.refresh()
    assert any(row.title == "Ours" for row in codes.every("exotel", "sms", "status"))
