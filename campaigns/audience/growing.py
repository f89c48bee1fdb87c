"""Files make an audience grow: received, proved to be readable to their end, then read a chunk a transaction.

Files of one audience are read in the order they came, so that a kill at any point, and any number of workers, leave what
reading them one after the other would.
"""

import json
from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns import bulk, failpoints, jobs
from campaigns.audience import counting, reading
from campaigns.audience.faults import Broken, Unusable
from campaigns.audience.importing import ACTIVE, EMPTY_ROWS, HEADER_ROWS
from campaigns.audience.mapping import guess_mapping
from campaigns.audience.members import Batch, arrange, check, merge
from campaigns.audience.receiving import Someone, as_text, rows_file
from campaigns.audience.rows import CHUNK, encode
from campaigns.audience.storing import Stored, kept, whole_path
from campaigns.audience.turns import Turn
from campaigns.models import Audience, AudienceFile, AudienceMember, AudienceRowError, Import
from campaigns.models.saved import READING
from campaigns.models.states import ImportState
from campaigns.text.conditions import fold
from campaigns.text.cost import indian


def receive(audience: Audience, upload: IO[bytes] | File, filename: str, user: Someone, phone: str = "") -> AudienceFile:
    """Store a file that adds to an audience and queue it. ``phone`` names its column of numbers, else it is guessed.

    Raises Unusable, with nothing kept, when it is no list with a phone column or was read into this audience before.
    """
    with as_text(upload, filename) as (file, name, delimiter):
        return _keep(audience, file, name, user, delimiter, phone)


def receive_rows(audience: Audience, rows: Sequence[Mapping[str, Any]], user: Someone, phone: str = "") -> AudienceFile:
    return _keep(audience, rows_file(rows), "rows by API", user, ",", phone)


def receive_import(audience: Audience, source: Import, user: Someone) -> AudienceFile:
    """Take the people of a campaign's file: what it had, before the campaign's own checks."""
    if not source.path:
        raise Unusable("NO_FILE", "The rows of this file are not kept any more, so no audience can be made of them.")
    try:
        file = whole_path(source.path).open("rb")
    except FileNotFoundError:
        raise Unusable("NO_FILE", "The stored file cannot be read any more. Upload it again.") from None
    with file:
        return _keep(audience, file, source.filename, user, source.delimiter, source.mapping.get("phone", ""))


def _keep(
    audience: Audience, upload: IO[bytes] | File, name: str, user: Someone, delimiter: str, phone: str
) -> AudienceFile:
    with kept(upload, name[-80:]) as stored:
        return _create(audience, stored, name, user, delimiter, phone)


def _create(audience: Audience, stored: Stored, name: str, user: Someone, delimiter: str, phone: str) -> AudienceFile:
    seen = reading.look(stored.path, stored.encoding, name[-80:], delimiter)
    with transaction.atomic():
        audience = Audience.objects.select_for_update().filter(pk=audience.pk, deleting=False).first() or _gone()
        if audience.archived:
            raise Unusable("ARCHIVED", f"{audience.name} is archived: take it out of the archive first.")
        _refuse_repeated(audience, stored.sha256)
        column = _phone_column(audience, seen, name[-80:], phone)
        arrange(audience.columns, audience.phone, seen.header, column, name[-80:])
        file = AudienceFile.objects.create(
            audience=audience, filename=name, path=stored.path, size=stored.size, sha256=stored.sha256,
            encoding=stored.encoding, delimiter=seen.delimiter, header=seen.header, phone=column,
            created_by=user if isinstance(user, User) else None,
        )  # fmt: skip
        jobs.enqueue(jobs.AUDIENCE, audience.pk)
    return file


def _gone() -> Audience:
    raise Unusable("DELETED", "This audience was deleted.")


def _refuse_repeated(audience: Audience, sha256: str) -> None:
    same = audience.files.filter(sha256=sha256).exclude(state=ImportState.FAILED).order_by("pk").first()
    if same is not None:
        at = timezone.localtime(same.created_at)
        raise Unusable(
            "FILE_REPEATED",
            f"This file was added to {audience.name} on {at:%d %b %Y at %H:%M} as {same.filename}. Nothing was added again.",
        )


def _phone_column(audience: Audience, seen: reading.Look, name: str, asked: str) -> str:
    """The column that is asked for, else the one named like the audience's, else the best guess."""
    if asked:
        if asked not in seen.header:
            raise Unusable("UNKNOWN_COLUMN", f"{name} has no column “{asked[:80]}”. It has: {', '.join(seen.header)[:300]}.")
        return asked
    named = [column for column in seen.header if audience.phone and fold(column) == fold(audience.phone)]
    column = named[0] if named else guess_mapping(seen.header, seen.sample, 0)["phone"]
    if not column:
        raise Unusable(
            "NO_PHONE_COLUMN",
            f"No column of {name} looks like phone numbers. Name one “mobile” in the first line and upload it again.",
        )
    return column


def read(file: AudienceFile, turn: Turn) -> bool:
    """Read a file on; False when the turn ended before its end, or when it must wait."""
    try:
        if file.state == ImportState.QUEUED and not (_prove(file, turn) and _begin(file)):
            return False
        return _read_chunks(file, turn)
    except (Broken, Unusable) as fault:
        _fail(file, str(fault))
    except (FileNotFoundError, UnicodeDecodeError):
        _fail(file, "The stored file cannot be read any more. Upload it again.")
    return True


