"""A fifth of all requests meet a fault, of every kind that the simulator knows. Nothing is killed."""

from collections import Counter, defaultdict

from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.faults import KINDS
from campaigns.exotel.simulator.scenario import Scenario
from tests.soak.truth import Mark, attempts, judge, pages, report, settle

# The provider took nothing and said so: the messages wait, and some of these stop the account or the campaign.
REFUSED = {
    "throttle", "throttle_date", "throttle_float", "throttle_negative", "throttle_nonsense", "throttle_absent", "throttle503",
    "error503_35006", "wrong_credentials", "no_balance", "error", "redirect301", "redirect302", "redirect307",
}  # fmt: skip
# The provider took nothing, and the answer does not say so: doubt that no report will ever settle.
NEVER_KNOWN = {
    "error500", "status408", "status500", "status502", "status503", "status504", "exception_200", "hang_before", "reset_before",
}  # fmt: skip
MORE = {
    "throttle": {"retry_after": 1}, "throttle_date": {"retry_after": 1}, "throttle_float": {"retry_after": 1},
    "throttle_negative": {"retry_after": 1}, "error": {"code": 40202}, "hang_before": {"seconds": 2}, "slow_drip": {"seconds": 2},
    "hang_after": {"seconds": 2}, "reset_after": {"leaves": 60}, "gzip_bomb": {"megabytes": 8}, "huge_body": {"megabytes": 8},
}  # fmt: skip
# Beside the kinds as they are: other codes, and answers lost by a machine in between although all was taken.
VARIANTS = [
    {"kind": "error", "code": 40300}, {"kind": "error", "code": 40002}, {"kind": "status502", "accepted": True},
    {"kind": "status504", "accepted": True}, {"kind": "reset_after", "leaves": 0},
]  # fmt: skip
# Longer than a request waits for its answer (30 s), so that our own patience ends. Needs the usual OWNER_TIMEOUT.
BEYOND_PATIENCE = [{"kind": "hang_before", "seconds": 40}, {"kind": "hang_after", "seconds": 40}]
OWNER_TIMEOUT = 90
NINES = 3  # of the six kinds of nonsense, forty nines: a wait of 15 minutes by design, which a soak has no time for


def plan(chance, seed, first, share, variants, length):
    """Faults for a share of the send requests from a number on; the kinds take turns in a random order."""
    fates = Fates(Scenario(), seed)
    at, turns = defaultdict(list), []
    for place in (place for place in range(first, first + length) if chance.random() < share):
        turns = turns or chance.sample(range(len(variants)), len(variants))
        nines = int(fates.share(b"item", str(place)) * 6) == NINES
        if not (nines and variants[turns[-1]]["kind"] == "throttle_nonsense"):
            at[turns.pop()].append(place)
    return [variants[variant] | {"at": places} for variant, places in at.items()]


def every_kind():
    return [{"kind": kind, **MORE.get(kind, {})} for kind in KINDS] + VARIANTS


def some_kinds(chance, how_many):
    """So many kinds by chance, with one of the throttles, each of which is a wait."""
    kinds = [kind for kind in KINDS if not kind.startswith("throttle") or kind == "throttle_date"]
    return [{"kind": kind, **MORE.get(kind, {})} for kind in chance.sample(kinds, how_many)]


def run(ground, bound, chance, messages, first=0, share=0.2, variants=None, least_kinds=25):
    api, since = ground.client(), Mark.now(ground)
    faults = plan(chance, ground.seed, since.number + 1, share, variants or every_kind(), messages // 20)
    ground.play(faults=faults, latency=[0.0, 0.05])
    campaign = ground.launch(f"Faults {first}", first, messages)
    resumed, breaches = 0, []

    def ended():
        nonlocal resumed
        found = api.campaign(campaign)
        if found["state"] == "stopped":
            api.post(f"/campaigns/{campaign}/resume/")
            resumed += 1
        return found["state"] == "finished"

    if not bound.wait(ended, "the campaign ends", 3600):
        breaches.append(f"The campaign did not end: {api.campaign(campaign)['state_reason']}")
    ground.play()
    if not settle(ground, api, [campaign], since, bound):
        breaches.append("Not every report was applied in time.")
    posts = [row for row in pages(ground, "requests.ndjson", since.request) if row["method"] == "POST"]
    struck = Counter(row["fault"] for row in posts if row["fault"])
    if len(struck) < least_kinds:
        breaches.append(f"Only {len(struck)} kinds of fault struck.")
    judged = judge(ground, api, {campaign: (first, messages)}, since)
    breaches += outcomes_differ(posts, attempts(ground, [campaign]), judged)
    return report(
        "faults", ground, bound, judged, breaches,
        posts=len(posts), faulted=struck.total(), kinds=len(struck), resumed=resumed,
    )  # fmt: skip


def outcomes_differ(posts, found, judged):
    """What was stored of each request against what the provider knows of it, and doubt against what can never be known."""
    sent = [attempt for attempt in found if attempt.outcome != "not_sent"]
    refused = sum(row["fault"] in REFUSED for row in posts)
    never_known = sum(row["fault"] in NEVER_KNOWN and not row["messages"] for row in posts)
    told = sum(attempt.outcome in {"throttled", "split", "stop_account", "stop_campaign"} for attempt in sent)
    breaches = []
    if len(sent) != len(posts):
        breaches.append(f"{len(sent)} requests were begun, {len(posts)} arrived")
    if told != refused:
        breaches.append(f"{refused} requests were refused as a whole, {told} are stored so")
    doubts = [attempt.size for attempt in sent if attempt.outcome == "unknown"]
    if len(doubts) < never_known:
        breaches.append(f"{never_known} requests can never be known, only {len(doubts)} are stored as doubt")
    if judged.unconfirmed and not never_known:
        breaches.append(f"{judged.unconfirmed} messages are in doubt without a reason")
    return breaches
