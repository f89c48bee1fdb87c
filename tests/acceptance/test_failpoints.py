"""A process dies, fails or hangs at each commit and POST boundary; another one recovers, and nothing is lost or doubled.

The victim is a process of its own with one failpoint armed; what it leaves behind is mended by a second process that runs
recovery and the jobs. The simulator's ledger is what is compared with. Small campaigns, because each case is a few seconds.
"""

import json
import subprocess
import sys
from collections import Counter

import pytest

from tests.acceptance.conftest import ROOT, Installation, wait_until

MESSAGES = 250  # three requests
POINTS = ["intent.before", "intent.committed", "post.answered", "outcome.before", "outcome.committed",
          "launch.before", "launch.committed", "wind_up.before", "wind_up.committed",
          "import.before", "import.committed", "inbox.before", "inbox.committed"]  # fmt: skip
ACTIONS = ["kill", "exception", "hang"]

# All that a worker would do for one campaign, from its file to its last report; the successor does the same again.
WORK = """
import json, time
from collections import Counter
from pathlib import Path
from django.conf import settings
from callbacks import inbox
from campaigns import audience, leases
from campaigns.insight import recount
from campaigns.models import Account, Campaign, Import, Message, Template
from campaigns.sending import control, dispatch, launch, recover

settings.OWNER_TIMEOUT = {patience}
leases.SECONDS = 3
Account.objects.update(rate_per_minute=0, senders=2)
made = Campaign.objects.filter(name={name!r}).first()
if made is None:
    made = Campaign.objects.create(name={name!r}, account=Account.objects.get(), template=Template.objects.get())
    with Path({path!r}).open("rb") as file:
        source = audience.receive(made, file, "people.csv", None)
    audience.start(source, {{"phone": "mobile", "vars": ["name", "amount", "due"]}})
source = Import.objects.get(campaign=made)
while not audience.run(source.pk) or Import.objects.get(pk=source.pk).state in ("queued", "running"):
    time.sleep(0.2)  # until the turn of one that died has run out
if made.state == "draft":
    launch.launch(made, None, accept_warnings=True)
launch.write_messages(made.pk)
if {cancel}:
    made.refresh_from_db()
    if made.state != "cancelled":
        control.cancel(made)
    while control.wind_up(made.pk):
        pass
observer = recover.Observer()
quiet = time.monotonic()
until = quiet + 40
while time.monotonic() < until and time.monotonic() - quiet < 1:  # reports come within 0.3 s
    recover.sweep(observer)
    dispatch.pump(made.account_id)
    inbox.apply_next()
    made.refresh_from_db()
    busy = made.state not in ("finished", "cancelled") or inbox.waiting()
    if busy or Message.objects.filter(campaign=made, delivery="awaiting").exists():
        quiet = time.monotonic()
    time.sleep(0.1)
rows = list(Message.objects.filter(campaign=made).values_list("state", "number"))
print(json.dumps({{
    "messages": len(rows), "states": Counter(state for state, _ in rows),
    "accepted": [str(number)[-10:] for state, number in rows if state == "accepted"],
    "breaches": [str(place) for place in recount.differences(made.pk)],
}}))
"""


@pytest.fixture(scope="module")
def grounds(tmp_path_factory, database_url):
    """An installation without a worker: web takes callbacks, the simulator sends them."""
    made = Installation(tmp_path_factory.mktemp("failpoints"), database_url, EXODASH_DEBUG="1")
    made.manage("bootstrap", "--demo")
    for name in ("simulator", "web"):
        made.start(name)
    try:
        wait_until(lambda: made.simulator and answers(made), "web and simulator answer")
        made.scenario(outcomes={"20005": 1}, delay=[0.1, 0.3], latency=[0.0, 0.02])
        yield made
    finally:
        made.down()


def answers(made):
    try:
        return made.ledger() is not None
    except OSError:
        return False


def shell(grounds, code, **environment):
    return subprocess.Popen(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code], cwd=ROOT, env=grounds.environment | environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def run(grounds, code):
    done = shell(grounds, code)
    out, errors = done.communicate(timeout=120)
    assert done.returncode == 0, errors
    return out


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("point", POINTS)
def test_what_a_process_leaves_behind_is_mended(grounds, tmp_path, point, action):
    first = 10_000_000 + (POINTS.index(point) * 10 + ACTIONS.index(action)) * MESSAGES
    path = tmp_path / "people.csv"
    rows = "\n".join(f"98{first + i:08d},Person {i},{i}.50,28 Nov" for i in range(MESSAGES))
    path.write_text(f"mobile,name,amount,due\n{rows}\n", encoding="utf-8")
    cancelled = point.startswith("wind_up")
    work = {"name": f"{point} {action}", "path": str(path), "cancel": cancelled}
    hanging, go_on = grounds.folder / "hanging", grounds.folder / "go-on"
    hanging.unlink(missing_ok=True)
    go_on.unlink(missing_ok=True)

    victim = shell(grounds, WORK.format(**work, patience=4), EXODASH_FAILPOINTS=f"{point}:{action}")
    if action == "hang":
        wait_until(hanging.exists, f"{point} is reached")
        if point.endswith(".before"):  # inside a transaction it holds locks: the watchdog kills what hangs
            victim.kill()
    else:
        victim.wait(60)
    told = run(grounds, WORK.format(**work, patience=1))
    if victim.poll() is None:  # a zombie comes back
        go_on.touch()
        victim.wait(60)
        told = run(grounds, WORK.format(**work, patience=1))
    check(json.loads(told), grounds.ledger(), first, cancelled)


def check(told, ledger, first, cancelled):
    """Messages, the provider's ledger and the counters tell one story."""
    mine = {f"98{first + i:08d}" for i in range(MESSAGES)}
    held = Counter(entry["number10"] for entry in ledger if entry["number10"] in mine)
    assert told["messages"] == MESSAGES, "lost"
    assert max(held.values(), default=1) == 1, "sent twice"
    assert set(told["accepted"]) == set(held), "what is accepted is what the provider holds"
    doubtful = MESSAGES - len(held)
    settled = {state: n for state, n in (("accepted", len(held)), ("unconfirmed", doubtful)) if n}
    assert told["states"] == ({"cancelled": MESSAGES} if cancelled else settled)
    assert told["breaches"] == []
