"""One campaign: what happened to these people, and what can be done about it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from campaigns.admin import charts, shell
from campaigns.admin.drafts import flow
from campaigns.admin.pages import clicks, message_list
from campaigns.admin.pages.attempts import last_attempts
from campaigns.admin.pages.standing import Standing
from campaigns.admin.tiles import Tile, delivered_share
from campaigns.admin.words import count
from campaigns.insight import counts, estimate, failures, family, series
from campaigns.models import Campaign, rowwise
from campaigns.models.states import CAMPAIGN_EDGES, ENDED, CampaignState, Delivery, MessageState
from campaigns.sending import retry
from campaigns.text import languages
from campaigns.text.cost import indian, rupees

FAST, SLOW = 2, 15  # seconds between refreshes: while it is sent or reports pour in, and while late ones are awaited
POURING = timedelta(minutes=15)  # after the last request
STOP_POLLING = 286  # htmx's status for "this is the last answer"
MOVING = frozenset({CampaignState.LAUNCHING, CampaignState.RUNNING})
LISTED = 8  # headers that are named
STALE = timedelta(days=3)  # after that nobody waits for reports on the page


def opened(pk: int) -> Campaign:
    related = Campaign.objects.select_related("account", "template", "created_by", "launched_by")
    return get_object_or_404(related, pk=pk)


@shell.needs("campaigns.view_campaign")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    campaign = opened(pk)
    if campaign.state == CampaignState.DRAFT:
        return redirect(flow.next_url(campaign))
    failed = failures.failures(campaign=campaign)
    return shell.render(
        request,
        "console/campaign/page.html",
        shell.zone_of(campaign.account),
        title=campaign.name,
        **figures(request, campaign, failed),
        **message_list.context(request, campaign, failed),
        attempts=last_attempts(campaign),
        tries=family.reach(campaign),
        facts=facts(campaign),
        files=campaign.imports.order_by("id"),
    )


@shell.needs("campaigns.view_campaign")
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The part of the page that changes; the last answer tells htmx to stop asking."""
    campaign = opened(pk)
    if campaign.state == CampaignState.DRAFT:
        raise Http404
    context = figures(request, campaign, failures.failures(campaign=campaign), retry.CHEAP)
    status = 200 if context["every"] else STOP_POLLING
    return shell.render(request, "console/campaign/_live.html", shell.zone_of(campaign.account), status, **context)


