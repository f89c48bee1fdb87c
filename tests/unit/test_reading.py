"""Files as people save them: each is read to the same header and rows, or refused as a whole with one sentence."""

import codecs
import io
import re

import pytest

from campaigns.audience.faults import Broken, Unusable
from campaigns.audience.reading import find_delimiter, look, records, skip, straighten
from campaigns.audience.storing import store, whole_path
from campaigns.text.formulas import guard, unguard

PLAIN = "mobile,name,amount\n9812345670,Asha,10\n9812345671,Ravi,20\n"
HEADER, ROWS = ["mobile", "name", "amount"], [["9812345670", "Asha", "10"], ["9812345671", "Ravi", "20"]]
HINDI = "mobile,name\n9812345670,मीरा\n"
INDIAN_UTF16 = "mobile,name\n" + "9812345670,मीरा शर्मा\n" * 30


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def opened(content, name="people.csv"):
    """Encoding and look of a file."""
    stored = store(io.BytesIO(content), name)
    return stored, look(stored.path, stored.encoding, name)


FILES = {
    "comma": (PLAIN.encode(), "UTF-8", ","),
    "semicolon": (PLAIN.replace(",", ";").encode(), "UTF-8", ";"),
    "tab": (PLAIN.replace(",", "\t").encode(), "UTF-8", "\t"),
    "bar": (PLAIN.replace(",", "|").encode(), "UTF-8", "|"),
    "byte-order mark": (codecs.BOM_UTF8 + PLAIN.encode(), "UTF-8", ","),
    "byte-order mark before a quote": (codecs.BOM_UTF8 + PLAIN.replace("mobile", '"mobile"').encode(), "UTF-8", ","),
    "UTF-16 LE with mark": (codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"), "UTF-16", ","),
    "UTF-16 BE with mark": (codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), "UTF-16", ","),
    "UTF-16 LE without mark": (PLAIN.encode("utf-16-le"), "UTF-16-LE", ","),
    "UTF-16 BE without mark": (PLAIN.encode("utf-16-be"), "UTF-16-BE", ","),
    "Excel's Unicode text": (codecs.BOM_UTF16_LE + PLAIN.replace(",", "\t").encode("utf-16-le"), "UTF-16", "\t"),
    "CRLF": (PLAIN.replace("\n", "\r\n").encode(), "UTF-8", ","),
    "CR only": (PLAIN.replace("\n", "\r").encode(), "UTF-8", ","),
    "no end of line at the end": (PLAIN.rstrip().encode(), "UTF-8", ","),
    "blank lines": (("\n\n" + PLAIN.replace("\n", "\n\n")).encode(), "UTF-8", ","),
    "rows of empty cells": (PLAIN.replace("9812345671", ",,\n , ,\n9812345671").encode(), "UTF-8", ","),
    "everything quoted": (re.sub(r"([^,\n]+)", r'"\1"', PLAIN).encode(), "UTF-8", ","),
    "spaces before quotes": (re.sub(r"([^,\n]+)", r'"\1"', PLAIN).replace(",", ", ").encode(), "UTF-8", ","),
    "spaces around names": (PLAIN.replace("mobile,name", " mobile ,  name").encode(), "UTF-8", ","),
    "Excel's separator line": (("sep=;\r\n" + PLAIN.replace(",", ";")).encode(), "UTF-8", ";"),
    "separator line with comma": (("sep=,\n" + PLAIN).encode(), "UTF-8", ","),
    "trailing separators on a row": (PLAIN.replace("Asha,10", "Asha,10,,,").encode(), "UTF-8", ","),
    "cp1252": (PLAIN.replace("Asha", "José").encode("cp1252"), "Windows-1252", ","),
}  # fmt: skip


@pytest.mark.parametrize(("content", "encoding", "delimiter"), FILES.values(), ids=FILES)
def test_the_same_rows_come_out_however_they_were_saved(content, encoding, delimiter):
    stored, seen = opened(content)
    assert (stored.encoding, seen.delimiter) == (encoding, delimiter)
    assert seen.header == HEADER
    assert [[cell.replace("José", "Asha") for cell in row] for row in seen.sample] == ROWS


