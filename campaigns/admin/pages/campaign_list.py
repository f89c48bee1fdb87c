"""All campaigns, newest first, with how each one stands."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from campaigns.admin import outcomes, shell
from campaigns.admin.outcomes import Segment
from campaigns.admin.pages.standing import Standing
from campaigns.insight import counts
from campaigns.models import Campaign
from campaigns.models.states import CampaignState
from campaigns.text.cost import indian, percent

SIZE = 25


@dataclass(frozen=True)
class Row:
    campaign: Campaign
    url: str
    under: str
    nothing: str  # in place of the bar while there are no messages
    total: int
    segments: list[Segment]
    label: str
    delivered: str
    failed: str


@shell.needs("campaigns.view_campaign")
def campaign_list(request: HttpRequest) -> HttpResponse:
    filters = {"q": shell.asked(request, "q"), "state": shell.asked(request, "state")}
    campaigns, newer, older = _page(_chosen(filters), shell.asked_id(request, "before"), shell.asked_id(request, "after"))
    counted = counts.for_campaigns(campaigns)
    return shell.render(
        request,
        "console/campaigns.html",
        title="Campaigns",
        rows=[row(campaign, counted[campaign.pk]) for campaign in campaigns],
        filters=filters,
        filtered=any(filters.values()),
        states=CampaignState.choices,
        outcomes=outcomes.ALL,
        newer=_link(filters, newer),
        older=_link(filters, older),
    )


def _chosen(filters: dict[str, str]) -> QuerySet[Campaign]:
    campaigns = Campaign.lists.select_related("account", "template", "created_by", "launched_by")
    if filters["q"]:
        campaigns = campaigns.filter(name__icontains=filters["q"])
    if filters["state"]:
        campaigns = campaigns.filter(state=filters["state"])
    return campaigns


def _page(campaigns: QuerySet[Campaign], before: int, after: int) -> tuple[list[Campaign], dict[str, int], dict[str, int]]:
    """A page by id, without counting: the rows and what leads to the newer and the older ones."""
    if after:
        found = list(campaigns.filter(pk__gt=after).order_by("pk")[: SIZE + 1])
        more_newer, more_older, rows = len(found) > SIZE, True, found[:SIZE][::-1]
    else:
        begun = campaigns.filter(pk__lt=before) if before else campaigns
        found = list(begun.order_by("-pk")[: SIZE + 1])
        more_newer, more_older, rows = bool(before), len(found) > SIZE, found[:SIZE]
    newer = {"after": rows[0].pk} if rows and more_newer else {}
    older = {"before": rows[-1].pk} if rows and more_older else {}
    return rows, newer, older


def _link(filters: dict[str, str], cursor: dict[str, int]) -> str:
    query: dict[str, Any] = {name: value for name, value in filters.items() if value}
    return f"?{urlencode({**query, **cursor})}" if cursor else ""


def row(campaign: Campaign, counted: counts.CampaignCounts) -> Row:
    standing = Standing(campaign, counted, shell.zone_of(campaign.account))
    return Row(
        campaign=campaign,
        url=reverse("admin:campaign", args=[campaign.pk]),
        under=_under(standing),
        nothing="" if standing.total else _nothing(standing),
        total=standing.total,
        segments=standing.segments,
        label=standing.label,
        delivered=percent(standing.arrived, standing.final) if standing.final else "–",
        failed=indian(standing.failed) if standing.total else "–",
    )


def _nothing(standing: Standing) -> str:
    return "Go on with this draft" if standing.campaign.state == CampaignState.DRAFT else standing.under


def _under(standing: Standing) -> str:
    campaign = standing.campaign
    at = campaign.launched_at or campaign.created_at
    verb = "launched" if campaign.launched_at else "drafted"
    who = campaign.launched_by or campaign.created_by
    by = f" by {who.get_username()}" if who else ""
    return f"{campaign.template.name} · {verb} {at.astimezone(standing.zone):%-d %b %Y, %H:%M %Z}{by}"
