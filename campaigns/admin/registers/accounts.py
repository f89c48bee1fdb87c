"""Exotel accounts. The API key and token are written here and never shown again."""

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.html import format_html

from campaigns import audit
from campaigns.admin.registers.base import Register
from campaigns.insight import checks
from campaigns.models import Account, Limiter
from campaigns.sending import balance, control
from campaigns.sending.callback_urls import INBOUND, sign
from campaigns.text.cost import exact


class AccountForm(forms.ModelForm):
    api_key = forms.CharField(
        label="API key", required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    api_token = forms.CharField(
        label="API token", required=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )
    new_balance = forms.DecimalField(
        label="Balance now, in rupees", required=False, max_digits=12, decimal_places=2,
        help_text="As Exotel's own page shows it: no API tells it. Leave empty to keep what is known",
    )  # fmt: skip
    forget_balance = forms.BooleanField(label="Forget the balance: nobody looks after it", required=False)
    time_zone = forms.ChoiceField(
        choices=[(zone, zone) for zone in sorted(available_timezones()) if "/" in zone],
        initial=Account._meta.get_field("time_zone").get_default(),
    )

    class Meta:
        model = Account
        fields = "__all__"  # noqa: DJ007  (what is not editable is declared so on the model)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = bool(self.instance.credentials)
        for name in ("api_key", "api_token"):
            if name in self.fields:
                self.fields[name].help_text = "Stored. Leave empty to keep it; write both to replace them." if stored else ""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        key, token = data.get("api_key", ""), data.get("api_token", "")
        if bool(key) != bool(token):
            self.add_error("api_token" if key else "api_key", "Enter the API key and the API token together.")
        if not key and not token:
            self._check_stored()
        if data.get("new_balance") is not None and data.get("forget_balance"):
            self.add_error("forget_balance", "Write the balance or forget it, not both.")
        if data.get("window_opens") and data.get("window_closes") and data["window_opens"] >= data["window_closes"]:
            self.add_error("window_closes", "The promotional hours must end after they begin.")
        return data

    def _check_stored(self) -> None:
        """Stored credentials are sealed to the Sid, so a new Sid needs them again."""
        if not self.instance.credentials:
            self.add_error("api_key", "Enter the API key and token: without them nothing can be sent.")
        elif "account_sid" in self.changed_data:
            self.add_error("account_sid", "The stored API key and token belong to the old Sid: enter them again.")


class Accounts(Register):
    form = AccountForm
    title_list = "Accounts"
    about = "where messages are sent from, as whom, how fast"
    empty = "No account yet. Add the Sid, API key and token that Exotel shows under API settings."
    list_display = ["name", "account_sid", "address", "rate", "condition"]
    readonly_fields = ["receipts", "incoming", "checks", "condition", "left"]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        may_change = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        secrets = ["api_key", "api_token"] if may_change else []
        condition = ["receipts", "condition"] if obj else []
        verified = [("verify_one_in", "checks")] if obj else ["verify_one_in"]
        told = ["new_balance", *(["forget_balance"] if isinstance(obj, Account) and obj.balance is not None else [])]
        return [
            (None, {"fields": ["name", "provider", "base_url", "account_sid", *secrets, *condition]}),
            ("Sent as", {"fields": [("sender_id", "dlt_entity_id")]}),
            ("Pace and cost", {"fields": [("rate_per_minute", "senders"), ("polls_per_minute", "cost_per_unit")]}),
            ("Rates by category", {"fields": [("cost_transactional", "cost_service_implicit"),
                                              ("cost_service_explicit", "cost_promotional")],
                                   "description": "Rupees a unit where it differs from the rate above; empty where not."}),
            ("Balance", {"fields": [*(["left"] if obj else []), *(told if may_change else [])]}),
            ("Checking statuses", {"fields": verified}),
            ("When to stop and ask", {"fields": [("spike_percent", "missed_minutes")]}),
            ("Undeliverable numbers",
             {"fields": [("suppress_invalid_after", "suppress_blacklist_after"), "suppress_dnd_after"],
              "description": "How many failed messages to a number put it on the suppression list."}),
            ("Opting out", {"fields": [*(["incoming"] if obj else []), "stop_words", "start_words"]}),
            ("Countries", {"fields": ["allowed_countries"],
                           "description": "Rows with a number of another country are refused when a file is read."}),
            ("Links", {"fields": ["allowed_links"],
                       "description": "Operators block messages with a link that is not whitelisted on DLT."}),
            ("Hours", {"fields": ["time_zone", ("window_opens", "window_closes")],
                       "description": "Promotional SMS go out only within these hours; other kinds at any time."}),
        ]  # fmt: skip

    change_form_template = "console/account_form.html"

    def get_urls(self) -> list[Any]:
        lift = path("<int:pk>/lift/", self.admin_site.admin_view(self.lift), name="campaigns_account_lift")
        return [lift, *super().get_urls()]

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sending may go on: what stopped the account is mended at Exotel."""
        account = get_object_or_404(Account, pk=pk)
        if not request.user.has_perm("campaigns.launch_campaign"):
            raise PermissionDenied("Your role does not let you launch, pause, resume or cancel campaigns.")
        if request.method == "POST" and control.lift(account):
            audit.record("account.resume", account, request=request)
            messages.success(request, "The account's stop is lifted. Resume its stopped campaigns on their pages.")
        return redirect("admin:campaigns_account_change", pk)

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """New credentials are sealed and lift the account's stop; stopped campaigns still wait for their own resume."""
        if form.cleaned_data.get("api_key"):
            obj.set_credentials(form.cleaned_data["api_key"], form.cleaned_data["api_token"])
            super().save_model(request, obj, form, change)
            self.note(request, "credentials", obj)
            if obj.stopped_at and control.lift(obj):
                messages.info(request, "The account's stop is lifted. Resume its stopped campaigns on their pages.")
        else:
            super().save_model(request, obj, form, change)
        self._take_balance(request, obj, form.cleaned_data)
        if "base_url" in form.changed_data:  # the wait was for another host
            Limiter.objects.filter(account=obj).update(blocked_until=0, throttles=0)

    def _take_balance(self, request: HttpRequest, account: Account, data: dict[str, Any]) -> None:
        amount = data.get("new_balance")
        if amount is not None or data.get("forget_balance"):
            balance.tell(account, amount)
            self.note(request, "balance", account, balance=None if amount is None else str(amount))

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # its campaigns are history

    @staticmethod
    def address(account: Account) -> str:
        return account.base_url.removeprefix("https://")

    @staticmethod
    def rate(account: Account) -> str:
        return f"{account.rate_per_minute} requests a minute" if account.rate_per_minute else "no limit"

    @staticmethod
    @admin.display(description="Report address")
    def receipts(account: Account) -> str:
        if account.provider == Account.Provider.EXOTEL:
            return "Each request names its own; nothing to set up at Exotel."
        return format_html("<code>{}</code> Enter it at GENIQ as the address for receipts.", sign(account.callback_id))

    @staticmethod
    @admin.display(description="Address for incoming SMS")
    def incoming(account: Account) -> str:
        if account.provider != Account.Provider.EXOTEL:
            return "Incoming SMS are taken from Exotel only."
        return format_html(
            "<code>{}</code> Enter it at Exotel in the passthru applet of the flow that takes your number's SMS, "
            "so that people can opt out.",
            sign(account.callback_id, INBOUND),
        )

    @staticmethod
    @admin.display(description="What is left")
    def left(account: Account) -> str:
        now = balance.standing(account)
        if now is None:
            return "Nobody has told the balance yet, so launches are not held against it."
        at = now.at.astimezone(ZoneInfo(account.time_zone))
        return (
            f"About {exact(now.left)}: {exact(now.told)} on {at:%-d %b %Y, %H:%M %Z}, less {exact(now.sent)} sent since and "
            f"{exact(now.waiting)} that launched campaigns will still cost."
        )

    @staticmethod
    @admin.display(description="Checked statuses")
    def checks(account: Account) -> str:
        return checks.of(account).sentence

    @staticmethod
    def condition(account: Account) -> str:
        if account.stopped_at:
            return format_html('<span class="badge failed">Stopped</span> {}', account.stop_reason)
        if not account.credentials:
            return format_html('<span class="badge warning">{}</span>', "No API key and token")
        return format_html('<span class="badge delivered">{}</span>', "Ready")
