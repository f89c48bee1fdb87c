"""Reads a file into its campaign, a chunk a transaction, so that a kill at any point resumes with the same result."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import uuid4

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import bulk, failpoints, jobs, leases
from campaigns.audience import firsts, reading, rowwise, translating
from campaigns.audience.faults import Broken, Unusable
from campaigns.audience.mapping import check_mapping
from campaigns.audience.receiving import variables_of
from campaigns.audience.rewriting import write_file
from campaigns.audience.rows import DUPLICATE_ENTRY, RECENTLY_MESSAGED, SUPPRESSED, Chunk, Particulars, Plan, check, sift
from campaigns.audience.turns import Turn
from campaigns.models import Campaign, Import, Recipient, RowError, Suppression
from campaigns.models.states import EDITABLE, ImportState
from campaigns.recent import told
from campaigns.text import countries
from campaigns.text.cost import indian
from campaigns.text.links import entries
from campaigns.text.render import parse

ACTIVE = frozenset({ImportState.QUEUED, ImportState.RUNNING})
SLICE = 20_000  # rows a DELETE: other writers get their turn between two
# Reading resumes after a number of rows that are not empty: endless empty ones would be read again in every turn. A
# spreadsheet has at most 1,048,576.
EMPTY_ROWS = 2_000_000
HEADER_ROWS = 1
UNREAD: dict[str, Any] = {
    "bytes_read": 0, "rows": 0, "accepted": 0, "rejected": 0, "duplicates": 0, "suppressed": 0, "recent": 0, "errors": {},
    "findings": {}, "examples": {}, "units": 0, "problem": "", "finished_at": None, "rowwise": {},
}  # fmt: skip
WRITTEN = [*UNREAD, "state"]
# A process that slept through the loss of its turn finds one of these changed, and writes nothing.
FENCE = ("rows", "mapping", "template_version", "terms")
NOTHING = Particulars()
STORED = ("campaign", "source", "line", "number", "cells", "units")


def start(source: Import, mapping: Mapping[str, Any]) -> None:
    """Queue an uploaded file for reading. Raises Unusable when the mapping does not fit or it was started before."""
    _queue(source, mapping, {ImportState.UPLOADED})


def restart(source: Import, mapping: Mapping[str, Any] | None = None) -> None:
    """Read a file again from its first row, by another mapping or after the template was changed.

    What came of it before is deleted when the reading begins; until then the campaign cannot be launched.
    """
    _queue(source, mapping or source.mapping, set(ImportState))


def _queue(source: Import, mapping: Mapping[str, Any], allowed: set[ImportState]) -> None:
    with transaction.atomic():
        # Held by every chunk too: imports of one campaign take turns, and a launch waits for the chunk being written.
        campaign = Campaign.objects.select_for_update(no_key=True).get(pk=source.campaign_id)
        if campaign.state not in EDITABLE:
            raise Unusable("NOT_A_DRAFT", "The campaign was launched already, so no file can be read into it.")
        columns = check_mapping(source.header, mapping, variables_of(campaign))
        values = UNREAD | {
            "state": ImportState.QUEUED, "mapping": columns, "template_version": campaign.template.version,
            "terms": campaign.terms(),
            "rowwise": translating.held(campaign) if "language" in columns else {},
        }  # fmt: skip
        if not Import.objects.filter(pk=source.pk, state__in=allowed).update(**values):
            raise Unusable("STARTED_BEFORE", "This file is being read or was read before.")
        jobs.enqueue(jobs.IMPORT, source.pk)
    source.refresh_from_db()


def run(import_id: int) -> bool:
    """Read for about TASK_BUDGET seconds. False when there is more to read and nobody else does it."""
    owner, name = uuid4(), f"import:{import_id}"
    if not leases.take(name, owner):
        return True
    try:
        return _read(import_id, lambda: leases.take(name, owner))
    finally:
        leases.give_back(name, owner)


def _read(import_id: int, renew: Callable[[], bool]) -> bool:
    source = Import.objects.select_related("campaign__template", "campaign__account").filter(pk=import_id).first()
    if source is None or source.state not in ACTIVE:
        return True
    try:
        if not source.path and not write_file(source, renew):
            return True
        return _read_chunks(source, renew)
    except Broken as fault:
        _fail(source, str(fault))
    except (FileNotFoundError, UnicodeDecodeError):
        _fail(source, "The stored file cannot be read any more. Upload it again.")
    return True


def _read_chunks(source: Import, renew: Callable[[], bool]) -> bool:
    template = source.campaign.template
    if template.version != source.template_version:
        raise Broken("The template was changed before the file was read to its end. Check the file again.")
    plan = Plan(source.header, source.mapping, parse(template.body), *rules(source))
    own = rowwise.reader(source, plan)
    if not source.rows and not _clear(source):
        return True
    with reading.records(source.path, source.encoding, source.delimiter) as (records, bytes_read):
        reading.skip(records, source.rows)
        turn = Turn(renew)
        while True:
            chunk = own.check(records) if own else check(records, plan)
            if not write(source, chunk, bytes_read()) or not chunk.last:
                return True
            if chunk.last - source.rows > EMPTY_ROWS + HEADER_ROWS:
                raise Broken(f"The file has more than {indian(EMPTY_ROWS)} empty rows. Delete them and upload it again.")
            if not turn.goes_on():
                return turn.lost


def rules(source: Import) -> tuple[Collection[str], frozenset[str]]:
    """The links and the countries that rows may have. These countries and not the account's of just now, which may change
    between two turns of one reading.
    """
    return entries(source.campaign.account.allowed_links), countries.parse(source.terms.get("countries") or "IN")


def _held(source: Import) -> Campaign | None:
    """The campaign, with the import locked too; None when that was restarted, ended or deleted since it was read."""
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=source.campaign_id).first()
    now = Import.objects.select_for_update().filter(pk=source.pk, state__in=ACTIVE).values(*FENCE).first()
    return campaign if now == {name: getattr(source, name) for name in FENCE} else None


def write(source: Import, chunk: Chunk, bytes_read: int) -> bool:
    """Store a chunk together with the counters that it changes; False when the import is not ours any more."""
    with transaction.atomic():
        campaign = _held(source)
        if campaign is None:
            return False
        if campaign.state not in EDITABLE:
            raise Broken("The campaign was launched before the file was read to its end.")
        numbers, own = [number for _, number, _, _ in chunk.kept], chunk.own
        chunk = sift(chunk, _suppressed(source, numbers), _known(source, numbers), _recent(source, numbers))
        if own is None:
            bulk.insert_rows(Recipient, STORED, ((source.campaign_id, source.pk, *row) for row in chunk.kept))
        else:
            rows = [(source.campaign_id, source.pk, *row, *own.rows.get(row[0], NOTHING)) for row in chunk.kept]
            bulk.insert_rows(Recipient, (*STORED, *Particulars._fields), rows)
            rowwise.count(source, chunk, own)
        bulk.insert_rows(
            RowError,
            ("source", "line", "code", "column", "message", "cells"),
            ((source.pk, line, code, column[:120], why[:300], cells) for line, code, column, why, cells in chunk.refused),
        )
        _count(source, chunk)
        source.bytes_read = bytes_read
        source.state = ImportState.RUNNING if chunk.last else ImportState.DONE
        source.finished_at = None if chunk.last else timezone.now()
        source.save(update_fields=WRITTEN)
        failpoints.reach("import.before")
    failpoints.reach("import.committed")
    return True


def _count(source: Import, chunk: Chunk) -> None:
    codes = Counter(code for _, code, *_ in chunk.refused)
    recent = codes.pop(RECENTLY_MESSAGED, 0)
    suppressed = codes.pop(SUPPRESSED, 0)
    source.rows += len(chunk.kept) + len(chunk.refused)
    source.accepted += len(chunk.kept)
    source.rejected += codes.total()
    source.duplicates += codes[DUPLICATE_ENTRY]
    source.suppressed += suppressed + recent
    source.recent += recent
    source.errors = dict(codes + Counter(source.errors))
    doubts = Counter(code for _, code in chunk.doubts)
    source.findings = dict(doubts + Counter(source.findings))
    barred = [code for code, n in ((SUPPRESSED, suppressed), (RECENTLY_MESSAGED, recent)) if n]
    source.examples = firsts.extended(source, chunk, [*codes, *doubts, *barred])
    source.units += sum(units for *_, units in chunk.kept)


def _suppressed(source: Import, numbers: list[int]) -> set[int]:
    """Which of the numbers the account, or every account, must not send to."""
    listed = {number for (number,) in bulk.of_values(Suppression, "number", numbers, "t.number", "t.number = v.number")}
    if not listed:
        return listed
    now = timezone.now()
    here = Suppression.objects.filter(Q(account=source.campaign.account_id) | Q(account=None), number__in=listed)
    return set(here.filter(Q(expires_at=None) | Q(expires_at__gt=now)).values_list("number", flat=True))


def _recent(source: Import, numbers: list[int]) -> dict[int, str]:
    """Which of the numbers got a message of the account lately, and which; nobody unless that was asked for."""
    days = source.terms.get("recent_days", 0)
    if not days:
        return {}
    return {number: one.sentence for number, one in told(source.terms["account"], numbers, days).items()}


def _known(source: Import, numbers: list[int]) -> dict[int, str]:
    """Which of the numbers the campaign has already, and where each was read."""
    here = "t.campaign_id = %s AND t.number = v.number"
    found = bulk.of_values(Recipient, "number", numbers, "t.number, t.line, t.import_id", here, [source.campaign_id])
    others = {origin for _, _, origin in found} - {source.pk}
    names = {pk: f" of {name}" for pk, name in Import.objects.filter(pk__in=others).values_list("pk", "filename")}
    return {number: f"line {line}{names.get(origin, '')}" for number, line, origin in found}


def _clear(source: Import) -> bool:
    """Delete what came of a file so far; False when the import is not ours any more."""
    for model in (RowError, Recipient):
        table, deleted = model._meta.db_table, SLICE
        while deleted == SLICE:
            with transaction.atomic(), connection.cursor() as cursor:
                if not _held(source):
                    return False
                cursor.execute(
                    f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM "{table}" WHERE import_id = %s LIMIT %s)',
                    [source.pk, SLICE],
                )
                deleted = cursor.rowcount
    return True


def _fail(source: Import, problem: str) -> None:
    """Keep nothing of a file, and say why."""
    if not _clear(source):
        return
    with transaction.atomic():
        if _held(source):
            values = UNREAD | {"state": ImportState.FAILED, "problem": problem[:500], "finished_at": timezone.now()}
            Import.objects.filter(pk=source.pk).update(**values)
