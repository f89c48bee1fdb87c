"""Short lists that are read while their sender waits, and whose file is not kept: suppressed numbers, templates."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from django.core.files import File

from campaigns.audience import reading, workbook
from campaigns.audience.faults import Broken, Unusable
from campaigns.audience.storing import store, whole_path


@dataclass(frozen=True, slots=True)
class Opened:
    name: str  # as people know the file
    header: list[str]
    sample: list[list[str]]
    records: reading.Numbered  # those after the header


@contextmanager
def opened(upload: IO[bytes] | File, filename: str) -> Iterator[Opened]:
    """A CSV file or workbook, open for reading its rows; gone afterwards. Raises Unusable, also while it is read."""
    name = filename[-80:]
    if workbook.is_workbook(upload):
        with workbook.as_csv(upload, name) as (file, shown), _stored(file, shown, ",") as found:
            yield found
    else:
        with _stored(upload, name, "") as found:
            yield found


@contextmanager
def _stored(upload: IO[bytes] | File, name: str, delimiter: str) -> Iterator[Opened]:
    kept = store(upload, name)
    try:
        seen = reading.look(kept.path, kept.encoding, name, delimiter)
        with reading.records(kept.path, kept.encoding, seen.delimiter) as (records, _):
            reading.read_header(records)
            yield Opened(name, seen.header, seen.sample, records)
    except Broken as fault:
        raise Unusable(fault.code, str(fault)) from None
    finally:
        whole_path(kept.path).unlink(missing_ok=True)
