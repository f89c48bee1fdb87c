"""The first rows behind each count of an import, kept while it is read.

They are chosen chunk by chunk in the transaction that counts the chunk, so they are as exact as the counts are.
"""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice

from campaigns.audience.rows import Chunk, Kept
from campaigns.audience.rowwise import HEADER_DIFFERS
from campaigns.models import Import
from campaigns.text.dlt import LONG_VALUE
from campaigns.text.examples import FIRST, LONGEST, Example
from campaigns.text.phone import EVERYWHERE, canonical
from campaigns.text.render import clean
from campaigns.text.segments import NOT_GSM


def extended(source: Import, chunk: Chunk, codes: Iterable[str]) -> dict[str, list[Example]]:
    """The import's first rows of every code, with those of a chunk that has rows of ``codes``."""
    known: dict[str, list[Example]] = source.examples
    room = {code: FIRST - len(known.get(code, ())) for code in codes}
    return known | {code: [*known.get(code, ()), *_first(source, chunk, code, n)] for code, n in room.items() if n > 0}


def _first(source: Import, chunk: Chunk, code: str, most: int) -> list[Example]:
    if lines := set(islice((line for line, said in chunk.doubts if said == code), most)):
        return [of_kept(source, code, row) for row in chunk.kept if row[0] in lines]
    rows = islice((row for row in chunk.refused if row[1] == code), most)
    return [of_refused(source, line, column, why, json.loads(cells)) for line, _, column, why, cells in rows]


def of_refused(source: Import, line: int, column: str, why: str, cells: Sequence[str]) -> Example:
    named = dict(zip(source.header, cells, strict=False))
    value = named.get(column, "")[:LONGEST] if column else ""
    number = canonical(named.get(source.mapping["phone"], ""), EVERYWHERE)
    return {"line": line, "number": number, "column": column, "value": value, "why": why}


def of_kept(source: Import, code: str, row: Kept) -> Example:
    line, number, cells, units = row
    named = dict(zip(source.header, json.loads(cells), strict=False))
    values = [(column, clean(named.get(column, ""))) for column in source.mapping["vars"]]
    if code == HEADER_DIFFERS:
        column = source.mapping["header"]
        value, why = named.get(column, ""), "The text is not registered for it"
    else:
        column, value, why = _doubt(code, units, values)
    return {"line": line, "number": number, "column": column, "value": value[:LONGEST], "why": why}


def _doubt(code: str, units: int, values: Sequence[tuple[str, str]]) -> tuple[str, str, str]:
    """Column, value and what is the matter with it."""
    longest = max(values, key=lambda pair: len(pair[1]), default=("", ""))
    if code == "VARIABLE_LONG":
        column, value = next((pair for pair in values if len(pair[1]) > LONG_VALUE), longest)
        return column, value, f"{len(value)} characters"
    if code == "UNICODE":
        for column, value in values:
            if culprit := NOT_GSM.search(value):
                return column, value, f"Unicode because of {_sign(culprit.group())}"
        return "", "", "Unicode because of the template's own text"
    if code == "MANY_UNITS":
        return *longest, f"{units} units"
    return "", "", ""


def _sign(char: str) -> str:
    """A character, by its name when nobody can see it."""
    visible = char.isprintable() and not char.isspace() and unicodedata.category(char)[0] != "M"
    return char if visible else unicodedata.name(char, f"U+{ord(char):04X}").lower()
