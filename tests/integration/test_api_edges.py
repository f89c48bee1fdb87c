"""What surrounds the calls of the API: the form of answers, addresses that are none, bodies of unknown length."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from campaigns.models import Campaign
from tests import builders
from tests.integration.test_api import FILE, Api

pytestmark = pytest.mark.django_db
PROBLEM = "application/problem+json"
ACCEPT = ["text/csv", "text/html,application/xhtml+xml", "*/*", "image/png", "application/json", ";;"]


@pytest.fixture
def api():
    return Api("read", "write", "launch", "export", "numbers")


@pytest.mark.parametrize("accept", ACCEPT)
def test_an_address_answers_in_its_form_whatever_is_accepted(api, accept):
    api.headers["Accept"] = accept
    campaign = builders.launched(recipients=1)
    source = campaign.imports.get()
    for path in (f"/campaigns/{campaign.pk}/report.csv", f"/imports/{source.pk}/errors.csv", "/suppressions.csv"):
        answer = api.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8"), path
        assert b"".join(answer)
    for path in ("/campaigns/", f"/campaigns/{campaign.pk}/"):
        answer = api.get(path)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), path
    for path in ("/campaigns/424242/", "/campaigns/424242/report.csv", "/campaigns/?page_size=x"):
        answer = api.get(path)
        assert (answer.status_code, answer["Content-Type"]) in {(404, PROBLEM), (400, PROBLEM)}, path


NOWHERE = [
    "/",
    "/nothing/",
    "/campaigns",
    "/campaigns/abc/",
    "/campaigns/-1/",
    "/campaigns/1/nothing/",
    "/%00/",
    "/nothing.csv",
]


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize("path", NOWHERE)
def test_an_address_that_is_none_is_a_problem(api, path, method):
    for headers in (api.headers, {}):
        answer = getattr(Client(enforce_csrf_checks=True), method)(f"/api/v1{path}", headers=headers)
        assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
        assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("path", ["/api/", "/api/v2/campaigns/"])
def test_another_version_is_a_problem_too(path):
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)


def test_the_console_keeps_its_own_pages():
    answer = Client().get("/apiary/", follow=True)
    assert answer["Content-Type"].startswith("text/html")


def test_too_many_fields_or_files_are_a_problem(api):
    path = f"/campaigns/{builders.campaign().pk}/recipients/"
    fields = api.upload(path, FILE, **{f"field{i}": "x" for i in range(1_001)})
    files = api.upload(path, FILE, **{f"file{i}": SimpleUploadedFile("a.csv", b"x") for i in range(101)})
    for answer in (fields, files):
        assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (400, PROBLEM, "too_many_parts")


def test_a_foreign_host_is_a_problem(api):
    answer = api.client.get("/api/v1/campaigns/", headers=api.headers | {"Host": "elsewhere.example"})
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


def test_an_error_of_ours_is_a_problem_that_tells_nothing(api, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("inner secret")

    monkeypatch.setattr(Campaign.lists.__class__, "select_related", broken)
    api.client.raise_request_exception = False
    answer = api.get("/campaigns/")
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (500, PROBLEM, "internal")
    assert "secret" not in answer.content.decode()
