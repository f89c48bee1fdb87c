"""A file or a list of rows comes in: stored, looked at, and put before the operator with its columns guessed."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import IO, Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.core.files import File
from django.utils import timezone

from campaigns.audience import workbook
from campaigns.audience.faults import Unusable
from campaigns.audience.mapping import Columns, guess_mapping
from campaigns.audience.reading import look
from campaigns.audience.storing import Stored, store, whole_path
from campaigns.models import Campaign, Import
from campaigns.models.states import ImportState
from campaigns.text.cost import indian
from campaigns.text.phone import canonical, mask
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
    if workbook.is_workbook(upload):
        with workbook.as_csv(upload, filename[-80:]) as (file, name):
            return _keep(campaign, file, name[-255:], user, ",", as_before)
    return _keep(campaign, upload, filename[-255:], user, "", as_before)


def receive_rows(campaign: Campaign, rows: Sequence[Mapping[str, Any]], user: Someone) -> Import:
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
    return _keep(campaign, io.BytesIO(content if header else b""), "rows by API", user, ",")


def _cell(i: int, key: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int | float):
        return str(value)
    raise Unusable("INVALID_ROWS", f"Row {i}: “{key}” must be text or a number.")


def _keep(
    campaign: Campaign, upload: IO[bytes] | File, name: str, user: Someone, delimiter: str, as_before: bool = False
) -> Import:
    stored = store(upload, name[-80:])
    try:
        return _create(campaign, stored, name, user, delimiter, as_before)
    except BaseException:
        whole_path(stored.path).unlink(missing_ok=True)
        raise


def _create(campaign: Campaign, stored: Stored, name: str, user: Someone, delimiter: str, as_before: bool) -> Import:
    _refuse_repeated(campaign, stored.sha256)
    seen = look(stored.path, stored.encoding, name[-80:], delimiter)
    if row := next((cell for cell in seen.header if canonical(cell)), ""):
        raise Unusable(
            "NO_HEADER",
            f"The first line of {name[-80:]} is a row already: it has the phone number {mask(canonical(row))}. "
            "Put a line above it that names the columns.",
        )
    mapping = guess_mapping(seen.header, seen.sample, variables_of(campaign))
    if as_before:
        mapping = _used_before(campaign, seen.header) or mapping
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
