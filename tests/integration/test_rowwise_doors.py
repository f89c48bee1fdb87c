"""Rows that choose for themselves, as people and programs see them: columns, previews, messages, reports, webhooks, REST."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import audience
from campaigns.insight import counts, measures
from campaigns.models import Campaign, Import, Message, Template
from campaigns.sending import control, intent
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_console_drafts import begin, operator, setup, url
from tests.integration.test_rowwise import MAPPING, draft, file, findings, hindi, hour, imported, launched
from tests.integration.test_webhook_events import NOWHERE, told, webhook

pytestmark = pytest.mark.django_db
__all__ = ["operator", "setup"]  # fixtures
COLUMNS = "mobile,name,amount,Language,Sender ID,Send at,Ref\n"
CHOSEN = {"phone": "mobile", "var1": "name", "var2": "amount"}
OWN = {"language": "Language", "header": "Sender ID", "schedule": "Send at", "reference": "Ref"}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def api():
    return Api("read", "write", "launch", "export", "numbers")


def people():
    at, _ = hour(hours=6)
    return f"{COLUMNS}9812345670,Asha,10,Hindi,ACMEBK,{at},INV-1\n9812345671,Ravi,20,,,,INV-2\n"


def page(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


# The console ---------------------------------------------------------------------------------------------------------


def test_optional_columns_are_guessed_shown_and_can_be_left_out(operator, setup):
    translation = hindi(name="Dues in Hindi")
    begin(operator, setup, people())
    campaign = Campaign.objects.get()
    assert {kind: campaign.imports.get().mapping.get(kind) for kind in OWN} == OWN
    shown = page(operator, url("columns", campaign))
    for words in ("INV-1 · INV-2", "Your reference", "Dues in Hindi", "<option selected>Sender ID</option>"):
        assert words in shown
    form = CHOSEN | OWN | {"header": "", "translation-hi": str(translation.pk)}
    preview = page(operator, url("columns_preview", campaign) + "?" + "&".join(f"{k}={v}" for k, v in form.items()))
    assert "प्रिय" in preview and "Not before" in preview and "ACMEBK to" not in preview
    operator.post(url("columns", campaign), form)
    source = campaign.imports.get()
    assert "header" not in source.mapping and source.mapping["language"] == "Language"
    assert list(campaign.translations.all()) == [translation]
    audience.run(source.pk)
    shown = page(operator, url("message", campaign))
    assert "प्रिय" in shown and "INV-1" in shown and "Language by row" in shown


def test_a_row_whose_cells_will_be_refused_is_told_so_beside_its_preview(operator, setup):
    begin(operator, setup, people().replace("Hindi", "Tamil"))
    campaign = Campaign.objects.get()
    form = "&".join(f"{k}={v}" for k, v in (CHOSEN | OWN).items())
    assert "No text in “Tamil” is chosen" in page(operator, url("columns_preview", campaign) + f"?{form}")
    Import.objects.update(sample=[["9812345670", "Asha", "10", "", "", "31/02/2026 10:00", ""]])
    assert "is no possible date and time" in page(operator, url("columns_preview", campaign) + f"?{form}")


def test_columns_and_translations_are_remembered_for_the_template(operator, setup):
    translation = hindi()
    begin(operator, setup, people())
    first = Campaign.objects.get()
    operator.post(url("columns", first), CHOSEN | OWN | {"reference": "", "translation-hi": str(translation.pk)})
    audience.run(first.imports.get().pk)
    begin(operator, setup, people().replace("98123", "97123"))
    second = Campaign.objects.exclude(pk=first.pk).get()
    assert second.imports.get().mapping == first.imports.get().mapping
    assert f'<option value="{translation.pk}" selected>' in page(operator, url("columns", second))


def test_without_texts_in_other_languages_a_language_column_is_left_alone(operator, setup):
    begin(operator, setup, people())
    campaign = Campaign.objects.get()
    assert "language" not in campaign.imports.get().mapping
    assert "The text in other languages" not in page(operator, url("columns", campaign))


def test_only_templates_that_fit_are_offered_as_translations(operator, setup):
    fits = hindi(name="Fits")
    for i, unfit in enumerate(
        ({"body": "एक {#var#}"}, {"dlt_entity_id": "1" * 19}, {"category": "service_explicit"}, {"archived": True},
         {"language": ""})
    ):  # fmt: skip
        hindi(**({"name": f"Unfit {i}"} | unfit))
    begin(operator, setup, people())
    shown = page(operator, url("columns", Campaign.objects.get()))
    assert f'<option value="{fits.pk}">Fits</option>' in shown and "Unfit" not in shown


def test_the_campaign_says_what_waits_for_its_hour(operator):
    at, _ = hour(days=2)
    campaign = draft()
    imported(file(f",ACMEBK,{at},A", f",,{at},B", ",,,"), campaign, MAPPING)
    launched(campaign)
    shown = page(operator, reverse("admin:campaign", args=[campaign.pk]))
    assert "2 messages wait for their own hours, the next at" in shown and "ACMEIN, ACMEBK" in shown
    message = Message.objects.get(recipient__reference="A")
    shown = page(operator, reverse("admin:message", args=[message.pk]))
    assert all(words in shown for words in ("Reference", "<dd>ACMEBK</dd>", "Not before"))


def test_a_templates_language_is_stored_as_its_code(operator):
    template = builders.template()
    fields = {
        name: getattr(template, name) for name in ("name", "body", "header", "category", "dlt_template_id", "dlt_entity_id")
    }
    address = reverse("admin:campaigns_template_change", args=[template.pk])
    operator.post(address, {**fields, "status": "approved", "language": "Tamil"})
    template.refresh_from_db()
    assert (template.language, template.version) == ("ta", 1)
    answer = operator.post(address, {**fields, "status": "approved", "language": "Klingon"})
    assert "“Klingon” is no language that is known here" in answer.content.decode()


# What waits ----------------------------------------------------------------------------------------------------------


def waiting():
    at, due = hour(days=2)
    campaign = draft()
    imported(file(f",ACMEBK,{at},A", ",,,B", ",,,C"), campaign, MAPPING)
    return launched(campaign), due


def test_progress_tells_what_waits_and_ends_no_sooner():
    campaign, due = waiting()
    progress = counts.progress(campaign, counts.for_campaign(campaign))
    assert (progress.later.messages, progress.later.alone, progress.held_up) == (1, False, "")
    assert progress.eta.timestamp() >= due
    intent.commit(builders.owner().pk, campaign.account_id)
    Message.objects.filter(campaign=campaign, state="in_flight").update(state="unconfirmed")
    progress = counts.progress(campaign, counts.for_campaign(campaign))
    assert progress.later.alone
    control.cancel(campaign)
    campaign.refresh_from_db()
    assert counts.progress(campaign, counts.for_campaign(campaign)).later is None


def test_what_waits_for_its_hour_is_not_stuck_until_its_hour_has_passed():
    campaign, due = waiting()
    now = timezone.now()
    assert measures.stuck(campaign.account, now)[0] == 2
    Message.objects.filter(campaign=campaign, due=1).update(due=due)
    assert measures.stuck(campaign.account, now) == (0, None)
    _, since = measures.stuck(campaign.account, now + timedelta(days=3))
    assert since.timestamp() == due


# Reports -------------------------------------------------------------------------------------------------------------


def test_the_report_gives_each_rows_reference(api):
    campaign = draft()
    imported(file(",,,=A1", ",,,"), campaign, MAPPING)
    launched(campaign)
    text = b"".join(api.get(f"/campaigns/{campaign.pk}/report.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["reference"] for row in rows] == ["'=A1", ""]


def test_a_webhook_is_told_the_reference():
    webhook(NOWHERE, "message.final")
    campaign = draft()
    imported(file(",,,A1", ",,,"), campaign, MAPPING)
    launched(campaign)
    control.cancel(campaign)
    control.wind_up(campaign.pk)
    [data] = told("message.final")
    assert [one["reference"] for one in data["messages"]] == ["A1", ""]


# REST ----------------------------------------------------------------------------------------------------------------


def started(api, draft, mapping=None, content=None):
    data = {"mapping": json.dumps(mapping)} if mapping else {}
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", content or people(), **data)
    if answer.status_code == 202:
        audience.run(answer.json()["import"])
    return answer


def made(api, **fields):
    template = builders.template(language="en")
    answer = api.post("/campaigns/", {"name": "Dues", "account": builders.account().pk, "template": template.pk} | fields)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_rows_of_a_campaign_made_by_rest_are_shown_as_they_go_out(api):
    translation = hindi()
    draft = made(api, translations=[translation.pk])
    assert draft["translations"] == [translation.pk]
    assert started(api, draft).status_code == 202
    source = api.get(f"/imports/{Import.objects.get().pk}/").json()
    assert {kind: source["mapping"][kind] for kind in OWN} == OWN and source["accepted"] == 2
    launched(Campaign.objects.get(pk=draft["id"]))
    rows = api.get(f"/campaigns/{draft['id']}/messages/").json()["results"]
    one = {row["reference"]: (row["sender_id"], row["language"], bool(row["due_at"])) for row in rows}
    assert one == {"INV-1": ("ACMEBK", "hi", True), "INV-2": ("ACMEIN", "en", False)}
    assert api.get(f"/messages/{rows[0]['id']}/").json()["reference"] == rows[0]["reference"]
    campaign = api.get(f"/campaigns/{draft['id']}/").json()
    assert (campaign["later"], campaign["next_due_at"]) == (1, max(row["due_at"] or "" for row in rows))
    assert campaign["eta"] >= campaign["next_due_at"]


def test_a_mapping_by_rest_names_or_leaves_out_optional_columns(api):
    draft = made(api)
    assert (
        started(api, draft, {"phone": "mobile", "vars": ["name", "amount"], "schedule": "", "header": ""}).status_code == 202
    )
    assert Import.objects.get().mapping == {"phone": "mobile", "vars": ["name", "amount"], "reference": "Ref"}
    answer = started(api, made(api), {"phone": "mobile", "vars": ["name", "amount"], "reference": "nope"})
    assert (answer.status_code, "no column “nope”" in answer.json()["detail"]) == (422, True)
    assert Import.objects.count() == 1


def test_json_rows_may_carry_them_too(api):
    draft = made(api)
    at, due = hour(hours=3)
    rows = [{"phone": "9812345670", "var1": "Asha", "var2": "1", "reference": "A", "sender_id": "ACMEBK", "send_at": at}]
    source = api.post(f"/campaigns/{draft['id']}/recipients/", rows).json()["import"]
    audience.run(source)
    kept = Campaign.objects.get(pk=draft["id"]).recipients.get()
    assert (kept.reference, kept.sender_no, kept.due) == ("A", 1, due)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"language": ""}, "does not say its language"),
        ({"language": "en"}, "are both in English"),
        ({"body": "एक {#var#}"}, "has 1 variables"),
        ({"dlt_entity_id": "1" * 19}, "another DLT entity"),
        ({"category": "service_explicit"}, "registered as Service explicit"),
    ],
)
def test_a_template_that_is_no_translation_is_refused_with_the_reason(api, fields, words):
    template = builders.template(language="en")
    body = {"name": "X", "account": builders.account().pk, "template": template.pk, "translations": [hindi(**fields).pk]}
    answer = api.post("/campaigns/", body)
    assert (answer.status_code, answer.json()["field"]) == (400, "translations")
    assert words in answer.json()["detail"]


@pytest.mark.parametrize("value", ["x", [0], ["a"], [[1]], {"a": 1}, None, [True]])
def test_translations_that_are_no_ids_are_refused(api, value):
    body = {"name": "X", "account": builders.account().pk, "template": builders.template().pk, "translations": value}
    assert api.post("/campaigns/", body).status_code == 400


def test_a_templates_language_by_rest_is_a_code_or_refused(api):
    body = {"name": "T", "body": "Dear {#var#}, hello there -ACME", "dlt_template_id": "1" * 19, "dlt_entity_id": "1" * 19,
            "header": "ACMEIN", "category": "service_implicit"}  # fmt: skip
    assert api.post("/templates/", body | {"language": "Hindi"}).json()["language"] == "hi"
    answer = api.post("/templates/", body | {"name": "U", "language": "Klingon"})
    assert (answer.status_code, answer.json()["field"]) == (400, "language")
    assert Template.objects.count() == 1


def test_one_message_carries_its_reference_and_a_key_holds_it(api):
    builders.account()
    body = {"to": "98123 45670", "template": builders.template().pk, "vars": ["Asha", "1"], "reference": "OTP-7"}
    key = {"Idempotency-Key": "k"}
    answer = api.post("/messages/", body, **key)
    assert (answer.status_code, answer.json()["reference"], answer.json()["sender_id"]) == (201, "OTP-7", "ACMEIN")
    assert api.post("/messages/", body, **key).status_code == 200
    assert api.post("/messages/", body | {"reference": "OTP-8"}, **key).json()["code"] == "key_used"
    answer = api.post("/messages/", body | {"reference": "x" * 101})
    assert (answer.status_code, answer.json()["field"]) == (400, "reference")


def test_findings_of_rows_are_in_the_preflight(api):
    campaign = draft()
    imported(file(",ACMEBK,,"), campaign, MAPPING)
    given = api.post(f"/campaigns/{campaign.pk}/preflight/").json()["findings"]
    assert [(one["code"], one["rows"]) for one in given if one["code"].startswith("ROW_")] == [("ROW_HEADER_DIFFERS", 1)]
    assert "ACMEBK" in findings(campaign)["ROW_HEADER_DIFFERS"].message


def test_whoever_may_not_make_campaigns_cannot_choose_columns():
    campaign = draft()
    imported(file(",,,"), campaign, MAPPING)
    assert Client().get(url("columns", campaign)).status_code == 302


def test_the_last_page_before_launch_says_what_rows_chose(operator):
    campaign = draft()
    imported(file(",OTHERS,,", f",,{hour(hours=3)[0]},", ",,,"), campaign, MAPPING)
    text = page(operator, reverse("admin:draft_launch", args=[campaign.pk]))
    assert "and by row OTHERS" in text
    assert "Rows that wait for their own hour: 1" in text
