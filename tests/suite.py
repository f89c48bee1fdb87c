"""``make test``: every test, on both databases, with what the machine lacks installed or named at the end.

unit > integration on SQLite, on PostgreSQL > simulation > acceptance (real processes, browser) on both.
``make test SUITE="unit integration"`` runs a part.
"""

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

from tests import machine

ROOT = Path(__file__).resolve().parent.parent
# Processes that are killed, hang and come back, or are waited for: two at a time, since nothing in them measures a rate.
PATIENT = ("failpoints", "alarm", "watchdog", "stopping", "crash", "soak_small", "acknowledged", "webhooks")
CRASHES = [f"tests/acceptance/test_{name}.py" for name in PATIENT]
PARTS = ("unit", "integration", "simulation", "acceptance")


def main(wanted: list[str]) -> int:
    parts = [part for part in PARTS if not wanted or part in wanted]
    missing: list[str] = []
    started = time.monotonic()
    totals = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    failed = False
    with machine.postgres() as postgres_url, tempfile.TemporaryDirectory() as scratch:
        if postgres_url is None and parts != ["unit"]:
            missing.append("PostgreSQL: integration and acceptance ran on SQLite only")
        if "acceptance" in parts and machine.chromium() is None:
            missing.append("Chromium: the browser test did not run")
        for number, (title, arguments, database) in enumerate(plan(parts, postgres_url)):
            print(f"\n== {title}", flush=True)
            report = Path(scratch) / f"{number}.xml"
            environment = os.environ | ({"DATABASE_URL": database} if database else {})
            if not database:
                environment.pop("DATABASE_URL", None)
            command = [sys.executable, "-m", "pytest", "-rs", f"--junitxml={report}", *arguments]
            failed |= subprocess.run(command, cwd=ROOT, env=environment).returncode != 0
            add_up(report, totals)
    return close(totals, missing, failed, time.monotonic() - started)


def plan(parts: list[str], postgres_url: str | None) -> list[tuple[str, list[str], str | None]]:
    both = [("SQLite", None)] + ([("PostgreSQL", postgres_url)] if postgres_url else [])
    steps: list[tuple[str, list[str], str | None]] = []
    if "unit" in parts:
        steps.append(("Unit", ["tests/unit", "-n", "2"], None))
    if "integration" in parts:
        steps += [(f"Integration on {name}", ["tests/integration", "-n", "2"], url) for name, url in both]
    if "simulation" in parts:
        steps.append(("Simulation", ["tests/simulation", "-n", "2"], None))
    if "acceptance" in parts:
        others = [f"--ignore={file}" for file in CRASHES]
        steps += [(f"Crashes on {name}", [*CRASHES, "-n", "2", "--dist", "worksteal"], url) for name, url in both]
        steps += [(f"Acceptance on {name}", ["tests/acceptance", *others], url) for name, url in both]
    return steps


def add_up(report: Path, totals: dict[str, int]) -> None:
    if not report.is_file():
        totals["errors"] += 1
        return
    for suite in ET.parse(report).iter("testsuite"):
        for name in totals:
            totals[name] += int(suite.get(name, 0))


def close(totals: dict[str, int], missing: list[str], failed: bool, seconds: float) -> int:
    bad = totals["failures"] + totals["errors"]
    good = totals["tests"] - bad - totals["skipped"]
    print(f"\n{seconds:.0f} s in all")
    for what in missing:
        print(f"MISSING on this machine: {what}")
    print(f"{good} passed, {bad} failed, {totals['skipped']} skipped")
    return 1 if failed or bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
