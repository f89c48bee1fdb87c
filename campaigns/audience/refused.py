"""The refused rows of a file as a file: to be mended in a spreadsheet and uploaded again."""

import csv
import io
from collections.abc import Iterator

from campaigns.audience.mapping import ERROR_COLUMNS
from campaigns.bulk import chunks
from campaigns.models import Import, RowError
from campaigns.text.formulas import guard
from campaigns.text.phone import canonical, mask

PORTION = 1_000  # rows a string


def errors_csv(source: Import, whole_numbers: bool = True) -> Iterator[str]:
    """The original columns and three more that say what is wrong, in the order of the file, in portions.

    It begins with a byte-order mark, without which Excel spoils every name that is not plain ASCII.
    """
    places = [i for i, name in enumerate(source.header) if name not in ERROR_COLUMNS]
    yield "\ufeff" + _text([[*(source.header[i] for i in places), *ERROR_COLUMNS]])
    rows = RowError.objects.filter(source=source).order_by("line").values_list("cells", "code", "column", "message")
    for portion in chunks(rows.iterator(PORTION), PORTION):
        lines = [_line(cells, places, len(source.header), list(why)) for cells, *why in portion]
        yield _text(lines if whole_numbers else [[_masked(cell) for cell in line] for line in lines])


def _masked(cell: str) -> str:
    number = canonical(cell)
    return mask(number) if number else cell


def _line(cells: list[str], places: list[int], width: int, why: list[str]) -> list[str]:
    """A row's cells, then the reason; cells beyond the header's come last, where they can be seen and moved."""
    return [*(cells[i] if i < len(cells) else "" for i in places), *why, *cells[width:]]


def _text(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()
