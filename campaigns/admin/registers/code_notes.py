"""What the code dictionary should say besides, or instead of, what it was shipped with."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.http import HttpRequest

from campaigns.admin.registers.base import Register
from campaigns.exotel.codes import overlay
from campaigns.models import CodeNote

AS_SHIPPED = "As shipped"


class AgainSelect(forms.NullBooleanSelect):
    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = [("unknown", AS_SHIPPED), ("true", "Yes"), ("false", "No")]


class CodeNotes(Register):
    title_list = "Notes on codes"
    about = "laid over the code dictionary, which itself stays as shipped"
    empty = "No note yet. Add one when Exotel tells you what an unknown code means, or when a meaning here is wrong."
    list_display = ["key", "title", "actor", "updated_at"]
    search_fields = ["code", "title", "meaning"]
    fieldsets = [
        ("Which code", {"fields": [("provider", "channel"), ("namespace", "code")],
                        "description": "As the code dictionary groups them: exotel, sms, status for an SMS report."}),
        ("What it should say", {"fields": ["title", "meaning", "remedy", ("actor", "retryable")],
                                "description": "What you leave empty stays as shipped."}),
    ]  # fmt: skip
    formfield_overrides = Register.formfield_overrides | {
        models.BooleanField: {"widget": AgainSelect, "label": "May be sent again"},
    }

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["choices"] = [("", AS_SHIPPED), *db_field.choices]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        """A link from an unknown code fills the key in."""
        names = ("provider", "channel", "namespace", "code")
        return {name: request.GET[name][:32] for name in names if name in request.GET}

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        obj.updated_by = request.user
        super().save_model(request, obj, form, change)
        overlay.refresh()

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        overlay.refresh()

    @staticmethod
    @admin.display(description="Code", ordering="code")
    def key(note: CodeNote) -> str:
        return f"{note.code} ({note.provider} {note.channel} {note.namespace})"
