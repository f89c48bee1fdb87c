"""Files whose rows say more than number and values: a language, a header, an hour, a reference of their own.

Files without such columns do not come here: they are read by ``rows.check`` as fast as ever.
"""

import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

from campaigns.audience.faults import Broken
from campaigns.audience.optional import MOST_REFERENCE, columns
from campaigns.audience.reading import Numbered, straighten
from campaigns.audience.rows import BULKY, CHUNK, INVALID_FORMAT, Chunk, Fault, Own, Particulars, Plan, check, encode
from campaigns.models import Import, Template
from campaigns.text import dlt, languages, moments
from campaigns.text.formulas import unguard
from campaigns.text.moments import Planned
from campaigns.text.render import clean, parse

QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
MOST_SENDERS = 50  # headers that one file may name: each is looked for in every request
REMEMBERED = 1_000  # cells of one kind whose meaning is kept
HEADER_DIFFERS = "ROW_HEADER_DIFFERS"
MOST_HEADER = 20  # characters


class _Refused(Exception):
    def __init__(self, sentence: str, code: str = INVALID_FORMAT) -> None:
        super().__init__(sentence)
        self.code = code


def reader(source: Import, plan: Plan) -> "Reader | None":
    """What reads a file with such columns, None for one without.

    Raises Broken when a translation was changed since the reading began.
    """
    own = columns(source.mapping)
    return Reader(source, plan, own) if own else None


class Reader:
    """Reads rows in runs of one language, each run by the plan of its own template."""

    def __init__(self, source: Import, plan: Plan, own: dict[str, str]) -> None:
        campaign = source.campaign
        self.header, self.own = source.header, {kind: source.header.index(name) for kind, name in own.items()}
        self.zone, self.category = ZoneInfo(campaign.account.time_zone), campaign.template.category
        self.templates = [campaign.template, *_translations(source)]
        self.plans = [plan]
        for template in self.templates[1:]:
            self.plans.append(Plan(source.header, source.mapping, parse(template.body), plan.allowed_links, plan.countries))
        self.tags = {one.language: i for i, one in enumerate(self.templates) if one.language}
        self.senders: list[str] = list(source.rowwise.get("senders", []))
        self.latest = time.time() + moments.FURTHEST.total_seconds()
        self.read: dict[str, Callable[[str], str | int]] = {
            "language": self._language, "header": self._sender, "schedule": self._due, "reference": _reference,
        }  # fmt: skip
        self.known: dict[str, dict[str, str | int]] = {kind: {} for kind in self.own}

    def check(self, rows: Numbered, limit: int = CHUNK) -> Chunk:
        """As ``rows.check``; a row's own cells are looked at before its number and values."""
        chunk = Chunk(own=Own(senders=self.senders))
        run: list[tuple[int, list[str]]] = []
        language = 0
        while limit > 0 and (record := next(rows, None)):
            line, row = record
            limit -= 1 + sum(map(len, row)) // BULKY
            chunk.last = line
            row, particulars, fault = self._own(line, row)
            if fault:
                chunk.refused.append((line, *fault, encode(row)))
                continue
            if particulars.language_no != language:
                self._run(chunk, run, language)
                run, language = [], particulars.language_no
            run.append((line, row))
            if particulars != NOTHING and chunk.own:
                chunk.own.rows[line] = particulars
        self._run(chunk, run, language)
        chunk.refused.sort()
        return chunk

    def _run(self, chunk: Chunk, run: list[tuple[int, list[str]]], language: int) -> None:
        """Read rows of one language into the chunk; bulky ones in several goes."""
        records, registered = iter(run), self.templates[language].header
        while run and (part := check(records, self.plans[language])).last:
            chunk.kept += part.kept
            chunk.refused += part.refused
            chunk.doubts += part.doubts
            for line, *_ in part.kept:
                no = chunk.own.rows.get(line, NOTHING).sender_no if chunk.own else 0
                if no and self.senders[no - 1] != registered:
                    chunk.doubts.append((line, HEADER_DIFFERS))

    def _own(self, line: int, row: list[str]) -> tuple[list[str], Particulars, Fault | None]:
        """The row, what it says of itself, and what is wrong with that. Rows of a wrong width are left to the plan."""
        if len(row) != len(self.header):
            row, fault = straighten(line, row, len(self.header))
            if fault:
                return row, NOTHING, None
        said: dict[str, str | int] = {}
        for kind, at in self.own.items():
            cell = unguard(row[at]).strip()
            if not cell:
                continue
            known = self.known[kind]
            try:
                if cell not in known:
                    if len(known) >= REMEMBERED:
                        known.clear()
                    known[cell] = self.read[kind](cell)
            except _Refused as why:
                # PostgreSQL cannot store a NUL, which a cell may hold.
                sentence = str(why).replace("\0", "\ufffd")
                return straighten(line, row, len(row))[0], NOTHING, (why.code, self.header[at], sentence)
            said[KEPT_AS[kind]] = known[cell]
        return row, Particulars(**said) if said else NOTHING, None  # type: ignore[arg-type]

    def _language(self, cell: str) -> int:
        tag = languages.tag(cell)
        at = self.tags.get(tag)
        if at is None:
            there = ", ".join(languages.name(one) for one in self.tags) or "none whose language is known"
            why = f"the campaign has no text in {languages.name(tag)}" if tag else "that is no language known here"
            raise _Refused(f"“{cell[:40]}”: {why}. It has: {there}. {self._hint()}")
        return at

    def _hint(self) -> str:
        own = self.templates[0]
        if own.language:
            return f"An empty cell takes “{own.name}”."
        return f"An empty cell takes “{own.name}”, whose own language is not entered on its page yet."

    def _sender(self, cell: str) -> int:
        if len(cell) > MOST_HEADER:
            raise _Refused(f"“{cell[:40]}” is too long for a header, which has six letters or digits.")
        errors = [finding.message for finding in dlt.check_header(cell, self.category) if finding.level == "error"]
        if errors:
            raise _Refused(f"“{cell}”: {errors[0]}")
        if cell not in self.senders:
            if len(self.senders) >= MOST_SENDERS:
                raise _Refused(f"“{cell}” is one header too many: a file may name {MOST_SENDERS}.", QUOTA_EXCEEDED)
            self.senders.append(cell)
        return self.senders.index(cell) + 1

    def _due(self, cell: str) -> int:
        try:
            at = moments.instant(cell, self.zone)
        except ValueError as why:
            raise _Refused(f"“{cell[:40]}” {why}") from None
        if at > self.latest:
            raise _Refused(f"“{cell[:40]}” is more than {moments.FURTHEST.days} days ahead.")
        return at


