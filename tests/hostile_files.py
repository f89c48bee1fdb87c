"""Hostile and odd files of recipients, made by code; what is to be said of each stands in hostile_files.txt.

A name says what is odd. The text is for the template of ``builders``, with two variables, and columns mobile, name, amount
unless the file says otherwise.
"""

import codecs
import datetime
import io
import struct
import zipfile

import xlsxwriter

HEAD = "mobile,name,amount\n"
ASHA, RAVI = "9812345670,Asha,10\n", "9812345671,Ravi,20\n"
PLAIN = HEAD + ASHA + RAVI


def phones(*cells):
    """Rows that differ in the spelling of their number alone."""
    return HEAD + "".join(f'"{cell}",Asha,10\n' for cell in (cell.replace('"', '""') for cell in cells))


def values(*cells):
    """Good numbers with odd names."""
    return HEAD + "".join(f'{9812345670 + i},"{cell.replace(chr(34), chr(34) * 2)}",10\n' for i, cell in enumerate(cells))


ENCODINGS = {
    "UTF-8": PLAIN,
    "UTF-8 with a mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "UTF-8 with two marks": codecs.BOM_UTF8 * 2 + PLAIN.encode(),
    "a mark in the middle, of files laid together": PLAIN.encode() + codecs.BOM_UTF8 + b"9812345672,Meera,30\n",
    "UTF-16 LE with a mark": codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"),
    "UTF-16 BE with a mark": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "UTF-16 LE without a mark": PLAIN.encode("utf-16-le"),
    "UTF-16 BE without a mark": PLAIN.encode("utf-16-be"),
    "UTF-16 in Devanagari": codecs.BOM_UTF16_LE + (HEAD + "९८१२३४५६७०,मीरा,10\n").encode("utf-16-le"),
    "UTF-16 cut within a character": (codecs.BOM_UTF16_LE + PLAIN.encode("utf-16-le"))[:-1],
    "UTF-16 with half of a character": codecs.BOM_UTF16_LE + (HEAD + ASHA).encode("utf-16-le") + b"\x00\xd8,\x00",
    "UTF-32 LE": codecs.BOM_UTF32_LE + PLAIN.encode("utf-32-le"),
    "UTF-32 BE": codecs.BOM_UTF32_BE + PLAIN.encode("utf-32-be"),
    "Windows-1252": (HEAD + "9812345670,José,10\n").encode("cp1252"),
    "Windows-1252 with curly quotes and €": (HEAD + "9812345670,‘Asha’ €,10\n").encode("cp1252"),
    "Windows-1252 with a hard space in the number": HEAD.encode() + b"98123\xa045670,Asha,10\n",
    "UTF-8 broken in the middle": (HEAD + "9812345670,मीरा,10\n").encode() + b"9812345671,Jos\xe9,20\n",
    "UTF-8 with an overlong slash": HEAD.encode() + b"9812345670,a\xc0\xafb,10\n",
    "UTF-8 with half a character": (HEAD + "9812345670,मीरा,10\n").encode() + b"9812345671,\xed\xa0\x80,10\n",
    "UTF-8 marked, and not": codecs.BOM_UTF8 + PLAIN.encode() + b"9812345672,Jos\xe9,10\n",
    "bytes that are in no encoding": HEAD.encode() + b"9812345670,a\x81b,10\n",
    "UTF-8 saved as Windows-1252 and again as UTF-8": HEAD + "9812345670,JosÃ©,10\n",
    "a NUL in a name": HEAD + ASHA * 20 + "9812345672,A\0sha,10\n",
    "a NUL in a number": PLAIN + "98123\x0045672,Asha,10\n",
    "a NUL in the header": PLAIN.replace("name", "na\0me"),
    "many NULs at the end, of a disk that was full": PLAIN.encode() + bytes(3000),
    "control characters everywhere": PLAIN.encode() + b"\x01\x02\x03\x04\x05\x06\x07" * 40,
    "the end-of-file sign of DOS": PLAIN + "\x1a",
    "emoji": HEAD + "9812345670,Asha 😀,10\n",
}