@shell.needs("campaigns.view_campaign")
def message_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The page of messages that is shown, as it stands now."""
    campaign = opened(pk)
    every = refresh(campaign, counts.for_campaign(campaign))
    context = message_list.context(request, campaign, [])
    status = 200 if every else STOP_POLLING
    return shell.render(
        request, "console/campaign/_message_list.html", shell.zone_of(campaign.account), status,
        campaign=campaign, every=every, **context,
    )  # fmt: skip


@shell.needs("campaigns.view_campaign")
def attempt_rows(request: HttpRequest, pk: int) -> HttpResponse:
    """The last requests, as they stand now."""
    campaign = opened(pk)
    every = refresh(campaign, counts.for_campaign(campaign))
    status = 200 if every else STOP_POLLING
    return shell.render(
        request, "console/campaign/_attempts.html", shell.zone_of(campaign.account), status,
        campaign=campaign, every=every, attempts=last_attempts(campaign),
    )  # fmt: skip


def figures(
    request: HttpRequest, campaign: Campaign, failed: list[failures.Failure], most: int | None = None
) -> dict[str, Any]:
    counted = counts.for_campaign(campaign)
    zone = shell.zone_of(campaign.account)
    standing = Standing(campaign, counted, zone)
    return {
        "campaign": campaign,
        "may_steer": request.user.has_perm("campaigns.launch_campaign"),
        "can_cancel": campaign.state in CAMPAIGN_EDGES[CampaignState.CANCELLED],
        "every": refresh(campaign, counted),
        "sub": sub(campaign, zone),
        "waiting": standing.waiting,
        "headline": standing.headline,
        "pace": pace(standing),
        "segments": standing.segments,
        "bar_label": standing.label,
        "unsent": unsent(counted),
        "tiles": tiles(standing, failed),
        "counted": counted,
        "estimate": estimate.estimate(campaign, counted),
        "chart": chart(campaign, zone),
        "failures": failed,
        "clicks": clicks.card(campaign, standing.arrived, zone),
        "retry": retry.outlook(campaign, most),
    }


def refresh(campaign: Campaign, counted: counts.CampaignCounts) -> int:
    """Seconds until the page asks again; 0 when nothing can change any more but by a late report."""
    if campaign.state in MOVING:
        return FAST
    if campaign.state not in ENDED:
        return SLOW
    awaited = counted.delivery[Delivery.AWAITING] or counted.state[MessageState.UNCONFIRMED]
    age = timezone.now() - (campaign.finished_at or campaign.created_at)
    if not awaited or age > STALE:
        return 0
    return FAST if age < POURING else SLOW


def sub(campaign: Campaign, zone: ZoneInfo) -> str:
    snapshot, template = campaign.snapshot, campaign.template
    words = [
        campaign.get_channel_display(),
        f"template “{snapshot.get('template', template.name)}” v{snapshot.get('version', template.version)}",
        f"header {snapshot.get('sender', campaign.sender)}",
    ]
    if campaign.launched_at:
        by = f" by {campaign.launched_by.get_username()}" if campaign.launched_by else ""
        words.append(f"launched {_when(campaign.launched_at, zone)}{by}")
    return " · ".join(words)


def _when(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    today = local.date() == timezone.now().astimezone(zone).date()
    return f"{local:%H:%M %Z}" if today else f"{local:%-d %b %Y, %H:%M %Z}"


def pace(standing: Standing) -> str:
    campaign, progress = standing.campaign, standing.progress
    if campaign.state == CampaignState.RUNNING and progress.rate_per_minute:
        words = f"{indian(round(progress.rate_per_minute))} a minute"
        words = f"{words} · done about {_when(progress.eta, standing.zone)}" if progress.eta else words
        return f"{words} · {progress.later.sentence(standing.zone)}" if progress.later else words
    if campaign.finished_at:
        return f"{campaign.get_state_display().lower()} {_when(campaign.finished_at, standing.zone)}"
    return standing.under if campaign.state != CampaignState.STOPPED else ""


def unsent(counted: counts.CampaignCounts) -> list[tuple[str, int]]:
    """What has no outcome because it was not handed over."""
    states = (
        (MessageState.PENDING, "Waiting"),
        (MessageState.IN_FLIGHT, "Being sent"),
        (MessageState.SUPPRESSED, "Suppressed"),
        (MessageState.CANCELLED, "Cancelled"),
    )
    return [(word, counted.state[state]) for state, word in states if counted.state[state]]


def tiles(standing: Standing, failed: list[failures.Failure]) -> list[Tile]:
    counted = standing.counts
    retryable = sum(failure.count for failure in failed if failure.retryable)
    billed = counted.state[MessageState.ACCEPTED] + counted.state[MessageState.UNCONFIRMED]
    units = f"{indian(counted.units)} units" + (f" · {counted.units / billed:.2f} a message" if billed else "")
    doubt = counted.state[MessageState.UNCONFIRMED]
    return [
        delivered_share(standing.arrived, counted.delivery[Delivery.AT_OPERATOR], standing.final),
        Tile(
            "Failed",
            indian(standing.failed),
            f"{indian(retryable)} may be sent again later" if standing.failed else "none so far",
        ),
        Tile("Cost so far", rupees(counted.cost), units),
        Tile("Awaiting a report", indian(counted.delivery[Delivery.AWAITING]), f"{indian(doubt)} unconfirmed"),
    ]


def chart(campaign: Campaign, zone: ZoneInfo) -> charts.Chart:
    """By hour from its launch on, by day when it took more than two days."""
    hour = timedelta(hours=1)
    start = (campaign.launched_at or campaign.created_at).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    end = campaign.finished_at or timezone.now()
    end = max(end.astimezone(zone).replace(minute=0, second=0, microsecond=0) + hour, start + 12 * hour)
    if end - start <= timedelta(days=2):
        return charts.stacked(series.series(start, end, "hour", zone, campaign=campaign), "hour")
    first = start.replace(hour=0)
    return charts.stacked(series.series(first, end, "day", zone, campaign=campaign), "day")


def facts(campaign: Campaign) -> list[tuple[str, str]]:
    """What the launch fixed once and for all; later edits of template or account change nothing."""
    zone, snapshot = shell.zone_of(campaign.account), campaign.snapshot
    who = campaign.launched_by.get_username() if campaign.launched_by else "command line or API"
    rows = [
        ("Launched", f"{_when(campaign.launched_at, zone)} by {who}" if campaign.launched_at else "not yet"),
        ("Account", f"{campaign.account.name} ({campaign.account.account_sid})"),
        ("Template", _template(campaign)),
        ("Sent as", _listed(rowwise.senders(snapshot))),
        ("Own hours", _until(snapshot, zone)),
        ("Languages", _listed([languages.name(tag) for tag in rowwise.languages(snapshot) if tag])),
        ("Kind", str(snapshot.get("category", "")).replace("_", " ")),
        ("DLT template", str(snapshot.get("dlt_template_id", ""))),
        ("DLT entity", str(snapshot.get("dlt_entity_id", ""))),
        ("Short links", _short_links(snapshot)),
        ("Left out", _left_out(campaign)),
        ("Rupees a unit", str(snapshot.get("cost_per_unit", ""))),
    ]
    return [(name, value) for name, value in rows if value]


def _template(campaign: Campaign) -> str:
    """Its name and the version that was launched, which stays to be looked up."""
    version = campaign.snapshot.get("version", 0)
    address = f"{reverse('admin:template_versions', args=[campaign.template_id])}?up_to={version}#version-{version}"
    return format_html('{} <a href="{}">version {}</a>', campaign.snapshot.get("template", ""), address, version)


def _left_out(campaign: Campaign) -> str:
    days = campaign.snapshot.get("skip_recent_days", 0)
    return f"people who got a message from {campaign.account.name} in the last {count(days, 'day')}" if days else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def _until(snapshot: dict[str, Any], zone: ZoneInfo) -> str:
    due = rowwise.last_due(snapshot)
    return f"the last until {_when(datetime.fromtimestamp(due, zone), zone)}" if due else ""


def _short_links(snapshot: dict[str, Any]) -> str:
    return f"by {snapshot['short_domain'] or 'exo.tl'}, clicks counted" if "short_domain" in snapshot else ""
