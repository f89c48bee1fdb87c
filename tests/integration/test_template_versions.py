"""What a template ever sent is kept: each version, whose it was, by which door, and what it changed."""

import importlib
import io
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from campaigns.audience import template_export
from campaigns.models import Campaign, Template, TemplateVersion
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_template_export import DEFAULTS, ID

pytestmark = pytest.mark.django_db


@pytest.fixture
def asha():
    return User.objects.create_superuser("asha")


@pytest.fixture
def client(asha):
    client = Client()
    client.force_login(asha)
    return client


def form(**changes):
    return {
        "name": "Dues", "body": "Pay {#var#} now. -ACME", "header": "ACMEIN", "category": "service_implicit",
        "dlt_template_id": ID, "dlt_entity_id": builders.ENTITY, "status": "approved", "valid_until": "",
    } | changes  # fmt: skip


def kept(template):
    rows = TemplateVersion.objects.filter(template=template).order_by("version")
    return [(row.version, row.body, row.author and row.author.username, row.how) for row in rows]


def test_the_console_keeps_each_change_with_its_author(client):
    client.post(reverse("admin:campaigns_template_add"), form())
    template = Template.objects.get()
    page = reverse("admin:campaigns_template_change", args=[template.pk])
    client.post(page, form(body="Pay {#var#} today. -ACME"))
    client.post(page, form(body="Pay {#var#} today. -ACME", name="Our dues", status="rejected"))
    assert kept(template) == [
        (1, "Pay {#var#} now. -ACME", "asha", "console"), (2, "Pay {#var#} today. -ACME", "asha", "console"),
    ]  # fmt: skip
    text = client.get(page).content.decode()
    assert "<del>now.</del><ins>today.</ins>" in text
    assert "Version 2" in text and "on the console" in text


def test_rest_keeps_each_change_with_its_author():
    api = Api("read", "write")
    made = api.post("/templates/", form() | {"valid_until": None})
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    answer = api.client.patch(
        f"/api/v1/templates/{pk}/", {"header": "ACMEBK", "body": "Pay {#var#} today. -ACME"}, "application/json",
        headers=api.headers,
    )  # fmt: skip
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    found = api.get(f"/templates/{pk}/versions/").json()["results"]
    assert [(row["version"], row["author"], row["how"], row["changed"]) for row in found] == [
        (2, "asha", "api", ["body", "header"]), (1, "asha", "api", []),
    ]  # fmt: skip
    assert {"kind": "gone", "text": "now."} in found[0]["body_differences"]
    first = api.get(f"/templates/{pk}/versions/", page_size=1).json()
    second = api.get(f"/templates/{pk}/versions/", cursor=first["next"].split("cursor=")[1].split("&")[0]).json()
    assert [row["version"] for row in first["results"] + second["results"]] == [2, 1]
    assert second["results"][0]["changed"] == [] and second["next"] is None


@pytest.mark.parametrize("cursor", ["x", "-1", "9" * 30, "１"])
def test_a_made_up_cursor_is_refused(cursor):
    answer = Api("read").get(f"/templates/{builders.template().pk}/versions/", cursor=cursor)
    assert (answer.status_code, answer.json()["field"]) == (400, "cursor")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"body": "Pay {#war#}"}, "body"),
        ({"header": "AC1"}, "header"),
        ({"dlt_template_id": "x"}, "dlt_template_id"),
        ({"category": "x"}, "category"),
    ],
)
def test_a_bad_change_keeps_the_template_as_it_was(change, field):
    api, template = Api("write"), builders.template()
    answer = api.client.patch(f"/api/v1/templates/{template.pk}/", change, "application/json", headers=api.headers)
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.content
    assert len(kept(template)) == 1


def test_an_export_keeps_versions_with_as_many_statements_for_many_rows_as_for_few(asha, django_assert_max_num_queries):
    def take(rows, text):
        lines = "".join(f"15070000000000{i:05d},{text} {i}. -ACME,Dues {i}\n" for i in range(rows))
        content = io.BytesIO(f"Template ID,Content,Template Name\n{lines}".encode())
        return template_export.take(content, "export.csv", DEFAULTS, asha)

    with django_assert_max_num_queries(16):
        assert len(take(300, "Pay").added) == 300
    with django_assert_max_num_queries(16):
        assert len(take(300, "Pay now").changed) == 300
    with django_assert_max_num_queries(8):
        assert take(300, "Pay now").same == 300
    template = Template.objects.get(name="Dues 7")
    assert kept(template) == [(1, "Pay 7. -ACME", "asha", "import"), (2, "Pay now 7. -ACME", "asha", "import")]
    assert TemplateVersion.objects.count() == 600