DELIMITERS = {
    "commas": PLAIN,
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "semicolons with commas in the amounts": PLAIN.replace(",", ";").replace("10\n", "1,50\n"),
    "commas with semicolons in names": HEAD + '9812345670,"Asha; Rao",10\n9812345671,Ravi; Iyer,20\n',
    "semicolons in one row of commas": PLAIN + "9812345672;Meera;30\n",
    "two kinds by turns": HEAD + "9812345670,Asha,10\n9812345671;Ravi;20\n9812345672,Meera,30\n",
    "a line that names the separator": "sep=;\n" + PLAIN.replace(",", ";"),
    "a line that names another separator": "sep=;\n" + PLAIN,
    "spaces for separators": PLAIN.replace(",", " "),
    "carets for separators": PLAIN.replace(",", "^"),
    "separators with spaces behind": PLAIN.replace(",", ", "),
    "one column": "mobile\n9812345670\n9812345671\n",
}

QUOTES = {
    "everything quoted": '"mobile","name","amount"\n"9812345670","Asha","10"\n',
    "doubled quotes": HEAD + '9812345670,"Hotel ""Taj""",10\n',
    "a quote within a plain cell": HEAD + '9812345670,5" pipe,10\n',
    "letters behind a closing quote": HEAD + '9812345670,"Hotel "Taj" x",10\n',
    "a quote that is never closed": HEAD + ASHA * 2 + '9812345671,"Ravi,20\n9812345672,Meera,30\n',
    "a quote that is never closed, late": HEAD + ASHA * 60 + '9812345671,"Ravi,20\n' + RAVI * 60,
    "a quote closed many rows later": HEAD + '9812345670,"Asha' + "\nx,y,z" * 60 + '",10\n',
    "a newline in a name": HEAD + '9812345670,"Asha\nRao",10\n9812345671,Ravi,20\n',
    "single quotes round cells": HEAD + "'9812345670','Asha','10'\n",
    "curly quotes round cells": HEAD + "“9812345670”,“Asha, Rao”,10\n",
    "curly quotes round plain cells": HEAD + "“9812345670”,“Asha”,“10”\n",
    "backslashes before quotes": HEAD + '9812345670,"a \\"b\\" c",10\n',
    "empty quotes": HEAD + '9812345670,"",10\n',
    "three quotes": HEAD + '9812345670,"""Asha""",10\n',
    "a quote opened in the last cell": HEAD + ASHA * 30 + '9812345671,Ravi,"20',
    "quotes and nothing else": HEAD + '"","",""\n' + ASHA,
}

LINE_ENDS = {
    "CRLF": PLAIN.replace("\n", "\r\n"),
    "CR": PLAIN.replace("\n", "\r"),
    "all three kinds": HEAD.replace("\n", "\r\n") + ASHA.replace("\n", "\r") + RAVI,
    "CR CR LF": PLAIN.replace("\n", "\r\r\n"),
    "none at the end": PLAIN[:-1],
    "many at the end": PLAIN + "\n" * 500,
    "the line separator of Unicode in a name": HEAD + "9812345670,Asha\u2028Rao,10\n",
    "the line separator of Unicode between rows": PLAIN.replace("\n", "\u2028"),
    "form feeds and vertical tabs in names": HEAD + "9812345670,Asha\x0cRao\x0bI,10\n",
    "the two characters backslash and n": HEAD + "9812345670,Asha\\nRao,10\n",
}

