"""What cannot be sent is refused before the launch, by field or row and in a sentence, and leaves nothing half-done."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import audience
from campaigns.admin.registers.accounts import AccountForm
from campaigns.models import Account, Campaign, Import, Message, Recipient
from campaigns.sending import intent, launch, preflight, schedule
from campaigns.text import render
from tests import builders
from tests.integration.test_api import Api

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


@pytest.fixture
def api(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return Api("read", "write", "launch", "export", "numbers")


@pytest.fixture
def console(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def march(monkeypatch):
    """The first of March 2026, four weeks before the clocks of Berlin go forward."""
    monkeypatch.setattr(timezone, "now", lambda: NOW)


def ask(api, at, **fields):
    body = {"name": "X", "account": builders.account(**fields).pk, "template": builders.template().pk, "schedule_at": at}
    return api.post("/campaigns/", body)


def review(console, at, **fields):
    """What the console's form says to a start, and the campaign."""
    campaign = builders.campaign(recipients=1, account=builders.account(**fields))
    text = console.post(reverse("admin:draft_review", args=[campaign.pk]), {"schedule_at": at, "accept": "yes"}).content
    campaign.refresh_from_db()
    return text.decode(), campaign


def codes(campaign):
    return {finding.code: finding for finding in preflight.preflight(campaign).findings}


# When ----------------------------------------------------------------------------------------------------------------

BAD_STARTS = [
    ("2026-03-01T17:28:59", "passed", "This time has passed."),  # a minute and a second ago, in India
    ("2001-01-01T10:00", "passed", "This time has passed."),
    ("0001-01-01T00:00", "passed", "This time has passed."),
    ("2027-03-03T10:00", "too_far", "within the next 366 days"),
    ("9999-12-31T23:59", "too_far", "within the next 366 days"),
    ("soon", "invalid", ""),
    ("2026-02-30T10:00", "invalid", ""),
]


@pytest.mark.parametrize(("at", "code", "words"), BAD_STARTS)
def test_an_impossible_start_is_refused_over_rest_with_its_field(api, march, at, code, words):
    answer = ask(api, at)
    told = answer.json()
    assert (answer.status_code, told["field"], told["code"]) == (400, "schedule_at", code)
    assert words in told["detail"] and not Campaign.objects.exists()


@pytest.mark.parametrize(("at", "code", "words"), BAD_STARTS)
def test_an_impossible_start_is_an_error_beside_its_field_in_the_console(console, march, at, code, words):
    text, campaign = review(console, at)
    assert 'class="error" role="alert">' in text
    assert (words or "Write a date and a time") in text
    assert campaign.schedule_at is None


@pytest.mark.parametrize("seconds", [0, 59])
def test_a_start_of_this_very_minute_is_a_start_now(api, march, seconds):
    assert ask(api, (NOW - timedelta(seconds=seconds)).isoformat()).status_code == 201


def test_a_start_without_an_offset_is_in_the_time_of_the_account(api, march):
    assert ask(api, "2026-03-02T10:00", time_zone="Asia/Dubai").json()["schedule_at"].startswith("2026-03-02T11:30:00+05:30")
    assert Campaign.objects.get().schedule_at == datetime(2026, 3, 2, 6, tzinfo=UTC)


def test_a_start_that_is_changed_alone_is_in_the_time_of_the_account_too(api, march):
    draft = builders.campaign(account=builders.account(time_zone="Asia/Dubai"))
    body = json.dumps({"schedule_at": "2026-03-02T10:00"})
    answer = api.client.patch(f"/api/v1/campaigns/{draft.pk}/", body, "application/json", headers=api.headers)
    draft.refresh_from_db()
    assert (answer.status_code, draft.schedule_at) == (200, datetime(2026, 3, 2, 6, tzinfo=UTC))


def test_an_hour_that_the_clocks_leave_out_is_refused_with_the_next_one(api, console, march):
    answer = ask(api, "2026-03-29T02:30", time_zone=BERLIN)
    sentence = "29 Mar 2026, 02:30 does not exist in Europe/Berlin: the clocks go forward then. Choose 03:00 or later."
    assert (answer.status_code, answer.json()["code"]) == (400, "no_such_time")
    assert sentence in answer.json()["detail"]
    text, campaign = review(console, "2026-03-29T02:30", time_zone=BERLIN)
    assert sentence in text and campaign.schedule_at is None


