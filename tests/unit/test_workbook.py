"""Excel workbooks: values become what a person would have typed, rows keep their numbers, and bombs are not unpacked."""

import csv
import datetime
import io

import pytest
import xlsxwriter

from campaigns.audience.faults import Unusable
from campaigns.audience.workbook import as_csv, is_workbook
from tests.hostile_files import archive

HEADER = ["mobile", "name"]


def written(*sheets, hide=(), options=None):
    """A workbook of (name, rows) sheets as bytes."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "default_date_format": "dd mmm", **(options or {})}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    sheet.write(i, j, value) if value is not None else None
            if name in hide:
                sheet.hide()
    return data.getvalue()


def read(content, name="people.xlsx"):
    with as_csv(io.BytesIO(content), name) as (file, shown):
        return list(csv.reader(io.TextIOWrapper(file, "utf-8", newline=""))), shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9812345670, "9812345670"),
        (919812345670, "919812345670"),
        ("0098", "0098"),
        ("'9812345670", "'9812345670"),
        (1250.5, "1250.5"),
        (0.1 + 0.2, "0.3"),
        (-3, "-3"),
        (1e20, "1e+20"),
        (True, "TRUE"),
        (False, "FALSE"),
        (datetime.date(2026, 11, 28), "28-11-2026"),
        (datetime.datetime(2026, 11, 28, 10, 30), "28-11-2026 10:30"),
        (datetime.time(9, 5), "09:05"),
        ("अनीता, \"A\"\nRao", "अनीता, \"A\"\nRao"),
        ("=1+1", "0"),
        (None, ""),
        ("😀", "😀"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_a_person_would_type_it(value, text):
    rows, _ = read(written(("People", [HEADER, ["9812345670", value]])))
    assert rows == [HEADER, ["9812345670", text]]


def test_rows_keep_the_numbers_that_the_sheet_shows():
    rows, _ = read(written(("People", [[], [], HEADER, [], ["9812345670", "Asha"]])))
    assert [row for row in rows if any(row)] == [HEADER, ["9812345670", "Asha"]]
    assert (rows.index(HEADER), rows.index(["9812345670", "Asha"])) == (2, 4)


def test_the_first_sheet_that_is_shown_and_holds_rows_is_read_and_named():
    book = written(("Notes", []), ("Old", [["x", "y"]]), ("People", [HEADER, ["9812345670", "Asha"]]), hide=("Old",))
    rows, name = read(book)
    assert (rows[0], name) == (HEADER, "people.xlsx, sheet People")


def test_only_an_archive_is_taken_for_a_workbook():
    assert is_workbook(io.BytesIO(written(("A", [HEADER]))))
    upload = io.BytesIO(b"mobile,name\n")
    assert not is_workbook(upload) and upload.tell() == 0


def lying(content):
    """The archive with every stated size of unpacked parts set to 1."""
    data = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset : at + offset + 4] = (1).to_bytes(4, "little")
            at = data.find(signature, at + 1)
    return bytes(data)


GOOD = written(("People", [HEADER, ["9812345670", "Asha"]]))
BOMB = archive(types="<Types/>", book="<workbook/>", **{"xl/worksheets/sheet1.xml": b" " * 50_000_000})
REFUSED = {
    "another archive": (archive(readme="hello"), "NOT_TEXT", "ZIP archive"),
    "no archive at all": (b"PK\x03\x04" + bytes(50), "WORKBOOK", "damaged"),
    "cut off": (GOOD[: len(GOOD) // 2], "WORKBOOK", "damaged"),
    "bytes changed": (GOOD.replace(b"<", b">"), "WORKBOOK", ""),
    "a bomb": (BOMB, "TOO_LARGE", "unpacked"),
    "a bomb that denies it": (lying(BOMB), "WORKBOOK", "damaged"),
    "entities": (archive(types="<Types/>", book='<!DOCTYPE x [<!ENTITY a "b">]><workbook/>'), "WORKBOOK", "not as Excel"),
    "no workbook in it": (archive(types="<Types/>", book="<workbook/>"), "WORKBOOK", "cannot be read"),
    "nonsense for a workbook": (archive(types="<Types/>", book="hello"), "WORKBOOK", "cannot be read"),
    "no rows": (written(("People", [])), "EMPTY", "no sheet with rows"),
    "only hidden rows": (written(("Shown", []), ("Hidden", [HEADER]), hide=("Hidden",)), "EMPTY", "no sheet with rows"),
    "too large": (b"PK\x03\x04" + bytes(3_000_000), "TOO_LARGE", "larger than 2 MB"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_sound_workbook_is_refused_in_one_sentence(case, settings):
    settings.UPLOAD_LIMIT_MB = 2
    content, code, words = REFUSED[case]
    with pytest.raises(Unusable) as refused:
        read(content)
    assert refused.value.code == code
    assert words in str(refused.value)


def test_rows_without_cells_take_no_room():
    rows, _ = read(written(("A", [HEADER, *[["", ""]] * 3, ["9812345670", "Asha"]])))
    assert rows == [HEADER, [], [], [], ["9812345670", "Asha"]]


OTHERS = {
    "OpenDocument": ({"content.xml": "<x/>"}, "an OpenDocument sheet"),
    "a binary workbook": ({"types": "<Types/>", "xl/workbook.bin": "x"}, "a binary Excel workbook"),
}


@pytest.mark.parametrize(("parts", "words"), OTHERS.values(), ids=OTHERS)
def test_other_archives_of_spreadsheets_are_named(parts, words):
    with pytest.raises(Unusable, match=words):
        read(archive(**parts))


def test_a_cell_far_from_the_list_is_named_before_memory_is_taken_for_all_between():
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as made:
        sheet = made.add_worksheet("People")
        sheet.write_row(0, 0, HEADER)
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(Unusable) as refused:
        read(data.getvalue())
    assert refused.value.code == "SHEET_LARGE"
    assert "row 10,48,576 and over 16,384 columns" in str(refused.value)


def test_a_wide_and_long_list_is_measured_exactly():
    """Wider than what the quick look allows for, but not too much."""
    rows = [[f"c{i}" for i in range(60)], *[["9812345670", *["x"] * 59]] * 30]
    assert read(written(("A", rows)))[0] == rows
