"""The decision to send doubtful messages again: said plainly, typed, with a reason, audited."""

import re
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from campaigns import audit, bulk
from campaigns.admin import shell
from campaigns.admin.pages.campaign import opened
from campaigns.admin.words import count
from campaigns.insight import doubts
from campaigns.models import Campaign, Message
from campaigns.models.states import HELD
from campaigns.sending import control
from campaigns.sending.resend import MOST, LeftOut, Resent, resend, sort_out
from campaigns.text.cost import cost, indian

SHOWN = 5  # of those left out, with their reasons


class ResendForm(forms.Form):
    ids = forms.CharField(widget=forms.HiddenInput, max_length=20 * MOST)
    reason = forms.CharField(
        label="Why they are sent again", max_length=200, min_length=3,
        help_text="Kept in the audit trail with your name.",
    )  # fmt: skip
    typed = forms.CharField(
        label="Type the number of messages", max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, expected: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.fields["typed"].help_text = f"{indian(expected)}, because each of them may arrive twice."

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if re.sub(r"[\s,.]", "", typed) != str(self.expected):
            raise forms.ValidationError(f"Type {indian(self.expected)}, the number of messages. Nothing was sent.")
        return typed


@shell.needs("campaigns.launch_campaign")
def decide(request: HttpRequest) -> HttpResponseBase:
    """The question on GET, the decision on POST; the messages are those that the question was asked about."""
    wanted = _posted(request) if request.method == "POST" else _asked(request)
    first = Message.objects.filter(pk__in=wanted[:1]).first()
    if first is None:
        raise Http404
    campaign = opened(first.campaign_id)
    fit, left_out = sort_out(campaign.pk, wanted)
    ids = wanted if request.method == "POST" else [message.pk for message in fit]
    form = ResendForm(shell.posted(request), initial={"ids": ",".join(map(str, ids))}, expected=len(ids))
    if request.method == "POST" and form.is_valid():
        return _resend(request, campaign, ids, form.cleaned_data["reason"])
    if request.method != "POST" and not fit:
        messages.error(request, f"Nothing was sent again. {left_out[0].why}")
        return redirect("admin:unconfirmed")
    return shell.render(
        request,
        "console/unconfirmed/resend.html",
        shell.zone_of(campaign.account),
        title="Send again",
        form=form,
        campaign=campaign,
        total=len(ids),
        left_out=left_out[:SHOWN],
        left_out_more=max(len(left_out) - SHOWN, 0),
        units=sum(message.units for message in fit),
        cost=cost(sum(message.units for message in fit), campaign.rate),
        back=f"{reverse('admin:unconfirmed')}?campaign={campaign.pk}",
    )


def _posted(request: HttpRequest) -> list[int]:
    """The messages that the form was about."""
    found = request.POST.get("ids", "").split(",")
    if not all(text.isascii() and text.isdecimal() and len(text) < 19 for text in found) or len(found) > MOST:
        raise Http404
    return sorted({int(text) for text in found})


def _asked(request: HttpRequest) -> list[int]:
    """One message, or all doubtful ones of a request."""
    if message := shell.asked_id(request, "message"):
        return [message]
    try:
        return doubts.unconfirmed_of(UUID(hex=shell.asked(request, "request", 32)))
    except ValueError:
        raise Http404 from None


def _resend(request: HttpRequest, campaign: Campaign, ids: list[int], reason: str) -> HttpResponse:
    try:
        with bulk.transaction():
            done = resend(campaign, ids)
            audit.record("campaign.resend", campaign, request=request, reason=reason, **done.for_audit())
    except control.Refused as refused:
        messages.error(request, str(refused))
        return redirect("admin:unconfirmed")
    campaign.refresh_from_db()
    messages.success(request, _said(campaign, done))
    return redirect("admin:campaign", campaign.pk)


def _said(campaign: Campaign, done: Resent) -> str:
    sentences = [f"{count(len(done.new), 'message')} will be sent again as new messages."]
    if campaign.state in HELD:
        sentences.append(f"The campaign is {campaign.get_state_display().lower()}: they wait until it is resumed.")
    return " ".join([*sentences, *_left_out(done.left_out)])


def _left_out(left_out: list[LeftOut]) -> list[str]:
    if not left_out:
        return []
    return [f"{count(len(left_out), 'message')} left out.", *dict.fromkeys(one.why for one in left_out[:SHOWN])]
