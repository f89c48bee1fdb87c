"""What rows choose for themselves, on the pages of a draft: texts in other languages, a row's header, hour and reference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.admin import shell
from campaigns.admin.drafts import preview
from campaigns.audience import translating
from campaigns.models import Campaign, Import, Recipient, Template
from campaigns.text import languages, moments


@dataclass(frozen=True)
class Translation:
    """A language and the templates that could be the campaign's text in it."""

    key: str
    name: str
    options: list[Template]
    chosen: int  # 0 for none


@dataclass(frozen=True)
class Row:
    """How one row goes out."""

    template: Template
    sender: str
    notes: list[tuple[str, str]]  # what else is said of it, by name
    problem: str = ""


def translations(campaign: Campaign, chosen: Iterable[Template]) -> list[Translation]:
    ids = {template.pk for template in chosen}
    by_language: dict[str, list[Template]] = {}
    for template in translating.candidates(campaign.template):
        by_language.setdefault(template.language, []).append(template)
    return [
        Translation(_key(tag), languages.name(tag), some, next((one.pk for one in some if one.pk in ids), 0))
        for tag, some in by_language.items()
    ]


def _key(tag: str) -> str:
    return f"translation-{tag}"


def picked(campaign: Campaign, data: Mapping[str, Any]) -> list[Template]:
    """The templates that a form names, at most one for each language."""
    fits = translating.candidates(campaign.template)
    return [template for template in fits if str(data.get(_key(template.language), "")) == str(template.pk)]


def proposed(campaign: Campaign) -> list[Template]:
    """The campaign's translations, else those of the last file for its template."""
    return list(campaign.translations.all()) or translating.used_before(campaign.template)


def of_cells(
    campaign: Campaign, source: Import, mapping: Mapping[str, Any], cells: Sequence[str], texts: Iterable[Template]
) -> Row:
    """A row of the sample, before its file is read."""
    said = {
        kind: preview.row_values(source.header, [mapping[kind]], cells)[0].strip()
        for kind in ("language", "header", "schedule", "reference")
        if mapping.get(kind) in source.header
    }
    template, problem = campaign.template, ""
    if said.get("language"):
        tag = languages.tag(said["language"])
        found = next((one for one in (campaign.template, *texts) if one.language == tag and tag), None)
        template = found or template
        problem = "" if found else f"No text in “{said['language'][:40]}” is chosen: rows like this one are refused."
    hour = ""
    if said.get("schedule"):
        zone = shell.zone_of(campaign.account)
        try:
            hour = _hour(campaign, moments.instant(said["schedule"], zone))
        except ValueError as why:
            problem = problem or f"“{said['schedule'][:40]}” {why} Rows like this one are refused."
    return Row(template, said.get("header", "")[:20] or campaign.sender, _notes(hour, said.get("reference", "")), problem)


def of_recipient(campaign: Campaign, recipient: Recipient) -> Row:
    """A row that was read."""
    kept = recipient.source.rowwise
    template = campaign.template
    if recipient.language_no:
        template = Template.objects.get(pk=kept["languages"][recipient.language_no - 1][1])
    sender = kept["senders"][recipient.sender_no - 1] if recipient.sender_no else campaign.sender
    hour = _hour(campaign, recipient.due) if recipient.due else ""
    return Row(template, sender, _notes(hour, recipient.reference))


def _notes(hour: str, reference: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("Not before", hour), ("Reference", reference[:100])) if value]


def _hour(campaign: Campaign, seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, shell.zone_of(campaign.account)):%a %-d %b %Y, %H:%M %Z}"
