"""An installation that a soak does harm to: processes that can be killed with all they started, and its campaigns."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

import requests

from tests.acceptance.conftest import ROOT, Api, Installation, answers, wait_until

OWNER_TIMEOUT = 5  # seconds; 90 by default: short, so that a soak is not spent waiting for recovery
OUTCOMES = {"20005": 90, "20006": 4, "23005": 3, "23035": 3}  # each failure below the share that stops a campaign
REPORT_RETRIES = [0.5, 1, 1, 2, 2, 3, 3, 5, 5, 5, 10, 10, 10, 20, 20, 30, 30, 60]  # seconds between tries of a callback


class Ground(Installation):
    def __init__(self, folder, database_url, seed, owner_timeout=OWNER_TIMEOUT):
        super().__init__(folder, database_url, EXODASH_OWNER_TIMEOUT=str(owner_timeout))
        self.seed = seed
        self.database = urllib.parse.urlsplit(database_url).scheme.replace("postgres", "postgresql")
        self._token = ""

    def start(self, name):
        """Start web, simulator, or any number of workers: "worker", "worker-2" ..."""
        commands = {
            "web": ["-m", "uvicorn", "exodash.asgi:application", "--port", str(self.port), "--no-access-log", "--log-level", "warning"],
            "worker": ["manage.py", "run_worker"],
            "simulator": [
                "-m", "campaigns.exotel.simulator", "--port", str(self.simulator_port), "--seed", str(self.seed),
                "--ledger", str(self.folder / "ledger.sqlite3"),
            ],
        }  # fmt: skip
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *commands[name.partition("-")[0]]],
                cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def up(self, workers=1):
        self.manage("bootstrap", "--demo")
        self.set_account(rate_per_minute=0)
        for name in ("simulator", "web", "worker", *(f"worker-{i}" for i in range(2, workers + 1))):
            self.start(name)
        wait_until(lambda: answers(f"{self.url}/healthz"), "the web process answers")
        wait_until(lambda: answers(f"{self.simulator}/_sim/health"), "the simulator answers")
        self.play()
        return self

    def down(self):
        """End what runs. What does not end in good order is killed: the run has been judged by then."""
        for name in sorted(self.processes, reverse=True):  # workers first
            family = descendants(self.processes[name].pid)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.end(name, seconds=75)
                continue
            slay(family)

    def set_account(self, **values):
        given = ", ".join(f"{name}={value!r}" for name, value in values.items())
        self.manage("shell", "--no-imports", "-c", f"from campaigns.models import Account; Account.objects.update({given})")

    def play(self, **changes):
        """The network as it usually is: some reports twice, early or in the wrong order, all of them in the end."""
        usual = {
            "outcomes": OUTCOMES, "delay": [0.3, 2.0], "latency": [0.05, 0.2], "doubled": 0.05, "early": 0.01,
            "intermediate": 0.2, "reordered": 0.1, "callback_retry_schedule": REPORT_RETRIES, "faults": [],
        }  # fmt: skip
        self.scenario(**usual | changes)

    def token(self):
        if not self._token:
            self._token = self.manage("create_api_token", "admin", "--scopes", "read,write,launch,export,numbers").strip()
        return self._token

    def client(self):
        """A client of its own for each thread."""
        return Api(self.url, self.token())

    def stats(self):
        return requests.get(f"{self.simulator}/_sim/stats", timeout=30).json()

    def launch(self, name, first, size):
        """A campaign of so many people, launched; its id."""
        path = self.folder / "people.csv"
        rows = "\n".join(f"{number(first + i)},Person {i},{i}.50,28 Nov" for i in range(size))
        path.write_text(f"mobile,name,amount,due\n{rows}\n", encoding="utf-8")
        api = self.client()
        account, template = api.get("/accounts/")[0]["id"], api.get("/templates/")["results"][0]["id"]
        made = api.post("/campaigns/", {"name": name, "account": account, "template": template}, expect=201)["id"]
        read = api.import_file(made, path)
        assert read["accepted"] == size, read
        api.post(f"/campaigns/{made}/launch/", {"accept_warnings": True})
        return made


def number(i):
    return f"98{i:08d}"


@contextlib.contextmanager
def database(kind, server):
    """The address of a new database of a kind; ``server`` is PostgreSQL's."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/exodash.sqlite3"
        return
    import psycopg

    name = f"soak_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urllib.parse.urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def ground(kind, server, seed, workers=1, owner_timeout=OWNER_TIMEOUT):
    with database(kind, server) as url, tempfile.TemporaryDirectory() as folder:
        made = Ground(Path(folder), url, seed, owner_timeout)
        try:
            yield made.up(workers)
        finally:
            made.down()


def descendants(pid):
    """A process and all that came from it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat") as file:
            parents.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(name))
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += parents.get(found[-1], [])
    return found


def slay(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


class TooLong(Exception):
    """A run has passed its bound."""


class Bound:
    """The time that a scenario may take."""

    def __init__(self, seconds):
        self.began = time.monotonic()
        self._until = self.began + seconds

    def check(self, what):
        if time.monotonic() > self._until:
            raise TooLong(f"Not within {self._until - self.began:.0f} s: {what}")

    def wait(self, condition, what, seconds, every=0.2):
        """Whether the condition came true within so many seconds."""
        until = time.monotonic() + seconds
        while not condition():
            self.check(what)
            if time.monotonic() > until:
                return False
            time.sleep(every)
        return True

    @property
    def spent(self):
        return round(time.monotonic() - self.began, 1)
