"""All that was ever sent by a template: each version, whose change it was, and what it took away and put in."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from campaigns.admin import shell
from campaigns.insight import versions
from campaigns.models import Template

FEW, MANY = 5, 50


@shell.needs("campaigns.view_template")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    template = get_object_or_404(Template, pk=pk)
    up_to = shell.asked_id(request, "up_to")
    context = shown(template, MANY, min(up_to, template.version) or None)
    title = f"Versions of {template.name}"
    return shell.render(request, "console/template_versions.html", title=title, about=template, up_to=up_to, **context)


def shown(template: Template, most: int = FEW, up_to: int | None = None) -> dict[str, Any]:
    found, older = versions.changes(template, most, up_to)
    address = reverse("admin:template_versions", args=[template.pk])
    return {"changes": found, "versions_url": address, "older": f"{address}?up_to={older}" if older else ""}
