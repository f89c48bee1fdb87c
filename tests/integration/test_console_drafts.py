"""A new campaign from file to launch: what each step shows, what it refuses and in which words, and that nothing happens twice."""

import html
import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import audience
from campaigns.admin.drafts import launch as launch_step
from campaigns.models import AuditEvent, Campaign, Import, Recipient, Suppression
from campaigns.models.states import ImportState
from campaigns.roles import create_roles
from tests import builders

pytestmark = pytest.mark.django_db

CSV = "mobile,name,amount\n98123 45670,Asha,10\n+919812345671,Ravi,20\n12345,Nobody,5\n9812345670,Asha again,10\n9812345672,,30\n"


@pytest.fixture
def operator(db, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    return client


@pytest.fixture
def setup(db):
    return {"account": builders.account(), "template": builders.template()}


def upload(text, name="people.csv"):
    return SimpleUploadedFile(name, text if isinstance(text, bytes) else text.encode(), "text/csv")


def begin(client, setup, text=CSV, **extra):
    data = {"name": "KYC reminder", "account": setup["account"].pk, "template": setup["template"].pk, "file": upload(text)}
    return client.post(reverse("admin:draft_new"), data, **extra)


def url(step, campaign, query=""):
    return reverse(f"admin:draft_{step}", args=[campaign.pk]) + query


def checked(client, setup, text=CSV):
    """A draft whose file has been read."""
    begin(client, setup, text)
    campaign = Campaign.objects.get()
    client.post(url("columns", campaign), {"phone": "mobile", "var1": "name", "var2": "amount"})
    assert audience.run(campaign.imports.get().pk)
    return campaign


def many(n):
    return "mobile,name,amount\n" + "".join(f"{9800000000 + i},Person {i},{i}\n" for i in range(n))


def test_a_file_makes_a_draft_and_leads_to_its_columns(operator, setup):
    response = begin(operator, setup)
    campaign = Campaign.objects.get()
    assert response["Location"] == url("columns", campaign)
    assert (campaign.state, campaign.created_by.username) == ("draft", "asha")
    text = operator.get(url("columns", campaign)).content.decode()
    assert "<option selected>mobile</option>" in text
    assert "98123 45670" in text


def test_an_upload_by_script_is_answered_with_where_to_go(operator, setup):
    response = begin(operator, setup, headers={"X-Requested-With": "XMLHttpRequest"})
    assert response.json() == {"next": url("columns", Campaign.objects.get())}


def paste(client, setup, text, **more):
    data = {"name": "KYC", "account": setup["account"].pk, "template": setup["template"].pk, "pasted": text} | more
    return client.post(reverse("admin:draft_new"), data)


def test_rows_pasted_from_a_spreadsheet_are_a_file_too(operator, setup):
    response = paste(operator, setup, "mobile\tname\tamount\r\n98123 45670\tAsha, Pune\t10\r\n")
    campaign = Campaign.objects.get()
    assert response["Location"] == url("columns", campaign)
    source = campaign.imports.get()
    assert (source.filename, source.delimiter, source.sample) == (
        "Pasted list", "\t", [["98123 45670", "Asha, Pune", "10"]],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        ("  \n ", {}, "Choose the file with the recipients, or paste"),
        ("name,city\nAsha,Pune\n", {}, "looks like phone numbers"),
        ("mobile,name,amount\n", {}, "no rows below it"),
        ("98123 45670,Asha\n", {}, "is a row already"),
        (CSV, {"file": upload(CSV)}, "take one of them away"),
    ],
)
def test_what_is_pasted_in_vain_makes_no_draft(operator, setup, text, more, words):
    response = paste(operator, setup, text, **more)
    assert words in html.unescape(response.content.decode())
    assert not Campaign.objects.exists() and not Import.objects.exists()


BAD_FILES = [
    ("empty", b"", "empty"),
    ("not text", b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00", ""),
    ("no phone column", b"name,amount\nAsha,10\n", "phone"),
    ("three names alike", b"mobile,name,name,name\n9812345670,a,b,c\n", "name"),
    ("header alone", b"mobile,name,amount\n", ""),
]


@pytest.mark.parametrize(("content", "word"), [row[1:] for row in BAD_FILES], ids=[row[0] for row in BAD_FILES])
@pytest.mark.parametrize("scripted", [False, True])
def test_an_unusable_file_is_refused_in_a_sentence_and_nothing_is_kept(operator, setup, content, word, scripted):
    headers = {"X-Requested-With": "XMLHttpRequest"} if scripted else {}
    response = begin(operator, setup, content, headers=headers)
    text = json.loads(response.content)["error"] if scripted else response.content.decode()
    assert response.status_code == (422 if scripted else 200)
    assert word in text and (scripted or "KYC reminder" in text)
    assert not Campaign.objects.exists() and not Import.objects.exists() and not AuditEvent.objects.exists()


def test_a_file_over_the_limit_is_refused_with_the_limit(operator, setup, settings):
    settings.UPLOAD_LIMIT_MB = 0
    assert "MB" in begin(operator, setup).content.decode()
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("missing", "words"),
    [("name", "Give the campaign a name"), ("account", "Choose an account first."), ("template", "Choose a template first."),
     ("file", "Choose the file with the recipients, or paste their rows.")],
)  # fmt: skip
def test_what_is_missing_is_named_beside_its_field(operator, setup, missing, words):
    data = {"name": "KYC", "account": setup["account"].pk, "template": setup["template"].pk, "file": upload(CSV)}
    del data[missing]
    text = operator.post(reverse("admin:draft_new"), data).content.decode()
    assert words in text
    assert not Campaign.objects.exists()


