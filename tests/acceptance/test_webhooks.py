"""Webhooks on real processes: all that happens to a campaign arrives at another system, signed, though the worker is killed."""

import csv
import signal

import pytest

from tests.acceptance.conftest import Installation, wait_until
from tests.receiver import Receiver

MESSAGES = 400
OUTCOMES = {"20005": 80, "20006": 10, "23050": 10}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory, database_url):
    made = Installation(tmp_path_factory.mktemp("installation"), database_url, EXODASH_WEBHOOK_HOSTS="127.0.0.1")
    try:
        yield made.up()
    finally:
        made.down()


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["mobile", "name", "amount", "due"])
        rows.writerows([f"98{i:08d}", f"Person {i}", f"{i}.50", "28 Nov"] for i in range(MESSAGES))
    return path


def test_everything_arrives_though_the_worker_is_killed(installation, receiver, people):
    installation.scenario(outcomes=OUTCOMES, delay=[0.0, 1.0])
    api = installation.api("read,write,launch,numbers,admin")
    wanted = {"name": "Ledger", "url": receiver.url, "events": ["message.final", "campaign.state"], "full_numbers": True}
    hook = api.post("/webhooks/", wanted, expect=201)
    api.post(f"/webhooks/{hook['id']}/test/", expect=202)
    wait_until(lambda: len(receiver.got) == 1, "the test arrives", 20)
    template, account = api.get("/templates/")["results"][0]["id"], api.get("/accounts/")[0]["id"]
    made = api.post("/campaigns/", {"name": "Dues", "account": account, "template": template}, expect=201)["id"]
    api.import_file(made, people, {"phone": "mobile", "vars": ["name", "amount", "due"]})
    receiver.status = 503
    api.post(f"/campaigns/{made}/launch/", {"accept_warnings": True})
    wait_until(lambda: api.campaign(made)["state"] == "finished", "the campaign is sent", 120)
    installation.end("worker", signal.SIGKILL)
    receiver.status = 200
    installation.start("worker")
    wait_until(lambda: api.campaign(made)["delivery"]["awaiting"] == 0, "every report is applied", 60)
    api.post(f"/webhooks/{hook['id']}/test/", expect=202)  # lifts the hold of a webhook that has failed
    for row in api.get(f"/webhooks/{hook['id']}/deliveries/", state="waiting", page_size=1000)["results"]:
        api.post(f"/webhooks/{hook['id']}/deliveries/{row['id']}/replay/", expect=202)

    def nothing_waits():
        return not api.get(f"/webhooks/{hook['id']}/deliveries/", state="waiting")["results"]

    wait_until(nothing_waits, "everything has arrived", 60)
    told = [receiver.verified(hook["secret"], i) for i in range(len(receiver.got))]
    states = {data["data"]["state"] for data in told if data["type"] == "campaign.state"}
    assert states == {"launching", "running", "finished"}
    highest = {}
    for data in told:
        for one in data["data"].get("messages", []):
            if data["type"] == "message.final" and one["order"] >= highest.get(one["id"], {"order": ""})["order"]:
                highest[one["id"]] = one
    truth = {one["id"]: (one["number"], one["delivery"], one["code"], one["sid"]) for one in api.messages(made)}
    assert {pk: (one["number"], one["delivery"], one["code"], one["sid"]) for pk, one in highest.items()} == truth
    assert len(truth) == MESSAGES
    assert sum(data["type"] == "message.final" for data in told) < MESSAGES
    assert installation.manage("check_invariants")
