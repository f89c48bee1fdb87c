"""Who may see and do what: each role, each door, and numbers whole or masked."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, Message, Suppression
from tests import builders
from tests.people import as_role

pytestmark = pytest.mark.django_db

WHOLE, MASKED = "+91 98000 00000", "+91 98••• ••000"


@pytest.fixture
def login(db):
    return as_role


@pytest.fixture
def world(db):
    return {
        "campaign": builders.launched(recipients=1),
        "draft": builders.campaign(recipients=1),
        "template": builders.template(),
        "suppression": Suppression.objects.create(number=builders.number(0)),
    }


ROLES = ("Viewer", "Editor", "Launcher", "Auditor", "Administrator")
GETS = [
    ("admin:index", "", "VELAU nobody-else"),
    ("admin:campaigns", "", "VELAU"),
    ("admin:campaign", "campaign", "VELAU"),
    ("admin:codes", "", "VELAU"),
    ("admin:unconfirmed", "", "VELAU"),
    ("admin:alerts", "", "VELAU"),
    ("admin:set_aside", "", "VELAU"),
    ("admin:replies", "", "VELAU"),
    ("admin:draft_new", "", "ELU"),
    ("admin:draft_review", "draft", "ELU"),
    ("admin:draft_launch", "draft", "ELU"),
    ("admin:campaign_report", "campaign", "LU"),
    ("admin:template_versions", "template", "VELAU"),
    ("admin:campaigns_template_add", "", "ELU"),
    ("admin:campaigns_account_add", "", "U"),
    ("admin:campaigns_apitoken_changelist", "", "AU"),
    ("admin:campaigns_auditevent_changelist", "", "AU"),
    ("admin:auth_user_changelist", "", "AU"),
    ("admin:auth_user_add", "", "U"),
]
LETTER = {"Viewer": "V", "Editor": "E", "Launcher": "L", "Auditor": "A", "Administrator": "U"}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("route", "about", "allowed"), GETS, ids=[row[0] for row in GETS])
def test_a_role_opens_what_it_may_and_is_told_what_it_lacks(login, world, role, route, about, allowed):
    response = login(role).get(reverse(route, args=[world[about].pk] if about else []))
    expected = 200 if LETTER[role] in allowed.split()[0] else 403
    assert response.status_code == expected
    if expected == 403:
        assert "Nothing was changed." in response.content.decode()


@pytest.mark.parametrize(
    ("role", "may"), [("Viewer", False), ("Editor", False), ("Auditor", False), ("Launcher", True), ("Administrator", True)]
)
def test_only_launchers_steer_a_campaign(login, world, role, may):
    client, campaign = login(role), world["campaign"]
    assert ('id="pause"' in client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()) is may
    client.post(reverse("admin:campaign_steer", args=[campaign.pk, "pause"]))
    campaign.refresh_from_db()
    assert (campaign.state == "paused") is may


@pytest.mark.parametrize(("role", "may"), [("Viewer", False), ("Editor", False), ("Launcher", True)])
def test_only_launchers_launch(login, world, role, may):
    draft = world["draft"]
    login(role).post(reverse("admin:draft_launch", args=[draft.pk]), {"key": "k"})
    draft.refresh_from_db()
    assert (draft.state == "launching") is may


def test_an_editor_is_told_who_launches(login, world):
    text = login("Editor").get(reverse("admin:draft_launch", args=[world["draft"].pk])).content.decode()
    assert "Tell a launcher" in text and "Launch 1 message" not in text


PLACES = ["/campaigns/{campaign}/", "/messages/{message}/", "/messages/?phone=9800000000", "/campaigns/suppression/",
          "/campaigns/suppression/{suppression}/change/", "/campaigns/{draft}/message/"]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("role", "whole"), [("Editor", False), ("Launcher", True)])
def test_numbers_are_masked_for_those_who_may_not_see_them(login, world, role, whole, place):
    ids = {name: row.pk for name, row in world.items()} | {"message": Message.objects.first().pk}
    text = login(role).get(place.format(**ids)).content.decode()
    assert (MASKED in text, WHOLE in text) == (not whole, whole)
    if not whole:
        assert "919800000000" not in text


def test_an_editor_changes_a_suppression_without_seeing_its_number(login, world):
    row = world["suppression"]
    login("Editor").post(
        reverse("admin:campaigns_suppression_change", args=[row.pk]),
        {"reason": "dnd", "note": "by letter", "account": "", "expires_at": ""},
    )
    row.refresh_from_db()
    assert (row.reason, row.number) == ("dnd", builders.number(0))


def test_somebody_without_a_role_is_told_to_ask_for_one(login):
    response = login("none of these").get("/")
    assert response.status_code == 403
    assert "Ask an administrator" in response.content.decode()


def test_a_switched_off_user_is_sent_to_the_login(login):
    client = login("Launcher")
    User.objects.update(is_active=False)
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("role", ROLES)
def test_the_menu_leads_nowhere_that_is_closed(login, world, role):
    client = login(role)
    text = client.get("/").content.decode()
    menu = text.partition('aria-label="Main"')[2].partition("</nav>")[0]
    links = [part.partition('"')[0] for part in menu.split('href="')[1:]]
    assert len(links) >= 5
    assert {link: client.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_a_draft_can_not_be_made_by_a_forged_form_of_another_site(world):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("asha"))
    response = client.post(reverse("admin:campaign_steer", args=[world["campaign"].pk, "cancel"]))
    assert response.status_code == 403
    assert "This page was too old to send" in response.content.decode()
    assert Campaign.objects.get(pk=world["campaign"].pk).state == "running"
