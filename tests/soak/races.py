"""Pause, resume and cancel against four campaigns that one account is sending, over REST and all at once."""

import random
import threading
import time
from bisect import bisect_right
from typing import NamedTuple

from tests.acceptance.conftest import wait_until
from tests.soak.truth import Mark, attempts, judge, pages, report, settle

CAMPAIGNS, CANCELLED, SENDERS = 4, 3, 4
FOR_EVER = float("inf")


class Hold(NamedTuple):
    """Nothing of a campaign may begin from the answer to a pause or cancel until the next resume is asked for."""

    campaign: int
    since: float
    until: float


def run(ground, bound, chance, messages, pairs, first=0):
    api, since = ground.client(), Mark.now(ground)
    size = messages // CAMPAIGNS
    ground.play(latency=[0.1, 0.3])
    people = {}
    for i in range(CAMPAIGNS):
        begin = first + i * size
        people[ground.launch(f"Race {first} {i}", begin, size)] = (begin, size)
    holds, breaches = race(ground, bound, chance, people, pairs, since)
    ground.play()
    if not bound.wait(lambda: all(api.campaign(pk)["state"] in {"finished", "cancelled"} for pk in people), "all end", 900):
        breaches.append(f"Not all ended: {[api.campaign(pk)['state'] for pk in people]}")
    if not bound.wait(lambda: not any(api.campaign(pk)["counts"]["pending"] for pk in people), "all is wound up", 120):
        breaches.append("Messages of a cancelled campaign still wait.")
    if not settle(ground, api, people, since, bound):
        breaches.append("Not every report was applied in time.")
    late, arrivals = judge_holds(ground, holds, attempts(ground, people), since)
    done = sum(hold.until < FOR_EVER for hold in holds)
    cancels = len(holds) - done
    breaches += [f"{late} requests were begun while their campaign was held"] if late else []
    breaches += [f"{arrivals} requests arrived in one hold"] if arrivals > SENDERS else []
    breaches += [f"Only {done} of {pairs} pairs were done before all was sent"] if done < pairs * 0.9 else []
    breaches += [] if cancels else ["Nothing was cancelled while it was being sent."]
    judged = judge(ground, api, people, since)
    return report(
        "races", ground, bound, judged, breaches,
        pairs=done, cancels=cancels, begun_while_held=late, most_arrivals_in_a_hold=arrivals,
    )  # fmt: skip


def race(ground, bound, chance, people, pairs, since):
    """Until each campaign was paused and resumed its share of times, or is sent; all holds, and what went wrong.

    Meanwhile some more campaigns are launched and, once they are being sent, cancelled. They are added to ``people``.
    """
    holds, breaches, stop, racing = [], [], threading.Event(), list(people)
    total, begin = sum(size for _, size in people.values()), max(first + size for first, size in people.values())
    due = sorted(chance.uniform(0.05, 0.6) * pairs for _ in range(CANCELLED))
    threads = [
        threading.Thread(target=_steer, args=(ground, pk, pairs // len(racing), chance.random(), holds, breaches, stop))
        for pk in racing
    ]
    for thread in threads:
        thread.start()
    try:
        latency = 0.2
        while any(thread.is_alive() for thread in threads):
            bound.check("all pairs are done")
            if due and len(holds) >= due[0]:
                due.pop(0)
                size = total // CAMPAIGNS
                _cancel_midway(ground, chance, people, (begin, size), holds)
                begin += size
            sent = (ground.stats()["messages"] - since.message) / total
            latency = min(latency * 1.3, 3) if sent > len(holds) / pairs else max(latency * 0.8, 0.02)
            ground.scenario(latency=[latency / 2, latency])
            time.sleep(0.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return holds, breaches


def _cancel_midway(ground, chance, people, span, holds):
    api, campaign = ground.client(), ground.launch(f"Cancelled {span[0]}", *span)
    people[campaign] = span
    wait_until(lambda: api.campaign(campaign)["counts"]["pending"] < span[1], "it is being sent", 120)
    time.sleep(chance.uniform(0, 1))
    answer = api.session.post(f"{api.base}/campaigns/{campaign}/cancel/", timeout=60)
    if answer.status_code == 200:  # else it was sent before
        holds.append(Hold(campaign, time.time(), FOR_EVER))


def _steer(ground, campaign, pairs, seed, holds, breaches, stop):
    api, chance = ground.client(), random.Random(seed)
    try:
        wait_until(lambda: api.campaign(campaign)["state"] != "launching", "its messages are written", 300)
        for _ in range(pairs):
            time.sleep(chance.uniform(0, 0.15))
            if stop.is_set() or api.campaign(campaign)["state"] != "running":
                return
            answer = api.session.post(f"{api.base}/campaigns/{campaign}/pause/", timeout=60)
            held = time.time()
            if answer.status_code == 409:  # finished meanwhile
                return
            assert answer.status_code == 200, answer.text[:500]
            time.sleep(chance.uniform(0, 0.1))
            asked = time.time()
            answer = api.session.post(f"{api.base}/campaigns/{campaign}/resume/", timeout=60)
            if answer.status_code == 409 and api.campaign(campaign)["state"] == "finished":
                return  # what was on the wire at the pause was the last of it
            assert answer.status_code == 200, answer.text[:500]
            holds.append(Hold(campaign, held, asked))
    except Exception as error:
        breaches.append(f"Campaign {campaign}: {error}"[:500])


def judge_holds(ground, holds, found, since):
    """Requests that were begun during a hold, and the most that arrived during one (those begun before it)."""
    arrived = {row["id"]: row["at"] for row in pages(ground, "requests.ndjson", since.request)}
    ledger = pages(ground, "ledger.ndjson", since.message)
    request_of = {entry["custom_field"]: entry["request_id"] for entry in ledger}
    late, most = 0, 0
    for campaign in {hold.campaign for hold in holds}:
        mine = [attempt for attempt in found if attempt.campaign == campaign]
        begun = sorted(attempt.started_at for attempt in mine)
        came = sorted(arrived[request_of[attempt.id]] for attempt in mine if attempt.id in request_of)
        for hold in (hold for hold in holds if hold.campaign == campaign):
            late += within(begun, hold)
            most = max(most, within(came, hold))
    return late, most


def within(times, hold):
    return bisect_right(times, hold.until) - bisect_right(times, hold.since)
