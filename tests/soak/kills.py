"""kill -9 of any process at any moment of a campaign. Whole processes are started again, as an init system would."""

import contextlib
import os
import signal
import time
from collections import Counter

from tests.soak.ground import descendants, slay
from tests.soak.truth import Mark, attempts, judge, report, settle

VICTIMS = {"worker": 40, "keeper": 10, "child": 25, "web": 25}  # and how often
UNTIL = 0.9  # of the messages: the last kill comes before all are sent
STILL = 120  # seconds in which sending must go on, whatever was killed
IMPATIENT = (2.0, 10.0)
HELD_BACK, PROMPT = [4.0, 15.0], [0.3, 2.0]  # seconds until a message's report


class Killer:
    def __init__(self, ground, chance):
        self._ground, self._chance = ground, chance
        self._orphans = set()  # process groups that outlived their keeper
        self._first = chance.sample(list(VICTIMS), len(VICTIMS))  # each of them once, however few strikes there are
        self.done = Counter()

    def strike(self):
        """Kill something and start again what an init system would."""
        victim = self._first.pop() if self._first else self._chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        self.end_orphans()
        getattr(self, f"_{victim}")()
        self.done[victim] += 1
        return victim

    def _worker(self):
        """The keeper and everything under it at once, as when a machine or container dies."""
        slay(descendants(self._ground.processes["worker"].pid))
        self._again("worker")

    def _keeper(self):
        """The keeper alone. Its cluster works on beside the new one until the next strike."""
        keeper, *family = descendants(self._ground.processes["worker"].pid)
        self._orphans = groups(family)
        slay([keeper])
        self._again("worker")

    def _child(self):
        """One process of the cluster: a worker, its monitor, its pusher, its guard or its head. Nobody helps."""
        family = descendants(self._ground.processes["worker"].pid)[1:]
        if family:
            slay([self._chance.choice(family)])

    def _web(self):
        slay(descendants(self._ground.processes["web"].pid))
        self._again("web")

    def _again(self, name):
        self._ground.processes.pop(name).wait()
        self._ground.start(name)

    def end_orphans(self):
        for group in self._orphans:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
        self._orphans = set()


def groups(pids):
    found = set()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            found.add(os.getpgid(pid))
    return found


def run(ground, bound, chance, messages, kills, first=0):
    api, since = ground.client(), Mark.now(ground)
    ground.play(latency=[0.2, 0.6])
    campaign = ground.launch(f"Kills {first}", first, messages)
    killer, watch = Killer(ground, chance), Watch(ground, since, messages, bound)
    for i in range(kills):
        still = STILL if chance.random() < 0.5 else chance.uniform(*IMPATIENT)
        watch.until(messages * UNTIL * (i + chance.random()) / kills, still)
        time.sleep(chance.uniform(0, 0.6))
        if chance.random() < 0.2:
            ground.scenario(delay=chance.choice([HELD_BACK, PROMPT]))
        killer.strike()
    killer.end_orphans()
    sent_at_last_kill = watch.sent()
    ground.scenario(latency=[0.0, 0.1], delay=PROMPT)
    breaches = []
    if not bound.wait(lambda: ended(api, campaign), "the campaign ends", 600, every=1):
        breaches.append(f"The campaign did not end: {state_of(api, campaign)}")
    if not settle(ground, api, [campaign], since, bound):
        breaches.append("Not every report was applied in time.")
    if watch.longest > STILL:
        breaches.append(f"Sending stood still for {watch.longest:.0f} s")
    in_doubt = sum(attempt.phase == "unknown" for attempt in attempts(ground, [campaign]))
    judged = judge(ground, api, {campaign: (first, messages)}, since)
    return report(
        "kills", ground, bound, judged, breaches,
        kills=killer.done.total(), killed=dict(sorted(killer.done.items())), sent_at_last_kill=sent_at_last_kill,
        requests_in_doubt=in_doubt, longest_still=round(watch.longest, 1),
    )  # fmt: skip


class Watch:
    """How sending gets on, as the ledger grows."""

    def __init__(self, ground, since, messages, bound):
        self._ground, self._since, self._messages, self._bound = ground, since, messages, bound
        self._last, self._grew = 0, None
        self.longest = 0.0

    def sent(self):
        now, sent = time.monotonic(), self._ground.stats()["messages"] - self._since.message
        if sent > self._last:
            self._last, self._grew = sent, now
        elif self._grew:
            self.longest = max(self.longest, now - self._grew)
        return sent

    def until(self, threshold, seconds):
        self._bound.wait(lambda: self.sent() >= threshold, f"{threshold:.0f} messages are sent", seconds, every=0.1)


def state_of(api, campaign):
    """The campaign; None while the web process is away."""
    with contextlib.suppress(OSError, AssertionError):
        return api.campaign(campaign)
    return None


def ended(api, campaign):
    found = state_of(api, campaign)
    return bool(found) and found["state"] in {"finished", "cancelled"}
