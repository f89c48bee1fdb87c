"""A file for recipients that came from none: failures of another campaign, when they are to be read and checked again."""

import csv
import secrets
from collections.abc import Iterator
from typing import TextIO

from campaigns.audience.storing import FOLDER, whole_path
from campaigns.models import Import, Recipient
from campaigns.text.formulas import guard

CHUNK = 2_000


def write_file(source: Import) -> None:
    """Write the import's recipients down as the file they could have come from, and let the import have it."""
    path = f"{FOLDER}/{secrets.token_hex(16)}.csv"
    target = whole_path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("w", encoding="utf-8", newline="") as file:
            _write(file, source)
        source.path, source.size, source.encoding, source.delimiter = path, target.stat().st_size, "UTF-8", ","
        source.save(update_fields=["path", "size", "encoding", "delimiter"])
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def _write(file: TextIO, source: Import) -> None:
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(map(guard, source.header))
    for rows in _chunks(source):
        writer.writerows(map(guard, cells) for _, cells in rows)


def _chunks(source: Import) -> Iterator[list[tuple[int, list[str]]]]:
    last = 0
    while True:
        rows = Recipient.objects.filter(source=source, pk__gt=last).order_by("pk").values_list("pk", "cells")
        chunk = list(rows[:CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1][0]