HEADERS = {
    "nothing": b"",
    "white space": b" \t\r\n \n\n",
    "only a mark": codecs.BOM_UTF8,
    "only separators": b",,\n,,\n",
    "only a header": HEAD,
    "only a header, and rows without a cell": HEAD + "\n,,\n , ,\n",
    "no header": ASHA + RAVI,
    "a header without a phone column": "name,amount,city\nAsha,10,Pune\n",
    "a title above the header": "Customers of November\n" + PLAIN,
    "a title with empty cells above the header": "Customers of November,,\n" + PLAIN,
    "empty rows above the header": "\n\n,,\n" + PLAIN,
    "two names alike": "mobile,name,name\n9812345670,Asha,10\n",
    "two names alike but for spaces": "mobile,name, name \n9812345670,Asha,10\n",
    "names alike but for case": "mobile,name,NAME\n9812345670,Asha,10\n",
    "an empty name": "mobile,name,\n9812345670,Asha,10\n",
    "all names empty but one": "mobile,,\n9812345670,Asha,10\n",
    "a separator behind every row": "mobile,name,amount,\n9812345670,Asha,10,\n",
    "a very long name": f"mobile,{'n' * 201},amount\n9812345670,Asha,10\n",
    "a name of 200 characters": f"mobile,{'n' * 200},amount\n9812345670,Asha,10\n",
    "a number for a name": "mobile,9876543210,amount\n9812345670,Asha,10\n",
    "formulas for names": "=mobile,+name,-amount\n9812345670,Asha,10\n",
    "markup for names": "mobile,<script>alert(1)</script>,amount\n9812345670,Asha,10\n",
    "names over two lines": '"mobile\nnumber",name,amount\n9812345670,Asha,10\n',
    "names in Hindi": "मोबाइल नंबर,नाम,राशि\n9812345670,मीरा,10\n",
    "names in capitals with signs": "MOBILE NO.,NAME,AMOUNT (RS.)\n9812345670,Asha,10\n",
    "200 columns": ",".join(["mobile", "name", "amount", *(f"c{i}" for i in range(197))]) + "\n9812345670,Asha,10" + "," * 197 + "\n",
    "500 columns": ",".join(["mobile", "name", "amount", *(f"c{i}" for i in range(497))]) + "\n9812345670,Asha,10\n",
    "two columns of numbers": "mobile,alternate mobile,amount\n9812345670,9812345671,10\n",
    "the columns of a download of refused rows": HEAD.strip() + ",error_code,error_column,error_reason\n9812345670,Asha,10,INVALID_PHONE,mobile,No.\n",
    "the header once more in the middle": PLAIN + HEAD + "9812345672,Meera,30\n",
}  # fmt: skip

ROWS = {
    "a row too short": PLAIN + "9812345672,Meera\n",
    "a row of one cell": PLAIN + "9812345672\n",
    "a row too long": PLAIN + "9812345672,Meera,30,more\n",
    "a row too long by empty cells": PLAIN + "9812345672,Meera,30,,,\n",
    "a row of a thousand cells": PLAIN + "9812345672" + ",x" * 999 + "\n",
    "empty rows between": HEAD + "\n" + ASHA + "\n,,\n  ,\t,\n" + RAVI,
    "a sum below": PLAIN + "Total,,30\n",
    "a remark below": PLAIN + "# exported by CRM on 28-11-2026\n",
    "a cell of 5,001 characters": HEAD + f"9812345670,{'x' * 5001},10\n",
    "a cell of 300,000 characters": PLAIN + f"9812345672,{'x' * 300_000},10\n",
    "a line of a million characters": HEAD + "9812345670,Asha,10" + ",y" * 500_000 + "\n" + RAVI,
    "a long cell in a column that is not sent": "mobile,name,amount,note\n9812345670,Asha,10," + "n" * 4_000 + "\n",
    "a row of commas alone, a thousand": PLAIN + "," * 1000 + "\n",
}

