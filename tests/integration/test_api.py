"""REST as its users meet it: the shapes of the contract, scopes, and a sentence for every kind of bad input."""

import csv
import io
import json

import openapi_spec_validator
import pytest
import yaml
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from campaigns.models import Account, Alert, ApiToken, AuditEvent, Campaign, Import, Message, Template
from campaigns.sending import control, intent, settle
from campaigns.sending.outcomes import Outcome
from campaigns.tasks import run_import
from tests import builders

pytestmark = pytest.mark.django_db
FILE = "mobile,name,amount\n9800000001,Asha,1.50\n9800000002,Ravi,2.50\n98000,Bad,1\n"


class Api:
    def __init__(self, *scopes, **fields):
        user, _ = get_user_model().objects.get_or_create(username="asha")
        self.token, self.text = ApiToken.issue(user=user, name="test", scopes=list(scopes), **fields)
        self.client = Client(raise_request_exception=True)
        self.headers = {"Authorization": f"Token {self.text}"}

    def get(self, path, **query):
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path, data=None, **headers):
        return self.client.post(f"/api/v1{path}", json.dumps(data or {}), "application/json", headers=self.headers | headers)

    def raw(self, path, body, content_type="application/json"):
        return self.client.post(f"/api/v1{path}", body, content_type, headers=self.headers)

    def upload(self, path, content, name="people.csv", **data):
        content = content.encode() if isinstance(content, str) else content
        return self.client.post(f"/api/v1{path}", {"file": SimpleUploadedFile(name, content), **data}, headers=self.headers)


@pytest.fixture
def api():
    return Api("read", "write", "launch", "export", "numbers")


@pytest.fixture
def draft(api):
    answer = api.post("/campaigns/", {"name": "Dues", "account": builders.account().pk, "template": builders.template().pk})
    assert answer.status_code == 201
    return answer.json()


def test_a_new_campaign_has_the_shape_of_the_contract(draft):
    assert (draft["state"], draft["channel"], draft["sender_id"]) == ("draft", "sms", "ACMEIN")
    assert set(draft["counts"]) == {
        "total", "pending", "in_flight", "accepted", "rejected", "unconfirmed", "suppressed", "cancelled",
    }  # fmt: skip
    assert set(draft["delivery"]) == {"awaiting", "delivered", "read", "at_operator", "failed", "conflict"}
    assert {"units", "cost", "rate", "eta", "state_reason", "schedule_at"} <= set(draft)


def test_recipients_are_read_checked_and_launched(api, draft):
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", FILE)
    assert answer.status_code == 202
    source = answer.json()["import"]
    run_import(source)
    read = api.get(f"/imports/{source}/").json()
    assert (read["state"], read["rows"], read["accepted"], read["errors"]) == ("done", 3, 2, {"INVALID_PHONE": 1})
    errors = b"".join(api.get(f"/imports/{source}/errors.csv")).decode("utf-8-sig")
    assert [row["error_code"] for row in csv.DictReader(io.StringIO(errors))] == ["INVALID_PHONE"]
    checks = api.post(f"/campaigns/{draft['id']}/preflight/").json()
    assert (checks["messages"], checks["units"], checks["cost"]) == (2, 2, "0.4000")
    launched = api.post(f"/campaigns/{draft['id']}/launch/", {"accept_warnings": True}, **{"Idempotency-Key": "a"})
    assert (launched.status_code, launched.json()["state"]) == (200, "launching")
    again = api.post(f"/campaigns/{draft['id']}/launch/", {"accept_warnings": True}, **{"Idempotency-Key": "a"})
    assert again.status_code == 200
    other = api.post(f"/campaigns/{draft['id']}/launch/", {"accept_warnings": True}, **{"Idempotency-Key": "b"})
    assert (other.status_code, other.json()["code"]) == (409, "already_launched")
    assert AuditEvent.objects.filter(action="campaign.launch").count() == 1


def test_json_rows_are_recipients_too(api, draft):
    rows = [{"phone": "9800000001", "var1": "Asha", "var2": 1.5}, {"phone": "9800000002", "var1": "Ravi", "var2": 2}]
    answer = api.post(f"/campaigns/{draft['id']}/recipients/", rows)
    assert answer.status_code == 202, answer.content
    run_import(answer.json()["import"])
    assert api.get(f"/imports/{answer.json()['import']}/").json()["accepted"] == 2


