"""Two workers and one allowance: never more than it in any 60 seconds, as the simulator counts arrivals."""

from collections import Counter

from tests.soak.ground import descendants
from tests.soak.truth import Mark, attempts, judge, pages, report, settle

MINUTES = 2.5
LEAST = 60  # requests a minute


def allowance(messages):
    """A rate at which a campaign takes long enough to prove something."""
    return max(LEAST, round(messages / 100 / MINUTES))


def run(ground, bound, chance, messages, first=0):
    api, since, allowed = ground.client(), Mark.now(ground), allowance(messages)
    ground.play(latency=[0.0, 0.3])
    ground.set_account(rate_per_minute=allowed)
    workers, group_of = [name for name in ground.processes if name.startswith("worker")], {}
    campaign = ground.launch(f"Rate {first}", first, messages)

    def ended():
        for name in workers:
            group_of.update(dict.fromkeys(descendants(ground.processes[name].pid), name))
        return api.campaign(campaign)["state"] == "finished"

    breaches = []
    if not bound.wait(ended, "the campaign ends", 900, every=1):
        breaches.append("The campaign did not end.")
    if not settle(ground, api, [campaign], since, bound):
        breaches.append("Not every report was applied in time.")
    arrivals = sorted(row["at"] for row in pages(ground, "requests.ndjson", since.request) if row["method"] == "POST")
    most = ground.stats()["max_requests_in_60s"]
    by_worker = Counter(group_of.get(attempt.pid, "?") for attempt in attempts(ground, [campaign]))
    if most > allowed:
        breaches.append(f"{most} requests in 60 s, {allowed} are allowed")
    if len(by_worker) < 2:
        breaches.append(f"Only one worker took part: {dict(by_worker)}")
    used = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0]) * 60 / allowed
    judged = judge(ground, api, {campaign: (first, messages)}, since)
    return report(
        "rate", ground, bound, judged, breaches,
        allowed=allowed, most_in_60s=most, used=round(used, 3), requests_by_worker=dict(sorted(by_worker.items())),
    )  # fmt: skip