def _prove(file: AudienceFile, turn: Turn) -> bool:
    """Go through all rows once: a file that breaks off in its middle must not change half of the people it names.

    It takes as long as it takes: begun again in each turn, it would never end. False when the turn was lost.
    """
    with reading.records(file.path, file.encoding, file.delimiter) as (records, _):
        reading.read_header(records)
        width, rows = len(file.header), 0
        for line, row in records:
            rows += not reading.is_blank(row)
            reading.straighten(line, row, width)
            if line - rows > EMPTY_ROWS + HEADER_ROWS:
                raise Broken(f"The file has more than {indian(EMPTY_ROWS)} empty rows. Delete them and upload it again.")
            if line % CHUNK == 0 and not turn.held():
                return False
    return True


def _begin(file: AudienceFile) -> bool:
    """Give the audience the file's columns. It waits while a campaign is about to take the people there are."""
    with transaction.atomic():
        audience = Audience.objects.select_for_update().filter(pk=file.audience_id, deleting=False).first()
        if audience is None or Import.objects.filter(audience=audience, path="", state__in=ACTIVE).exists():
            return False
        name = file.filename[-80:]
        columns, places = arrange(audience.columns, audience.phone, file.header, file.phone, name)
        started = AudienceFile.objects.filter(pk=file.pk, state=ImportState.QUEUED)
        if not started.update(state=ImportState.RUNNING, places=places):
            return False
        Audience.objects.filter(pk=audience.pk).update(columns=columns, phone=audience.phone or file.phone)
    file.state, file.places = ImportState.RUNNING, places
    return True


def _read_chunks(file: AudienceFile, turn: Turn) -> bool:
    with reading.records(file.path, file.encoding, file.delimiter) as (records, bytes_read):
        reading.skip(records, file.rows)
        while True:
            batch = check(records, file.header, file.phone)
            if not write(file, batch, bytes_read()) or not batch.last:
                return True
            if not turn.goes_on():
                return False


def write(file: AudienceFile, batch: Batch, bytes_read: int) -> bool:
    """Store a chunk together with the counters that it changes; False when the file is not ours any more."""
    with transaction.atomic():
        audience = Audience.objects.select_for_update().filter(pk=file.audience_id, deleting=False).first()
        here = AudienceFile.objects.filter(pk=file.pk, state=ImportState.RUNNING, rows=file.rows)
        if audience is None or not here.exists():
            return False
        added = _store(file, batch)
        bulk.insert_rows(
            AudienceRowError,
            ("file", "line", "code", "column", "message", "cells"),
            ((file.pk, line, code, column[:120], why[:300], cells) for line, code, column, why, cells in batch.refused),
        )
        _count(file, batch, added, bytes_read)
        values = {"size": F("size") + added, "version": F("version") + 1, "changed_at": timezone.now()}
        if batch.good:
            Audience.objects.filter(pk=audience.pk).update(**values)
        if file.state == ImportState.DONE:
            _settle(audience)
        failpoints.reach("audience.before")
    failpoints.reach("audience.committed")
    return True


def _store(file: AudienceFile, batch: Batch) -> int:
    """Write a chunk's people down; how many are new."""
    there = _there(file.audience_id, list(batch.kept))
    new = [
        (file.audience_id, number, encode(merge((), row, file.places)), file.pk, line)
        for number, (line, row) in batch.kept.items()
        if number not in there
    ]
    bulk.insert_rows(AudienceMember, ("audience", "number", "cells", "file", "line"), new)
    changed = [
        (pk, encode(merge(json.loads(cells), row, file.places)), file.pk, line)
        for number, (pk, cells) in there.items()
        for line, row in [batch.kept[number]]
    ]
    bulk.update_rows(AudienceMember, ("id", "cells", "file", "line"), changed)
    return len(new)


def _there(audience_id: int, numbers: list[int]) -> dict[int, tuple[int, str]]:
    """Id and cells of those numbers that are in the audience already."""
    here = "t.audience_id = %s AND t.number = v.number"
    found = bulk.of_values(AudienceMember, "number", numbers, "t.number, t.id, t.cells", here, [audience_id])
    return {number: (pk, cells) for number, pk, cells in found}


def _count(file: AudienceFile, batch: Batch, added: int, bytes_read: int) -> None:
    file.rows += batch.good + len(batch.refused)
    file.added += added
    file.updated += batch.good - added
    file.refused += len(batch.refused)
    file.bytes_read = bytes_read
    if not batch.last:
        file.state, file.finished_at = ImportState.DONE, timezone.now()
    file.save(update_fields=["rows", "added", "updated", "refused", "bytes_read", "state", "finished_at"])


def _settle(audience: Audience) -> None:
    """A file is through: segments are counted again, and campaigns that waited for it take their people."""
    counting.renew(audience.pk)
    for import_id in Import.objects.filter(audience=audience, path="", state__in=ACTIVE).values_list("pk", flat=True):
        jobs.enqueue(jobs.IMPORT, import_id)


def _fail(file: AudienceFile, problem: str) -> None:
    values = {"state": ImportState.FAILED, "problem": problem[:500], "finished_at": timezone.now()}
    with transaction.atomic():
        audience = Audience.objects.select_for_update().get(pk=file.audience_id)
        AudienceFile.objects.filter(pk=file.pk, state__in=READING).update(**values)
        _settle(audience)


def put_away(file: AudienceFile) -> None:
    """Delete a file that was read: its people are in the audience, its refused rows beside it."""
    whole_path(file.path).unlink(missing_ok=True)
    AudienceFile.objects.filter(pk=file.pk).update(path="")
