"""The whole of a campaign as a CSV file: what was uploaded, and beside it what became of each row. Streamed."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.exotel.codes.stored import of_message
from campaigns.insight.outcomes import word
from campaigns.models import Campaign, Import, Message
from campaigns.text.formulas import guard
from campaigns.text.phone import mask

CHUNK = 2_000
OUTCOME = ["number", "status", "code", "name", "reason", "sid", "units", "sent_at", "settled_at", "final_at", "reference"]
BOM = "\ufeff"  # without it Excel shows Devanagari as rubbish
FIELDS = ("id", "number", "state", "delivery", "code", "sid", "units", "sent_at", "settled_at", "final_at",
          "recipient__cells", "recipient__source_id", "recipient__reference")  # fmt: skip


def report_csv(campaign: Campaign, whole_numbers: bool) -> Iterator[str]:
    """The file in pieces of a few hundred kilobytes. Without ``whole_numbers`` the phone numbers are masked."""
    headers = {source.pk: source for source in Import.objects.filter(campaign=campaign).order_by("pk")}
    columns = list(dict.fromkeys(name for source in headers.values() for name in source.header))
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    buffer.write(BOM)
    writer.writerow([*(guard(_own_name(name)) for name in columns), *OUTCOME])
    zone = ZoneInfo(campaign.account.time_zone)
    places = {pk: _places(source, columns, whole_numbers) for pk, source in headers.items()}
    for chunk in _chunks(campaign):
        writer.writerows(_row(row, places[row[11]], len(columns), zone, whole_numbers) for row in chunk)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()


def _own_name(column: str) -> str:
    """A column of the file that has the name of one of ours is told apart from it."""
    return f"{column} (file)" if column in OUTCOME else column


def _chunks(campaign: Campaign) -> Iterator[list[tuple]]:
    last = 0
    while True:
        rows = Message.objects.filter(campaign=campaign, pk__gt=last).order_by("pk").values_list(*FIELDS)
        chunk = list(rows[:CHUNK])
        if not chunk:
            return
        yield chunk
        last = chunk[-1][0]


def _places(source: Import, columns: Sequence[str], whole_numbers: bool) -> list[int]:
    """Where each cell of an import's rows goes; -1 for the phone column when numbers are masked."""
    phone = source.mapping.get("phone")
    return [-1 if name == phone and not whole_numbers else columns.index(name) for name in source.header]


def _row(row: tuple[Any, ...], places: Sequence[int], width: int, zone: ZoneInfo, whole_numbers: bool) -> list[str]:
    _, number, state, delivery, code, sid, units, sent_at, settled_at, final_at, cells, _, reference = row
    line = [""] * width
    for place, cell in zip(places, cells if isinstance(cells, list) else json.loads(cells), strict=False):
        if place >= 0:
            line[place] = guard(cell)
    name, reason = _explained(code)
    times = [at.astimezone(zone).isoformat(timespec="seconds") if at else "" for at in (sent_at, settled_at, final_at)]
    shown = str(number) if whole_numbers else guard(mask(number))
    return [
        *line,
        shown,
        word(state, delivery, code),
        code,
        name,
        reason,
        guard(sid or ""),
        str(units),
        *times,
        guard(reference),
    ]


@lru_cache(maxsize=1024)
def _explained(code: str) -> tuple[str, str]:
    row = of_message(code)
    return (row.name, f"{row.title}: {row.meaning}") if code else ("", "")
