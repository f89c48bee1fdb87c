"""How many requests of 100 messages the simulator takes with its ledger on disk: the limit of every figure about sending.

    python -m benchmarks.bench_simulator [--full]

It is one process, so one core; the bare loop that asks is another one.
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.bench_import import database
from benchmarks.bench_send import CONNECTIONS, bare

SMALL, FULL = 400, 4_000  # requests
AT_LEAST = 120  # a second


def main(full):
    requests_each = (FULL if full else SMALL) // CONNECTIONS
    with tempfile.TemporaryDirectory() as name, database(Path(name)) as vendor:
        import django

        django.setup()
        if vendor != "sqlite":
            return  # it keeps its ledger in a file of its own, whatever database the product uses
        from tests.simulated import Simulator

        simulator = Simulator(name).start()
        try:
            bare(simulator.url, 10)  # warm
            figure = bare(simulator.url, requests_each) / 100
        finally:
            simulator.stop()
    print(
        json.dumps(
            {
                "name": "simulator", "database": "-", "size": requests_each * CONNECTIONS * 100, "figure": round(figure),
                "unit": "requests/s", "peer": "the least that benchmarks of the sender need", "peer_figure": AT_LEAST,
                "ratio": round(figure / AT_LEAST, 2), "holds": figure >= AT_LEAST,
                "promise": f"at least {AT_LEAST} requests/s of 100 messages on one core, ledger kept",
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} requests")
    main(parser.parse_args().full)
