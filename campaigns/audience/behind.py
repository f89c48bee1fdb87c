"""The rows behind a count of the checks: refused ones are stored, doubtful ones are found by checking again.

Both go by a cursor, in the order in which they were read. A page of doubtful rows may end before it is full, because
looking for a rare one in a long list takes longer than anybody waits; the next page goes on where it ended.
"""

import csv
import io
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from campaigns.audience import firsts, planned, rowwise
from campaigns.audience.faults import Broken, Unusable
from campaigns.audience.importing import rules
from campaigns.audience.mapping import ERROR_COLUMNS
from campaigns.audience.reading import Numbered
from campaigns.audience.rows import MANY_UNITS, RECENTLY_MESSAGED, SUPPRESSED, Chunk, Plan, check
from campaigns.models import Campaign, Import, Recipient, RowError
from campaigns.models.states import ImportState
from campaigns.text.examples import LONGEST, Example, veil
from campaigns.text.formulas import guard
from campaigns.text.render import Template, parse

PORTION = 2_000  # rows held at once
PATIENCE = 1.5  # seconds that a page looks for doubtful rows
CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)
PLACE = ("file", "line")
BARRED = (SUPPRESSED, RECENTLY_MESSAGED)  # left out, and no fault of the row

# Of a refused row its import and line, of a doubtful one its recipient: what comes next has a greater one.
Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    source: Import
    code: str
    example: Example
    cells: list[str]
    at: Cursor


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    after: str  # where the next one begins; empty at the end


def counted(campaign: Campaign, code: str) -> int:
    """How many rows of the campaign a code was counted for; with no code, all that were refused."""
    return sum(_counted(source, code) for source in _imports(campaign))


def page(campaign: Campaign, code: str, after: str, size: int) -> Page:
    """Rows of one code or, with none, all refused ones. Raises Unusable for a cursor that is none, and as ``every``."""
    rows: list[Row] = []
    until = time.monotonic() + PATIENCE
    for portion, at in _portions(campaign, code, _cursor(after), size + 1):
        rows += portion
        if len(rows) > size:
            return Page(rows[:size], "{}-{}".format(*rows[size - 1].at))
        if time.monotonic() > until:
            return Page(rows, "{}-{}".format(*at))
    return Page(rows, "")


def rows_csv(campaign: Campaign, code: str, whole_numbers: bool) -> Iterator[str]:
    """The original columns of those rows, where each stands and what is the matter with it, in portions.

    Raises Unusable, before anything is written, when the rows were checked against another text.
    """
    names = dict.fromkeys(name for source in _imports(campaign) for name in source.header)
    columns = [name for name in names if name not in (*PLACE, *ERROR_COLUMNS)]
    return _written(columns, _portions(campaign, code, (0, 0), PORTION), whole_numbers)


def _written(columns: Sequence[str], portions: Iterable[tuple[list[Row], Cursor]], whole: bool) -> Iterator[str]:
    yield "\ufeff" + _text([[*columns, *PLACE, *ERROR_COLUMNS]])
    for rows, _ in portions:
        yield _text(_line(row, columns, whole) for row in rows)


def _line(row: Row, columns: Sequence[str], whole: bool) -> list[str]:
    named, example = dict(zip(row.source.header, row.cells, strict=False)), row.example
    told = [*(named.get(name, "") for name in columns), row.source.filename, str(example["line"])]
    line = [*told, row.code, example["column"], example["why"], *row.cells[len(row.source.header) :]]
    return line if whole else [veil(cell) for cell in line]


