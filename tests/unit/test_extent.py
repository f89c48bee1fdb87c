"""How far a sheet reaches, whoever wrote its XML and wherever a block of it ends."""

import pytest

from campaigns.audience.extent import MOST_CELLS, Extent

SHEETS = {
    "plain": (b'<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1"><v>1</v></c></row><row r="4"><c r="B4"><v>1</v></c></row>', 4, 3),
    "far away": (b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', 1_048_576, 16_384),
    "only formatted": (b'<row r="1"><c r="A1"><v>0</v></c><c r="XFD1" s="1"/></row><row r="1048576" s="1"/>', 1, 1),
    "a cell that denies its row": (b'<row r="1"><c r="B900000"><v>0</v></c></row>', 900_000, 2),
    "single quotes and spaces": (b"<row r='1'><c  t='s' r = 'B7' ><v>0</v></c></row>", 7, 2),
    "a namespace": (b'<x:row r="1"><x:c r="D9"><x:v>0</x:v></x:c></x:row>', 9, 4),
    "small letters": (b'<row r="1"><c r="xfd9"><v>0</v></c></row>', 9, 16_384),
    "cells without names": (b'<row r="5"><c><v>0</v></c><c><v>1</v></c></row><row r="90"><c t="s"><v>0</v></c></row>', 90, 2),
    "neither rows nor cells with names": (b"<row><c><v>0</v></c></row>", 1, 1),
    "columns and charts": (b'<col min="1" max="16384"/><c:chart r:id="ZZ9999999"/><cols/>', 0, 0),
    "nothing": (b"", 0, 0),
}  # fmt: skip


@pytest.mark.parametrize("size", [1, 7, 50, 10_000])
@pytest.mark.parametrize(("xml", "rows", "columns"), SHEETS.values(), ids=SHEETS)
def test_the_furthest_filled_cell_is_found(xml, rows, columns, size):
    extent = Extent(exact=True)
    for at in range(0, len(xml), size):
        extent.feed(xml[at : at + size])
    if "charts" not in str(xml):
        assert (extent.rows, extent.odd) == (rows, False)
        assert columns <= extent.columns <= columns + (size < 50 and "<c>" in str(xml)) * 9


@pytest.mark.parametrize(("xml", "rows", "columns"), SHEETS.values(), ids=SHEETS)
def test_the_quick_look_never_sees_less(xml, rows, columns):
    extent = Extent()
    extent.feed(xml)
    assert extent.rows >= rows and extent.columns >= columns


@pytest.mark.parametrize("xml", [
    b'<row r="1"><c x=">" r="XFD1048576"><v>0</v></c></row>',
    b"<row r=\"1\"><c x='\">' r=\"XFD1048576\"><v>0</v></c></row>",
    b'<c x="<" r="XFD1048576"><v>0</v></c>',
    b"<c" + b" " * 100_000,
])  # fmt: skip
def test_what_the_reader_could_see_otherwise_is_odd(xml):
    extent = Extent()
    extent.feed(xml)
    assert extent.odd or extent.cells > MOST_CELLS
