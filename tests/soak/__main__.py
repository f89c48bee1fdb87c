"""``make soak``: every scenario on every database, one line of JSON each. See the package for the settings."""

import contextlib
import json
import os
import random
import sys
import traceback
from pathlib import Path

from tests import machine
from tests.soak import faults, kills, races, rate
from tests.soak.ground import Bound, ground

SCENARIOS = ("kills", "faults", "races", "rate")
DATABASES = ("sqlite", "postgresql")


def setting(name, default):
    return int(os.environ.get(f"SOAK_{name}") or default)


def play(scenario, kind, server, seed):
    messages, bound = setting("MESSAGES", 100_000), Bound(setting("SECONDS", 4 * 3600))
    chance = random.Random(f"{seed} {scenario}")
    if scenario == "faults":
        with ground(kind, server, seed, owner_timeout=faults.OWNER_TIMEOUT) as place:
            return faults.run(place, bound, chance, messages, variants=faults.every_kind() + faults.BEYOND_PATIENCE)
    with ground(kind, server, seed, workers=2 if scenario == "rate" else 1) as place:
        if scenario == "kills":
            return kills.run(place, bound, chance, messages, setting("KILLS", 200))
        if scenario == "races":
            return races.run(place, bound, chance, messages, setting("PAIRS", 1000))
        return rate.run(place, bound, chance, messages)


def main():
    seed = setting("SEED", random.randrange(10**6))
    only = os.environ.get("SOAK_ONLY", "").replace(",", " ").split() or SCENARIOS
    kinds = os.environ.get("SOAK_DATABASES", "").replace(",", " ").split() or DATABASES
    if unknown := {*only} - {*SCENARIOS} | {*kinds} - {*DATABASES}:
        return f"{', '.join(sorted(unknown))}: known are {', '.join(SCENARIOS + DATABASES)}"
    print(f"SOAK_SEED={seed}", flush=True)
    lines = []
    with machine.postgres() if "postgresql" in kinds else contextlib.nullcontext() as server:
        for kind in kinds:
            if kind == "postgresql" and server is None:
                print("MISSING on this machine: PostgreSQL; soaked on SQLite only")
                continue
            for scenario in only:
                try:
                    line = play(scenario, kind, server, seed)
                except Exception as error:
                    traceback.print_exc()
                    line = {"scenario": scenario, "database": kind, "seed": seed, "holds": False}
                    line["breaches"] = [f"{type(error).__name__}: {error}"[:1000]]
                lines.append(json.dumps(line))
                print(lines[-1], flush=True)
    if path := os.environ.get("SOAK_JSON"):
        Path(path).write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return 0 if lines and all(json.loads(line)["holds"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
