"""A message's delivery is the maximum over the set of its reports: 100,000 random sets, in any order and repetition.

What is expected is written down here a second time, from the rules and not from the code that follows them.
"""

import itertools
import random
import uuid
from datetime import UTC, datetime, timedelta

from campaigns.exotel.reports import from_fields
from campaigns.sending import evidence
from campaigns.sending.evidence import Evidence, Subject

SETS = 100_000
NOW = datetime(2026, 11, 21, tzinfo=UTC)
ATTEMPT = uuid.UUID(int=1)
WIRE = [
    ("21010", "queued"), ("21015", "sending"), ("21020", "submitted"), ("20006", "sent"), ("20005", "sent"), ("", "delivered"),
    ("", "sent"), ("", "failed"), ("23050", "failed"), ("23010", "failed"), ("23005", "failed-dnd"), ("23060", "failed"),
    ("24010", "failed"), ("24990", "failed"), ("99999", "failed"), ("1000001", "failed"), ("AA", "failed"), ("AB", "failed"),
    ("9" * 32, "failed"), ("", "telepathy"), ("30004", "seen"),
]  # fmt: skip
DATES = [
    "",
    "2026-11-21 10:00:00",
    "2026-11-21 10:00:01",
    "2031-01-01 00:00:00",
    "1970-01-01 05:30:00",
    "9999-12-31 23:59:59",
]
UNITS = ["", "", "1", "2", "3"]
# From the least to the most that a state proves; what is not here proves nothing.
PROVES = ["queued", "sending", "submitted", "at_operator", "failed", "delivered", "read"]
SHOWN = {"queued": "awaiting", "sending": "awaiting", "submitted": "awaiting"}
SAYS_LITTLE = {"", "23060", "24010", "24990"}


def pool():
    reports = [
        from_fields({"SmsSid": "s", "To": "09800000001", "Status": word, "DetailedStatusCode": code, "DateSent": sent, "SmsUnits": n},
                    source)
        for code, word in WIRE for sent in DATES for n in set(UNITS) for source in ("callback", "poll")
    ]  # fmt: skip
    read = from_fields({"SmsSid": "s", "To": "09800000001", "Status": "sent", "DetailedStatusCode": "20005"}, "callback")
    reports += [read._replace(state="read", code=code) for code in ("", "wa:30004")]
    return [Evidence.of(ATTEMPT, report, NOW + timedelta(seconds=i % 60)) for i, report in enumerate(reports)]


def height(report):
    date = report.date_sent.timestamp() if report.date_sent else 0
    number = int(report.code) % 1_000_000 if report.code.isascii() and report.code.isdigit() else 0
    return PROVES.index(report.state), report.code not in SAYS_LITTLE, min(date, 9_999_999_999), number, report.code


def expected(reports, estimate):
    """(delivery, code, conflict, units) of a set of reports."""
    telling = [report for report in reports if report.state in PROVES]
    if not telling:
        return "awaiting", "", False, estimate
    highest = max(telling, key=height)
    states = {report.state for report in telling}
    told = [report.units for report in telling if report.units]
    units = max([*told, estimate], key=lambda n: (abs(n - estimate), n))
    conflict = "failed" in states and bool(states & {"delivered", "read"})
    return SHOWN.get(highest.state, highest.state), highest.code, conflict, units


def learnt(items, estimate):
    """The same, one report after the other as they come, as the product does it."""
    message = Subject(ATTEMPT, NOW, 1, 1, 1, "accepted", "s", "awaiting", "", 0, False, estimate)
    for item in items:
        evidence._learn(message, item)
        if item.report.units and item.report.state in PROVES:
            message.units = evidence.agreed(message.units, [item.report.units], estimate)
    return message.delivery, message.code, message.conflict, message.units


def orders(items, chance):
    """Every order of three or fewer; of more, some, with repetitions."""
    if len(items) <= 3:
        yield from itertools.permutations(items)
        return
    for _ in range(2):
        order = items + chance.choices(items, k=2)
        chance.shuffle(order)
        yield order


def test_any_order_and_repetition_of_a_set_of_reports_gives_one_state():
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance, every = random.Random(seed), pool()
    reached = set()
    for number in range(SETS):
        items = chance.choices(every, k=1 + number % 6)
        estimate = 1 + number % 3
        wanted = expected([item.report for item in items], estimate)
        reached.add(wanted[:3])
        for order in orders(items, chance):
            assert learnt(order, estimate) == wanted, f"seed {seed}, set {number}"
    assert {(delivery, conflict) for delivery, _, conflict in reached} >= {
        ("awaiting", False), ("at_operator", False), ("failed", False), ("delivered", False), ("delivered", True), ("read", True),
    }  # fmt: skip


def test_reports_that_share_a_digest_say_the_same_of_delivery():
    """Of those only the first is kept, so nothing but its units may differ."""
    by_digest = {}
    for item in pool():
        same = by_digest.setdefault((item.report.digest, item.report.state == "read"), item.report)
        assert height(same) == height(item.report) if item.report.state in PROVES else item.report.state == same.state
