"""The real thing: web, worker and simulator as processes, talked to over HTTP alone."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

import pytest
import requests

from tests.machine import free_port

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-battery"


class Installation:
    """One installation in a folder of its own, with a database of its own."""

    def __init__(self, folder, database_url, **environment):
        self.folder = folder
        self.port, self.simulator_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.simulator = f"http://127.0.0.1:{self.simulator_port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("EXODASH_", "EXOTEL_", "DJANGO_"))},
            "EXODASH_DATA_DIR": str(folder),
            "EXODASH_SECRET_KEY": secrets.token_hex(32),
            "EXODASH_CALLBACK_KEYS": "k1:" + secrets.token_hex(32),
            "EXODASH_SECRETS_KEYS": "s1:" + secrets.token_hex(32),
            "EXODASH_ADMIN_PASSWORD": PASSWORD,
            "EXODASH_ALLOWED_EXOTEL_HOSTS": f"127.0.0.1:{self.simulator_port}",
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "DATABASE_URL": database_url,
            **environment,
        }
        self.processes = {}

    def manage(self, *arguments):
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, name):
        commands = {
            "web": ["-m", "uvicorn", "exodash.asgi:application", "--port", str(self.port), "--no-access-log", "--log-level", "warning"],
            "worker": ["manage.py", "run_worker"],
            "simulator": [
                "-m", "campaigns.exotel.simulator", "--port", str(self.simulator_port), "--seed", "7",
                "--ledger", str(self.folder / "ledger.sqlite3"),
            ],
        }  # fmt: skip
        log = (self.folder / f"{name}.log").open("ab")
        command = [sys.executable, *commands[name]]
        self.processes[name] = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
        )

    def up(self):
        self.manage("bootstrap", "--demo")
        for name in ("simulator", "web", "worker"):
            self.start(name)
        wait_until(lambda: answers(f"{self.url}/healthz"), "the web process answers")
        wait_until(lambda: answers(f"{self.simulator}/_sim/health"), "the simulator answers")
        return self

    def end(self, name, number=signal.SIGTERM, seconds=90):
        process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(seconds)
        return process.returncode

    def down(self):
        for name in [name for name in ("worker", "web", "simulator") if name in self.processes]:
            self.end(name)
        for pid in self._left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self):
        """What outlived its parent: the cluster of a worker whose main process a test has killed."""
        mark = f"EXODASH_DATA_DIR={self.folder}\0".encode()
        for entry in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if mark in entry.read_bytes() + b"\0" and int(entry.parent.name) != os.getpid():
                    yield int(entry.parent.name)

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def api(self, scopes="read,write,launch,export,numbers"):
        return Api(self.url, self.manage("create_api_token", "admin", "--scopes", scopes).strip())

    def ledger(self):
        """Every message that the simulator accepted."""
        entries, after = [], 0
        while True:
            answer = requests.get(f"{self.simulator}/_sim/ledger.ndjson", params={"after": after, "limit": 5000}, timeout=30)
            page = [json.loads(line) for line in answer.text.splitlines()]
            if not page:
                return entries
            entries += page
            after = page[-1]["id"]

    def requests(self):
        """Every request that the simulator got, with its arrival time."""
        answer = requests.get(f"{self.simulator}/_sim/requests.ndjson", params={"limit": 10_000}, timeout=30)
        return [json.loads(line) for line in answer.text.splitlines()]

    def scenario(self, **changes):
        answer = requests.post(f"{self.simulator}/_sim/scenario", json=changes, timeout=10)
        assert answer.ok, answer.text


def under_way(installation, folder, messages, accepted, **scenario):
    """The API and a campaign without a limit of rate, of which so many messages are accepted already."""
    people = folder / "people.csv"
    rows = (f"98{i:08d},Person {i},{i}.50,28 Nov" for i in range(messages))
    people.write_text("mobile,name,amount,due\n" + "\n".join(rows) + "\n", encoding="utf-8")
    installation.scenario(outcomes={"20005": 1}, **scenario)
    installation.manage("shell", "-c", "from campaigns.models import Account; Account.objects.update(rate_per_minute=0)")
    api = installation.api()
    account, template = api.get("/accounts/")[0]["id"], api.get("/templates/")["results"][0]["id"]
    made = api.post("/campaigns/", {"name": "Under way", "account": account, "template": template}, expect=201)["id"]
    api.import_file(made, people)
    api.post(f"/campaigns/{made}/launch/", {"accept_warnings": True})
    wait_until(lambda: api.campaign(made)["counts"]["accepted"] >= accepted, "sending is under way")
    return api, made


class Api:
    """The REST API as a customer's program uses it."""

    def __init__(self, url, token):
        self.base = f"{url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    def get(self, path, expect=200, **query):
        return self._checked(self.session.get(self.base + path, params=query, timeout=60), expect)

    def post(self, path, data=None, expect=200, **options):
        return self._checked(self.session.post(self.base + path, json=data, timeout=60, **options), expect)

    @staticmethod
    def _checked(answer, expect):
        assert answer.status_code == expect, f"{answer.status_code} {answer.text[:2000]}"
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.json() if is_json else answer.content.decode("utf-8-sig")

    def import_file(self, campaign, path, mapping=None):
        data = {"mapping": json.dumps(mapping)} if mapping else {}
        with Path(path).open("rb") as file:
            answer = self.session.post(
                f"{self.base}/campaigns/{campaign}/recipients/",
                files={"file": (Path(path).name, file)},
                data=data,
                timeout=60,
            )
        assert answer.status_code == 202, answer.text
        source = answer.json()["import"]
        return wait_until(
            lambda: (found := self.get(f"/imports/{source}/"))["state"] in {"done", "failed"} and found, "the import ends"
        )

    def campaign(self, pk):
        return self.get(f"/campaigns/{pk}/")

    def messages(self, pk, **query):
        found, page = [], self.get(f"/campaigns/{pk}/messages/", page_size=1000, **query)
        while True:
            found += page["results"]
            if not page["next"]:
                return found
            cursor = urllib.parse.parse_qs(urllib.parse.urlsplit(page["next"]).query)["cursor"][0]
            page = self.get(f"/campaigns/{pk}/messages/", page_size=1000, cursor=cursor, **query)


def answers(url):
    try:
        return requests.get(url, timeout=2).status_code < 600
    except requests.RequestException:
        return False


def wait_until(condition, what, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"Not within {seconds} s: {what}")


def children(pid):
    """All descendants of a process."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            found += [int(name), *children(int(name))]
    return found


@pytest.fixture(scope="module")
def database_url(tmp_path_factory):
    """A fresh database: SQLite in a folder, or one of its own on the server in DATABASE_URL."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield f"sqlite:///{tmp_path_factory.mktemp('database')}/exodash.sqlite3"
        return
    import psycopg

    name = f"acceptance_{secrets.token_hex(4)}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urllib.parse.urlsplit(given)._replace(path=f"/{name}").geturl()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def installation(tmp_path_factory, database_url):
    made = Installation(tmp_path_factory.mktemp("installation"), database_url)
    try:
        yield made.up()
    finally:
        made.down()