def _text(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([guard(cell) for cell in row] for row in rows)
    return text.getvalue()


def _imports(campaign: Campaign) -> list[Import]:
    return list(Import.objects.filter(campaign=campaign, state=ImportState.DONE).order_by("pk"))


def _counted(source: Import, code: str) -> int:
    if code in planned.CODES:
        return planned.counted(source)
    if code in BARRED:
        return source.recent if code == RECENTLY_MESSAGED else source.suppressed - source.recent
    return (source.errors.get(code, 0) + source.findings.get(code, 0)) if code else source.rejected


def _cursor(after: str) -> Cursor:
    if not after:
        return 0, 0
    found = CURSOR.fullmatch(after)
    if not found:
        raise Unusable("CURSOR", "There is no such page. Begin with the first one.")
    return int(found[1]), int(found[2])


def _portions(campaign: Campaign, code: str, at: Cursor, size: int) -> Iterator[tuple[list[Row], Cursor]]:
    """Some rows at a time, none sometimes, each time with the cursor behind them."""
    sources = [source for source in _imports(campaign) if _counted(source, code)]
    if code in planned.CODES:
        return _planned(campaign, {source.pk: source for source in sources}, code, at)
    doubtful = [source for source in sources if code in source.findings]
    if not doubtful:
        return _refused(sources, code, at, min(size, PORTION))
    template = campaign.template
    if any(source.template_version != template.version for source in doubtful):
        raise Unusable("TEMPLATE_CHANGED", "The template was changed after these rows were read. Read the file again first.")
    return _doubtful(campaign, {source.pk: source for source in doubtful}, code, at)


def _refused(sources: list[Import], code: str, at: Cursor, size: int) -> Iterator[tuple[list[Row], Cursor]]:
    for source in sources:
        line = at[1] if source.pk == at[0] else 0
        if source.pk < at[0]:
            continue
        errors = RowError.objects.filter(source=source).order_by("line")
        errors = errors.filter(code=code) if code else errors.exclude(code__in=BARRED)
        while found := list(errors.filter(line__gt=line)[:size]):
            line = found[-1].line
            yield [_of_refused(source, error) for error in found], (source.pk, line)


def _of_refused(source: Import, error: RowError) -> Row:
    example = firsts.of_refused(source, error.line, error.column, error.message, error.cells)
    return Row(source, error.code, example, error.cells, (source.pk, error.line))


def _doubtful(campaign: Campaign, sources: dict[int, Import], code: str, at: Cursor) -> Iterator[tuple[list[Row], Cursor]]:
    template = parse(campaign.template.body)
    checks = {pk: _checker(source, template) for pk, source in sources.items()}
    # By the campaign: an index has its recipients in this order, whatever the number of its files.
    people = Recipient.objects.filter(campaign=campaign).order_by("pk").values_list("pk", "source_id", "line", "cells")
    if code == "MANY_UNITS":
        people = people.filter(units__gt=MANY_UNITS)
    last = at[0]
    while found := list(people.filter(pk__gt=last)[:PORTION]):
        last, rows = found[-1][0], []
        for pk, group in groupby(found, lambda person: person[1]):
            if pk in checks:
                rows += _checked(sources[pk], checks[pk], code, list(group))
        yield rows, (last, 0)


def _checker(source: Import, template: Template) -> Callable[[Numbered, int], Chunk]:
    plan = Plan(source.header, source.mapping, template, *rules(source))
    try:
        own = rowwise.reader(source, plan)
    except Broken:
        raise Unusable(
            "TEMPLATE_CHANGED", "A translation was changed after these rows were read. Read the file again."
        ) from None
    return own.check if own else lambda rows, most: check(rows, plan, most)


def _planned(campaign: Campaign, sources: dict[int, Import], code: str, at: Cursor) -> Iterator[tuple[list[Row], Cursor]]:
    """Rows by their own hours."""
    people = Recipient.objects.filter(campaign=campaign, due__gt=0).order_by("pk")
    fits, last = planned.chooser(campaign, code), at[0]
    while found := list(people.filter(pk__gt=last)[:PORTION]):
        last = found[-1].pk
        yield [_of_planned(sources[one.source_id], code, one) for one in found if fits(one.due)], (last, 0)


def _of_planned(source: Import, code: str, one: Recipient) -> Row:
    column = source.mapping.get("schedule", "")
    value = dict(zip(source.header, one.cells, strict=False)).get(column, "")
    example: Example = {"line": one.line, "number": one.number, "column": column, "value": value[:LONGEST], "why": ""}
    return Row(source, code, example, one.cells, (one.pk, 0))


def _checked(
    source: Import, checker: Callable[[Numbered, int], Chunk], code: str, people: list[tuple[int, int, int, list[str]]]
) -> list[Row]:
    by_line = {line: (pk, cells) for pk, _, line, cells in people}
    chunk = checker(((line, cells) for _, _, line, cells in people), sys.maxsize)
    doubted = {line for line, said in chunk.doubts if said == code}
    found = [(row, *by_line[row[0]]) for row in chunk.kept if row[0] in doubted]
    return [Row(source, code, firsts.of_kept(source, code, row), cells, (pk, 0)) for row, pk, cells in found]
