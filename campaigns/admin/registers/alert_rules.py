"""When the machine raises an alert and whom it writes to."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.registers.base import Register
from campaigns.admin.words import count, span
from campaigns.insight import mailing
from campaigns.models import Alert, AlertRule

Kind = AlertRule.Kind
# What each kind looks at, what its threshold means, and which of the other figures it takes.
MEANING = {
    Kind.STOPPED: "The machine stopped a campaign or an account: credentials, balance, too many failures, a missed start.",
    Kind.FAILED_RATE: "Failed and rejected messages, in per cent of those with a final report.",
    Kind.AUTH_ERROR: "Requests that the provider refused for the API key, the token or the account's Sid. 0: any.",
    Kind.TEMPLATE_ERROR: "Messages that failed for their template or its registration, and requests refused for it. 0: any.",
    Kind.THROTTLED: "Requests that the provider asked to come later.",
    Kind.SESSION_EXPIRED: "WhatsApp messages refused because the person last wrote over a day ago, in per cent of all sent.",
    Kind.CALLBACKS_SILENT: "Minutes for which accepted messages wait without any status report coming in for the account.",
    Kind.LOW_BALANCE: "Requests refused because the balance does not cover them; it cannot be asked for. 0: any.",
    Kind.CALLBACK_BACKLOG: "Minutes for which the oldest stored callback has not been applied.",
    Kind.SENDING_BACKLOG: "Minutes without a request while messages of running campaigns wait and their hours are open.",
    Kind.DISAGREEMENT: "Statuses checked with Exotel that turned out different, in per cent of those checked.",
}
WITHOUT_WINDOW = {Kind.STOPPED, Kind.CALLBACK_BACKLOG, Kind.SENDING_BACKLOG}
WITH_MINIMUM = {Kind.FAILED_RATE, Kind.SESSION_EXPIRED, Kind.CALLBACKS_SILENT, Kind.DISAGREEMENT}


class AlertRules(Register):
    change_form_template = "console/alert_rule_form.html"
    title_list = "Alert rules"
    about = "when the machine calls for somebody, and whom it writes to"
    empty = "No rule yet. “manage.py bootstrap” makes the usual ones."
    list_display = ["name", "for_account", "condition", "mail", "again", "state"]
    list_filter = ["enabled"]
    list_select_related = ["account"]
    readonly_fields = ["name", "meaning"]
    formfield_overrides = Register.formfield_overrides | {models.TextField: {"widget": forms.Textarea(attrs={"rows": 3})}}

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        kind = obj.kind if isinstance(obj, AlertRule) else ""
        left_out = {"threshold": kind == Kind.STOPPED, "minimum": bool(kind) and kind not in WITH_MINIMUM,
                    "window": kind in WITHOUT_WINDOW}  # fmt: skip
        shown = tuple(name for name, out in left_out.items() if not out)
        about = ["name", "meaning", "for_account"] if obj else [("kind", "account")]
        when = [*([shown] if shown else []), ("level", "repeat_after"), "enabled"]
        mail = "" if mailing.configured() else "No mail server is set (EXODASH_EMAIL_URL), so nothing is sent yet."
        return [
            (None, {"fields": about}),
            ("When", {"fields": when}),
            ("Who is told", {"fields": ["recipients"], "description": mail}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj and "threshold" in form.base_fields:
            unit = {"%": "Per cent"}.get(obj.unit, obj.unit.capitalize())
            form.base_fields["threshold"].help_text = f"{unit}. {MEANING[Kind(obj.kind)]}"
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ["name", "meaning", "for_account"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Rules for all accounts are switched off instead: bootstrap would make them anew."""
        own = not isinstance(obj, AlertRule) or obj.account_id is not None
        return own and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.enabled:
            for alert in Alert.objects.filter(closed_at=None, kind=obj.kind).exclude(kind=Kind.STOPPED):
                if obj.account_id in {None, alert.account_id}:
                    alert.over()

    @staticmethod
    @admin.display(description="Rule", ordering="kind")
    def name(rule: AlertRule) -> str:
        return rule.get_kind_display()

    @staticmethod
    @admin.display(description="What it looks at")
    def meaning(rule: AlertRule) -> str:
        return MEANING[Kind(rule.kind)]

    @staticmethod
    @admin.display(description="For")
    def for_account(rule: AlertRule) -> str:
        return rule.account.name if rule.account else "every account"

    @staticmethod
    def condition(rule: AlertRule) -> str:
        if rule.kind == Kind.STOPPED:
            return "whenever it happens"
        if rule.kind == Kind.CALLBACKS_SILENT:
            return f"{rule.threshold.normalize():f} minutes, with at least {count(rule.minimum, 'message')} waiting"
        text = f"more than {rule.threshold.normalize():f} {rule.unit}" if rule.threshold else "any"
        if rule.kind in WITH_MINIMUM and rule.minimum:
            text += f" of at least {count(rule.minimum, 'message')}"
        return text if rule.kind in WITHOUT_WINDOW else f"{text} in {span(timedelta(minutes=rule.window))}"

    @staticmethod
    @admin.display(description="E-mail")
    def mail(rule: AlertRule) -> str:
        n = len(rule.addresses)
        return f"{n} addresses" if n > 1 else "1 address" if n else "nobody"

    @staticmethod
    @admin.display(description="Again after")
    def again(rule: AlertRule) -> str:
        return span(timedelta(minutes=rule.repeat_after))

    @staticmethod
    def state(rule: AlertRule) -> str:
        key, word = ("delivered", "On") if rule.enabled else ("waiting", "Off")
        return format_html('<span class="badge {}">{}</span>', key, word)


@require_POST
@shell.needs("campaigns.change_alertrule")
def test_mail(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test mail to the saved recipients and say at once how that went."""
    rule = get_object_or_404(AlertRule, pk=pk)
    problem = mailing.test(rule)
    if problem:
        messages.error(request, f"No test mail was sent. {problem}")
    else:
        audit.record("alertrule.test", rule, request=request, recipients=len(rule.addresses))
        messages.success(request, f"A test mail was handed to the mail server for {', '.join(rule.addresses)}.")
    return redirect("admin:campaigns_alertrule_change", pk)
