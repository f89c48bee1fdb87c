"""Retry failed: one press makes a draft of the failures that another try can help, and leads to its review."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.pages.campaign import opened
from campaigns.admin.words import count
from campaigns.sending import control, retry


@require_POST
@shell.needs("campaigns.add_campaign")
def retry_failed(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = opened(pk)
    try:
        made = retry.make(campaign, request.user)
    except control.Refused as refused:
        if refused.code == "spend_limit":
            audit.record("campaign.over_limit", campaign, request=request, retry=True)
        messages.error(request, str(refused))
        return redirect("admin:campaign", pk)
    audit.record(
        "campaign.retry", made.campaign, request=request,
        of=campaign.pk, recipients=made.recipients, units=made.units, cost=str(made.cost),
    )  # fmt: skip
    words = count(made.recipients, "failed message")
    messages.success(request, f"A draft with {words} is ready. Nothing is sent before you launch it.")
    return redirect("admin:draft_review", made.campaign.pk)