def test_an_hour_that_comes_twice_is_the_first_and_that_is_said(api, console, march):
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert ask(api, "2026-10-25T02:30", time_zone=BERLIN).status_code == 201
    assert Campaign.objects.get().schedule_at == first
    _text, campaign = review(console, "2026-10-25T02:30", time_zone=BERLIN)
    assert campaign.schedule_at == first
    assert codes(campaign)["START_TWICE"].message.endswith("it starts at the first (02:30 CEST).")
    campaign.schedule_at += timedelta(hours=1)
    assert codes(campaign)["START_TWICE"].message.endswith("it starts at the second (02:30 CET).")


def test_a_start_in_any_zone_is_one_instant():
    zone = schedule.ZoneInfo(BERLIN)
    assert schedule.start(datetime(2026, 3, 29, 3), zone, NOW) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert schedule.start(datetime(2026, 3, 2, 10, tzinfo=UTC), zone, NOW) == datetime(2026, 3, 2, 10, tzinfo=UTC)


# Promotional hours ---------------------------------------------------------------------------------------------------


def promotional(**fields):
    return builders.campaign(recipients=1, template=builders.template(category="promotional", header="612345"), **fields)


def test_a_promotional_start_outside_the_hours_is_a_warning_with_the_hour_at_which_it_begins(api, march):
    campaign = promotional(schedule_at=datetime(2026, 3, 2, 17, tzinfo=UTC))  # 22:30 in India
    found = codes(campaign)["OUTSIDE_WINDOW"]
    assert (found.level, "sending begins Tue 03 Mar, 10:00 IST" in found.message) == ("warning", True)
    answer = api.post(f"/campaigns/{campaign.pk}/launch/")
    assert (answer.status_code, Campaign.objects.get().state) == (422, "draft")
    assert api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True}).json()["state"] == "scheduled"


@pytest.mark.parametrize(("opens", "closes"), [("10:00", "10:00"), ("21:00", "10:00")])
def test_promotional_hours_that_never_open_block_the_launch(api, opens, closes):
    campaign = promotional(account=builders.account())
    Account.objects.update(window_opens=opens, window_closes=closes)
    answer = api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True})
    assert answer.status_code == 422
    assert "WINDOW_NEVER_OPENS" in {finding["code"] for finding in answer.json()["findings"]}
    assert (Campaign.objects.get().state, Campaign.objects.get().snapshot) == ("draft", {})


# Accounts ------------------------------------------------------------------------------------------------------------


def account_form(**fields):
    given = AccountForm(instance=builders.account()).initial | {"api_key": "", "api_token": ""} | fields
    return AccountForm({name: value for name, value in given.items() if value is not None}, instance=Account.objects.get())


def test_a_rate_of_none_is_no_limit_and_shown_as_such(console):
    form = account_form(rate_per_minute=0)
    assert form.is_valid(), form.errors
    form.save()
    assert "no limit" in console.get(reverse("admin:campaigns_account_changelist")).content.decode()
    campaign = builders.campaign(recipients=1, account=Account.objects.get())
    text = console.get(reverse("admin:draft_review", args=[campaign.pk])).content.decode()
    assert "no limit" in text and "as fast as Exotel answers" in text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rate_per_minute", 1_000_000, "less than or equal to 100000"),
        ("rate_per_minute", -1, "greater than or equal to 0"),
        ("rate_per_minute", "fast", "whole number"),
        ("window_closes", "09:00", "must end after they begin"),
    ],
)
def test_an_account_that_cannot_work_is_refused_beside_its_field(field, value, words):
    form = account_form(**{field: value})
    assert words in str(form.errors[field])


BLOCKS = [
    (lambda campaign: Account.objects.update(credentials=b""), "NO_CREDENTIALS", "Enter them on its page"),
    (lambda campaign: Account.objects.update(stopped_at=NOW, stop_reason="No balance."), "ACCOUNT_STOPPED", "No balance."),
    (lambda campaign: (Account.objects.update(sender_id=""), headless(campaign)), "NO_SENDER", "No header is set"),
]


def headless(campaign):
    type(campaign.template).objects.update(header="")


@pytest.mark.parametrize(("spoil", "code", "words"), BLOCKS, ids=[row[1] for row in BLOCKS])
def test_what_the_account_lacks_is_said_before_the_launch(api, console, spoil, code, words):
    campaign = builders.campaign(recipients=2)
    spoil(campaign)
    answer = api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True})
    found = {finding["code"]: finding["message"] for finding in answer.json()["findings"]}
    assert (answer.status_code, answer.json()["code"]) == (422, "preflight") and words in found[code]
    assert words in console.get(reverse("admin:draft_review", args=[campaign.pk])).content.decode()
    console.post(reverse("admin:draft_launch", args=[campaign.pk]), {"key": "k", "accept": "yes"})
    kept = Campaign.objects.get()
    assert (kept.state, kept.snapshot, kept.launch_key, Message.objects.count()) == ("draft", {}, "", 0)