NUMBERS = {
    "+91 and 91 and 0 and 0091": phones("+919812345670", "919812345671", "09812345672", "00919812345673"),
    "091": phones("0919812345670", "091-9812345671", "(091) 98123 45672"),
    "a zero in brackets": phones("+91 (0) 98123 45670", "(0)9812345671"),
    "two plus signs": phones("++919812345670"),
    "spaces and dashes and dots and brackets": phones("98123 45670", "98123-45671", "98123.45672", "(98123) 45673", "98 12 34 56 74"),
    "dashes of word processors": phones("98123–45670", "98123—45671", "98123‑45672", "98123−45673"),
    "underscores and slashes": phones("98123_45670", "98123/45671"),
    "commas between thousands": phones("9,812,345,670", "9,81,23,45,671", "+91,98,12,34,56,72", "98123,45673"),
    "full-width digits": phones("９８１２３４５６７０", "＋９１９８１２３４５６７１"),
    "Devanagari digits": phones("९८१२३४५६७०", "+९१ ९८१२३ ४५६७१"),
    "Tamil and Bengali and Arabic digits": phones("௯௮௧௨௩௪௫௬௭௦", "৯৮১২৩৪৫৬৭১", "٩٨١٢٣٤٥٦٧٢"),
    "raised digits and digits in circles": phones("⁹⁸¹²³⁴⁵⁶⁷⁰", "⑨⑧①②③④⑤⑥⑦①"),
    "an apostrophe in front": phones("'9812345670", "’9812345671", "'+919812345672"),
    "a formula that holds a text": HEAD + '"=""9812345670""",Asha,10\n' + '="9812345671",Ravi,20\n',
    "a formula that holds a number": phones("=9812345670", "=+919812345671"),
    "scientific notation": phones("9.87654E+09", "9.8E9", "9,87654E+09", "9.81234567E+09", "1E+12"),
    "decimals": phones("9812345670.0", "9812345671.00", "919812345672.0", "9812345673.5"),
    "two numbers in a cell": phones("9812345670/9812345671", "9812345670, 9812345671", "9812345670 & 9812345671", "9812345670;9812345671"),
    "two numbers with a word or a line between": phones("9812345670 or 9812345671", "9812345670\n9812345671", "9812345670 9812345671"),
    "letters": phones("not given", "NA", "98123O5670", "98123abcde", "TRUE", "null"),
    "words before the number": phones("Ph: 9812345670", "tel:+919812345671", "(M) 9812345672", "wa.me/919812345673"),
    "an extension": phones("9812345670 x5", "9812345671 ext 12", "9812345672;ext=5"),
    "nothing but signs": phones("-", "+", "()", "...", "0", "00000000000"),
    "errors of spreadsheets": phones("#N/A", "#REF!", "#ERROR!", "########"),
    "too short": phones("981234567", "98123", "1", "+91 98123"),
    "too long": phones("98123456701", "919812345670123", "9" * 40),
    "a landline": phones("022 2345 6789", "+91 80 4768 8218", "08047688218", "011-23456789"),
    "toll-free and short numbers": phones("1800 123 4567", "1860-123-4567", "56161", "140 1234567"),
    "a number that begins with 5": phones("5812345670"),
    "numbers of other countries": phones("+14155552671", "+971501234567", "0014155552671", "+92 300 1234567", "+919812345670"),
    "zero-width characters": phones("98123\u200b45670", "\ufeff9812345671", "98123\u200d45672", "98123\u2060" + "45673", "98123\u00ad45674"),
    "marks of direction": phones("\u202a9812345670\u202c", "\u200e9812345671", "\u200f9812345672", "\u2066+919812345673\u2069", "\u202e9812345674"),
    "hard and thin spaces": phones("98123\u00a045670", "98123\u202f45671", "98123\u2009" + "45672", "98123\u300045673"),
    "stars for digits": phones("98****5670", "98123XXXXX"),
    "a minus in front": phones("-9812345670"),
    "marks behind": phones("9812345670,", "9812345671.", "9812345672;", "9812345673*", "9812345674#"),
    "quotes round the number": phones('"9812345670"', "'9812345671'"),
    "a date": phones("28-11-2026", "2026-11-28 10:00"),
    "a very long text": phones("9" * 4_999),
    "one number in many spellings": phones(
        "9812345670", "+919812345670", "09812345670", "00919812345670", "98123 45670", "98123-45670", "९८१२३४५६७०", "'9812345670", "9812345670.0",
    ),
    "the same rows twice": PLAIN + ASHA + RAVI,
    "a faulty row before the good one": HEAD + "9812345670,,10\n" + ASHA + ASHA,
    "suppressed, once and again": HEAD + "9800000000,Asha,10\n+919800000000,Asha,10\n" + ASHA,
}  # fmt: skip

