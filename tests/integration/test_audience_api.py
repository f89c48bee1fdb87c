"""Saved audiences by REST: from rows to a campaign, and a sentence for what cannot be."""

import csv
import io
import json

import pytest

from campaigns.audience import upkeep
from campaigns.models import Audience, AuditEvent, Campaign, Import, Recipient
from campaigns.tasks import keep_audience, run_import
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_audiences import folder, rule  # noqa: F401

pytestmark = pytest.mark.django_db
FILE = "mobile,name,city\n9812345670,Asha,Pune\n9812345671,Ravi,Goa\n98,Bad,Pune\n"


@pytest.fixture
def api():
    return Api("read", "write", "launch", "export", "numbers")


@pytest.fixture
def people(api):
    made = api.post("/audiences/", {"name": "Customers"})
    assert made.status_code == 201
    return made.json()


@pytest.fixture
def full(api, people):
    path = f"/audiences/{people['id']}/"
    assert api.upload(f"{path}members/", FILE).status_code == 202
    assert keep_audience(people["id"])
    return path


def patch(api, path, data):
    return api.client.patch(f"/api/v1{path}", json.dumps(data), "application/json", headers=api.headers)


def delete(api, path):
    return api.client.delete(f"/api/v1{path}", headers=api.headers)


def test_an_audience_grows_from_files_and_rows(api, full):
    told = api.get(full).json()
    assert (told["columns"], told["phone"], told["size"]) == (["mobile", "name", "city"], "mobile", 2)
    rows = [{"mobile": "9812345671", "plan": "Gold"}, {"mobile": "9812345672", "name": "Meera"}]
    file = api.post(f"{full}members/", rows).json()["file"]
    assert keep_audience(told["id"])
    read = api.get(f"{full}files/{file}/").json()
    assert (read["state"], read["added"], read["updated"], read["refused"]) == ("done", 1, 1, 0)
    assert api.get(f"{full}files/").json()["results"][0]["id"] == file
    found = api.get(f"{full}members/", number="+91 98123 45671").json()["results"]
    assert found[0]["cells"] == {"mobile": "9812345671", "name": "", "city": "Goa", "plan": "Gold"}
    assert AuditEvent.objects.filter(action="audience.grow").count() == 2


def test_members_page_by_cursor(api, people):
    api.post(f"/audiences/{people['id']}/members/", [{"mobile": f"98{i:08d}"} for i in range(25)])
    keep_audience(people["id"])
    seen, query = [], {"page_size": 10}
    while query:
        page = api.get(f"/audiences/{people['id']}/members/", **query).json()
        seen += [row["number"] for row in page["results"]]
        query = dict(pair.split("=") for pair in page["next"].split("?")[1].split("&")) if page["next"] else None
    assert seen == [f"+9198{i:08d}" for i in reversed(range(25))]


def test_numbers_are_masked_without_the_scope(full):
    api = Api("read", "export")
    text = api.get(f"{full}members/").content.decode()
    assert "+91 98••• ••670" in text and "9812345670" not in text
    file = api.get(f"{full}files/").json()["results"][0]["id"]
    errors = b"".join(api.get(f"{full}files/{file}/errors.csv")).decode("utf-8-sig")
    assert [row["error_code"] for row in csv.DictReader(io.StringIO(errors))] == ["INVALID_PHONE"]


@pytest.mark.parametrize(
    ("scope", "calls"),
    [
        (
            "read",
            [("post", "", {}), ("post", "members/", []), ("post", "segments/", {}), ("get", "files/1/errors.csv", None)],
        ),
        ("write", [("get", "", None), ("get", "members/", None), ("post", "count/", {})]),
    ],
)
def test_a_scope_opens_what_it_is_for_and_no_more(full, scope, calls):
    api = Api(scope)
    for verb, path, body in calls:
        if path or verb == "get":
            answer = api.get(full + path) if verb == "get" else api.post(full + path, body)
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope"), path


