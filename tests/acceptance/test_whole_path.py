"""The product's main job on real processes: a file goes in, messages go out once, statuses come back true."""

import csv
import io
from collections import Counter

import pytest

from tests.acceptance.conftest import wait_until

MESSAGES = 2_000
OUTCOMES = {"20005": 82, "20006": 5, "23005": 5, "23010": 3, "23035": 3, "23082": 2}
DELIVERY = {"20005": "delivered", "20006": "at_operator"}


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """2,000 recipients in several spellings, two of them twice and one without a number."""
    path = tmp_path_factory.mktemp("files") / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Name", "Mobile No.", "Amount", "Due", "City"])
        for i in range(MESSAGES):
            ten = f"98{i:08d}"
            writer.writerow([f"Person {i}", [ten, f"+91 {ten}", f"0{ten}"][i % 3], f"{i}.50", "28 Nov", "Pune"])
        writer.writerow(["Again", "9800000000", "1", "28 Nov", "Pune"])
        writer.writerow(["Again", "+919800000001", "1", "28 Nov", "Pune"])
        writer.writerow(["Nobody", "", "1", "28 Nov", "Pune"])
    return path


@pytest.fixture(scope="module")
def finished(installation, people):
    """A campaign launched over REST and waited for until every report is in."""
    installation.scenario(outcomes=OUTCOMES, delay=[0.0, 1.0])
    api = installation.api()
    template = api.get("/templates/")["results"][0]["id"]
    account = api.get("/accounts/")[0]["id"]
    made = api.post("/campaigns/", {"name": "Whole path", "account": account, "template": template}, expect=201)
    read = api.import_file(made["id"], people, {"phone": "Mobile No.", "vars": ["Name", "Amount", "Due"]})
    checks = api.post(f"/campaigns/{made['id']}/preflight/")
    api.post(f"/campaigns/{made['id']}/launch/", {"accept_warnings": True}, headers={"Idempotency-Key": "one"})
    api.post(f"/campaigns/{made['id']}/launch/", {"accept_warnings": True}, headers={"Idempotency-Key": "one"})
    wait_until(lambda: api.campaign(made["id"])["state"] == "finished", "the campaign is sent", 120)
    wait_until(lambda: api.campaign(made["id"])["delivery"]["awaiting"] == 0, "every report is applied", 60)
    return {"api": api, "id": made["id"], "import": read, "checks": checks, "installation": installation}


def test_the_file_is_read_with_every_bad_row_named(finished):
    read = finished["import"]
    assert (read["rows"], read["accepted"], read["duplicates"]) == (MESSAGES + 3, MESSAGES, 2)
    assert read["errors"] == {"DUPLICATE_ENTRY": 2, "MISSING_REQUIRED": 1}
    refused = finished["api"].get(f"/imports/{read['id']}/errors.csv")
    assert [row["error_code"] for row in csv.DictReader(io.StringIO(refused))] == [
        "DUPLICATE_ENTRY",
        "DUPLICATE_ENTRY",
        "MISSING_REQUIRED",
    ]


def test_preflight_says_what_will_be_sent_and_what_it_costs(finished):
    checks = finished["checks"]
    assert checks["messages"] == MESSAGES
    assert checks["units"] >= MESSAGES
    assert float(checks["cost"]) == pytest.approx(checks["units"] * 0.20)
    assert not [finding for finding in checks["findings"] if finding["level"] == "error"]


def test_every_message_was_handed_over_exactly_once(finished):
    numbers = Counter(entry["number10"] for entry in finished["installation"].ledger())
    assert len(numbers) == MESSAGES
    assert set(numbers.values()) == {1}


def test_requests_kept_the_accounts_rate(finished):
    """200 a minute: 20 requests of 100 take at least 5.7 s, however many processes send."""
    arrivals = [request["at"] for request in finished["installation"].requests()]
    assert len(arrivals) == MESSAGES // 100
    assert (len(arrivals) - 1) / (max(arrivals) - min(arrivals)) * 60 <= 200 * 1.01


def test_the_wire_carried_the_registered_identity(finished):
    for entry in finished["installation"].ledger():
        assert entry["sms_type"] == "transactional"
        assert entry["dlt_entity_id"] == "1501000000000000001"
        assert entry["dlt_template_id"] == "1507000000000000002"
        assert entry["to"] == f"+91{entry['number10']}"
        assert f"Dear Person {int(entry['number10'][2:])}, your payment of Rs" in entry["body"]


def test_each_message_stands_as_the_ledger_says(finished):
    messages = {message["number"][3:]: message for message in finished["api"].messages(finished["id"])}
    ledger = {entry["number10"]: entry for entry in finished["installation"].ledger()}
    assert set(messages) == set(ledger)
    for number, entry in ledger.items():
        message = messages[number]
        assert (message["state"], message["sid"]) == ("accepted", entry["sid"])
        assert (message["delivery"], message["code"]) == (DELIVERY.get(entry["code"], "failed"), entry["code"])


def test_the_counts_are_those_of_the_ledger(finished):
    campaign = finished["api"].campaign(finished["id"])
    codes = Counter(entry["code"] for entry in finished["installation"].ledger())
    assert campaign["counts"]["total"] == campaign["counts"]["accepted"] == MESSAGES
    assert campaign["delivery"]["delivered"] == codes["20005"]
    assert campaign["delivery"]["at_operator"] == codes["20006"]
    assert campaign["delivery"]["failed"] == MESSAGES - codes["20005"] - codes["20006"]
    assert campaign["delivery"]["conflict"] == 0


def test_the_report_names_each_failure_with_what_to_do(finished):
    report = {row["code"]: row for row in finished["api"].get(f"/campaigns/{finished['id']}/report/")}
    codes = Counter(entry["code"] for entry in finished["installation"].ledger() if entry["code"].startswith("23"))
    assert {code: row["count"] for code, row in report.items()} == codes
    assert all(row["meaning"] and row["remedy"] and row["who_acts"] for row in report.values())
    assert sum(row["share"] for row in report.values()) == pytest.approx(1)


def test_the_report_file_has_the_original_columns_and_every_outcome(finished):
    text = finished["api"].get(f"/campaigns/{finished['id']}/report.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    ledger = {entry["number10"]: entry for entry in finished["installation"].ledger()}
    assert len(rows) == MESSAGES
    assert {"Name", "City", "status", "code", "reason", "sid"} <= set(rows[0])
    assert {row["sid"] for row in rows} == {entry["sid"] for entry in ledger.values()}
    assert all(row["code"] == ledger[row["number"][-10:]]["code"] for row in rows)


def test_nothing_contradicts_itself(finished):
    assert finished["installation"].manage("check_invariants")


def test_no_number_token_or_credential_reaches_a_log(finished):
    for name in ("web", "worker"):
        log = finished["installation"].log(name)
        for secret in ("98000000", "demotoken", "Authorization"):
            assert secret not in log
