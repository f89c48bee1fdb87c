"""Rows become recipients or row errors. Pure: what depends on other rows (repeated numbers, suppression) is decided in
``sift``, from what the database answered, so that the result is the same wherever a chunk ends."""

import json
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from campaigns.audience.mapping import Columns
from campaigns.audience.reading import LONG_CELL, Numbered, is_blank, straighten
from campaigns.text import dlt
from campaigns.text.links import links, listed
from campaigns.text.phone import INDIA, canonical, explain
from campaigns.text.render import MAX_BODY, Template, clean
from campaigns.text.segments import DOUBLE, GSM_ONE, encoding_type, units

CHUNK = 10_000  # records a transaction: 100 ms on SQLite, whose other writers wait meanwhile
BULKY = 1_000  # characters of an unusual row that count as one record more: memory stays flat whatever the file
MANY_UNITS = 3

INVALID_PHONE = "INVALID_PHONE"
DUPLICATE_ENTRY = "DUPLICATE_ENTRY"
MISSING_REQUIRED = "MISSING_REQUIRED"
INVALID_FORMAT = "INVALID_FORMAT"
SUPPRESSED = "SUPPRESSED"  # not a fault of the row: it is counted apart
RECENTLY_MESSAGED = "RECENTLY_MESSAGED"  # nor is this, which counts among the suppressed

Kept = tuple[int, int, str, int]  # line, number, cells as JSON, units
Refused = tuple[int, str, str, str, str]  # line, code, column, message, cells as JSON
Fault = tuple[str, str, str]  # code, column, message

NOBODY: Mapping[int, str] = {}

encode = json.JSONEncoder(ensure_ascii=False).encode


class Particulars(NamedTuple):
    """What a row says of itself, as Recipient stores it."""

    reference: str = ""
    sender_no: int = 0
    language_no: int = 0
    due: int = 0


@dataclass(slots=True)
class Own:
    rows: dict[int, Particulars] = field(default_factory=dict)  # by line; a row that is not there says nothing
    senders: list[str] = field(default_factory=list)  # all that the file has named so far


@dataclass(slots=True)
class Chunk:
    kept: list[Kept] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    doubts: list[tuple[int, str]] = field(default_factory=list)  # line and code of rows kept but worth a look
    last: int = 0  # the last record read; 0 when there was none left
    own: Own | None = None  # in a file whose rows say more than number and values


class Plan:
    """How the rows of one file become messages of one template."""

    def __init__(
        self,
        header: Sequence[str],
        columns: Columns,
        template: Template,
        allowed_links: Collection[str] = (),
        countries: frozenset[str] = INDIA,
    ) -> None:
        self.header = header
        self.template = template
        self.allowed_links = allowed_links  # empty: links are not checked
        self.countries = countries  # whose numbers the account sends to
        self.phone = header.index(columns["phone"])
        self.variables = [header.index(name) for name in columns["vars"]]
        self.pattern = "%s".join(part.replace("%", "%%") for part in template.parts)
        text = "".join(template.parts)
        self.unicode = encoding_type(text) == "unicode"
        # GSM-7 texts that take one unit even if every character of their values counted double.
        self.single = -1 if self.unicode else GSM_ONE - len(DOUBLE.findall(text))
        # A text no longer than this has no long value in it; when variables have kinds, every text is looked at.
        self.easy = -1 if set(template.kinds) - {"var"} else min(len(text) + dlt.LONG_VALUE, MAX_BODY)