NOTHING = Particulars()
KEPT_AS = {"language": "language_no", "header": "sender_no", "schedule": "due", "reference": "reference"}


def _reference(cell: str) -> str:
    try:
        text = clean(cell)
    except ValueError as why:
        raise _Refused(str(why)) from None
    if len(text) > MOST_REFERENCE:
        raise _Refused(f"“{text[:40]} …” has {len(text)} characters; a reference has at most {MOST_REFERENCE}.")
    return text


def _translations(source: Import) -> list[Template]:
    """The templates of the languages that the file is read against, as they were when its reading began."""
    held = source.rowwise.get("languages", [])
    found = Template.objects.in_bulk([pk for _, pk, _ in held])
    if any(pk not in found or found[pk].version != version for _, pk, version in held):
        raise Broken("A translation was changed before the file was read to its end. Check the file again.")
    for tag, pk, _ in held:
        found[pk].language = tag
    return [found[pk] for _, pk, _ in held]


def count(source: Import, chunk: Chunk, own: Own) -> None:
    """Keep with the import what the rows of a chunk chose, so that nobody need ask all of them for it."""
    planned = Planned(source.rowwise.get("planned"))
    for line, *_ in chunk.kept:
        if due := own.rows.get(line, NOTHING).due:
            planned.add(due)
    kept = {"senders": list(own.senders), "planned": planned.stored() if planned else None}
    source.rowwise = source.rowwise | {name: value for name, value in kept.items() if value}
