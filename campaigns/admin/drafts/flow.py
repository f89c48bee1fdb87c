"""Where a draft stands: its file, the steps behind it and the one to take next."""

from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from campaigns.admin import shell
from campaigns.models import Campaign, Import
from campaigns.models.states import EDITABLE, ImportState

READING = frozenset({ImportState.QUEUED, ImportState.RUNNING})
STEPS = (
    ("draft_file", "File"),
    ("draft_columns", "Match columns"),
    ("draft_message", "Message"),
    ("draft_review", "Review"),
    ("draft_launch", "Launch"),
)


@dataclass(frozen=True)
class Step:
    number: int
    name: str
    url: str  # empty while it cannot be taken yet
    state: str  # done, current or ahead


def files(campaign: Campaign) -> list[Import]:
    """All files of a draft; their rows add up. The newest first."""
    return list(campaign.imports.select_related("campaign__account", "campaign__template").order_by("-id"))


def reach(sources: list[Import]) -> int:
    """The number of the furthest step that can be taken."""
    if not sources:
        return 1
    return 5 if any(source.state == ImportState.DONE and source.accepted for source in sources) else 2


def steps(campaign: Campaign | None, sources: list[Import], current: str) -> list[Step]:
    at = next(i for i, (route, _) in enumerate(STEPS, 1) if route == current)
    furthest = reach(sources) if campaign else 0
    return [_step(i, route, name, at, campaign if i <= furthest else None) for i, (route, name) in enumerate(STEPS, 1)]


def _step(i: int, route: str, name: str, at: int, campaign: Campaign | None) -> Step:
    url = reverse(f"admin:{route}", args=[campaign.pk]) if campaign and i != at else ""
    return Step(i, name, url, "current" if i == at else "done" if i < at else "ahead")


def next_url(campaign: Campaign) -> str:
    """Where to go on with a draft: from the list, or after a reload."""
    sources = files(campaign)
    route = {1: "draft_file", 2: "draft_columns"}.get(reach(sources), "draft_message")
    if sources and sources[0].state != ImportState.DONE:
        route = "draft_columns"
    return reverse(f"admin:{route}", args=[campaign.pk])


def on_draft(view: shell.View) -> shell.View:
    """Give the view its draft; a campaign that is none any more is shown on its own page instead."""

    @shell.needs("campaigns.add_campaign")
    @wraps(view)
    def opened(request: HttpRequest, pk: int, *args: Any, **kwargs: Any) -> HttpResponseBase:
        campaign = get_object_or_404(Campaign.objects.select_related("account", "template"), pk=pk)
        if campaign.state not in EDITABLE:
            messages.info(request, "This campaign was launched already, so it cannot be edited. Here is how it stands.")
            return redirect("admin:campaign", pk)
        return view(request, campaign, *args, **kwargs)

    return opened


def on_file(view: shell.View) -> shell.View:
    """As on_draft, with the file that ``?file=`` names, else the newest; without any the first step is shown."""

    @on_draft
    @wraps(view)
    def opened(request: HttpRequest, campaign: Campaign, *args: Any, **kwargs: Any) -> HttpResponseBase:
        sources = files(campaign)
        if not sources:
            messages.info(request, "This draft has no file yet: choose one to go on.")
            return redirect("admin:draft_file", campaign.pk)
        named = [source for source in sources if str(source.pk) == request.GET.get("file")]
        return view(request, campaign, (named or sources)[0], *args, **kwargs)

    return opened


def on_read_file(view: shell.View) -> shell.View:
    """As on_draft, once at least one usable row was read; until then the second step is shown."""

    @on_draft
    @wraps(view)
    def opened(request: HttpRequest, campaign: Campaign, *args: Any, **kwargs: Any) -> HttpResponseBase:
        sources = files(campaign)
        if reach(sources) < 3:
            messages.info(request, "First a file must be read and at least one of its rows be usable.")
            return redirect(next_url(campaign))
        return view(request, campaign, sources, *args, **kwargs)

    return opened


def render(
    request: HttpRequest, current: str, page: str, campaign: Campaign | None, sources: list[Import], **context: Any
) -> HttpResponse:
    return shell.render(
        request,
        page,
        shell.zone_of(campaign.account if campaign else None),
        title=campaign.name if campaign else "New campaign",
        campaign=campaign,
        files=sources,
        steps=steps(campaign, sources, current),
        **context,
    )
