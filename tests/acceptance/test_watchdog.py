"""The background cluster stands still or loses a process: the watchdog replaces it, and nothing that waited is lost."""

import os
import signal
import time
from collections import Counter

import pytest

from tests.acceptance.conftest import Installation, children, wait_until

PATIENCE = 9  # seconds without an answer, of the 45 that are usual


@pytest.fixture(scope="module")
def impatient(tmp_path_factory, database_url):
    made = Installation(tmp_path_factory.mktemp("watchdog"), database_url, EXODASH_CLUSTER_TIMEOUT=str(PATIENCE))
    try:
        made.up()
        made.scenario(outcomes={"20005": 1}, delay=[0.0, 0.1])
        yield made
    finally:
        made.down()


def cluster(made):
    """The main process of the cluster, and all below it, once it works."""
    keeper = made.processes["worker"].pid
    wait_until(lambda: len(children(keeper)) >= 7, "the cluster has its processes")
    return children(keeper)


def prepared(made, first):
    """A draft to 20 people, read while the cluster works."""
    api = made.api()
    account, template = api.get("/accounts/")[0]["id"], api.get("/templates/")["results"][0]["id"]
    pk = api.post("/campaigns/", {"name": f"From {first}", "account": account, "template": template}, expect=201)["id"]
    people = made.folder / "people.csv"
    rows = "\n".join(f"98{first + i:08d},Person {i},{i}.50,28 Nov" for i in range(20))
    people.write_text(f"mobile,name,amount,due\n{rows}\n", encoding="utf-8")
    api.import_file(pk, people)
    return api, pk


def sent_once(made, first):
    held = Counter(entry["number10"] for entry in made.ledger() if int(entry["number10"][2:]) // 1000 == first // 1000)
    return len(held) == 20 and set(held.values()) == {1}


def test_a_cluster_that_stands_still_is_replaced_and_its_work_done(impatient):
    api, pk = prepared(impatient, 1000)
    before = cluster(impatient)
    for pid in before:
        os.kill(pid, signal.SIGSTOP)
    api.post(f"/campaigns/{pk}/launch/", {"accept_warnings": True})
    stopped = time.monotonic()
    keeper = impatient.processes["worker"].pid
    wait_until(lambda: not set(children(keeper)) & set(before), "the still cluster is ended")
    assert time.monotonic() - stopped < 60
    wait_until(lambda: api.campaign(pk)["state"] == "finished", "the new cluster does what waited")
    assert sent_once(impatient, 1000)
    assert "does not answer" in impatient.log("worker")


def test_work_goes_on_when_an_idle_worker_is_killed(impatient):
    """Also when it is the one that holds the lock of the cluster's queue: then nobody else ever gets a job."""
    api, pk = prepared(impatient, 2000)
    os.kill(idle_worker(cluster(impatient)), signal.SIGKILL)
    api.post(f"/campaigns/{pk}/launch/", {"accept_warnings": True})
    wait_until(lambda: api.campaign(pk)["state"] == "finished", "the work goes on")
    assert sent_once(impatient, 2000)


def idle_worker(pids):
    """Below the main process and its sentinel: the worker that waits at the queue, holding its lock, where one shows it."""
    below = sorted(children(min(pids)))[1:5]
    return next((pid for pid in below if "pipe" in waits_in(pid)), below[0])


def waits_in(pid):
    with open(f"/proc/{pid}/wchan") as file:
        return file.read()


def test_a_healthy_cluster_is_left_alone(impatient):
    before = cluster(impatient)
    time.sleep(PATIENCE + 4)
    assert set(before) <= set(children(impatient.processes["worker"].pid))
