"""Step 5: the button. One launch, however often it is pressed."""

import re
import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.drafts import flow
from campaigns.admin.drafts.review import others
from campaigns.audience.planned import LATER
from campaigns.models import Campaign, Import, SpendLimit
from campaigns.sending import control, spending
from campaigns.sending.launch import Blocked, launch
from campaigns.sending.preflight import preflight
from campaigns.text.cost import indian

TYPED_ABOVE = 1_000  # messages: from here on the number must be typed


class LaunchForm(forms.Form):
    key = forms.CharField(max_length=80)
    accept = forms.BooleanField(required=False)
    typed = forms.CharField(required=False, max_length=20)

    def __init__(self, *args: Any, expected: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if self.expected > TYPED_ABOVE and re.sub(r"[\s,.]", "", typed) != str(self.expected):
            raise forms.ValidationError(
                f"This campaign has {indian(self.expected)} messages: type that number to launch it."
            )
        return typed


@flow.on_read_file
def launch_step(request: HttpRequest, campaign: Campaign, sources: list[Import]) -> HttpResponseBase:
    report = preflight(campaign, request.user)
    fresh = {"key": secrets.token_urlsafe(16), "accept": request.GET.get("accept") == "yes"}
    form = LaunchForm(shell.posted(request), initial=fresh, expected=report.messages)
    findings = [finding for finding in report.findings if finding.level == "error"]
    if request.method == "POST" and form.is_valid():
        try:
            return _launch(request, campaign, form)
        except Blocked as blocked:
            if blocked.over_limit:
                audit.record("campaign.over_limit", campaign, request=request, cost=str(blocked.report.cost))
            findings = [finding for finding in blocked.report.findings if finding.level != "info"]
            form.add_error(None, f"{blocked} Nothing was launched; the draft is kept.")
    return flow.render(
        request, "draft_launch", "console/drafts/launch.html", campaign, sources,
        form=form,
        report=report,
        findings=findings,
        typed=report.messages > TYPED_ABOVE,
        typed_above=TYPED_ABOVE,
        recent=sum(source.recent for source in sources),
        others=others(campaign),
        by_hour=next((finding for finding in report.findings if finding.code == LATER), None),
        spending=_spending(request, campaign),
        start_words=_start_words(campaign),
    )  # fmt: skip


def _spending(request: HttpRequest, campaign: Campaign) -> str:
    """What a person with a limit has spent; empty for others."""
    user = request.user
    if not isinstance(user, User) or not SpendLimit.objects.filter(user=user).exists():
        return ""
    return spending.sentence(user, campaign.account)


def _start_words(campaign: Campaign) -> str:
    if not campaign.schedule_at or campaign.schedule_at <= timezone.now():
        return "starting now"
    return f"starting {campaign.schedule_at.astimezone(shell.zone_of(campaign.account)):%a %-d %b %Y, %H:%M %Z}"


@shell.needs("campaigns.launch_campaign")
def _launch(request: HttpRequest, campaign: Campaign, form: LaunchForm) -> HttpResponse:
    """Launch and show the campaign; a second press with the same key only shows it. Raises Blocked."""
    accept, key = form.cleaned_data["accept"], form.cleaned_data["key"]
    try:
        did = launch(campaign, request.user, accept_warnings=accept, key=key)
    except control.Refused as refused:
        messages.error(request, str(refused))
        return redirect("admin:campaign", campaign.pk)
    if did:
        audit.record("campaign.launch", campaign, request=request, messages=form.expected, warnings_accepted=accept)
        messages.success(request, "Scheduled." if campaign.schedule_at else "Launched. This page keeps itself up to date.")
    return redirect("admin:campaign", campaign.pk)
