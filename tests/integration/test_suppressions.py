"""The suppression list over REST and as files: added in any spelling, never twice, and out of every campaign."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from campaigns.audience import suppressing
from campaigns.models import AuditEvent, Suppression
from tests import builders
from tests.integration.test_api import Api
from tests.people import as_role

pytestmark = pytest.mark.django_db
NUMBER = 919812345670
Reason = Suppression.Reason


@pytest.fixture
def api():
    return Api("read", "write", "export", "numbers")


def send(api, method, path, data):
    return getattr(api.client, method)(f"/api/v1{path}", data, "application/json", headers=api.headers)


def read(text, name="list.csv", **terms):
    return suppressing.read_list(io.BytesIO(text.encode()), name, suppressing.Terms(**terms))


def test_a_number_is_listed_shown_changed_and_taken_off(api):
    made = api.post("/suppressions/", {"number": "98123 45670", "reason": "opt_out", "note": "by phone"})
    assert made.status_code == 201, made.content
    row = made.json()
    assert (row["number"], row["account"], row["reason"], row["expires_at"]) == ("+919812345670", None, "opt_out", None)
    changed = send(api, "patch", f"/suppressions/{row['id']}/", {"note": "by mail"})
    assert (changed.status_code, changed.json()["note"], changed.json()["reason"]) == (200, "by mail", "opt_out")
    assert api.get("/suppressions/", number="09812345670").json()["results"] == [changed.json()]
    assert api.get("/suppressions/", reason="dnd").json()["results"] == []
    assert send(api, "delete", f"/suppressions/{row['id']}/", {}).status_code == 204
    assert api.get(f"/suppressions/{row['id']}/").status_code == 404
    actions = AuditEvent.objects.filter(action__startswith="suppression").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["suppression.create", "suppression.change", "suppression.delete"]


def test_listing_a_number_again_changes_its_row(api):
    account = builders.account()
    first = api.post("/suppressions/", {"number": "9812345670", "expires_at": "2027-01-01T00:00:00Z"})
    again = api.post("/suppressions/", {"number": "+91 98123 45670", "reason": "dnd"})
    other = api.post("/suppressions/", {"number": "9812345670", "account": account.pk})
    assert [answer.status_code for answer in (first, again, other)] == [201, 200, 201]
    assert again.json()["id"] == first.json()["id"]
    assert (again.json()["reason"], again.json()["expires_at"]) == ("dnd", None)


def test_numbers_are_masked_without_their_scope(api):
    api.post("/suppressions/", {"number": "9812345670"})
    shown = Api("read").get("/suppressions/").json()["results"][0]["number"]
    assert "45670" not in shown and shown.endswith("670")
    assert Api("read", "export").get("/suppressions.csv").status_code == 403


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({}, "number", "required"),
        ({"number": "98123"}, "number", "5 digits"),
        ({"number": "9812345670", "reason": "because"}, "reason", "because"),
        ({"number": "9812345670", "account": 99}, "account", "exist"),
        ({"number": "9812345670", "expires_at": "soon"}, "expires_at", "format"),
        ({"number": "9812345670", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at", "past"),
        ({"number": "9812345670", "account": 1.5}, "account", "whole number"),
        ({"number": "9812345670", "note": "x" * 201}, "note", "200"),
    ],
)
def test_what_cannot_be_listed_is_named(api, data, field, words):
    answer = api.post("/suppressions/", data)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert words in answer.json()["detail"]
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("query", "field"), [({"number": "12"}, "number"), ({"reason": "x"}, "reason"), ({"cursor": "x"}, "cursor")]
)
def test_a_filter_that_makes_no_sense_is_refused(api, query, field):
    answer = api.get("/suppressions/", **query)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_a_row_is_replaced_whole_by_put(api):
    account = builders.account()
    full = {
        "number": "9812345670",
        "account": account.pk,
        "reason": "dnd",
        "note": "by mail",
        "expires_at": "2090-01-01T00:00:00Z",
    }
    row = api.post("/suppressions/", full).json()
    path = f"/suppressions/{row['id']}/"
    replaced = send(api, "put", path, {"number": "9812345671"})
    assert replaced.status_code == 200
    assert replaced.json() == row | {
        "number": "+919812345671", "account": None, "reason": "manual", "note": "", "expires_at": None,
    }  # fmt: skip
    assert send(api, "put", path, full).json() == row
    assert AuditEvent.objects.filter(action="suppression.change").count() == 2
    nameless = send(api, "put", path, {"note": "x"})
    assert (nameless.status_code, nameless.json()["field"]) == (400, "number")
    assert send(api, "put", "/suppressions/424242/", full).status_code == 404
    assert send(Api("read"), "put", path, full).status_code == 403
    assert api.get(path).json() == row


def test_an_end_in_the_past_is_refused_wherever_it_is_given(api):
    row, past = (
        api.post("/suppressions/", {"number": "9812345670"}).json(),
        (timezone.now() - timedelta(seconds=5)).isoformat(),
    )
    for method, data in (("put", {"number": "9812345670", "expires_at": past}), ("patch", {"expires_at": past})):
        answer = send(api, method, f"/suppressions/{row['id']}/", data)
        assert (answer.status_code, answer.json()["field"]) == (400, "expires_at")
    answer = api.upload("/suppressions/import/", "mobile\n9812345671\n", expires_at=past)
    assert (answer.status_code, answer.json()["field"]) == (400, "expires_at")
    assert Suppression.objects.get().expires_at is None


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_row_cannot_become_another_one(api, method):
    api.post("/suppressions/", {"number": "9812345670"})
    second = api.post("/suppressions/", {"number": "9812345671"}).json()
    answer = send(api, method, f"/suppressions/{second['id']}/", {"number": "9812345670"})
    assert (answer.status_code, answer.json()["field"]) == (400, "number")


def test_a_list_says_what_became_of_each_row():
    account = builders.account()
    Suppression.objects.create(number=NUMBER + 1, account=account)
    text = (
        "name,mobile,reason,until,note\n"
        "Asha,98123 45670,Opted out,always,by mail\n"
        "Ravi,9812345671,,,\n"
        "Asha,+919812345670,,,\n"
        "Meera,9812345672,DND,2027-03-31,\n"
        "Nobody,123,,,\n"
        "Odd,9812345673,because,,\n"
        "Late,9812345674,,soon,\n"
        "\n"
        "Wide,9812345675,,,,,x\n"
    )
    listed = read(text, account=account, reason=Reason.INVALID, note="cleaned")
    assert (listed.rows, listed.added, listed.before, listed.refused) == (8, 2, 2, 4)
    assert [line for line, _ in listed.faults] == [6, 7, 8, 10]
    assert [words in sentence for (_, sentence), words in zip(
        listed.faults, ["3 digits", "no reason", "no date", "7 cells"], strict=True
    )] == [True] * 4  # fmt: skip
    row = Suppression.objects.get(number=NUMBER)
    assert (row.account, row.reason, row.note, row.expires_at) == (account, Reason.OPT_OUT, "by mail", None)


def test_terms_hold_for_rows_that_say_nothing_else():
    until = datetime(2030, 1, 1, tzinfo=UTC)
    read("mobile\n9812345670\n", reason=Reason.BLACKLIST, note="audit", expires_at=until)
    row = Suppression.objects.get()
    assert (row.account, row.reason, row.note, row.expires_at) == (None, Reason.BLACKLIST, "audit", until)


def test_what_has_expired_is_listed_anew():
    past = timezone.now() - timedelta(days=1)
    Suppression.objects.create(number=NUMBER, expires_at=past)
    Suppression.objects.create(number=NUMBER + 1, expires_at=timezone.now() + timedelta(days=1))
    listed = read("mobile\n9812345670\n9812345671\n")
    assert (listed.added, listed.before) == (1, 1)
    assert Suppression.objects.get(number=NUMBER).expires_at is None


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "EMPTY"), ("mobile\n", "NO_ROWS"), ("name\nAsha\n", "NO_PHONE_COLUMN"), ('mobile\n"98', "QUOTES"),
     ("mobile,mobile\n1,2\n", "HEADER_REPEATED")],
)  # fmt: skip
def test_a_file_that_is_no_list_lists_nothing(api, text, code):
    with pytest.raises(suppressing.Unusable) as unusable:
        read(text)
    assert unusable.value.code == code
    answer = api.upload("/suppressions/import/", text)
    assert (answer.status_code, answer.json()["code"]) == (422, code.lower())


def test_a_list_that_is_too_long_lists_nothing(monkeypatch):
    monkeypatch.setattr(suppressing, "MOST", 3)
    with pytest.raises(suppressing.Unusable, match="more than 3 rows"):
        read("mobile\n" + "".join(f"98123456{i:02d}\n" for i in range(4)))
    assert not Suppression.objects.exists()


def test_a_list_by_rest_and_what_was_listed_as_a_file(api):
    answer = api.upload("/suppressions/import/", "mobile\n9812345670\n12\n", reason="opt_out")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "rows": 2, "added": 1, "before": 0, "refused": 1,
        "faults": [{"line": 3, "detail": "“12” has 2 digits; an Indian mobile number has 10."}],
    }  # fmt: skip
    text = b"".join(api.get("/suppressions.csv")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["number"], row["reason"], row["account"], row["until"]) == ("919812345670", "opt_out", "all", "always")
    Suppression.objects.all().delete()
    assert read(text).added == 1
    assert Suppression.objects.get().number == NUMBER


def test_a_list_is_added_on_the_console():
    client, page = as_role("Editor"), reverse("admin:campaigns_suppression_import")
    assert b"Suppress these numbers" in client.get(page).content
    file = SimpleUploadedFile("dnd.csv", b"mobile\n9812345670\n12\n")
    text = client.post(page, {"file": file, "reason": "dnd"}).content.decode()
    assert "1 added" in text and "has 2 digits" in text
    assert Suppression.objects.get().reason == Reason.DND
    bad = client.post(page, {"file": SimpleUploadedFile("x.csv", b"name\nAsha\n"), "reason": "dnd"})
    assert bad.status_code == 422 and "looks like phone numbers" in bad.content.decode()


@pytest.mark.parametrize(("role", "adds", "downloads"), [("Viewer", 403, 403), ("Editor", 200, 403), ("Launcher", 200, 200)])
def test_who_may_add_and_take_away_lists(role, adds, downloads):
    client = as_role(role)
    assert client.get(reverse("admin:campaigns_suppression_import")).status_code == adds
    answer = client.get(reverse("admin:campaigns_suppression_download"))
    assert answer.status_code == downloads
    list_page = client.get(reverse("admin:campaigns_suppression_changelist")).content.decode()
    assert ("Add a list" in list_page, "Download" in list_page) == (adds == 200, downloads == 200)


def test_a_time_that_has_passed_suppresses_nobody_and_is_said():
    client, past = as_role("Editor"), timezone.now() - timedelta(days=1)
    typed = {"number": "98123 45670", "reason": "manual", "account": "", "note": "", "expires_at_0": f"{past:%Y-%m-%d}",
             "expires_at_1": f"{past:%H:%M:%S}", "expires_at": f"{past:%Y-%m-%dT%H:%M}"}  # fmt: skip
    answer = client.post(reverse("admin:campaigns_suppression_add"), typed)
    assert b"This time has passed" in answer.content
    file = SimpleUploadedFile("dnd.csv", b"mobile\n9812345670\n")
    answer = client.post(reverse("admin:campaigns_suppression_import"), {"file": file, "reason": "dnd", **typed})
    assert (answer.status_code, b"This time has passed" in answer.content) == (422, True)
    assert not Suppression.objects.exists()


def test_an_entry_that_has_run_out_can_still_be_changed():
    past = timezone.now() - timedelta(days=1)
    row = Suppression.objects.create(number=NUMBER, reason="manual", expires_at=past.replace(microsecond=0))
    shown = timezone.localtime(row.expires_at)
    typed = {"number": "98123 45670", "reason": "manual", "account": "", "note": "Asked by phone", "expires_at_0":
             f"{shown:%Y-%m-%d}", "expires_at_1": f"{shown:%H:%M:%S}"}  # fmt: skip
    assert as_role("Editor").post(reverse("admin:campaigns_suppression_change", args=[row.pk]), typed).status_code == 302
    row.refresh_from_db()
    assert row.note == "Asked by phone"
