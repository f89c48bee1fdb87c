"""Pause, resume, cancel: each asked for by POST, audited, and refused with a sentence when it cannot be."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.pages.campaign import opened
from campaigns.models import Campaign
from campaigns.sending import control

VERBS: dict[str, tuple[Callable[[Campaign], None], str]] = {
    "pause": (control.pause, "Paused. Requests on the wire finish, nothing new is begun; resume whenever you like."),
    "resume": (control.resume, "Resumed. Messages go out again in their order."),
    "cancel": (
        control.cancel,
        "Cancelled. What was not handed over yet will not be sent; reports for the rest still come in.",
    ),
}


@require_POST
@shell.needs("campaigns.launch_campaign")
def steer(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    if verb not in VERBS:
        raise Http404
    act, done = VERBS[verb]
    campaign = opened(pk)
    try:
        act(campaign)
    except control.Refused as refused:
        messages.error(request, str(refused))
    else:
        audit.record(f"campaign.{verb}", campaign, request=request)
        messages.success(request, done)
    return redirect("admin:campaign", pk)
