"""P1: a CSV of recipients becomes ready-to-send rows with row errors, against the plain way in the same run.

    python -m benchmarks.bench_import [--full]

The plain way is what one writes first: csv.DictReader, phonenumbers for each row, a dict of numbers seen, bulk_create by
the thousand. Both sides run in a process of their own; kept rows, units and errors must be equal. SQLite in a scratch
file, or a database of its own on the server that DATABASE_URL names. One JSON line. Where the package notifications-utils
is installed, its module for recipients checks the same file too, without storing anything.
"""

import argparse
import contextlib
import csv
import importlib.util
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

DEFAULT, FULL, FLAT = 50_000, 1_000_000, 10_000
ROUNDS = 4
RATIO, MEMORY_MB, GROWTH = 5, 400, 1.5  # P1; growth is time a row at full size against FLAT rows
BODY = "Dear {#var#}, your payment of Rs {#var#} is due on {#var#}. Pay at acme.example/pay -ACME"
MAPPING = {"phone": "mobile", "vars": ["name", "amount", "due"]}
HEADER = ["mobile", "name", "amount", "due", "city", "note"]
NAMES = ["Asha Rao", "Ravi Iyer", "Meera Khan", "Arjun Patel", "Lakshmi Nair", "Imran Das", "मीरा शर्मा", "José Dsouza"]
BAD_NUMBERS = ["98765", "022 2345 6789", "not given", "+91 12345 67890"]
SPELLINGS = ["{0}", "+91{0}", "0{0}", "91{0}", "{1} {2}", "+91-{1}-{2}"]


def ten_digits(i):
    """The i-th number, scattered: files are not sorted by number."""
    return f"9{9 - i % 4}{i * 7919 % 99_999_989:08d}"


def write_file(path, rows):
    """Six columns; of a hundred rows about one has a bad number, one a repeated one, one an empty value."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for i in range(rows):
            ten = ten_digits(i)
            luck = chance.random()
            if luck < 0.01:
                mobile = chance.choice(BAD_NUMBERS)
            elif luck < 0.02 and i > 100:
                j = chance.randrange(i)
                mobile = ten_digits(j)
            else:
                mobile = chance.choice(SPELLINGS).format(ten, ten[:5], ten[5:])
            name = "" if 0.02 <= luck < 0.03 else NAMES[i % 6 if i % 20 else i % 8]
            row = [mobile, name, f"{i % 9000}.50", f"{i % 28 + 1} Dec", "Pune, Maharashtra", f"batch {i // 1000}"]
            writer.writerow(row[:5] if 0.03 <= luck < 0.031 else row)


def campaign(name):
    from campaigns.models import Account, Campaign, Suppression, Template

    account, _ = Account.objects.get_or_create(name="Bench", account_sid="bench")
    if not Suppression.objects.exists():
        numbers = [int("91" + ten_digits(i)) for i in range(0, 5000, 100)]
        Suppression.objects.bulk_create(Suppression(number=number) for number in numbers)
    template, _ = Template.objects.get_or_create(
        name="Bench", body=BODY, dlt_template_id="1507000000000000002", dlt_entity_id="1501000000000000001", header="ACMEIN"
    )
    return Campaign.objects.create(name=name, account=account, template=template)


def ours(path):
    from campaigns import audience

    made = campaign("ours")
    started = time.perf_counter()
    with path.open("rb") as file:
        source = audience.receive(made, file, path.name, None)
    audience.start(source, MAPPING)
    while not audience.run(source.pk):
        pass
    return made, time.perf_counter() - started


def plain(path):
    from campaigns.models import Import, Recipient, RowError, Suppression

    made = campaign("plain")
    started = time.perf_counter()
    source = Import.objects.create(campaign=made, filename=path.name, path="", header=HEADER, mapping=MAPPING)
    suppressed = set(Suppression.objects.values_list("number", flat=True))
    seen, recipients, errors = set(), [], []
    with path.open(encoding="utf-8", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), 2):
            number, size, fault = plain_row(row)
            if not fault:
                fault = "SUPPRESSED" if number in suppressed else "DUPLICATE_ENTRY" if number in seen else ""
            cells = [cell for cell in row.values() if cell is not None]
            if fault:
                errors.append(RowError(source=source, line=line, code=fault, cells=cells))
            else:
                seen.add(number)
                recipients.append(Recipient(campaign=made, source=source, line=line, number=number, cells=cells, units=size))
            for model, waiting in ((Recipient, recipients), (RowError, errors)):
                if len(waiting) == 1000:
                    model.objects.bulk_create(waiting)
                    waiting.clear()
    Recipient.objects.bulk_create(recipients)
    RowError.objects.bulk_create(errors)
    return made, time.perf_counter() - started


def plain_row(row):
    import phonenumbers

    from campaigns.text import segments

    if None in row.values():
        return 0, 0, "INVALID_FORMAT"
    try:
        parsed = phonenumbers.parse(row["mobile"], "IN")
    except phonenumbers.NumberParseException:
        return 0, 0, "INVALID_PHONE"
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(parsed) or phonenumbers.number_type(parsed) not in mobile:
        return 0, 0, "INVALID_PHONE"
    body = BODY
    for name in MAPPING["vars"]:
        if not row[name].strip():
            return 0, 0, "MISSING_REQUIRED"
        body = body.replace("{#var#}", row[name].strip(), 1)
    number = int(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:])
    return number, segments.units(body), ""


def child(way, path):
    """Run one way; its time, its peak memory and a digest of what it stored."""
    import django

    django.setup()
    warm_up = path.with_name("warm-up.csv")
    write_file(warm_up, 1000)
    run = {"ours": ours, "plain": plain}[way]
    run(warm_up)  # imports, compiled expressions, the connection
    made, seconds = run(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, **stored(made)}))


def notify(path):
    """GOV.UK Notify's own check of the same rows: a number, a value for each variable, nothing stored."""
    from notifications_utils.recipients import RecipientCSV
    from notifications_utils.template import SMSMessageTemplate

    class Whole(RecipientCSV):
        max_rows = FULL  # of others it would only count the rows

    content = BODY
    for name in MAPPING["vars"]:
        content = content.replace("{#var#}", f"(({name}))", 1)
    template = SMSMessageTemplate({"content": content, "template_type": "sms", "name": "Bench"})
    text = path.read_text(encoding="utf-8").replace("mobile", "phone number", 1)
    started = time.perf_counter()
    checked = Whole(text, template=template, allow_international_sms=True)
    faulty = sum(1 for row in checked.get_rows() if row is None or row.has_error)
    return faulty, time.perf_counter() - started


