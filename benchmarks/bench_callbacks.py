"""P4: callbacks acknowledged, 200 only after the commit, against two plain Django views. P5: the same callbacks applied.

    python -m benchmarks.bench_callbacks [--full]

All sides get the same requests, real bodies under signed addresses, from the same generator (its own process) over 64
connections. The views have no middleware; both are served by granian with two processes, the fastest of those tried here
(fastwsgi, bjoern, gunicorn; twice as fast as with one process). Ours are the web and worker processes of the Procfile.
Each side's figure is the median of its rounds, taken in turn.
"""

import argparse
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks import load
from benchmarks.bench_import import database

CONNECTIONS, ROUNDS = 64, 3
SMALL, FULL = 20_000, 300_000  # messages, one callback each
SECONDS, FULL_SECONDS = 1.0, 10.0  # of a round
TIMES_ORM, P99_MS, PAGE_SECONDS = 8, 50, 2.0
PROBES = 3  # callbacks whose way to the page is timed
FINAL = re.compile(r"([\d,]+ of [\d,]+) final")
BODY = "Dear {#var#}, your payment of Rs {#var#} is due. -ACME"
CODES = [("sent", "DELIVERED_TO_HANDSET", "20005")] * 8 + [
    ("failed", "FAILED_DUE_TO_NETWORK_ERROR", "23010"), ("sent", "DELIVERED_TO_OPERATOR", "20006"),
]  # fmt: skip


# What is asked ------------------------------------------------------------------------------------------------------


def sent_campaign(messages, account_sid):
    """A campaign whose messages were all accepted; the attempt, Sid and number of each."""
    from django.db import transaction
    from django.utils import timezone

    from campaigns.models import Message
    from campaigns.sending import intent, launch, states
    from campaigns.sending.outcomes import ItemResult, Kind
    from tests import builders

    account = builders.account(account_sid=account_sid)
    made = builders.campaign(account=account, template=builders.template(body=BODY))
    builders.add_recipients(made, [builders.number(i) for i in range(messages)])
    launch.launch(made, None, accept_warnings=True)
    launch.write_messages(made.pk)
    owner = builders.owner()
    while committed := intent.commit(owner.pk, account.pk):
        order = committed[1]
        results = [(pk, ItemResult(i, Kind.ACCEPTED, f"{pk:032x}")) for i, pk in enumerate(order.ids)]
        with transaction.atomic():
            states.settle(order.attempt, results, timezone.now())
    return made, list(Message.objects.filter(campaign=made).order_by("id").values_list("attempt_id", "sid", "number"))


def requests_for(sent):
    """One callback for each message, as Exotel writes them; not in the order of sending."""
    from campaigns.sending import callback_urls

    chance, made, paths = random.Random(5), [], {}
    for attempt, sid, number in sent:
        if attempt not in paths:
            paths[attempt] = urlsplit(callback_urls.sign(attempt)).path
        word, name, code = chance.choice(CODES)
        fields = {
            "SmsSid": sid, "To": f"0{number % 10**10}", "Status": word, "DetailedStatus": name, "DetailedStatusCode": code,
            "DateSent": f"2026-11-21 10:{chance.randrange(60):02d}:00", "SmsUnits": "1", "CustomField": attempt.hex,
        }  # fmt: skip
        made.append((paths[attempt], urlencode(fields).encode()))
    for start in range(0, len(made), 2_000):  # reports of requests that were sent together come mixed
        part = made[start : start + 2_000]
        chance.shuffle(part)
        made[start : start + 2_000] = part
    return made


# Who answers --------------------------------------------------------------------------------------------------------


@contextmanager
def serving(*command, path="/"):
    """A server process on a free port, once it answers."""
    import requests

    from tests.machine import free_port

    port = free_port()
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        yield port
    finally:
        end(process)


def end(process):
    process.terminate()
    try:
        process.wait(60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def web():
    command = [sys.executable, "-m", "uvicorn", "exodash.asgi:application", "--host", "127.0.0.1", "--port", "{port}"]
    return serving(*command, "--no-access-log", "--log-level", "warning", path="/healthz")


def peers():
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--port",
        "{port}",
        "--workers",
        "2",
        "--blocking-threads",
        "4",
    ]  # of each: more threads only add connections to the database
    return serving(*command, "--no-access-log", "--no-log", "benchmarks.peers:application")


def ask(port, requests, seconds, folder):
    """What the generator says of these requests."""
    load.write(folder / "requests", requests)
    command = [sys.executable, "-m", "benchmarks.load", str(port), folder / "requests", str(CONNECTIONS), str(seconds)]
    command = list(map(str, command))
    said = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert set(said["statuses"]) == {"200"}, said
    return said | {"rate": said["answered"] / said["seconds"]}


# P4 -----------------------------------------------------------------------------------------------------------------


