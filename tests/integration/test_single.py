"""One message by API: checked like a row, sent before campaigns, and once for each key."""

import concurrent.futures

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.models import Account, AuditEvent, Campaign, Import, Message, Suppression, Template
from campaigns.sending import dispatch
from tests import builders
from tests.integration.test_api import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    return Api("read", "launch", "numbers")


@pytest.fixture
def template():
    return builders.template()


def body(template, **changed):
    return {"to": "98123 45670", "template": template.pk, "vars": ["Asha", "1.50"]} | changed


def test_a_message_is_written_at_once_and_answers_as_any_message(api, template):
    account = builders.account()
    answer = api.post("/messages/", body(template))
    assert answer.status_code == 201, answer.content
    given = answer.json()
    assert (given["state"], given["number"], given["units"]) == ("pending", "+919812345670", 1)
    assert api.get(f"/messages/{given['id']}/").json()["campaign"] == given["campaign"]
    campaign = Campaign.objects.get(pk=given["campaign"])
    assert (campaign.state, campaign.account, campaign.single, campaign.priority) == ("running", account, True, 2)
    assert AuditEvent.objects.filter(action="message.send").count() == 1


def test_it_is_left_out_of_the_lists_of_campaigns_and_shown_by_its_id(api, template):
    builders.account()
    given = api.post("/messages/", body(template)).json()
    assert api.get("/campaigns/").json()["results"] == []
    assert api.get(f"/campaigns/{given['campaign']}/").json()["counts"]["total"] == 1