def notify_child(path):
    faulty, seconds = notify(path)
    print(json.dumps({"seconds": seconds, "errors": faulty}))


def notified(path, rows):
    """What is to be told of the second peer: its figure, or why there is none."""
    if importlib.util.find_spec("notifications_utils") is None:
        return {"note": "notifications-utils is not installed, so its module for recipients was not measured"}
    try:
        run = in_child("notify", path)
    except subprocess.CalledProcessError:
        return {"note": "notifications-utils is installed, but this version of its module for recipients could not be used"}
    figure = round(rows / run["seconds"])
    return {"notify_figure": figure, "note": f"notifications-utils checked {figure:,} rows/s, without storing them"}


def stored(made):
    import hashlib

    from campaigns.models import Recipient, RowError

    digest, counts = hashlib.sha256(), []
    kept = Recipient.objects.filter(campaign=made).order_by("line").values_list("line", "number", "units", "cells")
    errors = RowError.objects.filter(source__campaign=made).order_by("line").values_list("line", "code", "cells")
    for rows in (kept, errors):
        counts.append(0)
        for row in rows.iterator(5000):
            digest.update(json.dumps(row).encode())
            counts[-1] += 1
    return {"digest": digest.hexdigest(), "kept": counts[0], "errors": counts[1]}


def in_child(way, path):
    command = [sys.executable, "-m", "benchmarks.bench_import", "--child", way, str(path)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1])


def measure(rows, rounds, scratch):
    """Both ways in turn, the fastest round of each: what else the machine does can only make a round slower."""
    path = scratch / f"{rows}.csv"
    write_file(path, rows)
    turns = [{way: in_child(way, path) for way in ("ours", "plain")} for _ in range(rounds)]
    return {way: min((turn[way] for turn in turns), key=lambda run: run["seconds"]) for way in ("ours", "plain")}


def main(full=False):
    rows = FULL if full else DEFAULT
    with tempfile.TemporaryDirectory(prefix="exodash-bench-") as folder, database(Path(folder)) as vendor:
        small = measure(FLAT, ROUNDS, Path(folder)) if full else None
        found = measure(rows, 1 if full else ROUNDS, Path(folder))
        second = notified(Path(folder) / f"{rows}.csv", rows)
    ours, plain = found["ours"], found["plain"]
    ratio = plain["seconds"] / ours["seconds"]
    equal = all(ours[name] == plain[name] for name in ("digest", "kept", "errors"))
    growth = ours["seconds"] / rows / (small["ours"]["seconds"] / FLAT) if small else None
    print(
        json.dumps(
            {
                "name": "import",
                "figure": round(rows / ours["seconds"]),
                "unit": "rows/s",
                "peer": "csv.DictReader, phonenumbers per row, bulk_create by the thousand",
                "peer_figure": round(rows / plain["seconds"]),
                "ratio": round(ratio, 2),
                "promise": f"P1: at least {RATIO}x the plain way, equal rows and errors, at most {MEMORY_MB} MB, flat",
                "holds": ratio >= RATIO and equal and ours["peak_mb"] <= MEMORY_MB and (growth or 0) <= GROWTH,
                "size": rows,
                "database": vendor,
                "equal": equal,
                "kept": ours["kept"],
                "errors": ours["errors"],
                "memory_mb": round(ours["peak_mb"]),
                "growth": growth and round(growth, 2),
                **second,
            }
        )
    )


@contextlib.contextmanager
def database(folder):
    """A migrated database of the run's own, named to the children by DATABASE_URL."""
    given = os.environ.get("DATABASE_URL", "")
    from tests import environment  # noqa: F401

    os.environ["DJANGO_SETTINGS_MODULE"] = "exodash.settings"
    if given.startswith("postgres"):
        name = f"exodash_bench_{os.getpid()}"
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(given)._replace(path=f"/{name}"))
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{name}"')
            try:
                migrate()
                yield "postgresql"
            finally:
                server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    else:
        os.environ["DATABASE_URL"] = f"sqlite:///{folder / 'bench.sqlite3'}"
        migrate()
        yield "sqlite"


def migrate():
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} rows")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child and options.child[0] == "notify":
        notify_child(Path(options.child[1]))
    elif options.child:
        child(options.child[0], Path(options.child[1]))
    else:
        main(options.full)
