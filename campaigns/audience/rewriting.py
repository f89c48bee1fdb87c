"""A file for recipients that came from none: failures of another campaign, or people of a saved audience, when they are to
be read and checked like those of a file."""

import csv
import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

from django.db import transaction

from campaigns import jobs
from campaigns.audience import counting
from campaigns.audience.faults import Broken
from campaigns.audience.storing import FOLDER, whole_path
from campaigns.audience.turns import Turn
from campaigns.models import Audience, Import, Recipient
from campaigns.models.states import ImportState
from campaigns.text.conditions import matcher
from campaigns.text.formulas import guard

CHUNK = 2_000


def write_file(source: Import, renew: Callable[[], bool]) -> bool:
    """Write the import's people down as the file they could have come from, and let the import have it.

    False when they cannot be taken just now, or another process does it. Raises Broken when there is nobody to be taken.
    """
    if source.conditions is not None and not _settled(source):
        return False
    path = f"{FOLDER}/{secrets.token_hex(16)}.csv"
    target = whole_path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("w", encoding="utf-8", newline="") as file:
            whole = _write(file, source, Turn(renew))
        if not whole or not _take(source, path, target):
            target.unlink()
            return False
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return True


def _settled(source: Import) -> bool:
    """Whether no file is being read into the audience; none is begun while an import waits for its people."""
    with transaction.atomic():
        audience = Audience.objects.select_for_update().filter(pk=source.audience_id or 0, deleting=False).first()
        if audience is None:
            raise Broken("The audience was deleted before its people were taken. Choose another.")
        return not audience.files.filter(state=ImportState.RUNNING).exists()


def _take(source: Import, path: str, target: Path) -> bool:
    """Let the import have its file, unless it has one already."""
    values: dict[str, Any] = {"path": path, "size": target.stat().st_size, "encoding": "UTF-8", "delimiter": ","}
    if source.conditions is not None:
        with target.open("rb") as file:
            values["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    with transaction.atomic():
        taken = Import.objects.filter(pk=source.pk, path="").update(**values)
        if taken and source.audience_id:
            jobs.enqueue(jobs.AUDIENCE, source.audience_id)
    for name, value in values.items():
        setattr(source, name, value)
    return bool(taken)


def _write(file: TextIO, source: Import, turn: Turn) -> bool:
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    writer.writerow(map(guard, source.header))
    for rows in _recipients(source) if source.conditions is None else _members(source):
        writer.writerows(map(guard, cells) for cells in rows)
        if not turn.held():
            return False
    return True


def _members(source: Import) -> Iterator[list[list[str]]]:
    """Those of the audience for whom the conditions hold, with the columns that it had when it was chosen."""
    width, holds = len(source.header), matcher(source.conditions, source.header) if source.conditions else None
    for portion in counting.members(source.audience_id or 0):
        rows = [cells for _, cells in portion if holds is None or holds(cells)]
        yield [cells[:width] + [""] * (width - len(cells)) for cells in rows]


def _recipients(source: Import) -> Iterator[list[list[str]]]:
    last = 0
    while True:
        rows = Recipient.objects.filter(source=source, pk__gt=last).order_by("pk").values_list("pk", "cells")
        chunk = list(rows[:CHUNK])
        if not chunk:
            return
        yield [cells for _, cells in chunk]
        last = chunk[-1][0]