def check(rows: Numbered, plan: Plan, limit: int = CHUNK) -> Chunk:  # noqa: PLR0912
    """Read about ``limit`` records and decide on each by itself. Raises Broken when rows cannot be told apart.

    One loop without layers on the good path: each call more costs an import 1 to 3 % of its speed.
    """
    chunk = Chunk()
    kept, refused, doubts = chunk.kept, chunk.refused, chunk.doubts
    width, phone, variables, pattern, easy = len(plan.header), plan.phone, plan.variables, plan.pattern, plan.easy
    line, quotes, single, links_matter, countries = 0, 2 * width, plan.single, bool(plan.allowed_links), plan.countries
    while limit > 0 and (record := next(rows, None)):
        line, row = record
        limit -= 1
        joined = '","'.join(row)
        cells = f'["{joined}"]'
        # Short cells without quotes, escapes or control characters are JSON as they are: half the time of the encoder.
        ordinary = len(row) == width and len(cells) <= LONG_CELL and joined.isprintable() and cells.count('"') == quotes
        if not ordinary or "\\" in cells or "\"'" in cells:
            row, fault = straighten(line, row, width)
            cells = encode(row)
            limit -= len(cells) // BULKY
            if fault:
                if not is_blank(row):
                    refused.append((line, INVALID_FORMAT, "", fault, cells))
                continue
        number = canonical(row[phone], countries)
        if not number:
            if not is_blank(row):
                refused.append((line, *_phone_fault(row[phone], plan), cells))
            continue
        values = [row[i].strip() for i in variables]
        text = "".join(values)
        plain = text.isascii() and text.isprintable() and "`" not in text  # already clean, and GSM-7
        if not plain:
            try:
                values = [clean(value) for value in values]
            except ValueError:
                refused.append((line, *_unclean(row, plan), cells))
                continue
        body = pattern % tuple(values)
        if len(body) > easy or "" in values or (links_matter and ("/" in text or "www." in text)):
            if value_fault := _value_fault(values, body, plan):
                refused.append((line, *value_fault, cells))
                continue
            if max(map(len, values), default=0) > dlt.LONG_VALUE:
                doubts.append((line, "VARIABLE_LONG"))
        size = 1 if plain and len(body) + len(text) <= single else units(body)
        if size > MANY_UNITS:
            doubts.append((line, "MANY_UNITS"))
        if plan.unicode or (not plain and encoding_type(body) == "unicode"):
            doubts.append((line, "UNICODE"))
        kept.append((line, number, cells, size))
    chunk.last = line
    return chunk


def _phone_fault(text: str, plan: Plan) -> Fault:
    column = plan.header[plan.phone]
    if not text.strip():
        return MISSING_REQUIRED, column, f"“{column}” is empty."
    return INVALID_PHONE, column, explain(text, plan.countries)


def _unclean(row: list[str], plan: Plan) -> Fault:
    """The first value that no SMS can carry."""
    for i in plan.variables:
        try:
            clean(row[i])
        except ValueError as error:
            return INVALID_FORMAT, plan.header[i], str(error)
    raise AssertionError("a value was refused before")


def _value_fault(values: list[str], body: str, plan: Plan) -> Fault | None:
    """The first reason why a row's values cannot be sent."""
    names = [plan.header[i] for i in plan.variables]
    if "" in values:
        name = names[values.index("")]
        return MISSING_REQUIRED, name, f"“{name}” is empty, but the text needs it."
    for i, level, code in dlt.check_values(plan.template, values):
        if level == "error" and code == "VARIABLE_TOO_LONG":
            length = len(values[i])
            return (
                INVALID_FORMAT,
                names[i],
                f"“{names[i]}” has {length} characters; operators take at most {dlt.TOO_LONG_VALUE}.",
            )
        if level == "error":
            return (
                INVALID_FORMAT,
                names[i],
                f"“{values[i][:40]}” does not fit: the variable is registered as {plan.template.kinds[i]}.",
            )
    if plan.allowed_links:
        for name, value in zip(names, values, strict=True):
            for link in links(value):
                if not listed(link, plan.allowed_links):
                    return (
                        INVALID_FORMAT,
                        name,
                        f"“{link[:60]}” is not among the links that the account has whitelisted.",
                    )
    if len(body) > MAX_BODY:
        return INVALID_FORMAT, "", f"The text would have {len(body)} characters; Exotel takes at most {MAX_BODY}."
    return None


def sift(chunk: Chunk, suppressed: Container[int], known: Mapping[int, str], recent: Mapping[int, str] = NOBODY) -> Chunk:
    """The chunk without numbers that must not be sent to or are in the campaign already (number: where they are).

    ``recent`` are those to be left out because they got a message lately, and which.
    """
    if not suppressed and not known and not recent and len({number for _, number, _, _ in chunk.kept}) == len(chunk.kept):
        return chunk
    first = dict(known)
    kept, refused = [], list(chunk.refused)
    for row in chunk.kept:
        line, number, cells, _ = row
        if number in suppressed:
            refused.append((line, SUPPRESSED, "", "The number is on the suppression list.", cells))
        elif number in recent:
            refused.append((line, RECENTLY_MESSAGED, "", recent[number], cells))
        elif number in first:
            refused.append((line, DUPLICATE_ENTRY, "", f"The number is already in {first[number]}.", cells))
        else:
            first[number] = f"line {line}"
            kept.append(row)
    stay = {row[0] for row in kept}
    return Chunk(kept, sorted(refused), [doubt for doubt in chunk.doubts if doubt[0] in stay], chunk.last)