def acknowledge(told, others, seconds, folder):
    """Rounds of each side in turn; every acknowledged callback of ours must be stored. The peer updates other messages."""
    from callbacks.models import CallbackEvent

    ours = [load.post(path, body) for path, body in told]
    parsed = [load.post(f"/parse{path}", body) for path, body in told]
    stored = [load.post(f"/store{path}", body) for path, body in others]
    found = {"ours": [], "parse": [], "store": []}
    with web() as port, peers() as peer_port:
        for side_port, some in ((port, ours), (peer_port, parsed), (peer_port, stored)):
            ask(side_port, some[:500], 2, folder)  # warm
        CallbackEvent.objects.all().delete()
        for i in range(ROUNDS):
            found["ours"].append(ask(port, ours[i::ROUNDS], 600, folder))
            found["parse"].append(ask(peer_port, parsed[i::ROUNDS], seconds, folder))
            found["store"].append(ask(peer_port, stored[i::ROUNDS], seconds, folder))
    assert CallbackEvent.objects.count() == len(told), "an acknowledged callback is not stored"
    return {side: rounds_of(said) for side, said in found.items()}


def rounds_of(said):
    return statistics.median(one["rate"] for one in said), max(one["p99_ms"] for one in said)


# P5 -----------------------------------------------------------------------------------------------------------------


def apply(made, probes):
    """What P4 left is applied by the cluster while the web process serves: reports a second, and how late the page is."""
    from callbacks.models import CallbackEvent
    from campaigns.insight import recount
    from campaigns.models import DeliveryEvent

    waiting = CallbackEvent.objects.filter(result="").order_by("id")
    last = CallbackEvent.objects.latest("id").pk

    def over():
        """Asked by the last one: a look for any walks past all that were applied, 2 ms of PostgreSQL 50 times a second."""
        return not waiting.filter(pk=last).exists() and not waiting.exists()

    with web() as port:
        worker = subprocess.Popen([sys.executable, "manage.py", "run_worker"], start_new_session=True)
        try:
            until = time.perf_counter() + 600
            wait(DeliveryEvent.objects.exists, until)
            started, first = time.perf_counter(), DeliveryEvent.objects.count()
            wait(over, until)
            rate = (DeliveryEvent.objects.count() - first) / (time.perf_counter() - started)
            late = [page_delay(port, path, body, made) for path, body in probes]
        finally:
            end(worker)
    assert not recount.differences(made.pk)
    assert set(CallbackEvent.objects.values_list("result", flat=True)) == {"applied"}
    return rate, max(late)


def wait(condition, until, pause=0.02):
    while not condition():
        if time.perf_counter() > until:
            raise TimeoutError("The cluster does not apply callbacks.")
        time.sleep(pause)


def page_delay(port, path, body, made):
    """Seconds from a callback, whatever the idle inbox is about, until the campaign's page shows one more final report."""
    import requests

    time.sleep(random.uniform(0.5, 4))  # it lingers 3 s before it sleeps
    session = requests.Session()
    session.cookies.set("sessionid", logged_in())

    def shown():
        page = session.get(f"http://127.0.0.1:{port}/campaigns/{made.pk}/", timeout=30)
        return FINAL.findall(page.text)

    before = shown()
    assert before, "the page does not say how many are final"
    started = time.perf_counter()
    assert requests.post(f"http://127.0.0.1:{port}{path}", body, timeout=30).status_code == 200
    wait(lambda: shown() != before, started + 60)
    return time.perf_counter() - started


def logged_in():
    """The cookie of a person who may see all."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    people = get_user_model().objects
    client.force_login(people.filter(username="bench").first() or people.create_superuser("bench"))
    return client.cookies["sessionid"].value


def main(full):
    messages, seconds = (FULL, FULL_SECONDS) if full else (SMALL, SECONDS)
    with tempfile.TemporaryDirectory() as name, database(Path(name)) as vendor:
        import django

        django.setup()
        others = requests_for(sent_campaign(messages // 5, "exodemo1")[1])
        made, sent = sent_campaign(messages + PROBES, "exodemo2")
        told = requests_for(sent)
        load_of, probes = told[PROBES:], told[:PROBES]
        sides = acknowledge(load_of, others, seconds, Path(name))
        rate, late = apply(made, probes)
    ours, p99 = sides["ours"]
    for against, peer, least in (("store", "a plain Django view, one ORM update each", TIMES_ORM),
                                 ("parse", "a Django view that only parses, granian, two processes", 1)):  # fmt: skip
        figure = sides[against][0]
        say(vendor, messages, "acknowledge", ours, "callbacks/s", peer, figure, ours >= least * figure and p99 <= P99_MS,
            f"P4: at least {least}x, 200 only after the commit; p99 at most {P99_MS} ms at {CONNECTIONS} connections",
            p99_ms=p99, note=f"p99 {p99} ms; of the peer {sides[against][1]} ms")  # fmt: skip
    say(vendor, messages, "apply", rate, "callbacks/s", "P4's own rate in this run", ours, rate >= ours,
        "P5: at least as fast as they are acknowledged")  # fmt: skip
    say(vendor, PROBES, "callback to page", round(late, 2), "s", "the limit", PAGE_SECONDS, late <= PAGE_SECONDS,
        f"P5: on the campaign's page within {PAGE_SECONDS:.0f} s, the slowest of {PROBES}")  # fmt: skip


def say(vendor, size, name, figure, unit, peer, peer_figure, holds, promise, **more):
    rounded = figure if unit == "s" else round(figure)
    print(
        json.dumps(
            {
                "name": name, "database": vendor, "size": size, "figure": rounded, "unit": unit, "peer": peer,
                "peer_figure": peer_figure if unit == "s" else round(peer_figure), "ratio": round(figure / peer_figure, 2),
                "holds": bool(holds), "promise": promise, **more,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} messages")
    main(parser.parse_args().full)