def test_steering_follows_the_states(api):
    campaign = builders.launched(recipients=2)
    steps = [
        ("pause", 200, "paused"),
        ("pause", 409, None),
        ("resume", 200, "running"),
        ("cancel", 200, "cancelled"),
        ("resume", 409, None),
    ]
    for verb, status, state in steps:
        answer = api.post(f"/campaigns/{campaign.pk}/{verb}/")
        assert answer.status_code == status, verb
        assert answer.json().get("state" if state else "code") == (state or "wrong_state")


def test_messages_page_by_cursor_without_gap_or_repeat(api):
    campaign = builders.launched(recipients=25)
    seen, path, query = [], f"/campaigns/{campaign.pk}/messages/", {"page_size": 10}
    while True:
        page = api.get(path, **query).json()
        seen += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        query = dict(pair.split("=") for pair in page["next"].split("?")[1].replace("%3C", "<").split("&"))
    assert seen == sorted(Message.objects.values_list("id", flat=True), reverse=True)


def test_numbers_are_masked_without_the_scope():
    campaign = builders.launched(recipients=1)
    masked = Api("read").get(f"/campaigns/{campaign.pk}/messages/").json()["results"][0]["number"]
    whole = Api("read", "numbers").get(f"/campaigns/{campaign.pk}/messages/").json()["results"][0]["number"]
    assert whole == "+919800000000"
    assert "9800000000" not in masked and masked.startswith("+91 98")


def test_a_message_tells_its_history(api):
    campaign = builders.launched(recipients=1)
    message = Message.objects.get(campaign=campaign)
    history = api.get(f"/messages/{message.pk}/").json()["history"]
    assert history[0]["text"] == "Prepared from the recipients file."


def test_reports_stream_with_the_original_columns(api):
    campaign = builders.launched(recipients=2)
    text = b"".join(api.get(f"/campaigns/{campaign.pk}/report.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["name (file)"], row["status"]) for row in rows] == [("Person 0", "waiting"), ("Person 1", "waiting")]
    assert rows[0]["number"] == "919800000000"


@pytest.mark.parametrize(
    "path", ["/accounts/", "/templates/", "/codes/?namespace=upload", "/stats/", "/campaigns/", "/schema/", "/docs/"]
)
def test_reference_pages_answer(api, path):
    assert api.get(path).status_code == 200


def test_a_template_is_made_with_its_sms_type(api):
    body = {
        "name": "Offer", "body": "Dear {#var#}, buy now -ACME", "dlt_template_id": "1" * 19, "dlt_entity_id": "1" * 19,
        "header": "612345", "category": "promotional",
    }  # fmt: skip
    answer = api.post("/templates/", body)
    assert (answer.status_code, answer.json()["sms_type"], answer.json()["variables"]) == (201, "promotional", 1)


SCOPES = [
    ("GET", "/campaigns/", "read"),
    ("POST", "/campaigns/", "write"),
    ("POST", "/campaigns/1/recipients/", "write"),
    ("POST", "/campaigns/1/preflight/", "write"),
    ("POST", "/campaigns/1/launch/", "launch"),
    ("POST", "/campaigns/1/pause/", "launch"),
    ("POST", "/campaigns/1/cancel/", "launch"),
    ("GET", "/campaigns/1/report.csv", "export"),
    ("GET", "/campaigns/1/messages/", "read"),
    ("POST", "/templates/", "write"),
    ("GET", "/imports/1/errors.csv", "export"),
    ("GET", "/alerts/", "read"),
    ("POST", "/alerts/1/acknowledge/", "launch"),
]


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
def test_every_call_needs_its_scope(method, path, scope):
    others = Api(*{"read", "write", "launch", "export", "numbers"} - {scope})
    answer = others.get(path) if method == "GET" else others.post(path)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    allowed = Api(scope).get(path) if method == "GET" else Api(scope).post(path)
    assert allowed.status_code != 403


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Token",
        "Token ",
        "Token a b",
        "Bearer x",
        "Token exd_wrong",
        "Token \xff\xfe",
        "Basic YTpi",
        "Token " + "x" * 5000,
    ],
)
def test_a_malformed_token_is_401(header):
    answer = Client().get("/api/v1/campaigns/", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"


def test_expired_revoked_and_orphaned_tokens_are_401():
    now = timezone.now()
    expired = Api("read", expires_at=now)
    revoked = Api("read")
    ApiToken.objects.filter(pk=revoked.token.pk).update(revoked_at=now)
    inactive = Api("read")
    assert expired.get("/campaigns/").status_code == revoked.get("/campaigns/").status_code == 401
    get_user_model().objects.update(is_active=False)
    assert inactive.get("/campaigns/").status_code == 401


def campaign_body(**fields):
    return {"name": "X", "account": builders.account().pk, "template": builders.template().pk} | fields


BAD_CAMPAIGNS = [
    ({"name": ""}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"account": 99999}, "account"),
    ({"account": "x"}, "account"),
    ({"account": 10**30}, "account"),
    ({"account": True}, "account"),
    ({"account": 1.0}, "account"),
    ({"account": [1]}, "account"),
    ({"account": "9" * 5000}, "account"),
    ({"template": None}, "template"),
    ({"channel": "pigeon"}, "channel"),
    ({"channel": "whatsapp"}, "channel"),
    ({"sender_id": "A B"}, "sender_id"),
    ({"schedule_at": "tomorrow"}, "schedule_at"),
    ({"schedule_at": "9999-12-31T23:59:59+14:00"}, "schedule_at"),
]