VALUES = {
    "newlines and tabs": values("Asha\nRao", "Asha\tRao", "Asha\r\nRao"),
    "spaces around": values("  Asha  ", "\u00a0Asha\u00a0"),
    "nothing that is seen": values(" ", "\u00a0", "\u200b", "\t", "\u2060", "\u200d"),
    "emoji and flags": values("😀", "🇮🇳", "👩‍👧"),
    "30, 31, 40 and 41 characters": values("x" * 30, "x" * 31, "x" * 40, "x" * 41),
    "30 and 41 characters of Devanagari": values("म" * 30, "म" * 41),
    "curly quotes and dashes": values("“Asha”", "O’Neil", "A – B"),
    "a backtick": values("A`sha"),
    "characters that count double": values("[Asha]", "€ 10", "{x}"),
    "formulas": values("=cmd|' /C calc'!A0", "+1+1", "-5", "@SUM(1)", "'=1+1"),
    "markup": values("<script>alert(1)</script>", "<b>Asha</b>", "&amp;"),
    "variables of templates": values("{#var#}", "{{name}}", "%s", "${x}", "{0}"),
    "control characters": values("A\x01sha", "A\x7fsha", "A\x1bsha"),
    "characters joined in Devanagari": values("क्‍ष", "श्री"),
    "marks of direction in a name": values("\u202eahsA", "\u200eAsha"),
    "many marks on one letter": values("a" + "\u0301" * 50),
    "backslashes": values("C:\\temp", "a\\u0041"),
    "words of databases": values("'; DROP TABLE x; --", "NULL", "None", "nan"),
    "nothing for a value": HEAD + "9812345670,,10\n9812345671,Ravi,\n9812345672,,\n",
    "no number and no value": HEAD + ",Asha,10\n ,,10\n",
    "a rupee sign": values("₹ 500"),
}


def book(*sheets, hide=(), formats=None, **options):
    """A workbook; a sheet is its name and rows, or a function that fills it."""
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True, "strings_to_formulas": False, **options}) as made:
        shape = {name: made.add_format({"num_format": code}) for name, code in (formats or {}).items()}
        for name, rows in sheets:
            sheet = made.add_worksheet(name)
            if name in hide:
                sheet.hide()
            else:
                sheet.activate()
                sheet.set_first_sheet()
            if callable(rows):
                rows(sheet, shape)
                continue
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
    return data.getvalue()


def archive(**parts):
    """A ZIP archive; ``types`` and ``book`` name the parts that every workbook has."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr({"types": "[Content_Types].xml", "book": "xl/workbook.xml"}.get(name, name), content)
    return data.getvalue()


def changed(content, part, change):
    """A workbook with one part changed, or added."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
        if part not in old.namelist():
            new.writestr(part, change(b""))
    return data.getvalue()


def locked(content):
    """The archive with all its parts marked as encrypted."""
    data = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 1)
    return bytes(data)


COLUMNS = ["mobile", "name", "amount"]
PEOPLE = [COLUMNS, ["9812345670", "Asha", "10"], ["9812345671", "Ravi", "20"]]
GOOD = book(("People", PEOPLE))
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0) + bytes(40)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
DAY = datetime.datetime(2026, 11, 28)
LAUGHS = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'


def _typed(sheet, shape):
    sheet.write_row(0, 0, COLUMNS)
    for i, value in enumerate([DAY, 12.5, 1234567.0, 0.1 + 0.2, True, -5]):
        sheet.write(i + 1, 0, 9812345670 + i)
        sheet.write(i + 1, 1, "Asha")
        sheet.write(i + 1, 2, value, *([shape["day"]] if value is DAY else []))


def _phones(sheet, shape):
    sheet.write_row(0, 0, COLUMNS)
    cells = [
        9812345670,
        919812345671,
        9.812345672e9,
        9812345673.5,
        "9812345674",
        "'9812345675",
        "+91 98123 45676",
        True,
        98123,
    ]
    for i, cell in enumerate(cells):
        sheet.write_row(i + 1, 0, [cell, "Asha", "10"])


def _formulas(sheet, shape):
    sheet.write_row(0, 0, COLUMNS)
    sheet.write_formula(1, 0, "=9812345600+70", value=9812345670)
    sheet.write_row(1, 1, ["Asha", "10"])
    sheet.write_row(2, 0, ["9812345671", "Ravi"])
    sheet.write_formula(2, 2, '=HYPERLINK("http://x.example","20")', value="20")
    sheet.write_row(3, 1, ["Meera", "30"])
    sheet.write_formula(3, 0, "=NA()", value="#N/A")
    sheet.write_row(4, 0, ["9812345673", "Imran"])
    sheet.write_formula(4, 2, "=1/0", value="#DIV/0!")


