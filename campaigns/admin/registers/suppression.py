"""Numbers that must not be sent to, and why."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from campaigns.admin.registers.base import Register, when
from campaigns.admin.shell import sees_numbers
from campaigns.models import Suppression
from campaigns.text import phone


class SuppressionForm(forms.ModelForm):
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
        number = phone.canonical(typed)
        if not number:
            raise ValidationError(phone.explain(typed))
        return number


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

    def get_list_display(self, request: HttpRequest) -> Any:
        return ["shown" if sees_numbers(request) else "masked", *self.list_display[1:]]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        return list_display[:1]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        number = phone.canonical(search_term)
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
