"""Message templates as they are registered on the DLT platform."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from campaigns.admin import shell
from campaigns.admin.registers.base import Register
from campaigns.models import Template
from campaigns.text import render, segments
from campaigns.text.dlt import Finding, check_template
from campaigns.text.render import TemplateError


class TemplateForm(forms.ModelForm):
    class Meta:
        model = Template
        fields = ["name", "body", "header", "category", "dlt_template_id", "dlt_entity_id", "archived"]
        widgets = {
            "body": forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
            "dlt_template_id": forms.TextInput(attrs={"inputmode": "numeric"}),
            "dlt_entity_id": forms.TextInput(attrs={"inputmode": "numeric"}),
        }
        labels = {"archived": "Archived: no longer offered for new campaigns"}
        help_texts = {"body": "Exactly as registered, with {#var#} for each variable"}


class Templates(Register):
    form = TemplateForm
    change_form_template = "console/template_form.html"
    title_list = "Templates"
    about = "texts as they were approved on the DLT platform"
    empty = "No template yet. Add the first one exactly as the DLT platform approved it."
    list_display = ["name", "text", "header", "category", "version", "condition"]
    list_filter = ["category", "archived"]
    search_fields = ["name", "body", "dlt_template_id", "header"]
    fieldsets = [
        (None, {"fields": ["name", "body"]}),
        ("Registration", {"fields": [("header", "category"), ("dlt_template_id", "dlt_entity_id"), "archived"]}),
    ]

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
        for finding in obj.findings():
            messages.warning(request, f"{finding.message} ({finding.code})")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # campaigns refer to it: archive instead

    @staticmethod
    def text(template: Template) -> str:
        return format_html('<span class="soft">{}</span>', template.body[:90] + ("…" if len(template.body) > 90 else ""))

    @staticmethod
    def condition(template: Template) -> str:
        if template.archived:
            return format_html('<span class="badge">{}</span>', "Archived")
        warnings = len(template.findings())
        if warnings:
            return format_html('<span class="badge warning">{} to weigh</span>', warnings)
        return format_html('<span class="badge delivered">{}</span>', "Ready")


@shell.needs("campaigns.view_template")
def measure(request: HttpRequest) -> HttpResponse:
    """While a body is typed: how long it is without its variables, and what DLT would say."""
    given = {name: request.POST.get(name, "") for name in ("body", "header", "category", "dlt_entity_id", "dlt_template_id")}
    body = given["body"].replace("\r\n", "\n")[:5_000]
    return shell.render(request, "console/_template_measure.html", **measured(body, given))


def measured(body: str, given: dict[str, str]) -> dict[str, Any]:
    try:
        template = render.parse(body)
    except TemplateError as error:
        return {"findings": [Finding("error", "VARIABLE_MALFORMED", str(error))]}
    findings = check_template(body, given["header"], given["category"], given["dlt_entity_id"], given["dlt_template_id"])
    about_body = {"VARIABLE", "BODY_", "MOSTLY", "DOUBLE", "ANGLE_", "PUBLIC"}
    return {
        "size": segments.measure("".join(template.parts)),
        "variables": template.variables,
        "findings": [f for f in findings if any(f.code.startswith(start) for start in about_body)],
    }
