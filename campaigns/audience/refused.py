"""The refused rows of a file as a file: to be mended in a spreadsheet and uploaded again."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from campaigns.audience.mapping import ERROR_COLUMNS
from campaigns.bulk import chunks
from campaigns.models import Import, RowError
from campaigns.text.formulas import guard
from campaigns.text.phone import mask_cell

PORTION = 1_000  # rows a string
ABROAD = re.compile(r"(?<![+\w])\+\d[\d -]{5,}\d(?= is )")  # a number of another country, as a sentence begins with it


def errors_csv(source: Import, whole_numbers: bool = True) -> Iterator[str]:
    """The original columns and three more that say what is wrong, in the order of the file, in portions.

    It begins with a byte-order mark, without which Excel spoils every name that is not plain ASCII.
    """
    phone = str(source.mapping.get("phone") or "")
    return refused_csv(source.header, RowError.objects.filter(source=source), whole_numbers, phone)


def refused_csv(header: Sequence[str], errors: QuerySet[Any], whole_numbers: bool, phone: str) -> Iterator[str]:
    """``phone`` is the name of the column of numbers, where they may be written without a plus."""
    places = [i for i, name in enumerate(header) if name not in ERROR_COLUMNS]
    numbers = places.index(header.index(phone)) if phone in header else -1
    yield "\ufeff" + _text([[*(header[i] for i in places), *ERROR_COLUMNS]])
    rows = errors.order_by("line").values_list("cells", "code", "column", "message")
    for portion in chunks(rows.iterator(PORTION), PORTION):
        lines = [_line(cells, places, len(header), list(why)) for cells, *why in portion]
        yield _text(lines if whole_numbers else [_masked(line, numbers) for line in lines])


def _masked(line: list[str], phone: int) -> list[str]:
    """Without whole numbers, neither in cells nor in the sentence that repeats one of them."""
    return [mask_cell(ABROAD.sub(lambda found: mask_cell(found[0]), cell), i == phone) for i, cell in enumerate(line)]


def _line(cells: list[str], places: list[int], width: int, why: list[str]) -> list[str]:
    """A row's cells, then the reason; cells beyond the header's come last, where they can be seen and moved."""
    return [*(cells[i] if i < len(cells) else "" for i in places), *why, *cells[width:]]


def _text(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()
