"""A file or a list of rows comes in: stored, looked at, and put before the operator with its columns guessed."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.files import File
from django.utils import timezone

from campaigns.audience import translating, workbook
from campaigns.audience.faults import Unusable
from campaigns.audience.mapping import Columns, guess_mapping
from campaigns.audience.reading import look
from campaigns.audience.storing import Stored, kept
from campaigns.models import Campaign, Import
from campaigns.models.states import ImportState
from campaigns.text.cost import indian
from campaigns.text.render import TemplateError

LOOKED_BACK = 20  # files of the same template
Someone = AbstractBaseUser | AnonymousUser | None


def receive(
    campaign: Campaign, upload: IO[bytes] | File, filename: str, user: Someone, *, as_before: bool = False
) -> Import:
    """Store a file and look at its beginning; nothing of it is read into the campaign yet.

    ``as_before`` proposes the columns as somebody matched them for the last file like it: only for people, who see it.
    Raises Unusable, with nothing kept, when it is no list with a phone column or was read into this campaign before.
    """
    with as_text(upload, filename) as (file, name, delimiter):
        return _keep(campaign, file, name, user, delimiter, as_before)


@contextmanager
def as_text(upload: IO[bytes] | File, filename: str) -> Iterator[tuple[IO[bytes] | File, str, str]]:
    """What is to be stored, its name, and its delimiter if known: of a workbook, the CSV file that it could be."""
    if workbook.is_workbook(upload):
        with workbook.as_csv(upload, filename[-80:]) as (file, name):
            yield file, name[-255:], ","
    else:
        yield upload, filename[-255:], ""


def receive_rows(campaign: Campaign, rows: Sequence[Mapping[str, Any]], user: Someone) -> Import:
    return _keep(campaign, rows_file(rows), "rows by API", user, ",")


def rows_file(rows: Sequence[Mapping[str, Any]]) -> IO[bytes]:
    """As a file whose header is every key in the order of first use."""
    header = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    for i, row in enumerate(rows, 1):
        writer.writerow([_cell(i, key, row.get(key)) for key in header])
    try:
        content = text.getvalue().encode("utf-8")
    except UnicodeEncodeError:
        raise Unusable("ENCODING", "A row holds half of a character (a lone surrogate), which no text can carry.") from None
    return io.BytesIO(content if header else b"")


def _cell(i: int, key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    raise Unusable("INVALID_ROWS", f"Row {i}: “{key}” must be text or a number.")


def _keep(
    campaign: Campaign, upload: IO[bytes] | File, name: str, user: Someone, delimiter: str, as_before: bool = False
) -> Import:
    with kept(upload, name[-80:]) as stored:
        return _create(campaign, stored, name, user, delimiter, as_before)


def _create(campaign: Campaign, stored: Stored, name: str, user: Someone, delimiter: str, as_before: bool) -> Import:
    _refuse_repeated(campaign, stored.sha256)
    seen = look(stored.path, stored.encoding, name[-80:], delimiter)
    mapping = propose(campaign, seen.header, seen.sample, as_before)
    if not mapping["phone"]:
        raise Unusable(
            "NO_PHONE_COLUMN",
            f"No column of {name[-80:]} looks like phone numbers. Name one “mobile” in the first line and upload it again.",
        )
    return Import.objects.create(
        campaign=campaign, state=ImportState.UPLOADED, filename=name, path=stored.path, size=stored.size,
        sha256=stored.sha256, encoding=stored.encoding, delimiter=seen.delimiter, header=seen.header, sample=seen.sample,
        mapping=mapping, created_by=user if isinstance(user, User) else None,
    )  # fmt: skip


def propose(campaign: Campaign, header: Sequence[str], sample: Sequence[Sequence[str]], as_before: bool) -> Columns:
    """The columns as somebody matched them for the last file like it, when that is wanted, else a guess."""
    guess = guess_mapping(header, sample, variables_of(campaign))
    if not campaign.translations.exists() and not (as_before and translating.candidates(campaign.template)):
        guess.pop("language", None)  # there is nothing to choose from
    return (_used_before(campaign, header) if as_before else None) or guess


def _used_before(campaign: Campaign, header: Sequence[str]) -> Columns | None:
    """How the last file with these columns was read for this template in its present version; None when there is none."""
    template = campaign.template
    done = Import.objects.filter(
        campaign__template=template, template_version=template.version, state=ImportState.DONE
    ).order_by("-pk")
    alike = (mapping for names, mapping in done.values_list("header", "mapping")[:LOOKED_BACK] if names == list(header))
    return next(alike, None)


def variables_of(campaign: Campaign) -> int:
    """How many variables the campaign's template has; raises Unusable when its text is malformed."""
    try:
        return campaign.template.variables
    except TemplateError as error:
        raise Unusable("TEMPLATE", f"Mend the template {campaign.template} first: {error}") from None


def _refuse_repeated(campaign: Campaign, sha256: str) -> None:
    taken = [ImportState.DONE, ImportState.QUEUED, ImportState.RUNNING]
    same = Import.objects.filter(campaign=campaign, sha256=sha256, state__in=taken).order_by("id").first()
    if same is None:
        return
    if same.finished_at is None:
        raise Unusable("FILE_REPEATED", f"This file is being read into the campaign already, as {same.filename}.")
    at = timezone.localtime(same.finished_at)
    raise Unusable(
        "FILE_REPEATED",
        f"This file was read into the campaign on {at:%d %b %Y at %H:%M} as {same.filename} ({indian(same.rows)} rows). "
        "Nothing was added again.",
    )
