"""SIGTERM in the middle of a campaign: what is on the wire is finished and stored, nothing new is begun, nothing is lost."""

import signal
import time
from collections import Counter

from tests.acceptance.conftest import wait_until

MESSAGES = 3_000


def test_a_worker_that_is_told_to_stop_leaves_nothing_in_doubt(installation, tmp_path):
    people = tmp_path / "people.csv"
    rows = (f"98{i:08d},Person {i},{i}.50,28 Nov" for i in range(MESSAGES))
    people.write_text("mobile,name,amount,due\n" + "\n".join(rows) + "\n", encoding="utf-8")
    installation.scenario(outcomes={"20005": 1}, delay=[0.0, 0.5], latency=[1.0, 2.0])
    installation.manage("shell", "-c", "from campaigns.models import Account; Account.objects.update(rate_per_minute=0)")
    api = installation.api()
    account, template = api.get("/accounts/")[0]["id"], api.get("/templates/")["results"][0]["id"]
    made = api.post("/campaigns/", {"name": "Stopped", "account": account, "template": template}, expect=201)["id"]
    api.import_file(made, people)
    api.post(f"/campaigns/{made}/launch/", {"accept_warnings": True})
    wait_until(lambda: api.campaign(made)["counts"]["accepted"] >= 400, "sending is under way")
    told, at = time.time(), time.monotonic()
    assert installation.end("worker", signal.SIGTERM, 60) == 0
    assert time.monotonic() - at < 60
    counts = api.campaign(made)["counts"]
    assert (counts["in_flight"], counts["unconfirmed"]) == (0, 0), "a request in flight was not waited for"
    assert counts["pending"] > 0, "it was told too late to prove anything"
    requests = installation.requests()
    assert max(request["at"] for request in requests) < told + 5, "something new was begun"
    assert counts["accepted"] == len(installation.ledger()), "an answer was not stored"
    installation.start("worker")
    wait_until(lambda: api.campaign(made)["state"] == "finished", "the campaign goes on and ends", 120)
    ledger = Counter(entry["number10"] for entry in installation.ledger())
    assert (len(ledger), set(ledger.values())) == (MESSAGES, {1}), "lost or doubled"
    assert api.campaign(made)["counts"]["accepted"] == MESSAGES
    assert installation.manage("check_invariants")