@pytest.mark.parametrize(("fields", "field"), BAD_CAMPAIGNS, ids=str)
def test_a_bad_campaign_is_refused_with_the_field(api, fields, field):
    answer = api.post("/campaigns/", campaign_body(**fields))
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert field in answer.json()["detail"]
    assert not Campaign.objects.exists()


@pytest.mark.parametrize(
    "spelling", [lambda pk: pk + 0.5, lambda pk: float(pk), lambda pk: f" {pk}", lambda pk: chr(0x660 + pk % 10)]
)
def test_an_id_is_never_guessed(api, spelling):
    account = builders.account(pk=7)
    body = {"name": "X", "account": spelling(account.pk), "template": builders.template().pk}
    answer = api.post("/campaigns/", body)
    assert (answer.status_code, answer.json()["field"]) == (400, "account")
    assert api.post("/campaigns/", body | {"account": "7"}).json()["account"] == 7


BAD_TEMPLATES = [
    ({"body": "Dear {#var}, hello -ACME"}, "body"),
    ({"body": "Dear {{name}} -ACME"}, "body"),
    ({"body": "Dear {#VAR#} -ACME"}, "body"),
    ({"body": "Dear {#thing#} -ACME"}, "body"),
    ({"body": ""}, "body"),
    ({"dlt_template_id": "abc"}, "dlt_template_id"),
    ({"dlt_entity_id": ""}, "dlt_entity_id"),
    ({"category": "spam"}, "category"),
    ({"header": "612345"}, "header"),
    ({"header": "AD-ACMEIN"}, "header"),
    ({"header": "ACMEIN", "category": "promotional"}, "header"),
    ({"body": "x" * 2_001}, "body"),
    ({"dlt_template_id": "١" * 19}, "dlt_template_id"),
    ({"dlt_entity_id": "१" * 19}, "dlt_entity_id"),
]


@pytest.mark.parametrize(("fields", "field"), BAD_TEMPLATES, ids=str)
def test_a_bad_template_is_refused_with_a_sentence(api, fields, field):
    body = {
        "name": "T", "body": "Dear {#var#}, hello there -ACME", "dlt_template_id": "1" * 19, "dlt_entity_id": "1" * 19,
        "header": "ACMEIN", "category": "service_implicit",
    }  # fmt: skip
    answer = api.post("/templates/", body | fields)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert not Template.objects.exists()


BAD_FILES = [
    (b"", 422), (b"   \n", 422), (b"mobile,name,amount\n", 422), (b"a,b,c\n1,2,3\n", 422),
    (b"mobile,name,name,name\n9800000001,a,b,c\n", 422), (b"PK\x03\x04" + b"\x00" * 100, 422), (b"%PDF-1.7\n", 422),
    (b"\x89PNG\r\n\x1a\n\x00\x00", 422), (b"\x00" * 500, 422),
]  # fmt: skip


