"""A simulator process for tests, steered and read over HTTP."""

import json
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.machine import free_port

ROOT = Path(__file__).resolve().parent.parent
SID, KEY, TOKEN = "exodemo1", "demokey", "demotoken"


class Simulator:
    def __init__(self, folder, *options):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder, self.options = Path(folder), options
        self.process = None

    def start(self):
        command = [
            sys.executable, "-m", "campaigns.exotel.simulator", "--port", str(self.port), "--scenario", "all-delivered",
            "--ledger", str(self.folder / "ledger.sqlite3"), *self.options,
        ]  # fmt: skip
        self.process = subprocess.Popen(command, cwd=ROOT)
        for _ in range(200):
            try:
                requests.get(f"{self.url}/_sim/health", timeout=1)
                return self
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("The simulator did not start.")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(10)

    def scenario(self, **changes):
        answer = requests.post(f"{self.url}/_sim/scenario", json=changes, timeout=5)
        assert answer.ok, answer.text
        return answer.json()

    def account(self, **values):
        assert requests.put(f"{self.url}/_sim/accounts/{SID}", json=values, timeout=5).ok

    def stats(self):
        return requests.get(f"{self.url}/_sim/stats", timeout=5).json()

    def ledger(self):
        return self._pages("ledger")

    def requests(self):
        return self._pages("requests")

    def _pages(self, name):
        found, after = [], 0
        while True:
            answer = requests.get(f"{self.url}/_sim/{name}.ndjson", params={"after": after}, timeout=10)
            page = [json.loads(line) for line in answer.text.splitlines()]
            if not page:
                return found
            found += page
            after = page[-1]["id"]
