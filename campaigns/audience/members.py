"""Rows of a file become members of an audience, or refused rows. Pure: a row is judged by itself alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from campaigns.audience.faults import Unusable
from campaigns.audience.mapping import ERROR_COLUMNS
from campaigns.audience.reading import MAX_COLUMNS, Numbered, is_blank, straighten
from campaigns.audience.rows import BULKY, CHUNK, INVALID_FORMAT, INVALID_PHONE, MISSING_REQUIRED, Refused, encode
from campaigns.text.conditions import fold
from campaigns.text.phone import EVERYWHERE, anywhere, explain

Places = list[int | None]


@dataclass(slots=True)
class Batch:
    kept: dict[int, tuple[int, list[str]]] = field(default_factory=dict)  # number: line and cells of its last row
    good: int = 0  # rows with a usable number
    refused: list[Refused] = field(default_factory=list)
    last: int = 0  # the last record read; 0 when there was none left


def check(rows: Numbered, header: Sequence[str], phone: str, limit: int = CHUNK) -> Batch:
    """Read about ``limit`` records. Raises Broken when rows cannot be told apart."""
    batch, width, place, line = Batch(), len(header), header.index(phone), 0
    while limit > 0 and (record := next(rows, None)):
        line, row = record
        row, fault = straighten(line, row, width)
        limit -= 1 + sum(map(len, row)) // BULKY
        if is_blank(row):
            continue
        cell = "" if fault else row[place]
        number = 0 if fault else anywhere(cell)
        if number:
            batch.kept[number] = (line, row)
            batch.good += 1
        elif fault:
            batch.refused.append((line, INVALID_FORMAT, "", fault, encode(row)))
        elif cell.strip():
            batch.refused.append((line, INVALID_PHONE, phone, explain(cell, EVERYWHERE), encode(row)))
        else:
            batch.refused.append((line, MISSING_REQUIRED, phone, f"“{phone}” is empty.", encode(row)))
    batch.last = line
    return batch


def arrange(columns: Sequence[str], kept_in: str, header: Sequence[str], phone: str, name: str) -> tuple[list[str], Places]:
    """The audience's columns with those that a file adds, and where each column of the file stands among them.

    Names are the same when they differ in case or spaces alone. Raises Unusable.
    """
    if kept_in and kept_in != phone and kept_in in header:
        raise Unusable(
            "PHONE_COLUMN",
            f"{name} has a column “{kept_in}” beside its phone column “{phone}”, but the audience keeps its numbers in "
            f"“{kept_in}”. Name one of them otherwise and upload the file again.",
        )
    exact = {column: i for i, column in enumerate(columns)}
    alike = {fold(column): i for i, column in reversed(list(enumerate(columns)))}
    taken = {exact[column] for column in (*header, kept_in) if column in exact}
    whole, places = list(columns), Places()
    for column in header:
        at = exact[kept_in] if column == phone and kept_in else exact.get(column)
        if at is None and alike.get(fold(column)) not in taken:
            at = alike.get(fold(column))
        if column in ERROR_COLUMNS:
            at = None
        elif at is None:
            at = len(whole)
            whole.append(column)
        taken |= {at} if at is not None else set()
        places.append(at)
    if len(whole) > MAX_COLUMNS:
        raise Unusable(
            "TOO_MANY_COLUMNS", f"With {name} the audience would have {len(whole)} columns; {MAX_COLUMNS} are the most."
        )
    return whole, places


def merge(old: Sequence[str], row: Sequence[str], places: Places) -> list[str]:
    """A member's cells after a row: what the file has no column for stays."""
    cells = list(old)
    for cell, at in zip(row, places, strict=True):
        if at is not None:
            if at >= len(cells):
                cells += [""] * (at + 1 - len(cells))
            cells[at] = cell
    return cells
