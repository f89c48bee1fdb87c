"""API tokens: made here, shown once, revoked here."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html

from campaigns import audit
from campaigns.admin.registers.base import Context, Register, when
from campaigns.admin.shell import posted
from campaigns.models import ApiToken
from campaigns.models.access import SCOPES

DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "never")]
NEEDS = {  # a token can do no more than its user
    "read": "campaigns.view_campaign",
    "write": "campaigns.add_campaign",
    "launch": "campaigns.launch_campaign",
    "export": "campaigns.export_report",
    "numbers": "campaigns.see_numbers",
    "admin": "campaigns.change_account",
}


class TokenForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What will use it, such as billing system")
    user = forms.ModelChoiceField(User.objects.filter(is_active=True), help_text="Its actions are recorded under this user")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, f"{scope}: {text.lower()}") for scope, text in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "check-list"}), initial=["read"], label="What it may do",
    )  # fmt: skip
    days = forms.ChoiceField(choices=DAYS, required=False, initial="90", label="Expires after")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        user: User | None = data.get("user")
        over = [scope for scope in data.get("scopes", []) if user and not user.has_perm(NEEDS[scope])]
        if over:
            self.add_error("scopes", f"{user} may not do this: {', '.join(over)}. A token can do no more than its user.")
        return data


class Tokens(Register):
    title_list = "API tokens"
    about = "for programs that use the REST API"
    empty = "No token yet. A program shows it in the header Authorization: Token …"
    list_display = ["name", "user", "begins", "may", "used", "expires", "condition", "end"]
    list_display_links = None
    list_select_related = ["user"]
    ordering = ["-id"]

    def get_urls(self) -> list[Any]:
        revoke = path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke), name="campaigns_apitoken_revoke")
        return [revoke, *super().get_urls()]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # a token is made or revoked, never edited

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Context = None) -> HttpResponse:
        if not self.has_add_permission(request):
            return self._refuse(request)
        form = TokenForm(posted(request), initial={"user": request.user})
        context = {**self.admin_site.each_context(request), "title": "New API token", "form": form}
        if request.method == "POST" and form.is_valid():
            context["token"], context["text"] = self._issue(request, form)
        return TemplateResponse(request, "console/token_form.html", context)

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, "Your role does not let you make or revoke API tokens. Nothing was changed.")
        return redirect("admin:campaigns_apitoken_changelist")

    def _issue(self, request: HttpRequest, form: TokenForm) -> tuple[ApiToken, str]:
        data = form.cleaned_data
        expires = timezone.now() + timedelta(days=int(data["days"])) if data["days"] else None
        token, text = ApiToken.issue(user=data["user"], name=data["name"], scopes=data["scopes"], expires_at=expires)
        audit.record("token.create", token, request=request, scopes=data["scopes"], for_user=data["user"].get_username())
        return token, text

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, then end a token for good."""
        token = get_object_or_404(ApiToken, pk=pk)
        if not request.user.has_perm("campaigns.change_apitoken"):
            return self._refuse(request)
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "title": f"Revoke {token.name}?", "token": token}
            return TemplateResponse(request, "console/token_revoke.html", context)
        if token.revoked_at is None:
            token.revoked_at = timezone.now()
            token.save(update_fields=["revoked_at"])
            audit.record("token.revoke", token, request=request)
            messages.success(request, f"{token.name} is revoked: programs that use it are refused from now on.")
        return redirect("admin:campaigns_apitoken_changelist")

    @staticmethod
    @admin.display(description="begins with")
    def begins(token: ApiToken) -> str:
        return format_html("<code>{}…</code>", token.hint)

    @staticmethod
    @admin.display(description="last used", ordering="last_used_at")
    def used(token: ApiToken) -> str:
        return when(token.last_used_at, "never")

    @staticmethod
    @admin.display(description="expires", ordering="expires_at")
    def expires(token: ApiToken) -> str:
        return when(token.expires_at, "never")

    @staticmethod
    @admin.display(description="")
    def end(token: ApiToken) -> str:
        if not token.valid:
            return ""
        return format_html('<a href="{}">Revoke …</a>', reverse("admin:campaigns_apitoken_revoke", args=[token.pk]))

    @staticmethod
    def may(token: ApiToken) -> str:
        return ", ".join(token.scopes)

    @staticmethod
    def condition(token: ApiToken) -> str:
        if token.revoked_at:
            return format_html('<span class="badge">{}</span>', "Revoked")
        if not token.valid:
            return format_html('<span class="badge warning">{}</span>', "Expired")
        return format_html('<span class="badge delivered">{}</span>', "Valid")