def test_a_segment_is_made_counted_changed_and_deleted(api, full):
    made = api.post(f"{full}segments/", {"name": "Pune", "conditions": rule("city", "equals", "PUNE")})
    assert made.status_code == 201
    segment = made.json()
    assert (segment["count"], segment["words"]) == (1, "city is “PUNE”")
    path = f"{full}segments/{segment['id']}/"
    changed = patch(api, path, {"conditions": rule("city", "not_empty")}).json()
    assert (changed["name"], changed["count"]) == ("Pune", 2)
    assert patch(api, path, {"name": "Pune"}).status_code == 200
    again = api.post(f"{full}segments/", {"name": "Pune", "conditions": rule("city", "empty")})
    assert (again.status_code, again.json()["field"]) == (400, "name")
    assert [row["count"] for row in api.get(f"{full}segments/").json()] == [2]
    assert delete(api, path).status_code == 204 and api.get(path).status_code == 404


def test_counts_before_use(api, full):
    asked = [
        {},
        {"conditions": rule("city", "equals", "pune")},
        {"conditions": {"match": "any", "rules": [rule("city", "equals", "goa")]}},
    ]
    assert [api.post(f"{full}count/", body).json()["count"] for body in asked] == [2, 1, 1]


def test_a_long_count_is_answered_as_far_as_it_is(api, full, monkeypatch):
    look = upkeep.counting._look
    monkeypatch.setattr(upkeep.counting, "CHUNK", 1)
    monkeypatch.setattr(upkeep.counting, "_look", lambda rows, columns, goes_on: look(rows, columns, lambda: False))
    body = {"conditions": rule("city", "not_empty")}
    answer = api.post(f"{full}count/", body)
    assert answer.status_code == 202
    assert answer.json() == {"count": 1, "exact": False, "looked_at": 1, "size": 2}
    monkeypatch.setattr(upkeep.counting, "_look", look)
    keep_audience(int(full.split("/")[2]))
    answer = api.post(f"{full}count/", body)
    assert (answer.status_code, answer.json()["count"]) == (200, 2)


WRONG = [
    ("count/", {"conditions": rule("town", "empty")}, 400, "conditions", "there is no column “town”"),
    ("count/", {"conditions": rule("mobile", "starts_with", "98")}, 400, "conditions", "holds the phone numbers"),
    ("count/", {"conditions": []}, 400, "conditions", "match"),
    ("count/", {"conditions": "city"}, 400, "conditions", "match"),
    ("count/", {"segment": 424242}, 400, "segment", "424242"),
    ("segments/", {"name": "x"}, 400, "conditions", "required"),
    ("segments/", {"name": "x", "conditions": {}}, 400, "conditions", "rules"),
    ("segments/", {"name": "", "conditions": rule("city", "empty")}, 400, "name", "blank"),
    ("segments/", {"name": "x" * 121, "conditions": rule("city", "empty")}, 400, "name", "120"),
    ("members/", {}, 400, None, "Send either"),
    ("members/", {"rows": []}, 422, "file", "is empty"),
    ("members/", [{"name": "Asha"}], 422, "file", "No column"),
    ("members/", {"rows": [{"mobile": "9812345670"}], "phone": "tel"}, 422, "file", "no column “tel”"),
    ("members/", [{"mobile": ["9812345670"]}], 422, "file", "must be text or a number"),
]


@pytest.mark.parametrize(("path", "body", "status", "field", "sentence"), WRONG)
def test_what_cannot_be_done_is_said_in_a_sentence(api, full, path, body, status, field, sentence):
    answer = api.post(full + path, body)
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.content
    assert sentence in answer.json()["detail"]


def test_the_same_file_again_is_a_conflict(api, full):
    again = api.upload(f"{full}members/", FILE)
    assert (again.status_code, again.json()["code"]) == (409, "file_repeated")