def _merged(sheet, shape):
    sheet.write_row(0, 0, COLUMNS)
    sheet.merge_range(1, 1, 2, 1, "Asha")
    sheet.write(1, 0, "9812345670")
    sheet.write(1, 2, "10")
    sheet.write(2, 0, "9812345671")
    sheet.write(2, 2, "20")


def _far(sheet, shape):
    for i, row in enumerate(PEOPLE):
        sheet.write_row(i, 0, row)
    sheet.write(1_048_575, 0, "x")


def _wide(sheet, shape):
    for i, row in enumerate(PEOPLE):
        sheet.write_row(i, 0, row)
    sheet.write(0, 16_383, "x")


def _offset(sheet, shape):
    for i, row in enumerate(PEOPLE):
        sheet.write_row(i + 4, 2, row)


def _noted(sheet, shape):
    for i, row in enumerate(PEOPLE):
        sheet.write_row(i, 0, row)
    sheet.write_comment(1, 0, "call first")
    sheet.set_row(2, None, None, {"hidden": True})


def _rich(sheet, shape):
    sheet.write_row(0, 0, COLUMNS)
    sheet.write(1, 0, "9812345670")
    sheet.write_rich_string(1, 1, "Asha ", shape["bold"], "Rao")
    sheet.write(1, 2, "10\n20")


WORKBOOKS = {
    "a workbook": GOOD,
    "a workbook named .csv": GOOD,
    "numbers as numbers and texts": book(("People", _phones)),
    "dates and numbers and truths as amounts": book(("People", _typed), formats={"day": "dd-mm-yyyy"}),
    "dates from 1904 on": book(("People", _typed), formats={"day": "dd-mm-yyyy"}, date_1904=True),
    "formulas and errors": book(("People", _formulas)),
    "merged cells": book(("People", _merged)),
    "a note and a hidden row": book(("People", _noted)),
    "rich text and a line break": book(("People", _rich), formats={"bold": "@"}),
    "a table that begins in C5": book(("People", _offset)),
    "a cell in the last row of the sheet": book(("People", _far)),
    "a cell in the last column of the sheet": book(("People", _wide)),
    "several sheets": book(("First", PEOPLE), ("Second", [COLUMNS, ["9812345679", "Other", "1"]])),
    "an empty sheet in front": book(("Empty", []), ("People", PEOPLE)),
    "a hidden sheet in front": book(("Old", [COLUMNS, ["9812345679", "Other", "1"]]), ("People", PEOPLE), hide=("Old",)),
    "an empty workbook": book(("Empty", [])),
    "a workbook with a header alone": book(("People", [COLUMNS])),
    "a workbook without a header": book(("People", PEOPLE[1:])),
    "a sheet of strange name": book(("<b>=1+1", PEOPLE)),
    "spaces and signs in cells": book(("People", [COLUMNS, [" 98123 45670 ", "=1+1", "-5"], ["९८१२३४५६७१", "मीरा", "10"]])),
    "a workbook with macros": changed(GOOD, "xl/vbaProject.bin", lambda _: OLE),
    "a workbook with a link to another": changed(GOOD, "xl/externalLinks/externalLink1.xml", lambda _: b"<externalLink/>"),
    "a workbook with a path upwards": changed(GOOD, "../../etc/passwd", lambda _: b"x"),
    "a workbook locked with a password": OLE + "EncryptedPackage".encode("utf-16-le") + bytes(2000),
    "a workbook whose parts are locked": locked(GOOD),
    "a workbook cut in half": GOOD[: len(GOOD) // 2],
    "a workbook with spoilt bytes": GOOD.replace(b"<", b">"),
    "a workbook that unpacks to 50 MB": changed(GOOD, "xl/worksheets/sheet1.xml", lambda _: b" " * 50_000_000),
    "a workbook of 10,001 parts": archive(types="<Types/>", book="<workbook/>", **{f"p{i}": "x" for i in range(10_000)}),
    "a workbook of entities": changed(GOOD, "xl/worksheets/sheet1.xml", lambda _: LAUGHS.encode()),
    "a workbook whose sheet is not XML": changed(GOOD, "xl/worksheets/sheet1.xml", lambda _: b"\x00\x01 nonsense"),
    "a sheet of endless columns in its XML": changed(
        GOOD, "xl/worksheets/sheet1.xml", lambda old: old.replace(b'r="A1"', b'r="ZZZZZZ1"')
    ),
    "a CSV named .xlsx": PLAIN,
    "a ZIP named .xlsx": archive(readme="hello"),
    "a CSV within a ZIP": archive(**{"people.csv": PLAIN}),
    "an OpenDocument sheet": archive(mimetype="application/vnd.oasis.opendocument.spreadsheet", **{"content.xml": "<x/>"}),
    "an old workbook": OLE,
    "a picture named .xlsx": PNG,
}  # fmt: skip

OTHERS = {
    "a picture named .csv": PNG,
    "a photograph": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) * 8,
    "a PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
    "a web page": b"<!DOCTYPE html><html><table><tr><td>9812345670</td></tr></table></html>",
    "a web page named .xls": b"\n <table><tr><td>mobile</td></tr></table>",
    "XML": b"<?xml version='1.0'?><people><p>9812345670</p></people>",
    "JSON": b'[{"mobile": "9812345670", "name": "Asha", "amount": "10"}]',
    "a compressed file": b"\x1f\x8b\x08\x00" + bytes(range(50)),
    "a Word document": b"{\\rtf1 mobile\\par 9812345670}",
    "a contact card": b"BEGIN:VCARD\nVERSION:3.0\nFN:Asha\nTEL:9812345670\nEND:VCARD\n",
    "a program": b"\x7fELF\x02\x01\x01" + bytes(100),
    "prose": b"Dear colleagues,\nplease find the list attached.\nRegards, Asha\n",
}

