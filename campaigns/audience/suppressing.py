"""Lists of numbers that must not be sent to: read from a file, given away as a file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.core.files import File
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from campaigns import bulk
from campaigns.audience import lists, reading
from campaigns.audience.faults import Unusable
from campaigns.audience.mapping import guess_mapping
from campaigns.models import Account, Suppression
from campaigns.text import phone
from campaigns.text.cost import indian
from campaigns.text.formulas import guard

MOST = 500_000  # rows of a list, which is read while its sender waits: 10 s
CHUNK = 5_000
NAMED = 100  # refused rows that are named
HEADER = ("number", "reason", "account", "until", "note", "listed")
COLUMNS = ("account", "number", "reason", "note", "own_wish", "expires_at", "created_at")
WORDS = {word.lower(): value for value, label in Suppression.Reason.choices for word in (value, label)}


@dataclass
class Listed:
    """What became of a list's rows."""

    rows: int = 0
    added: int = 0
    before: int = 0  # listed already, or twice in the file
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)  # line and sentence of the first refused rows


@dataclass(frozen=True)
class Terms:
    """What holds for every row that does not say otherwise."""

    account: Account | None = None
    reason: str = Suppression.Reason.MANUAL
    note: str = ""
    expires_at: datetime | None = None


def read_list(upload: IO[bytes] | File, filename: str, terms: Terms) -> Listed:
    """Suppress every number of a file; its columns ``reason``, ``note`` and ``until`` are heeded when they are there.

    Raises Unusable, with nothing listed, when the file is no list of numbers.
    """
    with lists.opened(upload, filename) as file, bulk.transaction():
        column = guess_mapping(file.header, file.sample, 0)["phone"]
        if not column:
            raise Unusable("NO_PHONE_COLUMN", f"No column of {file.name} looks like phone numbers. Name one “mobile”.")
        return _list(file.records, _Reader(file.header, column, terms), file.name)


class _Reader:
    """Turns a row into a suppression's values, or says why it cannot."""

    def __init__(self, header: Sequence[str], phone_column: str, terms: Terms) -> None:
        plain = {name.strip().lower(): i for i, name in reversed(list(enumerate(header)))}
        self.terms, self.width, self.phone = terms, len(header), header.index(phone_column)
        self.places = {name: plain[name] for name in ("reason", "note", "until") if name in plain}
        self.now = timezone.now()
        self.owner = terms.account.pk if terms.account else None

    def row(self, line: int, cells: list[str]) -> tuple[Any, ...]:
        cells, fault = reading.straighten(line, cells, self.width)
        if fault:
            raise ValueError(fault)
        number = phone.anywhere(cells[self.phone])
        if not number:
            raise ValueError(phone.explain(cells[self.phone], phone.EVERYWHERE))
        said = {name: cells[i].strip() for name, i in self.places.items()}
        reason = WORDS.get(said["reason"].lower()) if said.get("reason") else self.terms.reason
        if reason is None:
            labels = ", ".join(label for _, label in Suppression.Reason.choices)
            raise ValueError(f"“{said['reason'][:40]}” is no reason known here: write one of {labels}.")
        until = _until(said["until"]) if said.get("until") else self.terms.expires_at
        note = (said.get("note") or self.terms.note)[:200]
        return self.owner, number, reason, note, False, until, self.now


def _until(text: str) -> datetime | None:
    if text.lower() == "always":
        return None
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
        if at is None or not 2000 <= at.year <= 2100:
            raise ValueError
    except ValueError:
        raise ValueError(f"“{text[:40]}” is no date: write 2027-03-31 or always.") from None
    return at if timezone.is_aware(at) else timezone.make_aware(at)


def _list(records: reading.Numbered, reader: _Reader, name: str) -> Listed:
    listed = Listed()
    expired = Q(account=reader.owner, expires_at__lte=reader.now)
    renew = Suppression.objects.filter(expired).exists()
    for portion in bulk.chunks(records, CHUNK):
        rows = []
        for line, cells in portion:
            if reading.is_blank(cells):
                continue
            listed.rows += 1
            try:
                rows.append(reader.row(line, cells))
            except ValueError as fault:
                listed.refused += 1
                if listed.refused <= NAMED:
                    listed.faults.append((line, str(fault)))
        if listed.rows > MOST:
            raise Unusable("TOO_MANY_ROWS", f"{name} has more than {indian(MOST)} rows. Split it. Nothing was listed.")
        if renew:  # what is over makes room for what begins now
            for some in bulk.chunks([row[1] for row in rows], 500):
                Suppression.objects.filter(expired, number__in=some).delete()
        new = len(bulk.insert_new(Suppression, COLUMNS, rows, ("id",))) if rows else 0
        listed.added += new
        listed.before += len(rows) - new
    return listed


def suppression_csv() -> Iterator[str]:
    """All that is listed, with whole numbers, in portions; the file can be read in again."""
    yield "\ufeff" + _text([HEADER])
    last = 0
    while True:
        after = Suppression.objects.filter(pk__gt=last).select_related("account").order_by("pk")
        rows = list(after[:CHUNK])
        if not rows:
            return
        yield _text([_line(row) for row in rows])
        last = rows[-1].pk


def _line(row: Suppression) -> list[str]:
    until = row.expires_at.isoformat() if row.expires_at else "always"
    account = row.account.name if row.account else "all"
    number = f"{row.number}" if f"{row.number}".startswith("91") else phone.e164(row.number)
    return [number, row.reason, account, until, row.note, row.created_at.isoformat()]


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()
