"""What a run is judged by: the simulator's ledger on one side, messages and counts as a customer's program reads them on the other."""

import json
from collections import Counter
from typing import NamedTuple

import requests

from tests.soak.ground import number

DELIVERY = {"20005": "delivered", "20006": "at_operator"}  # every other code is a failure
SETTLING = 300  # seconds for the last reports to be applied
ATTEMPTS = """
import json
from campaigns.models import Attempt
rows = Attempt.objects.filter(campaign__in={campaigns}).order_by("started_at").values_list(
    "id", "campaign_id", "started_at", "size", "phase", "outcome", "http_status", "owner__pid")
print(json.dumps([[pk.hex, campaign, at.timestamp(), *rest] for pk, campaign, at, *rest in rows]))
"""


class Attempt(NamedTuple):
    id: str  # as CustomField has it
    campaign: int
    started_at: float
    size: int
    phase: str
    outcome: str
    http_status: int | None
    pid: int


class Mark(NamedTuple):
    """A place in the ledger at which a run begins."""

    message: int
    request: int
    number: int  # of the last send request

    @classmethod
    def now(cls, ground):
        rows = pages(ground, "requests.ndjson", 0)
        last = max((row["number"] for row in rows), default=0)
        return cls(ground.stats()["messages"], rows[-1]["id"] if rows else 0, last)


def pages(ground, name, after):
    """All lines of one of the simulator's lists after an id."""
    found = []
    while True:
        answer = requests.get(f"{ground.simulator}/_sim/{name}", params={"after": after, "limit": 5000}, timeout=120)
        page = [json.loads(line) for line in answer.text.splitlines()]
        if not page:
            return found
        found += page
        after = page[-1]["id"]


def attempts(ground, campaigns):
    told = ground.manage("shell", "--no-imports", "-c", ATTEMPTS.format(campaigns=list(campaigns)))
    return [Attempt(*row) for row in json.loads(told)]


def settle(ground, api, campaigns, since, bound):
    """Wait until every report is applied; False when that does not happen."""

    def settled():
        stats = ground.stats()
        if stats["callbacks"]["pending"]:
            return False
        found = [api.campaign(pk) for pk in campaigns]
        accepted = sum(campaign["counts"]["accepted"] for campaign in found)
        return accepted == stats["messages"] - since.message and not any(c["delivery"]["awaiting"] for c in found)

    return bound.wait(settled, "every report is applied", SETTLING, every=0.5)


class Judgement(NamedTuple):
    """What became of the people of some campaigns. Every figure but the first three must be 0."""

    messages: int
    in_ledger: int
    unconfirmed: int  # shown as doubt, and the ledger does not hold them
    lost: int
    doubled: int
    unconfirmed_in_ledger: int
    misclassified: int
    breaches: list[str]


def judge(ground, api, people, since):
    """Compare campaigns, given as {id: (first, size)}, with the ledger since a mark."""
    ledger = pages(ground, "ledger.ndjson", since.message)
    held = {entry["number10"]: entry for entry in ledger}
    doubled = len(ledger) - len(held)
    lost = unconfirmed = hidden = wrong = 0
    breaches, known = [], set()
    for pk, (first, size) in people.items():
        messages = {message["number"][-10:]: message for message in api.messages(pk)}
        mine = {number(first + i) for i in range(size)}
        # One that is cancelled before its messages are written has none: its people are told of by its state.
        lost += len(mine - messages.keys()) if api.campaign(pk)["state"] != "cancelled" else 0
        known |= messages.keys()
        for ten, message in messages.items():
            entry = held.get(ten)
            lost += message["state"] in {"pending", "in_flight"} or (message["state"] == "accepted" and entry is None)
            unconfirmed += message["state"] == "unconfirmed" and entry is None
            hidden += message["state"] == "unconfirmed" and entry is not None
            wrong += not agrees(message, entry)
        breaches += counts_differ(api.campaign(pk), messages.values(), [held[ten] for ten in messages if ten in held])
    strangers = held.keys() - known
    if strangers:
        breaches.append(f"The ledger holds {len(strangers)} messages that nobody asked for.")
    try:
        ground.manage("check_invariants")
    except AssertionError as error:
        breaches.append(f"check_invariants: {error}"[:600])
    return Judgement(
        sum(size for _, size in people.values()), len(held), unconfirmed, lost, doubled, hidden, wrong, breaches
    )


def agrees(message, entry):
    """Whether a message says what the ledger does."""
    if entry is None:
        return message["state"] in {"unconfirmed", "cancelled"} and message["delivery"] in {"", "awaiting"}
    told = (message["state"], message["sid"], message["delivery"], message["code"])
    return told == ("accepted", entry["sid"], DELIVERY.get(entry["code"], "failed"), entry["code"])


def counts_differ(campaign, messages, entries):
    """The counts of a campaign's page against its messages and against the ledger."""
    states = Counter(message["state"] for message in messages)
    delivery = Counter(DELIVERY.get(entry["code"], "failed") for entry in entries)
    shown = {state: n for state, n in campaign["counts"].items() if n and state != "total"}
    told = {
        word: campaign["delivery"][word] for word in ("delivered", "at_operator", "failed") if campaign["delivery"][word]
    }
    breaches = []
    if shown != dict(states) or campaign["counts"]["total"] != states.total():
        breaches.append(f"Counts of campaign {campaign['id']}: {campaign['counts']}, its messages: {dict(states)}")
    if campaign["counts"]["accepted"] != len(entries) or told != dict(delivery):
        breaches.append(f"Counts of campaign {campaign['id']}: {campaign['delivery']}, the ledger: {dict(delivery)}")
    return breaches


def report(scenario, ground, bound, judged, breaches=(), **figures):
    """The line that a scenario prints."""
    found = judged._asdict()
    all_breaches = [*breaches, *found.pop("breaches")]
    bad = {name: found[name] for name in ("lost", "doubled", "unconfirmed_in_ledger", "misclassified") if found[name]}
    all_breaches += [f"{name}: {n}" for name, n in bad.items()]
    return {
        "scenario": scenario, "database": ground.database, "seed": ground.seed, "holds": not all_breaches, **found, **figures,
        "owner_timeout": int(ground.environment["EXODASH_OWNER_TIMEOUT"]), "seconds": bound.spent, "breaches": all_breaches,
    }  # fmt: skip
