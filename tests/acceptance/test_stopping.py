"""SIGTERM in the middle of a campaign: what is on the wire is finished and stored, nothing new is begun, nothing is lost."""

import signal
import time
from collections import Counter

from tests.acceptance.conftest import under_way, wait_until

MESSAGES = 3_000


def test_a_worker_that_is_told_to_stop_leaves_nothing_in_doubt(installation, tmp_path):
    api, made = under_way(installation, tmp_path, MESSAGES, 400, delay=[0.0, 0.5], latency=[1.0, 2.0])
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
