"""Text becomes records: the delimiter, the header, a sample, and all rows one after the other."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from typing import TextIO

from campaigns.audience.faults import Broken, Unusable, endless_cell, long_cell, unbalanced
from campaigns.audience.storing import whole_path
from campaigns.text.formulas import unguard
from campaigns.text.phone import anywhere, mask

DELIMITERS = ",;\t|"  # in the order of preference
LOOKED_AT = 65_536  # characters read to find the delimiter
LINES = 20  # of them that are counted, and rows of the sample
MAX_COLUMNS = 200
MAX_NAME = 200  # characters of a column's name
LONG_CELL, LONG_BREAKS = 5_000, 50  # beyond, over lines: a quotation mark that was never closed
SAMPLE_CELL = 200  # characters of a cell that the sample keeps
QUOTED = re.compile(r'"[^"]*"')
LINE_END = re.compile(r"\r\n|\r|\n")
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])')  # Excel's own first line; it is no row
CODECS = {"UTF-8": "utf-8-sig"}  # a byte-order mark may be there or not

Numbered = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, slots=True)
class Look:
    """What the beginning of a file tells."""

    delimiter: str
    header: list[str]
    sample: list[list[str]]  # the first rows, each as long as the header


def look(path: str, encoding: str, name: str, delimiter: str = "") -> Look:
    """Read the beginning of a stored file; raises Unusable when it has no proper header or no rows."""
    with whole_path(path).open(encoding=CODECS.get(encoding, encoding), newline="") as file:
        delimiter = delimiter or find_delimiter(file.read(LOOKED_AT))
    try:
        with records(path, encoding, delimiter) as (rows, _):
            header = check_header(read_header(rows), name)
            first = list(islice(((line, row) for line, row in rows if not is_blank(row)), LINES))
            sample = [_sample(line, row, len(header)) for line, row in first]
    except Broken as fault:
        raise Unusable(fault.code, str(fault)) from None
    if not sample:
        raise Unusable("NO_ROWS", f"{name} has a header but no rows below it.")
    _check_width(header, [row for _, row in first], name)
    return Look(delimiter, header, sample)


def _check_width(header: Sequence[str], rows: Sequence[list[str]], name: str) -> None:
    """A header shorter than every row is a title, or leaves columns without a name."""
    narrowest = min(max(i for i, cell in enumerate(row, 1) if cell.strip()) for row in rows)
    if narrowest > len(header):
        raise Unusable(
            "HEADER_SHORT",
            f"The first line of {name} has {len(header)} {'cell' if len(header) == 1 else 'cells'} (“{header[0][:40]}”), "
            f"but the lines below it have {narrowest}. It must name every column: delete a title that stands above the "
            "names, and put quotation marks round cells with a comma in them.",
        )


def find_delimiter(text: str) -> str:
    """The separator that occurs outside quotes equally often in most of the first lines."""
    if declared := SEPARATOR_LINE.match(text):
        return declared.group(1)
    lines = [line for line in LINE_END.split(QUOTED.sub("", text)) if line.strip()][:LINES]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = [line.count(delimiter) for line in lines]
        return (counts.count(counts[0]), counts[0]) if counts and counts[0] else (0, 0)

    return max(DELIMITERS, key=agreement)


@contextmanager
def records(path: str, encoding: str, delimiter: str) -> Iterator[tuple[Numbered, Callable[[], int]]]:
    """All records of a stored file with their numbers, the first being 1, and how many bytes have been read so far."""
    with whole_path(path).open("rb") as raw, TextIOWrapper(raw, CODECS.get(encoding, encoding), newline="") as file:
        yield _numbered(file, delimiter), raw.tell


def _numbered(file: TextIO, delimiter: str) -> Numbered:
    line = read = 0
    # Strict: without it a quote that is never closed swallows the rows after it in silence.
    reader = csv.reader(file, delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        for line, row in enumerate(reader, 1):
            read = reader.line_num
            yield line, row
    except csv.Error as error:
        # The reader's own limit to a cell: one within a line is long by itself, one over several has swallowed rows.
        alone = "field limit" in str(error) and reader.line_num - read <= 1
        raise (long_cell if alone else unbalanced)(line + 1) from None


def read_header(rows: Numbered) -> list[str]:
    """The first record that is not blank, as column names; empty when there is none."""
    for _, row in rows:
        if not is_blank(row) and row[0] != "sep=":
            cells = [" ".join(unguard(cell).replace("\0", "").split()) for cell in row]
            return [cell or f"column {i}" for i, cell in enumerate(cells, 1)]
    return []


def check_header(header: list[str], name: str) -> list[str]:
    if not header:
        raise Unusable("EMPTY", f"{name} is empty.")
    if row := next((cell for cell in header if anywhere(cell)), ""):
        raise Unusable(
            "NO_HEADER",
            f"The first line of {name} is a row already: it has the phone number {mask(anywhere(row))}. "
            "Put a line above it that names the columns.",
        )
    if len(header) > MAX_COLUMNS:
        raise Unusable("TOO_MANY_COLUMNS", f"{name} has {len(header)} columns; at most {MAX_COLUMNS} can be read.")
    if long := next((cell for cell in header if len(cell) > MAX_NAME), ""):
        raise Unusable(
            "HEADER_LONG",
            f"{name} has a column name of {len(long)} characters (“{long[:40]} …”). The first line must name the columns.",
        )
    column, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise Unusable(
            "HEADER_REPEATED",
            f"{name} has {times} columns named “{column}”. Give each column a name of its own and upload the file again.",
        )
    return header


def is_blank(row: list[str]) -> bool:
    # The last sign is what DOS ends a file with.
    return not "".join(row).replace("\x1a", "").strip()


def skip(rows: Numbered, count: int) -> None:
    """Pass by the header and so many rows that are not blank."""
    read_header(rows)
    if count:
        for _, row in rows:
            count -= not is_blank(row)
            if not count:
                return


def straighten(line: int, row: list[str], width: int) -> tuple[list[str], str]:
    """A row with the damage of spreadsheets undone, and what is wrong with it when that cannot be.

    Raises Broken when a cell is too long, and when it must have swallowed other rows.
    """
    for column, cell in enumerate(row, 1):
        if len(cell) > LONG_CELL or cell.count("\n") > LONG_BREAKS or cell.count("\r") > LONG_BREAKS:
            alone = "\n" not in cell and "\r" not in cell
            raise long_cell(line, column, len(cell)) if alone else endless_cell(line)
    end = len(row)
    while end > width and not row[end - 1].strip():
        end -= 1
    row = [unguard(cell) for cell in row[: min(end, width + MAX_COLUMNS)]]
    if any("\0" in cell for cell in row):
        # PostgreSQL cannot store the character, and no SMS can carry it.
        return [cell.replace("\0", "\ufffd") for cell in row], "A cell holds a NUL character: the file is damaged there."
    if end != width:
        return row, f"The row has {end} {'cell' if end == 1 else 'cells'}, but the file has {width} columns."
    return row, ""


def _sample(line: int, row: list[str], width: int) -> list[str]:
    cells, _ = straighten(line, row, width)
    return [cell[:SAMPLE_CELL] for cell in cells[:width]] + [""] * (width - len(cells))