# Rows ----------------------------------------------------------------------------------------------------------------

LONG = "x" * 1_970 + " {#var#} {#var#} -ACME"


def read(api, draft, rows, as_json):
    """Rows of (number, name, amount) as a file or as JSON: the finished import and its refused rows."""
    path = f"/campaigns/{draft.pk}/recipients/"
    if as_json:
        answer = api.post(path, [dict(zip(("mobile", "name", "amount"), row, strict=True)) for row in rows])
    else:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([("mobile", "name", "amount"), *rows])
        answer = api.upload(path, text.getvalue())
    assert answer.status_code == 202, answer.content
    source = Import.objects.get(pk=answer.json()["import"])
    audience.run(source.pk)
    errors = b"".join(api.get(f"/imports/{source.pk}/errors.csv")).decode("utf-8-sig")
    source.refresh_from_db()
    return source, list(csv.DictReader(io.StringIO(errors)))


@pytest.mark.parametrize("as_json", [False, True], ids=["file", "rows"])
def test_a_text_that_would_be_too_long_names_its_row(api, as_json):
    draft = builders.campaign(template=builders.template(body=LONG))
    source, refused = read(api, draft, [("9800000001", "Asha", "1"), ("9800000002", "A" * 39, "1")], as_json)
    assert (source.accepted, source.rejected) == (1, 1)
    assert [row["mobile"] for row in refused] == ["9800000002"]
    assert "The text would have 2018 characters; Exotel takes at most 2000." in refused[0]["error_reason"]


@pytest.mark.parametrize("as_json", [False, True], ids=["file", "rows"])
def test_what_nobody_sees_in_a_value_is_not_sent(api, as_json):
    draft = builders.campaign()
    rows = [("9800000001", "\x02As\x1bha\u200b\x9f", "1\x0b2\u2028\x853"), ("9800000002", "\x01\ufeff\u200b", "1")]
    rows += [(f"98{i:08d}", "Ravi", "1") for i in range(100, 140)]
    source, refused = read(api, draft, rows, as_json)
    assert (source.accepted, source.units, source.findings) == (41, 41, {})
    assert [row["error_code"] for row in refused] == ["MISSING_REQUIRED"]
    launch.launch(Campaign.objects.get(), None, accept_warnings=True)
    launch.write_messages(draft.pk)
    _, order = intent.commit(builders.owner().pk, draft.account_id)
    assert [item.body for item in order.batch.items][:1] == ["Dear Asha, your payment of Rs 1 2 3 is due. -ACME"]


def test_the_joiners_of_indian_scripts_are_kept():
    assert render.clean("क्\u200dष\u200c") == "क्\u200dष\u200c"


def test_a_nul_in_a_file_names_its_row(api):
    source, refused = read(api, builders.campaign(), [("9800000001", "Asha", "1"), ("9800000002", "Ra\x00vi", "1")], False)
    assert (source.accepted, [row["error_code"] for row in refused]) == (1, ["INVALID_FORMAT"])
    assert "NUL" in refused[0]["error_reason"] and refused[0]["mobile"] == "9800000002"


@pytest.mark.parametrize(("spoilt", "words"), [("\x00", "a NUL character"), ("\ud83d", "half of a surrogate pair")])
@pytest.mark.parametrize("wrapped", [False, True], ids=["list", "object"])
def test_what_cannot_be_stored_in_json_rows_names_row_and_field(api, spoilt, words, wrapped):
    draft = builders.campaign()
    rows = [{"mobile": "9800000001", "name": "Asha"}, {"mobile": "9800000002", "name": f"Ra{spoilt}vi"}]
    answer = api.post(f"/campaigns/{draft.pk}/recipients/", {"rows": rows} if wrapped else rows)
    assert (answer.status_code, answer.json()["field"]) == (400, "rows.1.name")
    assert f"Row 2 holds {words}" in answer.json()["detail"]
    assert not Import.objects.exists() and not Recipient.objects.exists()


def test_text_that_only_speaks_of_a_nul_is_harmless(api):
    source, _ = read(api, builders.campaign(), [("9800000001", "\\u0000", "1")], True)
    assert source.accepted == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "a\x00b"}, "name"), ({"name": "a\ud800"}, "name"), ({"na\x00me": "b"}, None), ("a\x00", None)],
)
def test_what_cannot_be_stored_elsewhere_names_its_field(api, body, field):
    answer = api.raw("/campaigns/", json.dumps(body))
    assert (answer.status_code, answer.json()["field"]) == (400, field)
