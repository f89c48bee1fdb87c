"""The home page: is anything wrong now, how did today go, what is running, why did messages fail."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from campaigns.admin import charts, period, shell
from campaigns.admin.pages import alerts
from campaigns.admin.pages.standing import Standing
from campaigns.admin.tiles import Tile, delivered_share
from campaigns.insight import counts, failures, series
from campaigns.models import Account, Campaign, Template
from campaigns.models.states import LIVE, CampaignState
from campaigns.text.cost import indian, rupees

FAST, CALM, SLOW = 4, 10, 30  # seconds between refreshes: while something runs, while reports are awaited, and else
ORDER = ["stopped", "running", "launching", "paused", "scheduled"]  # of "Running now"
MOVING = frozenset({CampaignState.LAUNCHING, CampaignState.RUNNING})
SHOWN = 8  # campaigns in "Running now", codes in "Why messages failed"


@dataclass(frozen=True)
class Choice:
    name: str
    url: str
    current: bool


@dataclass(frozen=True)
class FirstStep:
    name: str
    help: str
    action: str
    done: bool
    url: str  # empty when the reader may not do it
    now: bool


@shell.needs("campaigns.view_campaign")
def dashboard(request: HttpRequest) -> HttpResponse:
    accounts = list(Account.objects.order_by("name"))
    account = next((row for row in accounts if str(row.pk) == request.GET.get("account")), None)
    zone = _zone(account, accounts)
    template = "console/_dashboard_live.html" if shell.is_fragment(request) else "console/dashboard.html"
    return shell.render(
        request, template, zone, title="Today", accounts=accounts, account=account, **_figures(request, account, zone)
    )


def _zone(account: Account | None, accounts: list[Account]) -> ZoneInfo:
    """The account's; of several accounts theirs when they agree, else the installation's."""
    zones = {row.time_zone for row in ([account] if account else accounts)}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else shell.default_zone()


def _figures(request: HttpRequest, account: Account | None, zone: ZoneInfo) -> dict[str, Any]:
    span = period.read(request.GET, zone)
    start, now = period.today(zone)
    today = series.totals(start, now, account=account)
    running = running_now(account, zone)
    moving = any(row.campaign.state in MOVING for row in running)
    return {
        "alerts": alerts.alerts(account, today.unconfirmed),
        "first_steps": first_steps(request),
        "tiles": tiles(today),
        "period": span,
        "choices": choices(account, span),
        "chart": charts.stacked(series.series(span.start, span.end, span.by, zone, account=account), span.by),
        "running": running,
        "failures": failures.failures(account=account, start=span.start, end=span.end)[:SHOWN],
        "every": FAST if moving else CALM if today.awaiting else SLOW,
    }


def tiles(today: series.Totals) -> list[Tile]:
    parts = [f"{indian(today.dnd)} do not disturb", f"{indian(today.dlt)} DLT"]
    return [
        Tile("Sent today", indian(today.sent), f"{indian(today.units)} units · {rupees(today.cost)}"),
        delivered_share(today.delivered, today.at_operator, today.final),
        Tile("Failed", indian(today.failed + today.dnd), " · ".join(parts)),
        Tile("Awaiting a report", indian(today.awaiting), f"{indian(today.unconfirmed)} unconfirmed"),
    ]


def choices(account: Account | None, shown: period.Period) -> list[Choice]:
    kept = {"account": account.pk} if account else {}
    return [
        Choice(name, f"?{urlencode({**kept, 'range': key})}", key == shown.key)
        for key, name in (("24h", "24 h"), ("7d", "7 days"), ("30d", "30 days"))
    ]


def running_now(account: Account | None, zone: ZoneInfo) -> list[Standing]:
    live = Campaign.lists.select_related("account", "template").filter(state__in=[*LIVE, CampaignState.SCHEDULED])
    found = (live.filter(account=account) if account else live).order_by("-id")[:SHOWN]
    campaigns = sorted(found, key=lambda campaign: ORDER.index(campaign.state))
    counted = counts.for_campaigns(campaigns)
    return [Standing(campaign, counted[campaign.pk], zone) for campaign in campaigns]


def first_steps(request: HttpRequest) -> list[FirstStep]:
    """What is still to be done before the first campaign; empty once one was launched."""
    if Campaign.objects.exclude(state=CampaignState.DRAFT).exists():
        return []
    plan = (
        ("Connect an Exotel account", "Its Sid, API key and token, from Exotel's API settings page.", "Add an account",
         Account.objects.exists(), "campaigns_account_add", "campaigns.add_account"),
        ("Add a template", "The text as it was approved on the DLT platform, with its ids.", "Add a template",
         Template.objects.exists(), "campaigns_template_add", "campaigns.add_template"),
        ("Prepare a campaign", "Upload a CSV or Excel file, match columns, look at the messages, launch.", "New campaign",
         False, "draft_new", "campaigns.add_campaign"),
    )  # fmt: skip
    now = next(i for i, row in enumerate(plan) if not row[3])
    return [
        FirstStep(name, text, action, done, reverse(f"admin:{route}") if request.user.has_perm(permission) else "", i == now)
        for i, (name, text, action, done, route, permission) in enumerate(plan)
    ]
