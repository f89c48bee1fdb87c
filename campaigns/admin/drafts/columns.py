"""Step 2: which column is the phone number, which fill the variables; then the file is read and summed up."""

from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from campaigns import audience, audit
from campaigns.admin import shell
from campaigns.admin.drafts import chosen, flow, preview
from campaigns.admin.drafts.summary import summary
from campaigns.audience import translating
from campaigns.models import Campaign, Import, Template
from campaigns.models.states import ImportState
from campaigns.text import phone, render

OPTIONAL = {
    "language": ("Language", "picks the text; empty: the campaign's"),
    "header": ("Header", "sends as it; empty: the campaign's"),
    "schedule": ("Date and time", "not sent before; empty: at once"),
    "reference": ("Your reference", "shown in reports"),
}
SAMPLED = 3  # values shown beside each column
STOP_POLLING = 286  # htmx's status for "this is the last answer"


@dataclass(frozen=True)
class Need:
    """A line of the table: what we need and the column that gives it."""

    key: str
    name: str
    hint: str
    column: str
    sample: list[str]
    optional: bool = False


@flow.on_file
def columns(request: HttpRequest, campaign: Campaign, source: Import) -> HttpResponse:
    variables = campaign.template.variables
    problem = ""
    if request.method == "POST":
        mapping, texts = read(request.POST, variables), chosen.picked(campaign, request.POST)
        try:
            campaign.translations.set(texts)
            (audience.start if source.state == ImportState.UPLOADED else audience.restart)(source, mapping)
        except audience.Unusable as fault:
            problem = str(fault)
        else:
            return redirect(f"{reverse('admin:draft_columns', args=[campaign.pk])}?file={source.pk}")
    else:
        mapping, texts = matched(source, variables), chosen.proposed(campaign)
    return flow.render(
        request, "draft_columns", "console/drafts/columns.html", campaign, flow.files(campaign),
        source=source,
        needs=needs(request, source, mapping, campaign.template),
        translations=chosen.translations(campaign, texts),
        problem=problem,
        **state(source),
        **shown(request, campaign, source, mapping, 0, texts),
    )  # fmt: skip


@flow.on_file
def remove(request: HttpRequest, campaign: Campaign, source: Import) -> HttpResponse:
    """Take one file out of the draft again."""
    if request.method == "POST":
        try:
            audience.discard(source)
        except audience.Unusable as fault:
            messages.error(request, str(fault))
        else:
            audit.record("campaign.change", campaign, request=request, removed=source.filename)
            messages.success(request, f"{source.filename} was removed, with all its rows.")
    return redirect(flow.next_url(campaign))


@flow.on_file
def columns_preview(request: HttpRequest, campaign: Campaign, source: Import) -> HttpResponse:
    """A row of the sample under the columns that stand in the form just now."""
    mapping = read(request.GET, campaign.template.variables)
    texts = chosen.picked(campaign, request.GET)
    context = shown(request, campaign, source, mapping, shell.asked_id(request, "row"), texts)
    return shell.render(
        request, "console/drafts/_columns_preview.html",
        campaign=campaign,
        source=source,
        needs=needs(request, source, mapping, campaign.template),
        swapped=True,
        **context,
    )  # fmt: skip


@flow.on_file
def file_state(request: HttpRequest, campaign: Campaign, source: Import) -> HttpResponse:
    """How far reading is, then the summary; the last answer tells htmx to stop asking."""
    context = state(source)
    status = 200 if context["reading"] else STOP_POLLING
    return shell.render(
        request, "console/drafts/_file_state.html", None, status, campaign=campaign, source=source, swapped=True, **context
    )


def state(source: Import) -> dict[str, Any]:
    reading = source.state in flow.READING
    checked = source.state in {ImportState.DONE, ImportState.FAILED}
    return {"reading": reading, "checked": checked, "file": summary(source) if source.state == ImportState.DONE else None}


def read(data: QueryDict, variables: int) -> dict[str, Any]:
    own = {kind: data.get(kind, "") for kind in OPTIONAL}
    return {"phone": data.get("phone", ""), "vars": [data.get(f"var{i}", "") for i in range(1, variables + 1)], **own}


def matched(source: Import, variables: int) -> dict[str, Any]:
    """The columns of the last reading, else a guess by name and content."""
    mapping = source.mapping or audience.guess_mapping(source.header, source.sample, variables)
    given = list(mapping.get("vars") or [])[:variables]
    own = {kind: mapping.get(kind, "") for kind in OPTIONAL}
    return {"phone": mapping.get("phone") or "", "vars": [*given, *[""] * (variables - len(given))], **own}


def needs(request: HttpRequest, source: Import, mapping: dict[str, Any], text: Template) -> list[Need]:
    template = render.parse(text.body)
    lines = [_need(request, source, "phone", "Phone number", "any usual spelling", mapping["phone"])]
    for i, (column, before) in enumerate(zip(mapping["vars"], template.parts, strict=False), 1):
        hint = f"after “{before.strip()[-18:]}”" if before.strip() else "at the beginning"
        lines.append(_need(request, source, f"var{i}", f"Variable {i}", hint, column))
    for kind, (name, hint) in OPTIONAL.items():
        if kind != "language" or mapping.get(kind) or text.language or translating.candidates(text):
            need = _need(request, source, kind, name, hint, mapping.get(kind, ""))
            lines.append(replace(need, optional=True))
    return lines


def _need(request: HttpRequest, source: Import, key: str, name: str, hint: str, column: str) -> Need:
    at = source.header.index(column) if column in source.header else None
    cells = [row[at] for row in source.sample[:SAMPLED] if at is not None and at < len(row)]
    return Need(key, name, hint, column, [_shown(request, cell) for cell in cells if cell.strip()])


def _shown(request: HttpRequest, cell: str) -> str:
    """A sample value; a phone number only to those who may see whole numbers."""
    number = phone.canonical(cell, phone.EVERYWHERE)
    return phone.mask(number) if number and not shell.sees_numbers(request) else cell[:40]


def shown(
    request: HttpRequest, campaign: Campaign, source: Import, mapping: dict[str, Any], row: int, texts: list[Template]
) -> dict[str, Any]:
    """The preview of one sample row, and which rows stand beside it; nothing until all columns are chosen."""
    if not source.sample or not all(column in source.header for column in mapping["vars"]):
        return {"preview": None}
    row = min(row, len(source.sample) - 1)
    cells = source.sample[row]
    number = 0
    if mapping["phone"] in source.header:
        [cell] = preview.row_values(source.header, [mapping["phone"]], cells)
        number = phone.canonical(cell, campaign.account.countries)
    to = (phone.display(number) if shell.sees_numbers(request) else phone.mask(number)) if number else ""
    own = chosen.of_cells(campaign, source, mapping, cells, texts)
    values = preview.row_values(source.header, mapping["vars"], cells)
    return {
        "preview": preview.make(campaign, values, to, own.template, own.sender),
        "own": own,
        "row": {
            "number": row + 1,
            "previous": row - 1 if row else None,
            "next": row + 1 if row + 1 < len(source.sample) else None,
        },
    }
