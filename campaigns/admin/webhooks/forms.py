"""The forms of a webhook."""

from typing import Any

from django import forms
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from campaigns.hooks import addresses, desk
from campaigns.models import Account, Event, Webhook

KEEP = {0: "not at all: it ends now", 1: "for an hour", 24: "for a day", 168: "for a week"}
SINCE = {1: "the last hour", 24: "the last 24 hours", 0: "as long as they are kept"}
MORE = {
    Event.MESSAGE_FINAL: "message.final: up to 100 messages in one request",
    Event.CAMPAIGN_STATE: "campaign.state: launched, paused, stopped, finished …, with the reason",
    Event.ALERT: "alert: what the machine wants looked at",
}


class WebhookForm(forms.ModelForm):
    events = forms.MultipleChoiceField(
        label="What it is told", choices=[(event.value, MORE[event]) for event in Event],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "check-list"}), initial=Event.values,
        error_messages={"required": "Choose at least one."},
    )  # fmt: skip

    class Meta:
        model = Webhook
        fields = ["name", "url", "events", "account", "full_numbers", "enabled"]
        widgets = {
            "url": forms.TextInput(attrs={"placeholder": addresses.EXAMPLE, "inputmode": "url", "spellcheck": "false"})
        }
        help_texts = {
            "name": "What is told, such as billing system",
            "url": "https, and only to the public internet. Redirects are not followed.",
            "full_numbers": "Otherwise numbers are masked: +91 98••• ••670.",
        }

    def __init__(self, *args: Any, user: AbstractBaseUser | AnonymousUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            self.initial["events"] = Event.values
        self.fields["account"] = forms.ModelChoiceField(
            Account.objects.order_by("name"), required=False, empty_label="All accounts", label="Of which account"
        )
        if not user.has_perm("campaigns.see_numbers"):  # type: ignore[union-attr]
            self.fields["full_numbers"].disabled = True
            self.fields["full_numbers"].help_text = "Only whoever may see whole numbers can switch this on."

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            addresses.check_and_resolve(url)
        except addresses.Forbidden as why:
            raise forms.ValidationError(str(why)) from None
        return url

    def clean_events(self) -> list[str]:
        return desk.wanted(self.cleaned_data["events"])


class SecretForm(forms.Form):
    keep = forms.TypedChoiceField(
        label="The old secret goes on signing", coerce=int, initial=24,
        choices=[(hours, KEEP[hours]) for hours in desk.KEEP_HOURS],
        help_text="Meanwhile each request carries a signature of both, so the receiver can change over in its own time.",
    )  # fmt: skip


class ReplayForm(forms.Form):
    hours = forms.TypedChoiceField(coerce=int, choices=list(SINCE.items()))