def test_the_preview_follows_the_columns_that_are_chosen(operator, setup):
    begin(operator, setup)
    campaign = Campaign.objects.get()
    chosen = "?phone=mobile&var1=amount&var2=name&row=1"
    text = operator.get(url("columns_preview", campaign, chosen)).content.decode()
    assert '<mark title="Variable 1">20</mark>' in text and '<mark title="Variable 2">Ravi</mark>' in text
    assert "Row 2 of the file" in text and "GSM-7" in text and "1 unit" in text


def test_a_character_that_forces_unicode_is_named_with_what_it_costs(operator, setup):
    begin(operator, setup, "mobile,name,amount\n9812345670,मीरा,10\n")
    text = operator.get(url("columns", Campaign.objects.get())).content.decode()
    assert "Unicode because of “म”" in text


@pytest.mark.parametrize(
    "query", ["?row=99999", "?row=-1", "?row=x", "?phone=none&var1=none&var2=none", "?file=99999", "?file=x"]
)
def test_the_preview_takes_any_nonsense(operator, setup, query):
    begin(operator, setup)
    assert operator.get(url("columns_preview", Campaign.objects.get(), query)).status_code == 200


@pytest.mark.parametrize(
    "columns",
    [{"phone": "", "var1": "name", "var2": "amount"}, {"phone": "mobile", "var1": "name", "var2": ""}, {},
     {"phone": "elsewhere", "var1": "name", "var2": "amount"}],
)  # fmt: skip
def test_columns_that_do_not_fit_are_refused_and_nothing_is_read(operator, setup, columns):
    begin(operator, setup)
    campaign = Campaign.objects.get()
    text = operator.post(url("columns", campaign), columns).content.decode()
    assert 'class="notice error"' in text
    assert Import.objects.get().state == ImportState.UPLOADED


def test_the_file_is_summed_up_with_reasons_and_a_download_of_just_those_rows(operator, setup):
    Suppression.objects.create(number=919812345671, reason="opt_out")
    campaign = checked(operator, setup)
    response = operator.get(url("file_state", campaign))
    text = response.content.decode()
    assert response.status_code == 286
    for words in ("<strong>1</strong> ready to send", "<strong>2</strong> not usable", "<strong>1</strong> repeated",
                  "<strong>1</strong> suppressed", "INVALID_PHONE", "MISSING_REQUIRED", "DUPLICATE_ENTRY"):  # fmt: skip
        assert words in text
    refused = operator.get(reverse("admin:import_errors", args=[campaign.imports.get().pk]))
    lines = b"".join(refused.streaming_content).decode()
    assert "12345,Nobody,5,INVALID_PHONE" in lines and "9812345670,Asha again,10,DUPLICATE_ENTRY" in lines
    assert "98123 45670,Asha,10" not in lines


def test_while_the_file_is_read_the_page_asks_again(operator, setup):
    begin(operator, setup)
    campaign = Campaign.objects.get()
    operator.post(url("columns", campaign), {"phone": "mobile", "var1": "name", "var2": "amount"})
    response = operator.get(url("file_state", campaign))
    assert response.status_code == 200
    assert 'hx-trigger="every 1s"' in response.content.decode()


def test_later_steps_wait_for_a_usable_row(operator, setup):
    begin(operator, setup)
    campaign = Campaign.objects.get()
    for step in ("message", "review", "launch"):
        response = operator.get(url(step, campaign), follow=True)
        assert response.redirect_chain[-1][0] == url("columns", campaign)
        assert "First a file must be read" in response.content.decode()


def test_every_recipient_can_be_looked_at(operator, setup):
    campaign = checked(operator, setup)
    first, second = Recipient.objects.order_by("id")
    text = operator.get(url("message", campaign, f"?recipient={second.pk}")).content.decode()
    assert "Ravi" in text and f"recipient={first.pk}" in text and "line 3 of people.csv" in text


def test_a_second_file_adds_its_people_and_repeats_nobody(operator, setup):
    campaign = checked(operator, setup)
    data = {"name": "KYC reminder", "account": setup["account"].pk, "template": setup["template"].pk}
    more = upload("mobile,name,amount\n9812345670,Asha,10\n9812345699,New,1\n", "more.csv")
    operator.post(url("file", campaign), {**data, "file": more})
    second = campaign.imports.latest("id")
    assert "more.csv was not read" in operator.get(url("review", campaign)).content.decode()
    operator.post(url("columns", campaign, f"?file={second.pk}"), {"phone": "mobile", "var1": "name", "var2": "amount"})
    audience.run(second.pk)
    assert campaign.recipients.count() == 3
    assert "not read" not in operator.get(url("review", campaign)).content.decode()


