"""What surrounds the calls of the API: the form of answers, addresses that are none, bodies of unknown length."""

import pytest

from tests import builders
from tests.integration.test_api import Api

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
