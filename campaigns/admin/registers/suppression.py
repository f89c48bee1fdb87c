"""Numbers that must not be sent to, and why."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from campaigns import audit
from campaigns.admin.registers.base import Register, when
from campaigns.admin.shell import posted, sees_numbers
from campaigns.audience import suppressing
from campaigns.downloads import csv_file
from campaigns.models import Account, Suppression
from campaigns.text import phone


class Until:
    """Of a form: the end of a suppression lies ahead, unless it was stored so and is left as it is."""

    def clean_expires_at(self: Any) -> datetime | None:
        until: datetime | None = self.cleaned_data["expires_at"]
        if until and until <= timezone.now() and "expires_at" in self.changed_data:
            raise ValidationError("This time has passed. Leave it empty for always.")
        return until


class SuppressionForm(Until, forms.ModelForm):
    number = forms.CharField(label="Phone number", max_length=30, help_text="In any usual spelling, such as 98123 45670")

    class Meta:
        model = Suppression
        fields = ["number", "reason", "account", "note", "expires_at"]
        labels = {"account": "Only for account", "expires_at": "Until"}
        help_texts = {"account": "Leave empty for all accounts", "expires_at": "Leave empty for always"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["number"].required = not self.instance.pk  # who may not see it leaves it as it is

    def clean_number(self) -> int:
        typed: str = self.cleaned_data["number"]
        if not typed and self.instance.pk:
            return self.instance.number
        number = phone.anywhere(typed)
        if not number:
            raise ValidationError(phone.explain(typed, phone.EVERYWHERE))
        return number


class ListForm(Until, forms.Form):
    file = forms.FileField(
        label="File", help_text="CSV or Excel with a column of phone numbers; columns reason, note and until are heeded.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )  # fmt: skip
    reason = forms.ChoiceField(choices=Suppression.Reason.choices, initial=Suppression.Reason.OPT_OUT)
    account = forms.ModelChoiceField(
        Account.objects.order_by("name"), required=False, label="Only for account", empty_label="All accounts"
    )
    note = forms.CharField(max_length=200, required=False, help_text="Where the list comes from")
    expires_at = forms.DateTimeField(
        label="Until", required=False, help_text="Leave empty for always",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip


class Suppressions(Register):
    form = SuppressionForm
    title_list = "Suppression"
    about = "numbers that are left out of every campaign"
    empty = "No number is suppressed. Add people who opted out; campaigns leave them out by themselves."
    list_display = ["shown", "reason", "for_account", "until", "note"]
    list_filter = ["reason"]
    search_fields = ["note"]
    search_help_text = "A whole phone number, or words of a note"
    list_select_related = ["account"]
    change_list_template = "console/suppression_list.html"

    def get_urls(self) -> list[Any]:
        own = [("import/", self.import_list, "import"), ("download/", self.download, "download")]
        pages = [
            path(route, self.admin_site.admin_view(view), name=f"campaigns_suppression_{name}") for route, view, name in own
        ]
        return [*pages, *super().get_urls()]

    def import_list(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied("Your role does not let you suppress numbers.")
        form = ListForm(posted(request), request.FILES or None)
        listed = None
        if request.method == "POST" and form.is_valid():
            data = dict(form.cleaned_data)
            file = data.pop("file")
            try:
                listed = suppressing.read_list(file, file.name, suppressing.Terms(**data))
            except suppressing.Unusable as fault:
                form.add_error("file", str(fault))
            else:
                audit.record(
                    "suppression.import", "suppression", request=request, added=listed.added, refused=listed.refused
                )
        context = {**self.admin_site.each_context(request), "title": "Suppress a list", "form": form, "listed": listed}
        return TemplateResponse(request, "console/suppression_import.html", context, status=422 if form.errors else 200)

    def download(self, request: HttpRequest) -> StreamingHttpResponse:
        if not (sees_numbers(request) and request.user.has_perm("campaigns.export_report")):
            raise PermissionDenied("Your role does not let you download whole phone numbers.")
        audit.record("suppression.export", "suppression", request=request)
        return csv_file(suppressing.suppression_csv(), "suppression.csv")

    def get_list_display(self, request: HttpRequest) -> Any:
        return ["shown" if sees_numbers(request) else "masked", *self.list_display[1:]]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return list_display[:1]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        number = phone.anywhere(search_term)
        if number:
            return queryset.filter(number=number), False
        return super().get_search_results(request, queryset, search_term)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [] if obj is None or sees_numbers(request) else ["masked"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        number = "number" if obj is None or sees_numbers(request) else "masked"
        return [number, "reason", "account", "note", "expires_at"]

    def title_of(self, request: HttpRequest, obj: Any) -> str:
        return phone.display(obj.number) if sees_numbers(request) else phone.mask(obj.number)

    @staticmethod
    @admin.display(description="Phone number", ordering="number")
    def shown(row: Suppression) -> str:
        return phone.display(row.number)

    @staticmethod
    @admin.display(description="Phone number", ordering="number")
    def masked(row: Suppression) -> str:
        return phone.mask(row.number)

    @staticmethod
    def for_account(row: Suppression) -> str:
        return row.account.name if row.account else "all"

    @staticmethod
    def until(row: Suppression) -> str:
        return when(row.expires_at, "always")
