"""What a code is, and reading the rows from the CSV files beside this one."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from campaigns.exotel.codes.words import ACTORS, CHARGES, EFFECTS, STATES

FOLDER = Path(__file__).parent
Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Code:
    """One code: ``title`` in a few words, ``meaning`` in a sentence or two, ``remedy`` what to do, ``actor`` who must."""

    provider: str
    channel: str
    namespace: str
    code: str
    name: str
    aliases: tuple[str, ...]
    state: str  # what it says of a message; empty where it speaks of a request
    final: bool
    retryable: bool
    charged: str  # yes, no or unknown
    actor: str
    effect: str  # of a request error: what the sender does
    title: str
    meaning: str
    remedy: str
    sources: tuple[str, ...]
    note: str  # where documents disagree, and why a judgement was made
    known: bool = True  # False: nothing shipped says what it does to a message
    overlaid: bool = False  # an administrator wrote some or all of the sentences


class Tables(NamedTuple):
    settled: Mapping[Key, Code]  # rows that their key alone decides, whatever word comes with it
    by_key: Mapping[Key, Code]
    by_name: Mapping[Key, Code]  # names and aliases, folded


class BrokenTable(Exception):
    """A row of a code file is not legal; names the file and the line."""


def key_of(row: Code) -> Key:
    return row.provider, row.channel, row.namespace, row.code


def family_of(row: Code) -> tuple[str, str, str]:
    return row.provider, row.channel, row.namespace


@lru_cache(1024)
def fold(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


@lru_cache(1024)
def unknown(provider: str, channel: str, namespace: str, code: str, name: str, state: str) -> Code:
    """The row of a code that is in no table."""
    return Code(
        provider=provider,
        channel=channel,
        namespace=namespace,
        code=code,
        name=name,
        aliases=(),
        state=state,
        final=False,
        retryable=False,
        charged="unknown",
        actor="provider",
        effect="",
        title=f"Unknown code {code}" if code else "No code given",
        meaning="This code is not in the dictionary. It is kept exactly as it was received.",
        remedy="Ask Exotel what it means, with the Sid of one message.",
        sources=(),
        note="",
        known=False,
    )


def indexed(rows: Iterable[Code]) -> Tables:
    by_key = {key_of(row): row for row in rows}
    by_name: dict[Key, Code] = {}
    for row in by_key.values():
        for name in (row.name, *row.aliases):
            by_name.setdefault((*family_of(row), fold(name)), row)
    return Tables({key: row for key, row in by_key.items() if _is_settled(row)}, by_key, by_name)


def _is_settled(row: Code) -> bool:
    """Not so: WhatsApp, where a string may come first (C11), 23083 (C3) and a row whose state the word gives."""
    return row.known and row.channel != "whatsapp" and row.code != "23083"


@cache
def shipped() -> Tables:
    """The rows of the files."""
    places: dict[Key, Code] = {}
    for path in sorted(FOLDER.glob("*.csv")):
        for line, row in read(path):
            if key_of(row) in places:
                raise BrokenTable(f"{path.name}:{line} repeats {key_of(row)}.")
            places[key_of(row)] = row
    return indexed(places.values())


def read(path: Path) -> Iterator[tuple[int, Code]]:
    """Line numbers and rows of one file."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for row in reader:
            try:
                yield reader.line_num, _code(row)
            except (KeyError, TypeError, ValueError) as error:
                raise BrokenTable(f"{path.name}:{reader.line_num}: {error}") from error


def _code(row: dict[str, str]) -> Code:
    for column, legal in (("state", STATES), ("actor", ACTORS), ("effect", EFFECTS), ("charged", CHARGES)):
        if row[column] not in legal:
            raise ValueError(f"{column} is {row[column]!r}")
    for column in ("code", "name", "title", "meaning", "remedy", "sources"):
        if not row[column].strip():
            raise ValueError(f"{column} is empty")
    values: dict[str, Any] = dict(row)
    values |= {column: {"yes": True, "no": False}[row[column]] for column in ("final", "retryable")}
    values["aliases"] = tuple(filter(None, row["aliases"].split("|")))
    values["sources"] = tuple(row["sources"].split(";"))
    return Code(**values)