@pytest.mark.parametrize(("content", "status"), BAD_FILES, ids=range(len(BAD_FILES)))
def test_a_file_that_is_no_list_is_refused_and_leaves_nothing(api, draft, content, status):
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", content)
    assert answer.status_code == status, answer.content
    assert len(answer.json()["detail"].split()) > 2
    assert not Import.objects.exists()


def test_a_file_over_the_limit_is_413(api, draft, settings):
    settings.UPLOAD_LIMIT_MB = 1
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", "mobile,name,amount\n" + "9800000001,Asha,1\n" * 70_000)
    assert answer.status_code == 413
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    "mapping",
    [
        '{"phone": "nope"}',
        '{"vars": "name"}',
        "[]",
        "7",
        "{",
        '{"phone": {"a": 1}}',
        '{"phone": "mobile", "vars": ["name"]}',
    ],
)
def test_a_bad_mapping_is_refused_and_leaves_nothing(api, draft, mapping):
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", FILE, mapping=mapping)
    assert answer.status_code in {400, 422}, answer.content
    assert not Import.objects.exists()


BAD_BODIES = [
    b"", b"{", b"[", b"null", b"7", b'"x"', b"[]", b'{"name": NaN}', b"\xff\xfe", b'{"name": "a\\u0000b"}', b'{"name": "\\ud800"}',
    b'{"a":' * 5000 + b"1" + b"}" * 5000, b"[" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
@pytest.mark.parametrize("path", ["/campaigns/", "/templates/", "/campaigns/{id}/recipients/", "/campaigns/{id}/launch/"])
def test_no_body_is_a_server_error(api, draft, path, body):
    answer = api.raw(path.format(id=draft["id"]), body)
    assert 400 <= answer.status_code < 500, answer.content
    assert {"code", "detail", "field"} <= set(answer.json())


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data", "multipart/form-data; boundary=x", ""]
)
def test_an_odd_content_type_is_a_client_error(api, draft, content_type):
    answer = api.raw(f"/campaigns/{draft['id']}/recipients/", b"--x\r\nbroken", content_type)
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("pk", ["0", "424242", str(2**63), "9" * 40])
@pytest.mark.parametrize(
    "path", ["/campaigns/{}/", "/campaigns/{}/messages/", "/campaigns/{}/report.csv", "/imports/{}/", "/messages/{}/"]
)
def test_an_unknown_id_is_404(api, path, pk):
    answer = api.get(path.format(pk))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        {"page_size": "0"}, {"page_size": "1001"}, {"page_size": "x"}, {"page_size": "9" * 50}, {"cursor": "x"}, {"cursor": "<"},
        {"cursor": "<" + "9" * 30}, {"cursor": ">-1"}, {"status": "nope"}, {"phone": "12"}, {"phone": "\x00"}, {"cursor": "<१२"},
    ],
)  # fmt: skip
def test_a_bad_filter_is_a_sentence(api, query):
    answer = api.get(f"/campaigns/{builders.campaign().pk}/messages/", **query)
    assert (answer.status_code, answer.json()["field"]) == (400, next(iter(query)))
    assert answer.json()["detail"].startswith(f"{next(iter(query))}: ")
    assert answer.json()["detail"].count(":") == 1


@pytest.mark.parametrize(
    "query",
    [
        {"by": "year"}, {"from": "x"}, {"to": "2026-13-01"}, {"from": "2026-11-21", "to": "2026-11-20"}, {"from": "1999-01-01"},
        {"from": "2020-01-01", "to": "2026-01-01"}, {"from": "9999-12-31T23:59:59Z"},
    ],
)  # fmt: skip
def test_a_bad_span_is_a_sentence(api, query):
    assert api.get("/stats/", **query).status_code == 400


def test_a_launch_without_recipients_is_422_with_the_findings(api, draft):
    answer = api.post(f"/campaigns/{draft['id']}/launch/")
    assert answer.status_code == 422
    assert "NO_RECIPIENTS" in {finding["code"] for finding in answer.json()["findings"]}


def test_a_launched_campaign_takes_no_more_recipients_or_changes(api):
    campaign = builders.launched(recipients=1)
    assert api.upload(f"/campaigns/{campaign.pk}/recipients/", FILE).status_code == 409
    changed = api.client.patch(f"/api/v1/campaigns/{campaign.pk}/", "{}", "application/json", headers=api.headers)
    assert changed.status_code == 409


