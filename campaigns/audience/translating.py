"""The templates that are one text in several languages: which can be, and which a file is read against."""

from collections.abc import Iterable
from typing import Any

from campaigns.audience.faults import Unusable
from campaigns.models import Campaign, Import, Template
from campaigns.models.states import ImportState
from campaigns.text import languages


def candidates(template: Template) -> list[Template]:
    """Templates that can stand for this one in another language, by language and name."""
    same = Template.objects.filter(dlt_entity_id=template.dlt_entity_id, category=template.category, archived=False)
    others = same.exclude(language="").exclude(language=template.language).exclude(pk=template.pk)
    return sorted((one for one in others if not fault(template, [one])), key=lambda one: (one.language, one.name))


def fault(template: Template, chosen: Iterable[Template]) -> str:
    """Why these cannot be the translations of a template; empty when they can."""
    taken = {template.language: template.name}
    for one in chosen:
        if not one.language:
            return f"“{one.name}” does not say its language: enter it on the template's page first."
        if one.pk == template.pk or one.language in taken:
            other = taken.get(one.language, template.name)
            return f"“{one.name}” and “{other}” are both in {languages.name(one.language)}: choose one of them."
        taken[one.language] = one.name
        if one.dlt_entity_id != template.dlt_entity_id:
            return f"“{one.name}” belongs to another DLT entity than “{template.name}”."
        if one.category != template.category:
            return f"“{one.name}” is registered as {one.get_category_display()}, “{template.name}” is not."
        if one.variables != template.variables:
            return f"“{one.name}” has {one.variables} variables and “{template.name}” has {template.variables}."
    return ""


def held(campaign: Campaign) -> dict[str, Any]:
    """What a file whose rows name languages is read against: tag, template and version of each translation."""
    chosen = list(campaign.translations.order_by("language"))
    if why := fault(campaign.template, chosen):
        raise Unusable("TRANSLATION", f"The translations do not fit together: {why}")
    return {"languages": [[one.language, one.pk, one.version] for one in chosen]}


def used_before(template: Template) -> list[Template]:
    """The translations of the last file that was read for this template, as far as they still fit."""
    done = Import.objects.filter(campaign__template=template, state=ImportState.DONE, rowwise__has_key="languages")
    last = done.order_by("-pk").values_list("rowwise", flat=True).first()
    ids = [pk for _, pk, _ in (last or {}).get("languages", [])]
    return [one for one in candidates(template) if one.pk in ids]