@pytest.mark.parametrize(
    ("changed", "status", "field", "word"),
    [
        ({"to": "98123"}, 422, "to", "5 digits"),
        ({"to": "080 4768 8218"}, 422, "to", "landline"),
        ({"to": ""}, 400, "to", "blank"),
        ({"to": None}, 400, "to", "null"),
        ({"vars": ["Asha"]}, 400, "vars", "2 variables; 1 "),
        ({"vars": "Asha"}, 400, "vars", "list"),
        ({"vars": ["Asha", ""]}, 422, "vars.1", "empty"),
        ({"vars": ["Asha", "x" * 200]}, 422, "vars.1", "200 characters"),
        ({"vars": [["Asha"], "1"]}, 400, "vars.0", "valid string"),
        ({"template": 999_999}, 400, "template", "exist"),
        ({"template": 2**70}, 400, "template", ""),
        ({"account": 999_999}, 400, "account", "exist"),
        ({"sender_id": "a b"}, 400, "sender_id", "pattern"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_nothing_kept(api, template, changed, status, field, word):
    builders.account()
    answer = api.post("/messages/", body(template) | changed)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.content
    assert word in answer.json()["detail"]
    assert not Campaign.objects.exists() and not Import.objects.exists() and not Message.objects.exists()


def test_a_promotional_text_needs_a_campaign(api):
    builders.account()
    promotional = builders.template(category=Template.Category.PROMOTIONAL, header="123456")
    assert api.post("/messages/", body(promotional)).json()["errors"][0]["code"] == "promotional"


def test_a_suppressed_number_is_refused(api, template):
    account = builders.account()
    Suppression.objects.create(number=919812345670, account=account)
    answer = api.post("/messages/", body(template))
    assert (answer.status_code, answer.json()["code"]) == (422, "suppressed")


def test_of_several_accounts_one_must_be_named(api, template):
    first, _ = builders.account(), builders.account(account_sid="other1", name="Other")
    answer = api.post("/messages/", body(template))
    assert (answer.status_code, answer.json()["field"]) == (400, "account")
    assert api.post("/messages/", body(template, account=first.pk)).status_code == 201


def test_a_stopped_account_takes_no_message(api, template):
    builders.account(stopped_at=timezone.now(), stop_reason="The API key is wrong.")
    answer = api.post("/messages/", body(template))
    assert (answer.status_code, answer.json()["code"]) == (422, "preflight")
    assert "The API key is wrong." in answer.json()["findings"][0]["message"]
    assert not Campaign.objects.exists()


def test_a_key_sends_once_and_only_its_own_message(api, template):
    builders.account()
    first = api.post("/messages/", body(template), **{"Idempotency-Key": "otp-1"})
    again = api.post("/messages/", body(template), **{"Idempotency-Key": "otp-1"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = api.post("/messages/", body(template, to="9812345671"), **{"Idempotency-Key": "otp-1"})
    assert (other.status_code, other.json()["code"]) == (409, "key_used")
    assert api.post("/messages/", body(template)).status_code == 201  # without a key each is a message of its own
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_fifty_calls_with_one_key_are_one_message(api, template):
    builders.account()

    def call(_):
        try:
            return api.post("/messages/", body(template), **{"Idempotency-Key": "same"}).status_code
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = sorted(pool.map(call, range(50)))
    assert statuses == [200] * 49 + [201]
    assert Message.objects.count() == 1


def test_it_needs_the_scope_that_sends(template):
    builders.account()
    answer = Api("read", "write").post("/messages/", body(template))
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


@pytest.mark.django_db(transaction=True)
def test_it_goes_out_before_a_campaign_that_was_there_first(api, template, exotel_account):
    campaign = builders.launched(account=exotel_account, recipients=250)
    Account.objects.update(senders=1)
    given = api.post("/messages/", body(template)).json()
    dispatch.pump(exotel_account.pk)
    first = Message.objects.filter(state="accepted").order_by("sent_at").first()
    assert first.pk == given["id"]
    assert Message.objects.filter(campaign=campaign, state="accepted").count() == 250
    assert api.get(f"/campaigns/{given['campaign']}/").json()["state"] == "finished"


TEXT = "Dear Asha, your payment of Rs 1.50 is due. -ACME"


def finished(template, text, **changed):
    return {"to": "98123 45670", "template": template.pk, "body": text} | changed


def test_a_finished_text_is_sent_as_its_template_with_its_values(api, template):
    builders.account()
    answer = api.post("/messages/", finished(template, TEXT), **{"Idempotency-Key": "a"})
    assert answer.status_code == 201, answer.content
    campaign = Campaign.objects.get(pk=answer.json()["campaign"])
    assert campaign.recipients.get().cells == ["98123 45670", "Asha", "1.50"]
    again = api.post("/messages/", body(template), **{"Idempotency-Key": "a"})
    assert (again.status_code, again.json()["id"]) == (200, answer.json()["id"])


@pytest.mark.parametrize(
    ("text", "changed", "status", "field", "word"),
    [
        (TEXT.replace("Dear", "Hello"), {}, 400, "body", "At character 1"),
        (TEXT.replace("due. ", "due."), {}, 400, "body", "differ in spaces, signs or capitals alone"),
        (TEXT + " ", {}, 400, "body", "at its end"),
        (TEXT.replace("Asha", "Asha\nRao"), {}, 400, "body", "line breaks"),
        (TEXT.replace("Asha", "Asha\u200b"), {}, 400, "body", "nobody sees"),
        (TEXT.replace("Asha", "x" * 41), {}, 422, "vars.0", "41 characters"),
        (TEXT.replace("Asha", ""), {}, 422, "vars.0", "empty"),
        (TEXT, {"vars": ["Asha", "1.50"]}, 400, "vars", "either"),
        ("", {}, 400, "body", "blank"),
        ("x" * 2_001, {}, 400, "body", "2000"),
    ],
)
def test_a_finished_text_that_is_not_the_template_is_refused(api, template, text, changed, status, field, word):
    builders.account()
    answer = api.post("/messages/", finished(template, text, **changed))
    told = answer.json()
    assert (answer.status_code, told["field"]) == (status, field), told
    assert word in told["detail"]
    assert not Campaign.objects.exists() and not Message.objects.exists()