def test_errors_of_the_checks_block_and_say_what_to_mend(operator, setup):
    campaign = checked(operator, setup)
    account = setup["account"]
    account.credentials = b""
    account.save()
    text = operator.get(url("review", campaign)).content.decode()
    assert "has no API key and token" in text and "<code>NO_CREDENTIALS</code>" in text
    response = operator.post(url("review", campaign), {"accept": "yes"})
    assert response.status_code == 200
    operator.post(url("launch", campaign), {"key": "k", "accept": "yes"})
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_warnings_want_a_tick_before_the_launch(operator, setup, settings):
    campaign = checked(operator, setup)
    Campaign.objects.filter(pk=campaign.pk).update(sender_id="OTHERS")
    response = operator.post(url("review", campaign), {})
    assert "Tick this to go on" in response.content.decode()
    response = operator.post(url("review", campaign), {"accept": "yes"})
    assert response["Location"] == url("launch", campaign, "?accept=yes")
    refused = operator.post(url("launch", campaign), {"key": "k"}).content.decode()
    assert "Nothing was launched; the draft is kept." in refused
    operator.post(url("launch", campaign), {"key": "k", "accept": "yes"})
    campaign.refresh_from_db()
    assert campaign.state == "launching"


def test_one_press_launches_and_a_second_one_shows_the_campaign(operator, setup):
    campaign = checked(operator, setup)
    for _ in range(2):
        response = operator.post(url("launch", campaign), {"key": "the-same"})
        assert response["Location"] == reverse("admin:campaign", args=[campaign.pk])
    assert list(AuditEvent.objects.filter(action="campaign.launch").values_list("actor", flat=True)) == ["asha"]


def test_many_messages_want_their_number_typed(operator, setup, monkeypatch):
    monkeypatch.setattr(launch_step, "TYPED_ABOVE", 9)
    campaign = checked(operator, setup, many(12))
    assert 'name="typed"' in operator.get(url("launch", campaign)).content.decode()
    for typed in ("", "11", "1,2,3"):
        text = operator.post(url("launch", campaign), {"key": "k", "typed": typed}).content.decode()
        assert "This campaign has 12 messages" in text
    operator.post(url("launch", campaign), {"key": "k", "typed": " 1,2 "})
    campaign.refresh_from_db()
    assert campaign.state == "launching"


def test_a_start_is_planned_in_the_time_of_the_account(operator, setup):
    setup["account"].time_zone = "Asia/Dubai"
    setup["account"].save()
    campaign = checked(operator, setup)
    day = timezone.now().date() + timedelta(days=200)
    operator.post(url("review", campaign), {"schedule_at": f"{day}T10:00"})
    campaign.refresh_from_db()
    assert campaign.schedule_at.isoformat() == f"{day}T06:00:00+00:00"
    assert "Schedule 2 messages" in operator.get(url("launch", campaign)).content.decode()
    operator.post(url("launch", campaign), {"key": "k"})
    campaign.refresh_from_db()
    assert campaign.state == "scheduled"


@pytest.mark.parametrize(
    ("typed", "words"), [("2001-01-01T10:00", "This time has passed"), ("soon", "Write a date and a time")]
)
def test_a_start_that_cannot_be_is_refused(operator, setup, typed, words):
    campaign = checked(operator, setup)
    assert words in operator.post(url("review", campaign), {"schedule_at": typed}).content.decode()
    campaign.refresh_from_db()
    assert campaign.schedule_at is None


def test_a_launched_campaign_cannot_be_edited_any_more(operator):
    campaign = builders.launched()
    for step in ("file", "columns", "message", "review", "launch"):
        response = operator.get(url(step, campaign), follow=True)
        assert response.redirect_chain[-1][0] == reverse("admin:campaign", args=[campaign.pk])
        assert "launched already" in response.content.decode()


def test_a_colleague_goes_on_where_another_stopped(operator, setup):
    begin(operator, setup)
    create_roles()
    ravi = User.objects.create_user("ravi")
    ravi.groups.set(Group.objects.filter(name="Editor"))
    colleague = Client()
    colleague.force_login(ravi)
    response = colleague.get(reverse("admin:campaign", args=[Campaign.objects.get().pk]), follow=True)
    assert response.redirect_chain[-1][0] == url("columns", Campaign.objects.get())
    assert "draft by asha" in response.content.decode()


def test_without_account_or_template_the_first_thing_to_do_is_named(operator):
    assert "First connect an Exotel account" in operator.get(reverse("admin:draft_new")).content.decode()
    builders.account()
    assert "First add a template" in operator.get(reverse("admin:draft_new")).content.decode()