def test_an_audience_is_renamed_archived_and_deleted(api, full, people):
    other = api.post("/audiences/", {"name": "Others"}).json()
    taken = patch(api, full, {"name": "Others"})
    assert (taken.status_code, taken.json()["field"]) == (400, "name")
    assert patch(api, full, {"archived": True, "size": 7}).json()["archived"]
    assert api.upload(f"{full}members/", FILE + "9,x,y\n").json()["code"] == "archived"
    assert delete(api, full).status_code == 202
    assert [row["id"] for row in api.get("/audiences/").json()["results"]] == [other["id"]]
    for path in ("", "members/", "files/", "segments/"):
        assert api.get(full + path).status_code == 404
    assert api.post("/audiences/", {"name": "Customers"}).status_code == 201
    assert keep_audience(people["id"]) and not Audience.objects.filter(pk=people["id"]).exists()


def test_one_person_is_taken_out(api, full):
    member = api.get(f"{full}members/", number="9812345670").json()["results"][0]["id"]
    assert delete(api, f"{full}members/{member}/").status_code == 204
    assert delete(api, f"{full}members/{member}/").status_code == 404
    assert api.get(full).json()["size"] == 1
    assert AuditEvent.objects.filter(action="audience.remove_member", details={"member": member}).exists()


# Used ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(db):
    return builders.campaign(template=builders.template(body="Dear {#var#} -ACME"))


def test_a_campaign_is_given_an_audience_a_segment_or_conditions(api, full, people, draft):
    segment = api.post(f"{full}segments/", {"name": "Pune", "conditions": rule("city", "equals", "pune")}).json()
    mapping = {"phone": "mobile", "vars": ["name"]}
    for chosen, expected in (
        ({"segment": segment["id"]}, ["Asha"]), ({"conditions": rule("city", "equals", "goa")}, ["Ravi"]), ({}, ["Asha", "Ravi"]),
    ):  # fmt: skip
        Recipient.objects.all().delete()
        answer = api.post(f"/campaigns/{draft.pk}/recipients/", {"audience": people["id"], "mapping": mapping, **chosen})
        assert answer.status_code == 202, answer.content
        assert run_import(answer.json()["import"])
        assert api.get(f"/imports/{answer.json()['import']}/").json()["audience"] == people["id"]
        assert [cells[1] for cells in Recipient.objects.order_by("id").values_list("cells", flat=True)] == expected


def test_who_cannot_be_given_is_said_and_nothing_is_kept(api, full, people, draft):
    other = api.post("/audiences/", {"name": "Others"}).json()
    segment = api.post(f"{full}segments/", {"name": "Pune", "conditions": rule("city", "equals", "pune")}).json()
    refusals = [
        ({"audience": 424242}, 400, "audience"),
        ({"audience": other["id"]}, 422, "file"),
        ({"audience": other["id"], "segment": segment["id"]}, 400, "segment"),
        ({"audience": people["id"], "segment": segment["id"], "conditions": rule("city", "empty")}, 400, "conditions"),
        ({"audience": people["id"], "conditions": rule("city", "equals", "nowhere")}, 422, "file"),
        ({"audience": people["id"], "rows": []}, 400, None),
        ({"audience": people["id"], "mapping": {"phone": "mobile", "vars": ["x"]}}, 422, "file"),
    ]
    for body, status, field in refusals:
        answer = api.post(f"/campaigns/{draft.pk}/recipients/", body)
        assert (answer.status_code, answer.json()["field"]) == (status, field), (body, answer.content)
    assert not Import.objects.exists()
    Campaign.objects.update(state="running")
    assert api.post(f"/campaigns/{draft.pk}/recipients/", {"audience": people["id"]}).status_code == 409


def test_conditions_in_a_form_are_taken_as_they_are_in_json(api, full, people, draft):
    for conditions, status in (
        (json.dumps(rule("city", "equals", "pune")), 202),
        ('{"rules": ["\\ud800"]}', 400),
        ("[" * 5_000, 400),
    ):
        data = {
            "audience": people["id"],
            "conditions": conditions,
            "mapping": json.dumps({"phone": "mobile", "vars": ["name"]}),
        }
        answer = api.client.post(f"/api/v1/campaigns/{draft.pk}/recipients/", data, headers=api.headers)
        assert answer.status_code == status, answer.content
