"""Numbers of countries that an account does not send to are refused row by row, by name of the country."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from campaigns import audience
from campaigns.audience import suppressing
from campaigns.models import Account, Message, RowError, Suppression
from campaigns.sending import dispatch, launch
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_console_registers import account_form
from tests.integration.test_import import HEADER, imported, kept, refused

pytestmark = pytest.mark.django_db
FILE = HEADER + "+44 7400 123456,Asha,1\n98123 45670,Ravi,2\n+44 20 7946 0958,Meera,3\n+971501234567,Omar,4\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_an_account_sends_to_india_unless_it_is_told_otherwise():
    source = imported(FILE)
    assert (source.accepted, source.errors) == (1, {"INVALID_PHONE": 3})
    assert [(line, code, column) for line, code, column, _, _ in refused(source)] == [
        (2, "INVALID_PHONE", "mobile"), (4, "INVALID_PHONE", "mobile"), (5, "INVALID_PHONE", "mobile"),
    ]  # fmt: skip
    assert refused(source)[1][3] == (
        "+44 20 7946 0958 is a number of the United Kingdom (+44); this account sends only to India."
    )


def test_other_countries_are_taken_when_the_account_sends_to_them():
    account = builders.account(allowed_countries="IN, GB")
    source = imported(FILE, builders.campaign(account=account))
    assert [row[1] for row in kept(source)] == [447400123456, 919812345670]
    assert [row[3] for row in refused(source)] == [
        "+44 20 7946 0958 is not a mobile number of the United Kingdom (+44).",
        "+971 50 123 4567 is a number of the United Arab Emirates (+971); this account sends only to India and the United "
        "Kingdom.",
    ]


@pytest.mark.parametrize(("allowed", "status"), [("IN", 422), ("IN, GB", 201)])
def test_single_messages_are_held_to_the_same(allowed, status):
    builders.account(allowed_countries=allowed)
    api = Api("launch", "read", "numbers")
    answer = api.post("/messages/", {"to": "+447400123456", "template": builders.template().pk, "vars": ["A", "1"]})
    assert answer.status_code == status, answer.content
    if status == 422:
        assert (answer.json()["code"], answer.json()["field"]) == ("invalid_phone", "to")
        assert "of the United Kingdom (+44); this account sends only to India." in answer.json()["detail"]
    else:
        assert answer.json()["number"] == "+447400123456"


def test_rows_by_json_are_held_to_the_same():
    api, campaign = Api("read", "write"), builders.campaign()
    started = api.post(
        f"/campaigns/{campaign.pk}/recipients/", [{"phone": "+447400123456", "var1": "A", "var2": "1"}]
    ).json()
    audience.run(started["import"])
    assert "United Kingdom" in RowError.objects.get().message


def test_without_numbers_a_refused_number_is_masked_in_the_cell_and_in_the_sentence():
    source = imported(HEADER + "+44 7400 123456,Asha,1\n00447400123457,Ravi,447400123458\n")
    text = "".join(audience.errors_csv(source, whole_numbers=False))
    assert "7400" not in text.replace("447400123458", "") and "447400123458" in text  # an amount is no phone
    assert "is a number of the United Kingdom" in text
    assert "+44 7400 123456" in "".join(audience.errors_csv(source))


def test_fewer_countries_ask_to_read_the_file_again():
    account = builders.account(allowed_countries="IN, GB")
    campaign = builders.campaign(account=account)
    source = imported(FILE, campaign)
    for allowed, asked in (("IN, GB, NP", False), ("IN", True)):
        account.allowed_countries = allowed
        account.save()
        found = {finding.code: finding for finding in preflight(type(campaign).objects.get(pk=campaign.pk)).findings}
        assert ("COUNTRIES_CHANGED" in found) is asked
    assert "sent to the United Kingdom too" in found["COUNTRIES_CHANGED"].message
    source.terms = {}  # read before accounts had countries: that was India
    source.save()
    assert "COUNTRIES_CHANGED" not in {
        finding.code for finding in preflight(type(campaign).objects.get(pk=campaign.pk)).findings
    }


def test_the_accounts_page_takes_countries_and_names_what_is_none():
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    bad = client.post(reverse("admin:campaigns_account_add"), account_form(allowed_countries="IN, Atlantis"))
    assert "“Atlantis” is no country known here" in bad.content.decode()
    client.post(reverse("admin:campaigns_account_add"), account_form(allowed_countries="united kingdom, in, +977"))
    assert Account.objects.get().allowed_countries == "IN, GB, NP"
    client.post(
        reverse("admin:campaigns_account_change", args=[Account.objects.get().pk]), account_form(allowed_countries="")
    )
    assert Account.objects.get().allowed_countries == "IN"


def test_numbers_of_other_countries_can_be_suppressed_searched_and_read_back():
    row = Suppression(number=447400123456)
    row.full_clean()
    row.save()
    with pytest.raises(ValidationError):
        Suppression(number=4412).full_clean()
    api = Api("admin")
    assert [found["number"] for found in api.get("/suppressions/", number="+44 7400 123456").json()["results"]] == [
        "+447400123456"
    ]
    text = "".join(suppressing.suppression_csv())
    Suppression.objects.all().delete()
    answer = api.upload("/suppressions/import/", text, "list.csv", reason="manual")
    assert answer.json()["added"] == 1, answer.content
    assert Suppression.objects.get().number == 447400123456
    account = builders.account(allowed_countries="IN, GB")
    assert imported(FILE, builders.campaign(account=account)).suppressed == 1


@pytest.mark.django_db(transaction=True)
def test_a_number_of_ten_digits_with_its_country_is_sent_and_settled(simulator, exotel_account):
    Account.objects.update(allowed_countries="IN, SG")
    source = imported(HEADER + "+65 9123 4567,Wei,1\n98123 45670,Asha,2\n", builders.campaign(account=Account.objects.get()))
    assert [row[1] for row in kept(source)] == [6591234567, 919812345670]
    launch.launch(source.campaign, None, accept_warnings=True)
    launch.write_messages(source.campaign_id)
    dispatch.pump(exotel_account.pk)
    states = dict(Message.objects.values_list("number", "state"))
    assert states[919812345670] == "accepted" and states[6591234567] in {"accepted", "rejected"}


def test_a_list_of_a_draft_reads_a_paste_of_foreign_rows():
    account = builders.account(allowed_countries="+44")
    source = audience.receive(
        builders.campaign(account=account), io.BytesIO((HEADER + "447400123456,A,1\n").encode()), "x.csv", None
    )
    audience.start(source, source.mapping)
    audience.run(source.pk)
    source.refresh_from_db()
    assert source.accepted == 1
