"""P2: sending with no account limit, the whole protocol, against a bare ``requests`` loop with as many connections.

    python -m benchmarks.bench_send [--full]

All three sides post to the same simulator in the same run: the bare loop posts ready-made bodies of 100 messages, as ours
would be, and stores nothing; one-task-per-message is a django-q2 cluster whose tasks each send one message and save its
state. Each side begins when the simulator has sent the callbacks of the one before.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import requests

from benchmarks.bench_import import database

CONNECTIONS = 4
SMALL, FULL = 10_000, 200_000  # messages
TASKS = 300
PROMISED = {"sqlite": 0.60, "postgresql": 0.45}
TIMES_NAIVE = 20


def bare(url, count):
    """Messages a second of a loop that only posts."""
    todo = iter(bodies(count))

    def loop():
        with requests.Session() as session:
            session.auth = ("demokey", "demotoken")
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            for body in todo:
                assert session.post(f"{url}/v1/Accounts/exodemo1/Sms/bulksend.json", body, headers=headers).ok

    return 100 * count / timed(loop, CONNECTIONS)


def bodies(count):
    """Requests like ours, with other people and another callback address in each: as much work for the provider."""
    from campaigns.exotel.bodies import Batch, Item, bulk_body
    from campaigns.sending import callback_urls

    made = []
    for first in range(0, 100 * count, 100):
        attempt = uuid4()
        texts = (f"Dear Person {i}, your payment of Rs {i}.50 is due. -ACME" for i in range(first, first + 100))
        numbers = (f"+9196{i:08d}" for i in range(first, first + 100))
        items = [Item(to, text, "1507000000000000002", "transactional") for to, text in zip(numbers, texts, strict=True)]
        made.append(bulk_body(Batch("ACMEIN", items, "1501", callback_urls.sign(attempt), attempt.hex)))
    return made


def settled(url):
    """Wait until the simulator has no callbacks left to send, and so has its core for the next."""
    while requests.get(f"{url}/_sim/stats", timeout=10).json()["callbacks"]["pending"]:
        time.sleep(0.2)


def timed(work, threads):
    running = [threading.Thread(target=work) for _ in range(threads)]
    started = time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - started


def launched(url, messages, first):
    from tests import builders

    account = builders.account(account_sid="exodemo1", base_url=url, senders=CONNECTIONS)
    account.set_credentials("demokey", "demotoken")
    account.save()
    made = builders.campaign(account=account)
    builders.add_recipients(made, [builders.number(first + i) for i in range(messages)])
    from campaigns.sending import launch

    launch.launch(made, None, accept_warnings=True)
    launch.write_messages(made.pk)
    return made


def ours(url, messages):
    """Messages a second of the pump; every one must have reached the provider once."""
    from django.conf import settings

    from campaigns.models import Message
    from campaigns.sending import dispatch

    settings.TASK_BUDGET = 600
    made = launched(url, messages, 0)
    before = requests.get(f"{url}/_sim/stats", timeout=10).json()["messages"]
    started = time.perf_counter()
    dispatch.pump(made.account_id)
    seconds = time.perf_counter() - started
    assert Message.objects.filter(campaign=made, state="accepted").count() == messages
    assert requests.get(f"{url}/_sim/stats", timeout=10).json()["messages"] - before == messages
    return messages / seconds


def one_task_per_message(url):
    """Messages a second of a cluster with one task for each message."""
    from django_q.models import OrmQ
    from django_q.tasks import async_task

    for i in range(TASKS):
        async_task("benchmarks.bench_send.naive_task", url, i)
    cluster = subprocess.Popen([sys.executable, "manage.py", "qcluster"], start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        while OrmQ.objects.count() == TASKS:
            time.sleep(0.02)
        started, first = time.perf_counter(), OrmQ.objects.count()
        while left := OrmQ.objects.count():
            if time.perf_counter() - started > 120:
                break
            time.sleep(0.1)
        return (first - left) / (time.perf_counter() - started)
    finally:
        os.killpg(cluster.pid, 9)


def naive_task(url, i):
    from campaigns.models import Heartbeat

    answer = requests.post(
        f"{url}/v1/Accounts/exodemo1/Sms/send.json", {"From": "ACMEIN", "To": f"+9197{i:08d}", "Body": "Hello"},
        auth=("demokey", "demotoken"), timeout=30,
    )  # fmt: skip
    from django.utils import timezone

    Heartbeat.objects.create(name=f"naive-{i}-{answer.json()['SMSMessage']['Sid'][:8]}", at=timezone.now())


def main(full):
    with tempfile.TemporaryDirectory() as name, database(Path(name)) as vendor:
        import django

        django.setup()
        from tests.simulated import Simulator

        simulator = Simulator(name).start()
        try:
            messages = FULL if full else SMALL
            bare(simulator.url, 40)  # warm
            settled(simulator.url)
            peer = bare(simulator.url, messages // 100)
            settled(simulator.url)
            figure = ours(simulator.url, messages)
            naive = one_task_per_message(simulator.url)
        finally:
            simulator.stop()
    share = PROMISED[vendor]
    holds = figure >= share * peer and figure >= TIMES_NAIVE * naive
    print(
        json.dumps(
            {
                "name": "send", "database": vendor, "size": messages, "figure": round(figure), "unit": "messages/s",
                "peer": f"bare requests loop, {CONNECTIONS} connections", "peer_figure": round(peer),
                "ratio": round(figure / peer, 2), "holds": holds,
                "promise": f"P2: at least {share:.0%} of the bare loop and {TIMES_NAIVE}x one task per message",
                "note": f"the simulator bounds the peer: {peer / 100:.0f} requests/s on its one core",
                "one_task_per_message": round(naive, 1), "times_naive": round(figure / naive, 1),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} messages")
    main(parser.parse_args().full)