TEXTS = {
    "Devanagari in UTF-8": (HINDI.encode(), "UTF-8", "मीरा"),
    "Devanagari in UTF-16 without mark": (INDIAN_UTF16.encode("utf-16-le"), "UTF-16-LE", "मीरा शर्मा"),
    "rupee and curly quotes in cp1252": ("mobile,name\n9812345670,‘Asha’ – €\n".encode("cp1252"), "Windows-1252", "‘Asha’ – €"),
    "a newline in a quoted cell": (b'mobile,name\n9812345670,"Asha\nRao"\n', "UTF-8", "Asha\nRao"),
    "a doubled quote": (b'mobile,name\n9812345670,"Hotel ""Taj"""\n', "UTF-8", 'Hotel "Taj"'),
    "a quote inside a plain cell": (b'mobile,name\n9812345670,5" pipe\n', "UTF-8", '5" pipe'),
    "separators in quotes": (b'mobile;name\n9812345670;"a, b, c; d"\n', "UTF-8", "a, b, c; d"),
    "an apostrophe before a formula": (b"mobile,name\n9812345670,'=1+1\n", "UTF-8", "=1+1"),
    "an apostrophe before a word": (b"mobile,name\n9812345670,'tis\n", "UTF-8", "'tis"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "encoding", "name"), TEXTS.values(), ids=TEXTS)
def test_a_cell_is_read_as_it_was_meant(content, encoding, name):
    stored, seen = opened(content)
    assert stored.encoding == encoding
    assert seen.sample[0] == ["9812345670", name]


