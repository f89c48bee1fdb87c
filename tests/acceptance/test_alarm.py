"""A worker of its own finds that too much failed and writes about it, once, to a real mail server."""

import csv

import pytest

from tests.acceptance.conftest import Installation, wait_until
from tests.mailbox import Mailbox


@pytest.fixture(scope="module")
def alarmed(tmp_path_factory, database_url):
    mailbox = Mailbox().start()
    url = {"EXODASH_EMAIL_URL": f"smtp://127.0.0.1:{mailbox.port}", "EXODASH_EMAIL_FROM": "alerts@x.in"}
    made = Installation(tmp_path_factory.mktemp("installation"), database_url, **url)
    try:
        yield made.up(), mailbox
    finally:
        made.down()
        mailbox.stop()


def test_failures_are_mailed_once_shown_and_acknowledged(alarmed, tmp_path):
    installation, mailbox = alarmed
    installation.scenario(outcomes={"20005": 60, "23050": 40}, delay=[0.0, 0.5])
    api = installation.api(scopes="admin")
    rule = next(row for row in api.get("/alert-rules/") if row["kind"] == "failed_rate")
    api.session.patch(
        f"{api.base}/alert-rules/{rule['id']}/", json={"recipients": ["ops@x.in"]}, timeout=30
    ).raise_for_status()
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["mobile", "name", "amount", "due"], *([f"98{i:08d}", "Asha", "1", "Monday"] for i in range(200))]
        )
    template, account = api.get("/templates/")["results"][0]["id"], api.get("/accounts/")[0]["id"]
    made = api.post("/campaigns/", {"name": "Alarm", "account": account, "template": template}, expect=201)["id"]
    api.import_file(made, path, {"phone": "mobile", "vars": ["name", "amount", "due"]})
    api.post(f"/campaigns/{made}/launch/", {"accept_warnings": True})
    found = wait_until(
        lambda: [row for row in api.get("/alerts/", state="open") if row["kind"] == "failed_rate"],
        "the alert is raised",
        120,
    )
    wait_until(lambda: mailbox.mails, "the mail arrives", 60)
    assert "messages with a final report failed" in found[0]["text"] and found[0]["account"] == account
    assert api.post(f"/alerts/{found[0]['id']}/acknowledge/")["closed_by"] == "admin"
    assert len(mailbox.mails) == 1 and mailbox.mails[0]["to"] == "ops@x.in"
    assert installation.log("worker").count("could not be looked at") == 0
