"""Saved audiences on the console: made, looked at, cut into segments, chosen for a campaign; by whom, and in which words."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from campaigns import audience as files
from campaigns.audience import counting
from campaigns.models import Audience, AudienceMember, AuditEvent, Campaign, Segment
from tests import builders
from tests.integration.test_audiences import folder, grown, received, rule, work  # noqa: F401
from tests.people import as_role

pytestmark = pytest.mark.django_db
ROWS = "mobile,name,city,other\n9812345670,Asha,Pune,9812345679\n9812345671,Ravi,Goa,\n98,=Bad,Pune,\n"


@pytest.fixture
def editor():
    return as_role("Editor")


@pytest.fixture
def people():
    made = Audience.objects.create(name="Customers")
    grown(made, ROWS)
    return made


@pytest.fixture
def segment(people):
    return Segment.objects.create(audience=people, name="From Pune", conditions=rule("city", "equals", "pune"))


def url(route, *ids):
    return reverse(f"admin:{route}", args=ids)


def text_of(answer):
    return html.unescape(answer.content.decode())


def upload(content=ROWS):
    return SimpleUploadedFile("people.csv", content.encode(), "text/csv")


def test_the_first_visit_teaches_the_next_step(editor):
    text = text_of(editor.get(url("audiences")))
    assert "No audience yet" in text and url("audience_new") in text
    assert url("audience_new") not in text_of(as_role("Viewer").get(url("audiences")))


@pytest.mark.parametrize("rows", [{"file": None}, {"pasted": ROWS.replace(",", "\t")}], ids=["file", "pasted"])
def test_an_audience_is_made_of_a_name_and_rows(editor, rows):
    given = {name: value or upload() for name, value in rows.items()}
    answer = editor.post(url("audience_new"), {"name": "Customers", **given})
    made = Audience.objects.get()
    assert answer.headers["Location"] == url("audience", made.pk)
    waits = text_of(editor.get(url("audience", made.pk)))
    assert "hx-get" in waits and "waiting" in waits
    work(made)
    text = text_of(editor.get(url("audience", made.pk)))
    assert "hx-get" not in text.partition('id="audience-state"')[2].partition(">")[0]
    assert "Asha" in text and "+91 98••• ••671" in text and "9812345671" not in text and "9812345679" not in text
    assert "9812345671" in text_of(as_role("Launcher").get(url("audience", made.pk))).replace(" ", "")
    polled = editor.get(url("audience_state", made.pk), headers={"HX-Request": "true"})
    assert polled.headers["HX-Refresh"] == "true"
    assert AuditEvent.objects.filter(action="audience.create", actor="somebody-Editor").exists()


REFUSED = [
    ({"name": ""}, "This field is required"),
    ({"name": "Taken", "pasted": ROWS}, "There is an audience of that name already."),
    ({"name": "New"}, "Choose a file with people, or paste their rows."),
    ({"name": "New", "pasted": "a,b\nx,y\n"}, "looks like phone numbers"),
    ({"name": "New", "pasted": ROWS, "phone": "tel"}, "no column “tel”"),
    ({"name": "New", "pasted": ROWS, "file": True}, "take one of them away"),
]


@pytest.mark.parametrize(("data", "sentence"), REFUSED)
def test_what_makes_no_audience_is_said(editor, data, sentence):
    Audience.objects.create(name="Taken")
    given = {**data, "file": upload()} if data.get("file") else data
    assert sentence in text_of(editor.post(url("audience_new"), given))
    answer = editor.post(
        url("audience_new"),
        {**given, **({"file": upload()} if data.get("file") else {})},
        headers={"X-Requested-With": "XMLHttpRequest"},
    )
    assert answer.status_code == 422 and sentence in answer.json()["error"]
    assert Audience.objects.count() == 1


def test_a_later_file_is_added_and_its_refused_rows_are_given_back(editor, people):
    answer = editor.post(url("audience_grow", people.pk), {"file": upload("mobile,plan\n9812345671,Gold\n12,x\n")})
    assert answer.status_code == 302
    work(people)
    text = text_of(editor.get(url("audience", people.pk)))
    assert "Gold" in text and "plan" in text
    file = people.files.latest("pk")
    download = b"".join(editor.get(url("audience_errors", file.pk)).streaming_content).decode("utf-8-sig")
    assert download.splitlines()[1].startswith("12,x,INVALID_PHONE,mobile,")
    again = text_of(editor.post(url("audience_grow", people.pk), {"file": upload("mobile,plan\n9812345671,Gold\n12,x\n")}))
    assert "Nothing was added again." in again


def lines(*rules, **more):
    columns, ops, values = zip(*rules, strict=True)
    return {"column": columns, "op": ops, "value": values, "match": "all", "name": "Mine", **more}


def test_a_segment_is_built_counted_and_saved_without_scripts(editor, people):
    new = url("audience_segment_new", people.pk)
    form = text_of(editor.get(new))
    assert form.count('name="column"') == 3 and 'value="mobile"' not in form
    more = text_of(editor.post(new, lines(("city", "equals", "pune"), ("", "equals", ""), do="more")))
    assert more.count('name="column"') == 4 and 'value="pune"' in more and not Segment.objects.exists()
    counted = text_of(editor.post(new, lines(("city", "equals", "PUNE"), do="count")))
    assert "<strong>1</strong> of 2 members" in counted and not Segment.objects.exists()
    assert editor.post(new, lines(("city", "equals", "PUNE"), ("name", "starts_with", "a"), do="save")).status_code == 302
    made = Segment.objects.get()
    assert made.conditions == {"match": "all", "rules": [
        {"column": "city", "op": "equals", "value": "PUNE"}, {"column": "name", "op": "starts_with", "value": "a"},
    ]}  # fmt: skip
    assert "city is “PUNE” and name starts with “a”" in text_of(editor.get(url("audience", people.pk)))
    edit = url("audience_segment", people.pk, made.pk)
    assert 'value="PUNE"' in text_of(editor.get(edit))
    editor.post(edit, lines(("city", "not_empty", ""), do="save", name="Any city", match="any"))
    made.refresh_from_db()
    assert (made.name, made.conditions["match"], len(made.conditions["rules"])) == ("Any city", "any", 1)
    editor.post(url("audience_segment_delete", people.pk, made.pk))
    assert not Segment.objects.exists()
    assert [e.action for e in AuditEvent.objects.order_by("pk")] == ["segment.create", "segment.change", "segment.delete"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (lines(("", "equals", "x"), do="save"), "there is no rule"),
        (lines(("city", "equals", ""), do="count"), "Rule 1: write a value"),
        (lines(("name", "greater", "many"), do="save"), "neither a number nor a date"),
        (lines(("mobile", "starts_with", "98"), do="count"), "holds the phone numbers"),
        (lines(("town", "empty", ""), do="save"), "no column “town”"),
        (lines(("city", "like", "x"), do="save"), "is none of"),
        (lines(("city", "empty", ""), do="save", name=" "), "Give the segment a name"),
        (lines(("city", "empty", ""), do="save", name="From Pune"), "already: take another name"),
        (lines(("city", "empty", ""), do="save", match="none"), "“all” or “any”"),
        ({"do": "save", "name": "x"}, "there is no rule"),
        ({"do": "save", "name": "a\0b", "column": ["a\0"], "op": ["\0"], "value": ["\0"]}, "no column “a”"),
    ],
)
def test_what_makes_no_segment_is_said_and_what_was_typed_stays(editor, people, segment, data, sentence):
    text = text_of(editor.post(url("audience_segment_new", people.pk), data))
    assert sentence in text
    assert Segment.objects.count() == 1


def test_conditions_with_groups_are_told_and_kept(editor, people):
    grouped = {"match": "any", "rules": [rule("city", "equals", "goa"), rule("name", "equals", "asha")]}
    made = Segment.objects.create(audience=people, name="By REST", conditions=grouped)
    edit = url("audience_segment", people.pk, made.pk)
    text = text_of(editor.get(edit))
    assert "(city is “goa”) or (name is “asha”)" in text and 'name="column"' not in text
    assert "<strong>2</strong> of 2" in text_of(editor.post(edit, {"name": "By REST", "do": "count"}))
    editor.post(edit, {"name": "Renamed", "do": "save"})
    made.refresh_from_db()
    assert (made.name, made.conditions) == ("Renamed", grouped)


def test_a_long_count_says_how_far_it_is(editor, people, segment, monkeypatch):
    look = counting._look
    monkeypatch.setattr(counting, "CHUNK", 1)
    monkeypatch.setattr(counting, "_look", lambda rows, columns, goes_on: look(rows, columns, lambda: False))
    text = text_of(editor.post(url("audience_segment", people.pk, segment.pk), lines(("city", "not_empty", ""), do="count")))
    assert "1</strong> of the first 1 members. The other 1 are being counted" in text
    assert "being counted" in text_of(editor.get(url("audience", people.pk)))


def test_a_campaign_is_given_an_audience_or_a_segment_instead_of_a_file(editor, people, segment):
    counting.count(people, segment.conditions)
    form = text_of(editor.get(url("draft_new")))
    assert "No account yet" in form
    data = {"name": "Dues", "account": builders.account().pk, "template": builders.template(body="Dear {#var#} -ACME").pk}
    form = text_of(editor.get(url("draft_new")))
    assert "2 · Customers" in form and "1 · Customers: From Pune" in form
    both = editor.post(url("draft_new"), {**data, "saved": f"{people.pk}", "pasted": ROWS})
    assert "There are rows and a saved audience" in text_of(both) and not Campaign.objects.exists()
    answer = editor.post(url("draft_new"), {**data, "saved": f"{people.pk}:{segment.pk}"})
    campaign = Campaign.objects.get()
    assert answer.headers["Location"] == url("draft_columns", campaign.pk)
    page = text_of(editor.get(url("draft_columns", campaign.pk)))
    assert "Audience Customers, From Pune" in page and "+91 98••• ••670" in page
    editor.post(url("draft_columns", campaign.pk), {"phone": "mobile", "var1": "name"})
    source = campaign.imports.get()
    assert files.run(source.pk)
    source.refresh_from_db()
    assert (source.rows, source.accepted) == (1, 1)
    assert "Save as an audience" not in text_of(editor.get(url("draft_columns", campaign.pk)))
    assert "Dues" in text_of(editor.get(url("audience", people.pk)))


@pytest.mark.parametrize("choice", ["424242", "x", "1:424242", "\0", "1:"])
def test_a_choice_that_was_not_offered_makes_no_draft(editor, people, choice):
    data = {"name": "Dues", "account": builders.account().pk, "template": builders.template().pk, "saved": choice}
    assert "Select a valid choice" in text_of(editor.post(url("draft_new"), data))
    assert not Campaign.objects.exists()


@pytest.mark.parametrize("gone", ["audience", "segment"])
def test_a_choice_that_is_deleted_meanwhile_makes_no_draft(editor, people, segment, monkeypatch, gone):
    value = f"{people.pk}:{segment.pk}"
    monkeypatch.setattr("campaigns.admin.audiences.choices.offered", lambda: [(value, "Customers")])
    Audience.objects.update(deleting=True) if gone == "audience" else segment.delete()
    data = {"name": "Dues", "account": builders.account().pk, "template": builders.template().pk, "saved": value}
    assert "was deleted just now" in text_of(editor.post(url("draft_new"), data))
    assert not Campaign.objects.exists()


def test_an_audience_that_cannot_be_chosen_makes_no_draft(editor, people):
    received(people, ROWS + "9812345672,Late,Goa,\n")
    data = {"name": "Dues", "account": builders.account().pk, "template": builders.template().pk, "saved": str(people.pk)}
    assert "A file is being read into Customers" in text_of(editor.post(url("draft_new"), data))
    assert not Campaign.objects.exists()


def test_the_file_of_a_campaign_is_saved_as_an_audience(editor):
    data = {"name": "Dues", "account": builders.account().pk, "template": builders.template(body="Dear {#var#} -ACME").pk}
    editor.post(url("draft_new"), {**data, "file": upload()})
    campaign = Campaign.objects.get()
    editor.post(url("draft_columns", campaign.pk), {"phone": "mobile", "var1": "name"})
    source = campaign.imports.get()
    files.run(source.pk)
    save = url("audience_from_import", source.pk)
    assert save in text_of(editor.get(url("draft_columns", campaign.pk)))
    Audience.objects.create(name="Taken")
    assert "of that name already" in text_of(editor.post(save, {"name": "Taken"}))
    assert editor.post(save, {"name": "Customers"}).status_code == 302
    made = Audience.objects.get(name="Customers")
    work(made)
    assert made.size == 2
    gone = builders.campaign(recipients=1).imports.get()
    assert "not kept any more" in text_of(editor.post(url("audience_from_import", gone.pk), {"name": "Other"}))
    assert Audience.objects.count() == 2


def test_an_audience_is_renamed_archived_and_deleted(editor, people):
    editor.post(url("audience_edit", people.pk), {"name": "Old customers", "archived": "on"}, follow=True)
    people.refresh_from_db()
    assert (people.name, people.archived) == ("Old customers", True)
    assert "Old customers" not in text_of(editor.get(url("audiences")))
    assert "Old customers" in text_of(editor.get(url("audiences") + "?archived=yes"))
    assert "out of the archive" in text_of(editor.post(url("audience_grow", people.pk), {"file": upload(ROWS + "9,,,\n")}))
    assert "2 members" in text_of(editor.get(url("audience_delete", people.pk)))
    editor.post(url("audience_delete", people.pk))
    assert editor.get(url("audience", people.pk)).status_code == 404
    work(people)
    assert not Audience.objects.exists() and not AudienceMember.objects.exists()
    assert AuditEvent.objects.get(action="audience.delete").details == {"name": "Old customers", "members": 2}


@pytest.mark.parametrize(
    ("typed", "words", "left"),
    [
        ("98123 45670", "is removed", 1),
        ("9812345699", "is not in Customers", 2),
        ("12", "Nobody was removed", 2),
        ("", "Nobody was removed", 2),
    ],
)
def test_one_person_is_taken_out(editor, people, typed, words, left):
    text = text_of(editor.post(url("audience_remove", people.pk), {"number": typed}, follow=True))
    assert words in text and AudienceMember.objects.count() == left
    assert "9812345670" not in str(list(AuditEvent.objects.values_list("details", flat=True)))


# Who may what --------------------------------------------------------------------------------------------------------

ROUTES = [
    ("audiences", (), "VELAU"),
    ("audience", ("people",), "VELAU"),
    ("audience_state", ("people",), "VELAU"),
    ("audience_new", (), "ELU"),
    ("audience_grow", ("people",), "ELU"),
    ("audience_edit", ("people",), "ELU"),
    ("audience_delete", ("people",), "ELU"),
    ("audience_segment_new", ("people",), "ELU"),
    ("audience_segment", ("people", "segment"), "ELU"),
    ("audience_segment_delete", ("people", "segment"), "ELU"),
    ("audience_from_import", ("source",), "ELU"),
    ("audience_errors", ("file",), "ELU"),
]
LETTER = {"Viewer": "V", "Editor": "E", "Launcher": "L", "Auditor": "A", "Administrator": "U"}


@pytest.mark.parametrize("role", LETTER)
@pytest.mark.parametrize(("route", "about", "allowed"), ROUTES, ids=[row[0] for row in ROUTES])
def test_a_role_opens_what_it_may(people, segment, role, route, about, allowed):
    world = {
        "people": people,
        "segment": segment,
        "file": people.files.get(),
        "source": builders.campaign(recipients=1).imports.get(),
    }
    here, client = url(route, *(world[name].pk for name in about)), as_role(role)
    expected = 200 if LETTER[role] in allowed else 403
    assert client.get(here).status_code == expected
    if expected == 403:
        assert client.post(here, {"name": "x", "do": "save"}).status_code == 403
        assert "Nothing was changed." in text_of(client.get(here))


def test_what_is_not_there_is_not_found(editor, people, segment):
    other = Audience.objects.create(name="Others")
    for here in (url("audience", 424242), url("audience_errors", 424242), url("audience_segment", other.pk, segment.pk)):
        assert editor.get(here).status_code == 404
