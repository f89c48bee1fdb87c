"""Message templates as they are registered on the DLT platform."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.pages import template_versions
from campaigns.admin.registers.base import Context, Register
from campaigns.admin.shell import posted
from campaigns.audience import template_export
from campaigns.models import Template, TemplateVersion
from campaigns.models.template import digits
from campaigns.text import render, segments
from campaigns.text.dlt import Finding, check_template
from campaigns.text.render import TemplateError


class TemplateForm(forms.ModelForm):
    class Meta:
        model = Template
        fields = [
            "name",
            "body",
            "header",
            "category",
            "language",
            "dlt_template_id",
            "dlt_entity_id",
            "status",
            "valid_until",
            "archived",
        ]
        widgets = {
            "body": forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
            "dlt_template_id": forms.TextInput(attrs={"inputmode": "numeric"}),
            "dlt_entity_id": forms.TextInput(attrs={"inputmode": "numeric"}),
        }
        labels = {"archived": "Archived: no longer offered for new campaigns"}
        help_texts = {"body": "Exactly as registered, with {#var#} for each variable"}


class ExportForm(forms.Form):
    file = forms.FileField(
        label="Export", widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text="The content templates as your DLT portal exports them, CSV or Excel. A template that is here already is "
        "recognised by its id and brought up to date.",
    )  # fmt: skip
    dlt_entity_id = forms.CharField(
        label="DLT entity id", max_length=30, required=False, validators=[digits], help_text="For rows that do not say it"
    )
    header = forms.CharField(max_length=20, required=False, help_text="For rows that do not say it")
    category = forms.ChoiceField(
        choices=Template.Category.choices,
        initial=Template.Category.SERVICE_IMPLICIT,
        help_text="For rows that do not say it",
    )


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
        ("Registration", {"fields": [("header", "category"), "language", ("dlt_template_id", "dlt_entity_id"),
                                     ("status", "valid_until"), "archived"]}),
    ]  # fmt: skip

    change_list_template = "console/template_list.html"

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.take_export)
        return [path("import/", view, name="campaigns_template_import"), *super().get_urls()]

    def take_export(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("Your role does not let you change templates.")
        form, taken = ExportForm(posted(request), request.FILES or None), None
        if request.method == "POST" and form.is_valid():
            data = dict(form.cleaned_data)
            file = data.pop("file")
            try:
                taken = template_export.take(file, file.name, template_export.Defaults(**data), request.user)
            except template_export.Unusable as fault:
                form.add_error("file", str(fault))
            else:
                audit.record(
                    "template.import", "template", request=request,
                    added=len(taken.added), changed=len(taken.changed), refused=taken.refused,
                )  # fmt: skip
        context = self.admin_site.each_context(request)
        context |= {"title": "Templates from the DLT portal", "form": form, "taken": taken}
        return TemplateResponse(request, "console/template_import.html", context, status=422 if form.errors else 200)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        obj.credit(request.user, TemplateVersion.How.CONSOLE)
        super().save_model(request, obj, form, change)
        for finding in obj.findings():
            messages.warning(request, f"{finding.message} ({finding.code})")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        kept = template_versions.shown(found) if isinstance(found, Template) else {}
        return super().change_view(request, object_id, form_url, {**kept, **(extra_context or {})})

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # campaigns refer to it: archive instead

    @staticmethod
    def text(template: Template) -> str:
        return format_html('<span class="soft">{}</span>', template.body[:90] + ("…" if len(template.body) > 90 else ""))

    @staticmethod
    def condition(template: Template) -> str:
        if template.archived:
            return format_html('<span class="badge">{}</span>', "Archived")
        if template.status != Template.Status.APPROVED:
            return format_html('<span class="badge failed">{}</span>', template.get_status_display())
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
    size, usual = segments.measure("".join(template.parts)), segments.to_gsm(body)
    smaller = segments.measure("".join(render.parse(usual).parts))
    return {
        "size": size,
        "usual": {"body": usual, "units": smaller.units} if smaller.encoding != size.encoding else None,
        "variables": template.variables,
        "findings": [f for f in findings if any(f.code.startswith(start) for start in about_body)],
    }