def test_a_template_changed_after_the_import_must_be_checked_again(api):
    campaign = builders.campaign(recipients=1)
    campaign.template.body += "!"
    campaign.template.save()
    answer = api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True})
    assert (answer.status_code, answer.json()["findings"][0]["code"]) == (422, "TEMPLATE_CHANGED")


def test_recipients_read_for_another_template_must_be_read_again(api):
    campaign = builders.campaign(recipients=1)
    body = json.dumps({"template": builders.template().pk})
    assert (
        api.client.patch(f"/api/v1/campaigns/{campaign.pk}/", body, "application/json", headers=api.headers).status_code
        == 200
    )
    answer = api.post(f"/campaigns/{campaign.pk}/launch/", {"accept_warnings": True})
    assert (answer.status_code, answer.json()["findings"][0]["code"]) == (422, "TEMPLATE_CHANGED")


def test_every_route_of_the_schema_names_its_scope():
    from campaigns.api import urls

    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        open_route = pattern.name == "schema" or str(pattern.pattern) == "docs/"
        assert open_route or methods == set(view.scopes), pattern


def test_the_schema_is_valid_openapi_and_names_every_call(api):
    schema = yaml.safe_load(api.get("/schema/").content)
    openapi_spec_validator.validate(schema)
    named = {(method.upper(), path) for path, methods in schema["paths"].items() for method in methods}
    for method, path, _ in SCOPES:
        assert (method, f"/api/v1{path}".replace("/1/", "/{id}/")) in named


@pytest.mark.parametrize("mapping", ["[" * 20_000, '{"vars":' + '{"a":' * 30_000])
def test_a_mapping_nested_too_deeply_is_refused(api, draft, mapping):
    answer = api.upload(f"/campaigns/{draft['id']}/recipients/", FILE, mapping=mapping)
    assert (answer.status_code, answer.json()["field"]) == (400, "mapping")


def test_a_mapping_of_an_earlier_file_says_nothing_about_the_next_one(api, draft):
    text = "phone,var1,var2\n9833333335,Ravi,200\n"
    first = api.upload(f"/campaigns/{draft['id']}/recipients/", text, mapping='{"phone": "phone", "vars": ["var2", "var1"]}')
    run_import(first.json()["import"])
    other = api.post("/campaigns/", {"name": "Next", "account": draft["account"], "template": draft["template"]}).json()
    source = api.upload(f"/campaigns/{other['id']}/recipients/", text).json()["import"]
    assert Import.objects.get(pk=source).mapping["vars"] == ["var1", "var2"]


def test_refused_rows_show_whole_numbers_only_with_their_scope(api, draft):
    source = api.upload(f"/campaigns/{draft['id']}/recipients/", FILE + "9800000001,Twice,2\n").json()["import"]
    run_import(source)
    path = f"/imports/{source}/errors.csv"
    whole = b"".join(api.get(path)).decode()
    masked = b"".join(Api("export").get(path)).decode()
    assert "9800000001,Twice" in whole and "9800000001" not in masked and "Twice" in masked and "98000,Bad" in masked


def test_a_stopped_account_is_resumed_when_no_campaign_is_left_to_resume(api, draft):
    account = Account.objects.get()
    control.stop_account(account.pk, "The balance is used up.")
    assert api.post(f"/accounts/{account.pk}/resume/").json()["stopped"] is None
    account.refresh_from_db()
    assert account.stopped_at is None and not Alert.objects.filter(closed_at=None).exists()
    again = api.post(f"/accounts/{account.pk}/resume/")
    assert (again.status_code, again.json()["code"]) == (409, "not_stopped")
    assert api.post("/accounts/99999/resume/").status_code == 404
    assert AuditEvent.objects.filter(action="account.resume").count() == 1


def test_a_campaign_whose_provider_cannot_be_reached_says_so(api):
    campaign = builders.launched(account=builders.account(rate_per_minute=200))
    assert api.get(f"/campaigns/{campaign.pk}/").json()["eta"]
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    settle.settle(order, Outcome("not_sent", [], reason="Exotel could not be reached."))
    shown = api.get(f"/campaigns/{campaign.pk}/").json()
    assert (shown["state"], shown["eta"], shown["rate"]) == ("running", None, 0)
    assert "reach" in shown["state_reason"]
