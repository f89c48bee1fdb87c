"""kill -9 of the whole worker in the middle of a campaign: nothing is lost, nothing is sent twice, every doubt is shown."""

import os
import signal
from collections import Counter

from tests.acceptance.conftest import children, under_way, wait_until

MESSAGES = 6_000


def test_a_killed_worker_loses_and_doubles_nothing(installation, tmp_path):
    api, made = under_way(installation, tmp_path, MESSAGES, 501, delay=[0.5, 2.0], latency=[0.2, 0.5])
    keeper = installation.processes["worker"].pid
    for pid in [keeper, *children(keeper)]:
        os.kill(pid, signal.SIGKILL)
    installation.processes.pop("worker").wait()
    before = api.campaign(made)["counts"]
    assert before["pending"] > 0, "it was killed too late to prove anything"
    installation.start("worker")
    wait_until(lambda: api.campaign(made)["state"] == "finished", "the campaign goes on and ends", 120)
    wait_until(lambda: api.campaign(made)["delivery"]["awaiting"] == 0, "every report is applied", 60)
    ledger = Counter(entry["number10"] for entry in installation.ledger())
    counts = api.campaign(made)["counts"]
    assert max(ledger.values()) == 1, "sent twice"
    assert counts["accepted"] == len(ledger), "a message that Exotel holds is not known as accepted"
    assert counts["accepted"] + counts["unconfirmed"] == MESSAGES, "lost"
    assert installation.manage("check_invariants")
