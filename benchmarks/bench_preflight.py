"""All rows of a campaign are checked against its template: from the upload to the findings on the operator's page.

    python -m benchmarks.bench_preflight [--full]

The rows are checked while the file is read and stored, so the figure holds all of that, the summary of the checks and the
page that shows it. How long each takes is told too, and how long the first page of rows behind every finding. A process of
its own; SQLite in a scratch file, or a database of its own on the server that DATABASE_URL names. One JSON line.
"""

import argparse
import csv
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import bench_import
from benchmarks.bench_import import MAPPING

DEFAULT, FULL = 50_000, 1_000_000
LIMIT = 20_000  # rows/s
ROUNDS = 3
MEMORY_MB = 400  # P1 holds here too


def write_file(path, rows):
    """The file of the import benchmark, with a name in Hindi in every fiftieth row and a long value in every hundredth."""
    plain = path.with_suffix(".plain")
    bench_import.write_file(plain, rows)
    with plain.open(encoding="utf-8", newline="") as old, path.open("w", encoding="utf-8", newline="") as new:
        writer = csv.writer(new)
        for i, row in enumerate(csv.reader(old)):
            if i % 50 == 7:
                row[1] = "मीरा शर्मा"
            elif i % 100 == 9:
                row[1] = "Messrs Lakshmi Narayan & Sons, Pune"
            writer.writerow(row)
    plain.unlink()


def checked(path, client):
    """The report of one file, and the seconds until it was read, summed up, shown, and its rows listed."""
    from django.urls import reverse

    from campaigns import audience
    from campaigns.sending.preflight import preflight

    made = bench_import.campaign(path.name)
    clock = [time.perf_counter()]
    with path.open("rb") as file:
        source = audience.receive(made, file, path.name, None)
    audience.start(source, MAPPING)
    while not audience.run(source.pk):
        pass
    clock.append(time.perf_counter())
    report = preflight(made)
    clock.append(time.perf_counter())
    answer = client.get(reverse("admin:draft_review", args=[made.pk]))
    if answer.status_code != 200 or "UNICODE" not in answer.content.decode():
        raise RuntimeError(f"The page does not show what was found: {answer.status_code}.")
    clock.append(time.perf_counter())
    codes = [finding.code for finding in [*report.findings, *report.refused] if finding.rows and finding.examples]
    listed = {code: len(audience.behind.page(made, code, "", 50).rows) for code in codes if not code.startswith("ROWS_")}
    clock.append(time.perf_counter())
    steps = [round(after - before, 3) for before, after in itertools.pairwise(clock)]
    counted = {finding.code: finding.rows for finding in [*report.findings, *report.refused] if finding.rows}
    return {"seconds": clock[3] - clock[0], "steps": steps, "counted": counted, "listed": listed}


def child(path):
    """One run after a warm-up, with its peak of memory."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.test import Client

    user, _ = User.objects.get_or_create(username="bench", defaults={"is_superuser": True, "is_staff": True})
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    warm_up = path.with_name("warm-up.csv")
    write_file(warm_up, 1000)
    checked(warm_up, client)
    found = checked(path, client)
    print(json.dumps(found | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def run(path):
    command = [sys.executable, "-m", "benchmarks.bench_preflight", "--child", str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def main(full=False):
    rows = FULL if full else DEFAULT
    with tempfile.TemporaryDirectory(prefix="exodash-bench-") as folder, bench_import.database(Path(folder)) as vendor:
        path = Path(folder) / f"{rows}.csv"
        write_file(path, rows)
        os.environ["EXODASH_ALLOWED_HOSTS"] = "localhost"
        best = min((run(path) for _ in range(1 if full else ROUNDS)), key=lambda found: found["seconds"])
    figure = round(rows / best["seconds"])
    whole = sum(best["listed"].values()) > 0 and all(best["listed"].values())
    print(
        json.dumps(
            {
                "name": "preflight",
                "figure": figure,
                "unit": "rows/s",
                "peer": "the promise",
                "peer_figure": LIMIT,
                "ratio": round(figure / LIMIT, 2),
                "promise": f"from the upload to the findings shown: at least {LIMIT:,} rows/s, at most {MEMORY_MB} MB",
                "holds": figure >= LIMIT and best["peak_mb"] <= MEMORY_MB and whole,
                "size": rows,
                "database": vendor,
                "memory_mb": round(best["peak_mb"]),
                "read_s": best["steps"][0],
                "summed_s": best["steps"][1],
                "shown_s": best["steps"][2],
                "listed_s": best["steps"][3],
                "rows_by_code": best["counted"],
            }
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} rows")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(Path(options.child))
    else:
        main(options.full)