def test_an_export_that_changes_only_the_status_makes_no_version(asha):
    for status in ("Approved", "Rejected"):
        text = f"Template ID,Content,Template Name,Status\n{ID},Pay now. -ACME,Dues,{status}\n"
        template_export.take(io.BytesIO(text.encode()), "export.csv", DEFAULTS, asha)
    template = Template.objects.get()
    assert (template.status, template.version, len(kept(template))) == ("rejected", 1, 1)


def test_an_export_that_names_a_template_twice_keeps_its_last_words(asha):
    text = f"Template ID,Content,Template Name\n{ID},Pay now. -ACME,Dues\n{ID},Pay today. -ACME,Dues\n"
    taken = template_export.take(io.BytesIO(text.encode()), "export.csv", DEFAULTS, asha)
    assert (taken.added, taken.changed) == (["Dues"], ["Dues"])
    assert kept(Template.objects.get()) == [(1, "Pay today. -ACME", "asha", "import")]


def test_an_old_copy_saved_later_takes_no_version_twice():
    template = builders.template()
    stale = Template.objects.get(pk=template.pk)
    template.body = "One {#var#} {#var#}"
    template.save()
    stale.header = "OTHERS"
    stale.save()
    assert [version for version, *_ in kept(template)] == [1, 2, 3]
    assert Template.objects.get().version == 3


def test_the_history_is_escaped_and_pages_back(client):
    template = builders.template()
    for i in range(7):
        template.body = f"<b>Pay {i}</b> {{#var#}} {{#var#}}"
        template.save()
    text = client.get(reverse("admin:campaigns_template_change", args=[template.pk])).content.decode()
    assert "<b>Pay" not in text and "&lt;b&gt;Pay" in text
    assert "All versions" in text and 'id="version-8"' in text and 'id="version-1"' not in text
    page = client.get(reverse("admin:template_versions", args=[template.pk])).content.decode()
    assert 'id="version-1"' in page and "The first version." in page
    page = client.get(reverse("admin:template_versions", args=[template.pk]), {"up_to": "3"}).content.decode()
    assert 'id="version-4"' not in page and 'id="version-3"' in page
    for odd in ("x", "9" * 18, "-1", "0"):
        assert client.get(reverse("admin:template_versions", args=[template.pk]), {"up_to": odd}).status_code == 200


def test_a_campaign_leads_to_the_version_it_was_launched_with(client):
    campaign = builders.launched(recipients=1)
    text = client.get(reverse("admin:campaign", args=[campaign.pk])).content.decode()
    address = f"{reverse('admin:template_versions', args=[campaign.template_id])}?up_to=1#version-1"
    assert f'<a href="{address}">version 1</a>' in text
    campaign.template.body += " more"
    campaign.template.save()
    assert Api("read").get(f"/campaigns/{campaign.pk}/").json()["template_version"] == 1
    draft = builders.campaign()
    assert Api("read").get(f"/campaigns/{draft.pk}/").json()["template_version"] is None


def test_the_migration_keeps_what_templates_are_and_what_campaigns_cost(asha):
    template = builders.template(created_by=asha)
    changed = builders.template(created_by=asha)
    Template.objects.filter(pk=changed.pk).update(version=4)
    campaign, draft = builders.launched(recipients=1), builders.campaign()
    TemplateVersion.objects.all().delete()
    Campaign.objects.update(unit_cost=None)
    migration = importlib.import_module("campaigns.migrations.0003_limits")
    migration.fill(apps, SimpleNamespace(connection=connection))
    assert kept(template) == [(1, builders.BODY, "asha", "")]
    assert kept(changed) == [(4, builders.BODY, None, "")]
    campaign.refresh_from_db()
    draft.refresh_from_db()
    assert (str(campaign.unit_cost), draft.unit_cost) == ("0.2000", None)
