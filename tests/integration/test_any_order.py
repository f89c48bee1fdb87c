"""2,000 random sets of reports through the real ingest, by eight writers at once: each message ends where its set says."""

import http.client
import random
import threading
from collections import Counter
from contextlib import closing
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from callbacks import inbox
from callbacks.models import CallbackEvent
from campaigns import bulk
from campaigns.exotel.reports import from_fields
from campaigns.insight import recount
from campaigns.models import Count, DeliveryEvent, Message
from campaigns.sending import callback_urls, evidence, intent, states
from campaigns.sending.outcomes import ItemResult, Kind
from campaigns.sending.settle import lose
from tests import builders
from tests.integration.test_ingest import Server
from tests.unit.test_maximum import DATES, UNITS, WIRE, expected

pytestmark = pytest.mark.django_db(transaction=True)
SETS, WRITERS = 2_000, 8
APPLIERS = 3  # a single one by the lease, which is an economy: without it they must not harm each other


@pytest.fixture
def server(transactional_db, monkeypatch):
    monkeypatch.setattr("campaigns.jobs.enqueue", lambda *_: None)
    made = Server().start()
    yield made
    made.stop()


def sent(messages):
    """All requests of a campaign on the wire, and no answer stored."""
    made = builders.launched(recipients=messages)
    owner, orders = builders.owner(), []
    while committed := intent.commit(owner.pk, made.account_id):
        orders.append(committed[1])
    return made, orders


def sets(orders, chance):
    """For each message its reports as fields, under its address."""
    for order in orders:
        path = urlsplit(callback_urls.sign(order.attempt.pk)).path
        for pk, number in zip(order.ids, order.numbers, strict=True):
            told = [
                {"SmsSid": f"sid{pk}", "To": f"0{str(number)[-10:]}", "Status": word, "DetailedStatusCode": code,
                 "DateSent": chance.choice(DATES), "SmsUnits": chance.choice(UNITS)}
                for code, word in chance.choices(WIRE, k=chance.randint(1, 4))
            ]  # fmt: skip
            yield pk, path, told


def posts(told, chance):
    """Every report once or, of each third, twice; in any order."""
    made = [(path, urlencode(fields).encode()) for _, path, reports in told for fields in reports]
    made += chance.sample(made, len(made) // 3)
    chance.shuffle(made)
    return made


def settle_all(orders, chance):
    """The outcome of each request, in the middle of its reports: accepted, or lost; of some never."""
    for order in chance.sample(orders, len(orders)):
        fate = chance.choice(["accepted", "accepted", "lost", "never"])
        with bulk.transaction():
            if fate == "accepted":
                results = [(pk, ItemResult(i, Kind.ACCEPTED, f"sid{pk}")) for i, pk in enumerate(order.ids)]
                states.settle(order.attempt, results, timezone.now())
        if fate == "lost":
            lose(order.attempt, "lost")
    connection.close()


def write(port, some, faults):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        for path, body in some:
            client.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = client.getresponse()
            answer.read()
            if answer.status != 200:
                faults.append(answer.status)


def apply_until(over, faults):
    try:
        while True:
            ended = over.is_set()
            if not inbox.apply_next() and ended:
                return
    except Exception as error:
        faults.append(repr(error))
    finally:
        connection.close()


def run(*threads):
    for thread in threads:
        thread.start()
    return threads


def test_2000_sets_by_eight_writers_end_where_the_rule_says(server, monkeypatch):
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    monkeypatch.setattr(evidence, "chunk", lambda: 97)  # many small batches: more ways to be split
    campaign, orders = sent(SETS)
    told = list(sets(orders, chance))
    bodies, faults, over = posts(told, chance), [], threading.Event()
    settle_all(orders[::4], chance)
    writers = run(*[threading.Thread(target=write, args=(server.port, bodies[i::WRITERS], faults)) for i in range(WRITERS)])
    others = run(
        threading.Thread(target=settle_all, args=([o for i, o in enumerate(orders) if i % 4], chance)),
        *[threading.Thread(target=apply_until, args=(over, faults)) for _ in range(APPLIERS)],
    )
    for thread in writers:
        thread.join()
    over.set()
    for thread in others:
        thread.join()
    inbox.apply_next()  # what one had locked while another looked
    assert faults == []
    marks = Counter(CallbackEvent.objects.values_list("result", flat=True))
    reports = {pk: [from_fields(fields, "callback") for fields in some] for pk, _, some in told}
    distinct = sum(len({report.digest for report in some}) for some in reports.values())
    assert marks == {"applied": distinct, "duplicate": len(bodies) - distinct}, f"seed {seed}"
    assert DeliveryEvent.objects.count() == distinct
    columns = ("id", "state", "sid", "delivery", "code", "conflict", "units")
    reached = {row[0]: row[1:] for row in Message.objects.filter(campaign=campaign).values_list(*columns)}
    wanted = {pk: ("accepted", f"sid{pk}", *expected(some, 1)) for pk, some in reports.items()}
    assert {pk: (reached[pk], wanted[pk]) for pk in wanted if reached[pk] != wanted[pk]} == {}, f"seed {seed}"
    assert recount.differences(campaign.pk) == {}
    assert counters(campaign) == by_delivery(wanted.values())


def counters(campaign):
    """What the pages show: messages and units by delivery and conflict."""
    sums = {}
    for delivery, conflict, n, units in Count.objects.filter(campaign=campaign).values_list(
        "delivery", "conflict", "n", "units"
    ):
        old = sums.get((delivery, conflict), (0, 0))
        sums[delivery, conflict] = (old[0] + n, old[1] + units)
    return {place: sums[place] for place in sums if sums[place] != (0, 0)}


def by_delivery(rows):
    sums = {}
    for _, _, delivery, _, conflict, units in rows:
        n, before = sums.get((delivery, conflict), (0, 0))
        sums[delivery, conflict] = (n + 1, before + units)
    return sums
