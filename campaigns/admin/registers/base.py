"""What all lists and forms of the set-up share: plain controls without scripts, titles in the operator's words, audit."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from campaigns import audit


def when(at: datetime | None, never: str = "–") -> str:
    """21 Nov 2026, 10:04 IST"""
    return f"{timezone.localtime(at):%-d %b %Y, %H:%M %Z}" if at else never


Context = dict[str, Any] | None


class Register(admin.ModelAdmin):
    """A ModelAdmin without popups, bulk actions or counting of whole tables."""

    actions = None
    show_full_result_count = False
    list_per_page = 50
    save_on_top = False
    formfield_overrides = {
        models.DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        },
        models.DateField: {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")},
        models.TimeField: {"widget": forms.TimeInput(attrs={"type": "time"}, format="%H:%M")},
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 5})},
    }

    title_list = ""  # what the list is called
    about = ""  # one sentence under the title
    empty = "Nothing here yet."  # what the next step is

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for power in ("add", "change", "delete", "view"):
            if field is not None and hasattr(field.widget, f"can_{power}_related"):
                setattr(field.widget, f"can_{power}_related", False)
        return field

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        context = {"title": self.title_list, "subtitle": self.about, "empty": self.empty}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        found = self.get_object(request, object_id) if object_id else None
        title = self.title_of(request, found) if found else f"New {self.opts.verbose_name}"
        context = {"title": title, "subtitle": "", "list_title": self.title_list}
        return super().changeform_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def title_of(self, request: HttpRequest, obj: Any) -> str:
        return str(obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Context = None) -> HttpResponse:
        return super().history_view(request, object_id, {"list_title": self.title_list, **(extra_context or {})})

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Context = None) -> HttpResponse:
        return super().delete_view(request, object_id, {"list_title": self.title_list, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.note(request, "change" if change else "create", obj, fields=sorted(form.changed_data))

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        self.note(request, "delete", obj)
        super().delete_model(request, obj)

    def note(self, request: HttpRequest, verb: str, obj: models.Model, **details: Any) -> None:
        audit.record(f"{self.opts.model_name}.{verb}", obj, request=request, **details)


class ReadOnly(Register):
    """A list that nobody edits."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False
