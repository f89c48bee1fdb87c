"""200 means stored for good: whatever dies under load, each callback that was acknowledged is there afterwards.

Web and worker are processes as they are deployed. The database that is killed is a PostgreSQL of the test's own with fsync
on; SQLite has no server, and its part is the kill of the processes that write to it.
"""

import contextlib
import http.client
import os
import signal
import sqlite3
import threading
import time
import uuid
from urllib.parse import urlsplit

import psycopg
import pytest

from campaigns.sending import callback_urls
from tests.acceptance.conftest import Installation, children, wait_until
from tests.machine import Cluster

CALLERS, MORE = 16, 400  # callers, and callbacks acknowledged between one kill and the next
KILLS = 3
ATTEMPT = uuid.UUID(int=7)


@pytest.fixture
def ground(tmp_path, database_url):
    with installed(tmp_path, database_url) as made:
        yield made


@pytest.fixture
def cluster():
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        pytest.skip("SQLite has no server that could be killed")
    made = Cluster.make("-c fsync=on")
    if made is None:
        pytest.skip("PostgreSQL cannot be had here")
    made.start()
    yield made
    made.remove()


@contextlib.contextmanager
def installed(folder, url):
    made = Installation(folder, url)
    made.manage("bootstrap", "--demo")
    try:
        for name in ("web", "worker"):
            made.start(name)
        wait_until(lambda: status(made, b"first") == 200, "callbacks are taken")
        yield made
    finally:
        made.down()


def path_of(made):
    kid, _, key = made.environment["EXODASH_CALLBACK_KEYS"].partition(":")
    return f"{callback_urls.PREFIX}{kid}/{ATTEMPT.hex}.{callback_urls._mac(bytes.fromhex(key), ATTEMPT.hex)}"


def status(made, body):
    """What one callback is answered; None when nobody answers."""
    client = http.client.HTTPConnection("127.0.0.1", made.port, timeout=30)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(client):
        client.request("POST", path_of(made), body)
        return client.getresponse().status
    return None


class Callers:
    """Sixteen of them, who go on whatever happens and note what was acknowledged."""

    def __init__(self, made):
        self.made, self.acknowledged, self.others, self.over = made, [], set(), threading.Event()
        self.threads = [threading.Thread(target=self.call, args=(i,)) for i in range(CALLERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def call(self, caller):
        i, path = 0, path_of(self.made)
        while not self.over.is_set():
            client = http.client.HTTPConnection("127.0.0.1", self.made.port, timeout=30)
            with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(client):
                while not self.over.is_set():
                    i += 1
                    body = b"caller=%d&i=%d" % (caller, i)
                    client.request("POST", path, body)
                    answer = client.getresponse()
                    answer.read()
                    if answer.status == 200:
                        self.acknowledged.append(body)
                    else:
                        self.others.add((answer.status, answer.getheader("Retry-After")))
                        time.sleep(0.05)
            time.sleep(0.05)

    def more(self):
        """Wait until many more have been acknowledged."""
        enough = len(self.acknowledged) + MORE
        wait_until(lambda: len(self.acknowledged) >= enough, "callbacks are acknowledged", 90)


def ask(url, statement):
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        with contextlib.closing(sqlite3.connect(parts.path[1:], timeout=30)) as connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def all_is_there(url, callers):
    kept = {bytes(row[0]) for row in ask(url, "SELECT raw FROM callbacks_callbackevent")}
    assert len(callers.acknowledged) > KILLS * MORE
    assert set(callers.acknowledged) <= kept, "an acknowledged callback is lost"
    waiting = "SELECT count(*) FROM callbacks_callbackevent WHERE result = ''"
    wait_until(lambda: ask(url, waiting) == [(0,)], "the inbox goes on by itself", 90)


def test_callbacks_outlive_kills_of_the_database(tmp_path, cluster):
    with installed(tmp_path, cluster.url) as made:
        with Callers(made) as callers:
            for _ in range(KILLS):
                callers.more()
                cluster.kill()
                wait_until(lambda: callers.others, "what cannot be stored is not acknowledged")
                time.sleep(0.5)
                cluster.start()
            callers.more()  # the web process has found its way back by itself
        assert callers.others == {(503, "5")}
        assert made.processes["web"].poll() is made.processes["worker"].poll() is None
        all_is_there(cluster.url, callers)


def test_callbacks_outlive_kills_of_web_and_worker(ground):
    with Callers(ground) as callers:
        for _ in range(KILLS):
            callers.more()
            for name in ("web", "worker"):
                killed = ground.processes.pop(name)
                for pid in [killed.pid, *children(killed.pid)]:
                    os.kill(pid, signal.SIGKILL)
                killed.wait(30)
            for name in ("web", "worker"):
                ground.start(name)
        callers.more()
    assert callers.others <= {(503, "5")}
    all_is_there(ground.environment["DATABASE_URL"], callers)
