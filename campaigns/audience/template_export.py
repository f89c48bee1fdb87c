"""Templates as a DLT portal exports them: each operator's portal names its columns in its own way."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.db import IntegrityError, transaction
from django.utils import timezone

from campaigns import bulk
from campaigns.audience import lists, reading
from campaigns.audience.faults import Unusable
from campaigns.models import Template, TemplateVersion
from campaigns.text.cost import indian

MOST = 5_000
NAMED = 100  # refused rows that are named
SOME = 500  # templates a statement
WRITTEN = [*Template.SENT_FIELDS, "status", "version", "updated_at"]
# Letters alone, in lower case. The first name that a file has is taken.
COLUMNS = {
    "dlt_template_id": ("templateid", "dlttemplateid", "contenttemplateid", "templateidentifier"),
    "body": ("templatecontent", "templatemessage", "messagecontent", "contenttemplate", "templatebody", "content", "message",
             "templatetext", "body"),
    "name": ("templatename", "contenttemplatename", "name"),
    "header": ("header", "headers", "headername", "senderid", "sender", "headerid"),
    "category": ("category", "templatetype", "contenttype", "communicationtype", "templatecategory", "type"),
    "status": ("status", "templatestatus", "approvalstatus", "registrationstatus"),
    "dlt_entity_id": ("entityid", "dltentityid", "peid", "principalentityid"),
}  # fmt: skip
NEEDED = {"dlt_template_id": "Template ID", "body": "Template Content"}
CATEGORIES = (  # the first word that occurs decides
    ("explicit", Template.Category.SERVICE_EXPLICIT),
    ("implicit", Template.Category.SERVICE_IMPLICIT),
    ("inferred", Template.Category.SERVICE_IMPLICIT),
    ("promo", Template.Category.PROMOTIONAL),
    ("trans", Template.Category.TRANSACTIONAL),
    ("service", Template.Category.SERVICE_IMPLICIT),
)
STATUSES = (
    ("black", Template.Status.INACTIVE),
    ("inactive", Template.Status.INACTIVE),
    ("deactiv", Template.Status.INACTIVE),
    ("suspend", Template.Status.INACTIVE),
    ("expire", Template.Status.INACTIVE),
    ("reject", Template.Status.REJECTED),
    ("pending", Template.Status.PENDING),
    ("progress", Template.Status.PENDING),
    ("approv", Template.Status.APPROVED),
    ("regist", Template.Status.APPROVED),
    ("active", Template.Status.APPROVED),
)
BREAKS = re.compile(r"\r\n?")


@dataclass
class Taken:
    """What became of an export's rows. Names are those of the templates here."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    same: int = 0
    refused: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)  # line and sentence of the first refused rows


@dataclass(frozen=True)
class Defaults:
    """What holds for rows whose export does not say it."""

    dlt_entity_id: str = ""
    header: str = ""
    category: str = Template.Category.SERVICE_IMPLICIT


def take(upload: IO[bytes] | File, filename: str, defaults: Defaults, user: Any) -> Taken:
    """Add the templates that are new here and bring the others up to date, by their DLT template id.

    Raises Unusable, with nothing taken, when the file is no such export.
    """
    try:
        with lists.opened(upload, filename) as file, transaction.atomic():
            return _take_rows(file.records, len(file.header), _places(file.header, file.name), defaults, user)
    except IntegrityError:
        raise Unusable(
            "AT_ONCE", "Somebody else changed templates at the same moment. Nothing was taken: upload the file again."
        ) from None


def _places(header: Sequence[str], name: str) -> dict[str, int]:
    """Where each field stands in a row."""
    plain = {re.sub(r"[^a-z]", "", column.lower()): i for i, column in reversed(list(enumerate(header)))}
    places = {
        wanted: next(plain[word] for word in words if word in plain)
        for wanted, words in COLUMNS.items()
        if any(word in plain for word in words)
    }
    if missing := [NEEDED[wanted] for wanted in NEEDED if wanted not in places]:
        raise Unusable(
            "NO_TEMPLATES",
            f"{name} has no column named {' and none named '.join(missing)}. Upload the export of content templates.",
        )
    return places


def _take_rows(records: reading.Numbered, width: int, places: dict[str, int], defaults: Defaults, user: Any) -> Taken:
    taken = Taken()
    rows: list[tuple[int, dict[str, str], dict[str, str]]] = []  # line, what it says, what it means
    for line, cells in records:
        if reading.is_blank(cells):
            continue
        if len(rows) + taken.refused >= MOST:
            raise Unusable("TOO_MANY_ROWS", f"The file has more than {indian(MOST)} rows. Split it. Nothing was taken.")
        row, fault = reading.straighten(line, cells, width)
        try:
            if fault:
                raise ValueError(fault)
            said = {wanted: row[i].strip() for wanted, i in places.items()}
            rows.append((line, said, _values(said, defaults)))
        except ValueError as error:
            _refuse(taken, line, error)
    shelf = _Shelf([values["dlt_template_id"] for _, _, values in rows], user)
    for line, said, values in rows:
        try:
            shelf.take(said, values, taken)
        except ValueError as error:
            _refuse(taken, line, error)
    shelf.save()
    taken.faults = sorted(taken.faults)[:NAMED]
    return taken


