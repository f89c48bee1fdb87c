"""The schema says what the API answers: every address that is read is held against what is declared of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from openapi_schema_validator import OAS30Validator, oas30_format_checker

from campaigns.audience.saved import normal, save_segment
from campaigns.models import (
    QUARTER,
    Alert,
    AlertRule,
    Audience,
    ClickCount,
    Count,
    Message,
    RowError,
    Segment,
    SpendLimit,
    Suppression,
    Webhook,
)
from campaigns.tasks import run_import
from tests import builders
from tests.integration.test_api import FILE, Api
from tests.integration.test_audiences import folder, grown, rule  # noqa: F401
from tests.integration.test_webhook_courier import lay

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"


@pytest.fixture
def schema():
    made = Client().get("/api/v1/schema/?format=json").json()
    for component in made["components"]["schemas"].values():
        if "properties" in component:
            component.setdefault("additionalProperties", False)  # an answer has nothing that is not declared
    return made


@pytest.fixture
def api():
    return Api("admin")


@pytest.fixture
def world():
    """An object for each address that names one, and two of what is listed: fields filled here, empty there."""
    now = timezone.now()
    for changes in ({}, {"note": "x", "account": builders.account(stopped_at=now, stop_reason="No."), "expires_at": now}):
        suppression = Suppression.objects.create(number=builders.number(9), **changes)
    builders.template(valid_until=now.date())
    campaign = builders.launched(recipients=3)
    builders.campaign(schedule_at=now, retry_of=campaign)
    message = Message.objects.filter(campaign=campaign).earliest("pk")
    Message.objects.filter(pk=message.pk).update(state="accepted", delivery="failed", code="30002", sid="abc", sent_at=now)
    quarter = int(now.timestamp()) // QUARTER
    Count.objects.create(campaign=campaign, quarter=quarter, state="accepted", delivery="failed", code="30002", n=1, units=1)
    for kind, value in (("all", ""), ("link", "https://acme.example"), ("device", "Phone"), ("quarter", str(quarter))):
        ClickCount.objects.create(campaign=campaign, kind=kind, value=value, clicks=2, people=1)
    campaign.imports.update(errors={"INVALID_PHONE": 1}, rejected=1)
    RowError.objects.create(
        source=campaign.imports.get(), line=7, code="INVALID_PHONE", column="mobile", message="No.", cells=["1"]
    )
    hook = Webhook.objects.create(name="Billing", url="https://hooks.example.in/", events=["alert"], failing_since=now)
    for i, (closed, about) in enumerate([(None, campaign), (now, None)]):
        Alert.objects.create(
            kind="stopped", matter=str(i), text="Look.", raised_at=now, noticed_at=now, closed_at=closed, campaign=about
        )
    AlertRule.create_defaults()
    people = Audience.objects.create(name="Customers")
    grown(people, "mobile,name\n9812345670,Asha\n98,x\n")
    Audience.objects.create(name="New", archived=True)
    segment = Segment(audience=people, name="Asha", conditions=normal(people, rule("name", "equals", "asha")))
    save_segment(segment)
    Segment.objects.create(audience=people, name="Not counted", conditions=normal(people, rule("name", "empty")))
    limited = User.objects.get()
    SpendLimit.objects.create(user=limited, per_month=10)
    return {
        "audiences": people.pk, "files": people.files.get().pk, "segments": segment.pk,
        "campaigns": campaign.pk, "imports": campaign.imports.get().pk, "messages": message.pk, "webhooks": hook.pk,
        "suppressions": suppression.pk, "deliveries": lay(hook)[0].pk, "accounts": campaign.account_id,
        "templates": campaign.template_id, "spend-limits": limited.pk,
    }  # fmt: skip


def operations(schema, *verbs):
    return [
        (verb.upper(), path, told) for path, here in schema["paths"].items() for verb, told in here.items() if verb in verbs
    ]


def address(path, world):
    """``/api/v1/campaigns/{id}/`` with the id that the word before it has in the world."""
    words = path.removeprefix("/api/v1").split("/")
    return "/".join(str(world[words[i - 1]]) if word.startswith("{") else word for i, word in enumerate(words))


def check(schema, declared, value):
    whole = {"allOf": [declared["content"]["application/json"]["schema"]], "components": schema["components"]}
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in OAS30Validator(whole, format_checker=oas30_format_checker).iter_errors(value)
    ]


def test_what_is_read_is_what_is_declared(api, schema, world):
    wrong, lists = [], 0
    for _, path, told in operations(schema, "get"):
        declared = told["responses"]["200"]
        answer = api.get(address(path, world))
        kind = answer["Content-Type"].split(";")[0]
        assert (answer.status_code, [kind]) == (200, list(declared["content"])), path
        if kind == "application/json":
            value = answer.json()
            rows = value.get("results") if isinstance(value, dict) and "results" in value else value
            assert rows, f"{path} has nothing to be held against its schema"
            lists += isinstance(rows, list)
            wrong += [f"{path} {error}" for error in check(schema, declared, value)]
    assert not wrong, "\n".join(wrong)
    assert lists >= 10


def test_what_is_done_answers_as_declared(api, schema):
    draft, people = builders.campaign(), Audience.objects.create(name="People")
    grown(people, "mobile,name\n9812345670,Asha\n")
    calls = [
        ("/campaigns/{id}/recipients/", {"id": draft.pk}, [{"phone": "9800000001", "var1": "Asha", "var2": "2"}], 202),
        ("/imports/{id}/restart/", None, {}, 202),
        ("/templates/", {}, {"name": "T", "body": "Dear {#var#}, hello there -ACME", "dlt_template_id": "1" * 19,
                             "dlt_entity_id": "1" * 19, "header": "ACMEIN", "category": "service_implicit"}, 201),
        ("/campaigns/", {}, {"name": "X", "account": draft.account_id, "template": draft.template_id}, 201),
        ("/suppressions/", {}, {"number": "9812345670"}, 201),
        ("/campaigns/{id}/preflight/", {"id": draft.pk}, {}, 200),
        ("/audiences/", {}, {"name": "Customers"}, 201),
        ("/audiences/{id}/members/", {"id": people.pk}, [{"phone": "9800000001", "city": "Pune"}], 202),
        ("/audiences/{id}/segments/", {"id": people.pk}, {"name": "A", "conditions": rule("name", "empty")}, 201),
        ("/audiences/{id}/count/", {"id": people.pk}, {"conditions": rule("name", "not_empty")}, 200),
    ]  # fmt: skip
    for path, ids, body, status in calls:
        if ids is None:
            ids = {"id": draft.imports.get().pk}
            run_import(ids["id"])
        answer = api.post(path.format(**ids), body)
        assert answer.status_code == status, answer.content
        declared = schema["paths"][f"/api/v1{path}"]["post"]["responses"][str(status)]
        assert declared["content"]["application/json"]["schema"].get("$ref"), f"{path} answers something without a name"
        assert check(schema, declared, answer.json()) == []


def test_every_call_declares_its_errors_as_problems(schema):
    found = operations(schema, "get", "post", "put", "patch", "delete")
    assert len(found) > 40
    for method, path, told in found:
        errors = {code: answer for code, answer in told["responses"].items() if code >= "400"}
        assert {"401", "403"} <= set(errors), (method, path)
        assert "{" not in path or "404" in errors, (method, path)
        assert "requestBody" not in told or {"400", "411", "413", "415"} <= set(errors), (method, path)
        for code, answer in errors.items():
            assert list(answer["content"]) == [PROBLEM], (method, path, code)
            assert answer["content"][PROBLEM]["schema"] == {"$ref": "#/components/schemas/Problem"}


def test_a_refusal_is_the_declared_problem(api, schema, world):
    problem = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    refusals = [
        Client().get("/api/v1/campaigns/"), Api("export").get("/campaigns/"), api.get("/campaigns/424242/"),
        api.get("/nothing/"), api.get("/campaigns/", page_size="x"), api.post("/templates/", {"name": ""}),
        api.raw("/templates/", b"{"), api.raw("/templates/", b"x", "text/plain"),
        api.post(f"/campaigns/{world['campaigns']}/launch/"), api.post(f"/campaigns/{builders.campaign().pk}/launch/"),
        api.upload(f"/campaigns/{builders.campaign().pk}/recipients/", FILE[:5]),
    ]  # fmt: skip
    assert [answer.status_code for answer in refusals] == [401, 403, 404, 404, 400, 400, 400, 415, 409, 422, 422]
    for answer in refusals:
        assert answer["Content-Type"] == PROBLEM
        assert check(schema, problem, answer.json()) == []