REFUSED = {
    "empty": (b"", "EMPTY", "is empty"),
    "only a mark": (codecs.BOM_UTF8, "EMPTY", "is empty"),
    "only blank lines": (b"\n\n \n,,\n", "EMPTY", "is empty"),
    "only a header": (b"mobile,name\n\n,\n", "NO_ROWS", "header but no rows"),
    "workbook": (b"PK\x03\x04" + bytes(50), "NOT_TEXT", "Excel workbook"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(50), "NOT_TEXT", "old Excel workbook"),
    "PDF": (b"%PDF-1.7\n", "NOT_TEXT", "a PDF"),
    "gzip": (b"\x1f\x8b\x08\x00" + b"x" * 50, "NOT_TEXT", "compressed"),
    "web page named .csv": (b"\n <HTML><table><tr><td>9812345670", "NOT_TEXT", "web page"),
    "picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "NOT_TEXT", "a picture"),
    "UTF-32": (codecs.BOM_UTF32_LE + PLAIN.encode("utf-32-le"), "NOT_TEXT", "UTF-32"),
    "two names alike": (b"mobile,name,name\n1,2,3\n", "HEADER_REPEATED", "2 columns named “name”"),
    "three names alike": (b"mobile,name,name, name\n1,2,3,4\n", "HEADER_REPEATED", "3 columns named “name”"),
    "too many columns": (b",".join(b"c%d" % i for i in range(201)) + b"\n1\n", "TOO_MANY_COLUMNS", "201 columns"),
    "a text in place of the header": (b"x" * 201 + b",mobile\n1,2\n", "HEADER_LONG", "201 characters"),
    "a quote that is never closed": (b'mobile,name\n9812345670,"Asha\n9812345671,Ravi\n', "QUOTES", "Line 2"),
    "letters after a closing quote": (b'mobile,name\n1,a\n9812345670,"Hotel "Taj" x"\n', "QUOTES", "Line 3"),
    "a quote closed much later": (b'mobile,name\n9812345670,"A' + b"\nx,y" * 60 + b'",z\n', "QUOTES", "Line 2"),
    "a cell that no reader takes": (b"mobile,name\n1,a\n2," + b"x" * 300_000 + b"\n", "CELL_LONG", "Line 3: a cell there is too long"),
    "a header that no reader takes": (b"mobile," + b"x" * 300_000 + b"\n1,a\n", "CELL_LONG", "Line 1: a cell there is too long"),
    "the same in quotes": (b'mobile,name\n1,"a\nb"\n2,"' + b"x" * 300_000 + b'"\n', "CELL_LONG", "Line 3: a cell there is too long"),
    "a cell longer than any text": (b"mobile,name\n1," + b"x" * 5_001 + b"\n", "CELL_LONG", "Line 2: the cell in column 2 has 5,001 characters"),
    "a quote that swallows the file": (b'mobile,name\n1,"a\n' + b"2,b\n" * 50_000, "QUOTES", "Line 2"),
    "UTF-16 cut in half": ((codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"))[:-1], "ENCODING", "no valid UTF-16"),
    "marked UTF-8 that is not": (codecs.BOM_UTF8 + PLAIN.encode() + b"\xe9\n", "ENCODING", "line 4 is not UTF-8"),
    "UTF-8 broken in one place": (HINDI.encode() + b"9812345671,Jos\xe9\n", "ENCODING", "line 3 is not UTF-8"),
    "UTF-8 after cp1252": (b"mobile,name\n1,Jos\xe9\n" + "2,मीरा\n".encode(), "ENCODING", "line 2 is not UTF-8"),
    "bytes of no encoding": (b"mobile,name\n9812345670,a\x81b\n", "ENCODING", "line 2"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "code", "words"), REFUSED.values(), ids=REFUSED)
def test_an_unusable_file_is_refused_with_its_fault(content, code, words):
    with pytest.raises(Unusable) as refused:
        opened(content)
    assert refused.value.code == code
    assert words in str(refused.value)


def test_a_refused_upload_leaves_no_file(folder):
    for content in (b"", b"%PDF-", HINDI.encode() + b"\xe9\n"):
        with pytest.raises(Unusable):
            store(io.BytesIO(content), "people.csv")
    assert list((folder / "imports").iterdir()) == []


def test_an_upload_over_the_limit_is_refused_while_it_is_copied(settings, folder):
    settings.UPLOAD_LIMIT_MB = 1
    with pytest.raises(Unusable, match="larger than 1 MB") as refused:
        store(io.BytesIO(b"mobile\n" + b"9812345670\n" * 100_000), "people.csv")
    assert refused.value.code == "TOO_LARGE"
    assert list((folder / "imports").iterdir()) == []


def test_a_full_disk_is_one_sentence_and_no_file(folder):
    class Upload(io.BytesIO):
        def read(self, size=-1):
            raise OSError(28, "No space left on device")

    with pytest.raises(Unusable, match="No space left on device") as refused:
        store(Upload(), "people.csv")
    assert refused.value.code == "NOT_STORED"
    assert list((folder / "imports").iterdir()) == []


def test_a_stored_file_is_the_upload_byte_by_byte_and_private():
    content = PLAIN.encode() * 100_000  # several blocks
    stored = store(io.BytesIO(content), "people.csv")
    assert whole_path(stored.path).read_bytes() == content
    assert stored.size == len(content)
    assert whole_path(stored.path).stat().st_mode & 0o077 == 0


def test_an_encoding_is_proved_to_the_last_byte():
    """The first megabyte is ASCII, and only then a name that is not UTF-8."""
    stored = store(io.BytesIO(PLAIN.encode() * 30_000 + "9812345670,José,1\n".encode("cp1252")), "people.csv")
    assert stored.encoding == "Windows-1252"


def test_a_character_across_two_blocks_is_one():
    head = b"mobile,name\n"
    content = head + b"x" * ((1 << 20) - len(head) - 1) + "é\n".encode()
    assert store(io.BytesIO(content), "people.csv").encoding == "UTF-8"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("name, full;mobile\nAsha;98\nRavi;97\n", ";"),
        ("mobile;amount\n98;1,5\n97;2,5\n", ";"),
        ("mobile,note\n98,a;b;c\n97,d;e\n", ","),
        ('"a;b";c,d\n1,2\n', ","),
        ("mobile\n9812345670\n", ","),
        ("mobile\n98,10\n", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_the_one_that_agrees_over_lines(text, delimiter):
    assert find_delimiter(text) == delimiter


def test_empty_column_names_are_counted():
    _, seen = opened(b"mobile,,name,\n1,2,3,4\n")
    assert seen.header == ["mobile", "column 2", "name", "column 4"]


def test_a_sample_row_is_as_long_as_the_header_and_its_cells_are_short():
    _, seen = opened(b"mobile,name\n1\n1,2,3\n1," + b"x" * 300 + b"\n")
    assert seen.sample == [["1", ""], ["1", "2"], ["1", "x" * 200]]


def test_records_are_numbered_as_a_spreadsheet_does():
    stored, _ = opened(b'mobile,name\n1,"two\nlines"\n\n3,c\n')
    with records(stored.path, stored.encoding, ",") as (rows, _):
        assert [(line, row[:1]) for line, row in rows] == [(1, ["mobile"]), (2, ["1"]), (3, []), (4, ["3"])]


@pytest.mark.parametrize(("count", "following"), [(0, 3), (1, 4), (2, 7), (3, None)])
def test_skipping_counts_the_rows_that_are_not_blank(count, following):
    stored, _ = opened(b"\nmobile\na\nb\n\n \nc\n")
    with records(stored.path, stored.encoding, ",") as (rows, _):
        skip(rows, count)
        assert next((line for line, row in rows if "".join(row).strip()), None) == following


def test_reading_says_how_far_it_is():
    stored, _ = opened(PLAIN.encode())
    with records(stored.path, stored.encoding, ",") as (rows, bytes_read):
        assert bytes_read() == 0
        list(rows)
        assert bytes_read() == stored.size


def test_a_broken_row_names_its_line_after_the_rows_before_it():
    stored = store(io.BytesIO(b'mobile,name\n1,a\n2,b\n3,"c\n4,d\n'), "people.csv")
    read = []
    with records(stored.path, stored.encoding, ",") as (rows, _), pytest.raises(Broken, match="Line 4"):
        read += (line for line, _ in rows)
    with records(stored.path, stored.encoding, ",") as (rows, _):
        assert [next(rows)[0] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("cell", ["x" * 5_000 + "\n", "x\n" * 51, "x\r" * 51])
def test_a_cell_that_swallowed_rows_is_noticed(cell):
    with pytest.raises(Broken, match=r"Line 7: .*quotation mark"):
        straighten(7, ["1", cell], 2)


def test_a_long_cell_of_one_line_is_not_laid_to_quotation_marks():
    with pytest.raises(Broken, match="Line 7: the cell in column 2 has 5,001 characters") as broken:
        straighten(7, ["1", "x" * 5_001], 2)
    assert "quotation" not in str(broken.value)


@pytest.mark.parametrize(
    ("row", "width", "cells", "fault"),
    [
        (["1", "2", "", " "], 2, ["1", "2"], ""),
        (["1", "2", "", "x"], 2, ["1", "2", "", "x"], "4 cells"),
        (["1"], 2, ["1"], "1 cell,"),
        (["1", "'=2"], 2, ["1", "=2"], ""),
        (["1", "a\0b"], 2, ["1", "a\ufffdb"], "NUL"),
        (["x"] * 1000, 2, ["x"] * 202, "1000 cells"),
    ],
)
def test_a_damaged_row_is_straightened_or_explained(row, width, cells, fault):
    straight, why = straighten(2, row, width)
    assert straight == cells
    assert fault in why if fault else not why


@pytest.mark.parametrize("start", [*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_formulas_are_guarded_and_given_back(start):
    assert guard(start + "cmd()") == "'" + start + "cmd()"
    assert unguard(guard(start + "cmd()")) == start + "cmd()"


@pytest.mark.parametrize("cell", ["", "'", "'tis", "9812345670", "a=b", "''=1"])
def test_other_cells_are_left_as_they_are(cell):
    assert guard(cell) == cell
    assert unguard(cell) == cell
