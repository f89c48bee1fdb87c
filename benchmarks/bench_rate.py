"""P3: two worker processes at 200 requests a minute use the allowance and never pass it, as the simulator counts arrivals.

python -m benchmarks.bench_rate [--full]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.bench_import import database
from benchmarks.bench_send import launched

ALLOWED, WINDOW = 200, 60.0  # requests, seconds
SMALL, FULL = 65, 600  # seconds
LEAST = 0.98
WORKER = """
from django.conf import settings
from campaigns.sending import dispatch
settings.TASK_BUDGET = {seconds}
dispatch.leases.take = lambda name, owner: True  # both at once: the limiter alone holds them back
dispatch.pump({account})
"""


def main(full):
    seconds = FULL if full else SMALL
    with tempfile.TemporaryDirectory() as name, database(Path(name)) as vendor:
        import django

        django.setup()
        from campaigns.models import Account
        from tests.simulated import Simulator

        simulator = Simulator(name).start()
        try:
            made = launched(simulator.url, round(seconds * ALLOWED / WINDOW * 1.1) * 100, 0)
            Account.objects.update(rate_per_minute=ALLOWED)
            code = f"import django; django.setup()\n{WORKER.format(seconds=seconds, account=made.account_id)}"
            workers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
            for worker in workers:
                worker.wait()
            arrivals = sorted(request["at"] for request in simulator.requests())
        finally:
            simulator.stop()
    spent = arrivals[-1] - arrivals[0]
    used = (len(arrivals) - 1) / (spent * ALLOWED / WINDOW)
    most = max(sum(1 for at in arrivals if start <= at < start + WINDOW) for start in arrivals)
    print(
        json.dumps(
            {
                "name": "rate", "database": vendor, "size": len(arrivals), "figure": most, "unit": "requests in 60 s",
                "peer": "the account's allowance", "peer_figure": ALLOWED, "ratio": round(used, 3),
                "holds": most <= ALLOWED and used >= LEAST,
                "promise": f"P3: at least {LEAST:.0%} of the allowance, never more in any 60 s, two workers",
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL} seconds")
    main(parser.parse_args().full)