def _refuse(taken: Taken, line: int, error: ValueError) -> None:
    taken.refused += 1
    taken.faults.append((line, str(error)))


class _Shelf:
    """The templates of an export's ids, held until all its rows are looked at: few statements, however many rows."""

    def __init__(self, ids: Sequence[str], user: Any) -> None:
        self.user = user
        self.names = set(Template.objects.values_list("name", flat=True))
        self.found: dict[str, Template] = {}
        for some in bulk.chunks(dict.fromkeys(ids), SOME):
            known = Template.objects.select_for_update().filter(dlt_template_id__in=some)
            # of several with one id the first that is not archived
            self.found |= {template.dlt_template_id: template for template in known.order_by("-archived", "-pk")}
        self.before = {template.pk: _sent(template) for template in self.found.values()}
        self.new: list[Template] = []
        self.changed: dict[int, Template] = {}

    def take(self, said: dict[str, str], values: dict[str, str], taken: Taken) -> None:
        """Raises ValueError with the sentence that says why a row cannot be a template, and keeps nothing of it."""
        known = self.found.get(values["dlt_template_id"])
        if known and all(getattr(known, name) == value for name, value in values.items()):
            taken.same += 1
            return
        name = known.name if known else self._free_name(said.get("name", ""), values["dlt_template_id"])
        tried = Template(name=name, **values)
        try:
            tried.full_clean(exclude=["created_by"], validate_unique=False)
        except ValidationError as error:
            raise ValueError(" ".join(error.messages)) from None
        if known is None:
            tried.created_by = self.user
            self.names.add(name)
            self.found[tried.dlt_template_id] = tried
            self.new.append(tried)
            taken.added.append(name)
            return
        for changed in values:
            setattr(known, changed, getattr(tried, changed))
        if known.pk:
            self.changed[known.pk] = known
        taken.changed.append(name)

    def _free_name(self, name: str, template_id: str) -> str:
        """The portal's name; with the end of the id when it is taken or missing. Raises ValueError when both are."""
        name = " ".join(name.split())[:100] or "Template"
        if name in self.names or name == "Template":
            name = f"{name} {template_id[-6:]}"
        if name in self.names:
            raise ValueError(f"There is a template named “{name}” already: give that one another name first.")
        return name

    def save(self) -> None:
        """All that is new or changed, with a version for each whose sent text is another than before."""
        now, versions = timezone.now(), list(self.new)
        for pk, template in self.changed.items():
            template.updated_at = now
            if _sent(template) != self.before[pk]:
                template.version += 1
                versions.append(template)
        Template.objects.bulk_create(self.new, batch_size=SOME)
        Template.objects.bulk_update(self.changed.values(), WRITTEN, batch_size=SOME)
        how = TemplateVersion.How.IMPORT
        rows = [template.credit(self.user, how).as_version() for template in versions]
        TemplateVersion.objects.bulk_create(rows, batch_size=SOME)


def _sent(template: Template) -> tuple[str, ...]:
    return tuple(getattr(template, name) for name in Template.SENT_FIELDS)


def _values(said: dict[str, str], defaults: Defaults) -> dict[str, str]:
    category = _word(said.get("category", ""), CATEGORIES, "category") or defaults.category
    headers = re.split(r"[,;|\s]+", said.get("header", ""))
    # Portals list every header a template may be sent under; some with the operator's prefix.
    header = next((re.sub(r"^[A-Za-z]{2}-", "", name) for name in headers if name), "") or defaults.header
    values = {
        "body": BREAKS.sub("\n", said["body"]),
        "dlt_template_id": said["dlt_template_id"].lstrip("'"),
        "dlt_entity_id": said.get("dlt_entity_id", "").lstrip("'") or defaults.dlt_entity_id,
        "header": header,
        "category": category,
        "status": _word(said.get("status", ""), STATUSES, "status") or Template.Status.APPROVED,
    }
    if not values["dlt_template_id"].isdigit():
        raise ValueError(f"“{said['dlt_template_id'][:40]}” is no DLT template id: it has digits only.")
    return values


def _word(text: str, words: Sequence[tuple[str, str]], what: str) -> str:
    if not text:
        return ""
    plain = re.sub("[^a-z]", "", text.lower())
    found = next((value for word, value in words if word in plain), None)
    if found is None:
        raise ValueError(f"The {what} “{text[:40]}” is not known here.")
    return found
