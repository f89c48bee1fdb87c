"""Excel workbooks (.xlsx): their first sheet with rows becomes the CSV file that it could have been saved as.

A cell is taken by its value, since a workbook's file does not hold what the cell looks like: whole numbers without a
decimal point, dates as 28-11-2026.
"""

import csv
import datetime
import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from campaigns.audience.extent import MOST_CELLS, Extent
from campaigns.audience.faults import Unusable
from campaigns.text.cost import indian

MAGIC = b"PK\x03\x04"
PARTS = {"[Content_Types].xml", "xl/workbook.xml"}  # without these a ZIP archive is no .xlsx
OTHERS = {"content.xml": "an OpenDocument sheet", "xl/workbook.bin": "a binary Excel workbook (.xlsb)"}
ARCHIVE = "a ZIP archive, not a CSV file or Excel workbook. Unpack it and upload the list that is in it."
MOST_PARTS = 10_000
BLOCK = 1 << 20
EXPANDED = 8  # a workbook may hold so many times the upload limit: XML is wordy, and memory must hold a sheet
DIGITS = ".15g"  # what Excel itself keeps of a number
SAVE_AS = "Save it as CSV (“CSV UTF-8” in Excel) and upload that file."


def is_workbook(upload: IO[bytes] | File) -> bool:
    """Whether it begins like a ZIP archive; the upload stands at its start again afterwards."""
    head = upload.read(len(MAGIC))
    upload.seek(0)
    return head == MAGIC


@contextmanager
def as_csv(upload: IO[bytes] | File, name: str) -> Iterator[tuple[IO[bytes], str]]:
    """The sheet as a CSV file in UTF-8 with commas, and its name. Raises Unusable."""
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as kept, tempfile.TemporaryFile() as made:
        while block := upload.read(BLOCK):
            kept.write(block)
            if kept.tell() > settings.UPLOAD_LIMIT_MB * 1_000_000:
                raise Unusable("TOO_LARGE", f"{name} is larger than {settings.UPLOAD_LIMIT_MB} MB. Split it.")
        kept.flush()
        _prove(kept.name, name)
        try:
            with CalamineWorkbook.from_path(kept.name) as workbook:
                sheet = _first_with_rows(workbook, name)
                _write(sheet, made)
        # The reader is written in Rust, whose panics are no Exception.
        except BaseException as error:
            if isinstance(error, Unusable | KeyboardInterrupt | SystemExit):
                raise
            raise Unusable("WORKBOOK", f"{name} cannot be read as an Excel workbook. {SAVE_AS}") from error
        made.seek(0)
        yield made, f"{name}, sheet {sheet.name}"


def _prove(path: str, name: str) -> None:
    """Unpack everything once and throw it away: what an archive says of its own size is no proof."""
    limit = EXPANDED * settings.UPLOAD_LIMIT_MB * 1_000_000
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            names = {part.filename for part in parts}
            if not names >= PARTS or len(parts) > MOST_PARTS:
                kind = next((kind for part, kind in OTHERS.items() if part in names), "")
                raise Unusable("NOT_TEXT", f"{name} is {kind}. {SAVE_AS}" if kind else f"{name} is {ARCHIVE}")
            left = limit
            for part in parts:
                left = _unpack(archive, part, left, name)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as error:
        raise Unusable("WORKBOOK", f"{name} is damaged or locked with a password. {SAVE_AS}") from error


def _unpack(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int, name: str) -> int:
    extent = Extent()
    for block in _blocks(archive, part):
        left -= len(block)
        if left < 0:
            limit = indian(EXPANDED * settings.UPLOAD_LIMIT_MB)
            raise Unusable("TOO_LARGE", f"{name} holds more than {limit} MB when it is unpacked. {SAVE_AS}")
        if not extent.fed and b"<!DOCTYPE" in block[:4096].upper():
            raise Unusable("WORKBOOK", f"{name} is not as Excel writes workbooks. {SAVE_AS}")
        extent.feed(block)
    if extent.cells > MOST_CELLS:
        extent = Extent(exact=True)
        for block in _blocks(archive, part):
            extent.feed(block)
    if extent.odd:
        raise Unusable("WORKBOOK", f"{name} is not as Excel writes workbooks. {SAVE_AS}")
    if extent.cells > MOST_CELLS:
        raise Unusable(
            "SHEET_LARGE",
            f"A sheet of {name} reaches to row {indian(extent.rows)} and over {indian(extent.columns)} columns: too much to "
            "be read. Delete what stands far from the list, or save the sheet as CSV and upload that.",
        )
    return left


def _blocks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as file:
        while block := file.read(BLOCK):
            yield block


def _first_with_rows(workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    for about in workbook.sheets_metadata:
        if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible:
            sheet = workbook.get_sheet_by_name(about.name)
            if sheet.height:
                return sheet
    raise Unusable("EMPTY", f"{name} has no sheet with rows in it.")


def _write(sheet: CalamineSheet, made: IO[bytes]) -> None:
    """Every row at its own line, empty ones too, so that a sentence about line 7 means row 7 of the sheet."""
    text = io.TextIOWrapper(made, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        for row in sheet.iter_rows():
            cells = [_text(cell) for cell in row]
            if any(cells):
                writer.writerow(cells)
            else:
                text.write("\n")
    finally:
        text.detach()


def _text(cell: Any) -> str:
    """What a person would have typed for a value."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else format(cell, DIGITS)
    if isinstance(cell, datetime.datetime):
        return f"{cell:%d-%m-%Y}" if cell.time() == datetime.time() else f"{cell:%d-%m-%Y %H:%M}"
    if isinstance(cell, datetime.date):
        return f"{cell:%d-%m-%Y}"
    if isinstance(cell, datetime.time):
        return f"{cell:%H:%M}"
    return str(cell)
