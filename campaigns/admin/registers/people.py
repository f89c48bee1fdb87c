"""Users and their roles."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.contrib.auth.models import Permission, User
from django.db import models
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from campaigns.admin.registers.base import Register, when
from campaigns.models import SpendLimit
from campaigns.roles import ROLES
from campaigns.sending import spending

FIELD_WORDS = {
    "groups": ("Roles", "Somebody without a role can log in but sees nothing."),
    "is_superuser": ("Superuser", "May do everything, whatever the roles say."),
    "is_active": ("May log in", "Take the tick away instead of deleting: what they did stays under their name."),
}
VERBS = {"add": "Add", "change": "Change", "view": "See", "delete": "Delete"}


class PersonForm(UserChangeForm):
    per_campaign = forms.DecimalField(
        label="Rupees on one campaign", required=False, min_value=0, max_digits=12, decimal_places=2,
        help_text="Empty for any amount",
    )  # fmt: skip
    per_month = forms.DecimalField(
        label="Rupees in a calendar month", required=False, min_value=0, max_digits=12, decimal_places=2,
        help_text="Empty for any amount. By console and by this person's API tokens together",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "per_campaign" in self.fields and (limit := SpendLimit.objects.filter(user=self.instance.pk).first()):
            self.initial.update(per_campaign=limit.per_campaign, per_month=limit.per_month)


class ByRole(admin.RelatedFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "role"


class Users(Register, UserAdmin):
    title_list = "Users"
    about = "who may log in, and in which role"
    list_display = ["username", "full_name", "roles", "seen", "condition"]
    list_filter = [("groups", ByRole), "is_active"]
    form = PersonForm
    add_form = UserCreationForm
    add_form_template = change_form_template = "console/user_form.html"
    filter_horizontal = ()
    fieldsets = [
        (None, {"fields": ["username", ("first_name", "last_name"), "email"]}),
        ("What they may do", {"fields": ["groups", "is_superuser", "is_active"]}),
    ]
    readonly_fields = ["spending"]
    add_fieldsets = [
        (None, {"fields": ["username", "password1", "password2"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        editable = [("per_campaign", "per_month")] if self.has_change_permission(request, obj) else []
        limits = editable if spending.may_set(request.user, obj) else []
        return [*self.fieldsets, ("What they may spend", {"fields": ["spending", *limits]})]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        # Declared on the form, so it has these fields even where the page does not show them.
        if change and spending.may_set(request.user, obj):
            limits = {name: form.cleaned_data[name] for name in ("per_campaign", "per_month")}
            if spending.set_limit(obj, **limits):
                self.note(request, "spend_limit", obj, limits=spending.for_audit(**limits))

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Only a superuser makes superusers, and nobody locks themselves out."""
        own = obj is not None and obj.pk == request.user.pk
        fields = ["spending"] if request.user.is_superuser else ["spending", "is_superuser"]
        return [*fields, "is_active"] if own else fields

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        above = isinstance(obj, User) and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not above

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # what they did stays under their name: switch them off instead

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        kwargs["widget"] = forms.CheckboxSelectMultiple(attrs={"class": "check-list"})
        return super(UserAdmin, self).formfield_for_manytomany(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in FIELD_WORDS:
            field.label, field.help_text = FIELD_WORDS[db_field.name]
        return field

    @staticmethod
    @admin.display(description="last login", ordering="last_login")
    def seen(user: User) -> str:
        return when(user.last_login, "never")

    @staticmethod
    @admin.display(description="Spending")
    def spending(user: User) -> str:
        return spending.sentence(user)

    @staticmethod
    def full_name(user: User) -> str:
        return user.get_full_name() or "–"

    @staticmethod
    def roles(user: User) -> str:
        names = [group.name for group in user.groups.all()]
        return ", ".join([*(["Superuser"] if user.is_superuser else []), *names]) or "none: sees nothing yet"

    @staticmethod
    def condition(user: User) -> str:
        if user.is_active:
            return format_html('<span class="badge delivered">{}</span>', "May log in")
        return format_html('<span class="badge">{}</span>', "Switched off")


def permission_words(permission: Permission) -> str:
    """``view_campaign`` as "See campaigns"; our own permissions are worded on the model."""
    verb = VERBS.get(permission.codename.partition("_")[0])
    kind = permission.content_type.model_class()
    if verb is None or kind is None:
        return permission.name.removeprefix("Can ").capitalize()
    return f"{verb} {kind._meta.verbose_name_plural}"


class PermissionsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return permission_words(obj)


class Roles(Register, GroupAdmin):
    title_list = "Roles"
    about = "what a group of users may do; the five shipped ones are set anew at every upgrade"
    list_display = ["name", "people"]
    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        if db_field.name == "permissions":
            known = {codename for codenames in ROLES.values() for codename in codenames}
            found = Permission.objects.filter(codename__in=known)
            kwargs["queryset"] = found.select_related("content_type").order_by("name")
            kwargs["widget"] = forms.CheckboxSelectMultiple(attrs={"class": "check-list many"})
            kwargs["form_class"] = PermissionsField
            return super(GroupAdmin, self).formfield_for_manytomany(db_field, request, **kwargs)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    @staticmethod
    def people(group: Any) -> int:
        return group.user_set.count()
