"""``make bench``: each promise measured against its peer in the same run, on both databases, as one table.

BENCH_ONLY=import picks one, BENCH_FULL=1 takes the full sizes, BENCH_JSON=path also writes the results as JSON lines.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests import machine

BENCHMARKS = ("import", "preflight", "simulator", "send", "rate", "callbacks")
ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ("name", "database", "size", "figure", "peer_figure", "ratio", "holds", "promise")


def main():
    wanted = os.environ.get("BENCH_ONLY")
    full = ["--full"] if os.environ.get("BENCH_FULL") else []
    results = []
    with machine.postgres() as postgres_url:
        for name in [name for name in BENCHMARKS if wanted in (None, "", name)]:
            for url in (None, postgres_url) if postgres_url else (None,):
                environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
                if url:
                    environment["DATABASE_URL"] = url
                command = [sys.executable, "-m", f"benchmarks.bench_{name}", *full]
                done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
                sys.stderr.write("".join(line + "\n" for line in done.stdout.splitlines() if not line.startswith("{")))
                if done.returncode:
                    return f"The benchmark {name} failed."
                results += [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if not postgres_url:
            print("MISSING on this machine: PostgreSQL; measured on SQLite only")
    print_table(results)
    for result in results:
        if "note" in result:
            print(f"{result['name']} on {result['database']}: {result['note']}")
    if path := os.environ.get("BENCH_JSON"):
        Path(path).write_text("".join(json.dumps(result) + "\n" for result in results), encoding="utf-8")
    return 0


def print_table(results):
    rows = [COLUMNS, *([cell(result, column) for column in COLUMNS] for result in results)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS) - 1)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[-1]]))


def cell(result, column):
    value = result.get(column)
    if column == "holds":
        return "holds" if value else "FAILS"
    if column == "figure":
        return f"{value:,} {result['unit']}"
    return f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    sys.exit(main())