FILES = {
    **ENCODINGS, **DELIMITERS, **QUOTES, **LINE_ENDS, **HEADERS, **ROWS, **NUMBERS, **VALUES, **WORKBOOKS, **OTHERS,
}  # fmt: skip
TABLES = [ENCODINGS, DELIMITERS, QUOTES, LINE_ENDS, HEADERS, ROWS, NUMBERS, VALUES, WORKBOOKS, OTHERS]

ROW = {"mobile": "9812345670", "name": "Asha", "amount": "10"}
BY_API = {
    "rows: as they should be": [ROW, {**ROW, "mobile": "9812345671"}],
    "rows: none": [],
    "rows: without keys": [{}],
    "rows: numbers": [{**ROW, "mobile": 9812345670, "amount": 10.5}, {**ROW, "mobile": 919812345671, "amount": 0}],
    "rows: a number with decimals": [{**ROW, "mobile": 9812345670.0}],
    "rows: a number too large to be exact": [{**ROW, "amount": 1e22}, {**ROW, "mobile": 10**30}],
    "rows: null": [{**ROW, "name": None}, {**ROW, "mobile": None}],
    "rows: truths": [{**ROW, "amount": True}, {**ROW, "mobile": False}],
    "rows: keys missing in some": [ROW, {"mobile": "9812345671", "name": "Ravi"}, {"name": "Meera", "amount": "30"}],
    "rows: keys that others do not have": [ROW, {**ROW, "mobile": "9812345671", "city": "Pune"}],
    "rows: an object within": [ROW, {**ROW, "name": {"first": "Asha"}}],
    "rows: a list within": [{**ROW, "name": ["Asha"]}],
    "rows: half of a character": [{**ROW, "name": "A\ud800"}],
    "rows: a NUL": [{**ROW, "name": "A\0sha"}, {**ROW, "mobile": "9812345671"}],
    "rows: newlines and quotes": [{**ROW, "name": 'A "B"\nC, D'}],
    "rows: keys alike but for spaces": [{"mobile": "9812345670", "name": "Asha", " name": "10"}],
    "rows: a number for a key": [{"9812345670": "9812345671", "name": "Asha", "amount": "10"}],
    "rows: formulas": [{**ROW, "name": "=1+1", "mobile": '="9812345670"'}],
    "rows: a value of 6,000 characters": [{**ROW, "name": "x" * 6_000}],
    "rows: an empty key": [{"mobile": "9812345670", "name": "Asha", "": "10"}],
}  # fmt: skip
