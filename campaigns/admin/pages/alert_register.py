"""What the machine wants looked at: the open alerts, then those that were closed, and by whom."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.words import count
from campaigns.insight import alerts
from campaigns.models import Alert, AlertRule
from campaigns.models.alert import STOPPED

RULES = {*AlertRule.Kind.values} - {STOPPED}
ITSELF = "over by itself"  # resumed, cancelled or mended: nobody pressed Acknowledge


@dataclass(frozen=True)
class Row:
    alert: Alert
    kind: str  # of what it is about
    name: str
    url: str
    closed_by: str
    what: str = ""  # the rule that raised it


@shell.needs("campaigns.view_campaign")
def page(request: HttpRequest) -> HttpResponse:
    waiting = alerts.open_ones()
    return shell.render(
        request,
        "console/alerts.html",
        title="Alerts",
        subtitle=f"{count(len(waiting), 'open alert')}" if waiting else "",
        open=[_row(alert) for alert in waiting],
        closed=[_row(alert) for alert in alerts.closed_ones()],
        most=alerts.CLOSED,
        may_acknowledge=request.user.has_perm("campaigns.launch_campaign"),
    )


@require_POST
@shell.needs("campaigns.launch_campaign")
def acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    alert = get_object_or_404(Alert, pk=pk)
    if alert.acknowledge(request.user):
        audit.record("alert.acknowledge", alert, request=request, matter=alert.matter)
        messages.success(request, "Acknowledged. What it is about stands as it stood.")
    else:
        messages.info(request, "This alert was closed already.")
    return redirect("admin:alerts")


def _row(alert: Alert) -> Row:
    closed_by = alert.closed_by.get_username() if alert.closed_by else ITSELF
    what = AlertRule.Kind(alert.kind).label if alert.kind in RULES else ""
    if alert.campaign:
        url = reverse("admin:campaign", args=[alert.campaign.pk])
        return Row(alert, "Campaign", alert.campaign.name, url, closed_by, what)
    if alert.account:
        url = reverse("admin:campaigns_account_change", args=[alert.account.pk])
        return Row(alert, "Account", alert.account.name, url, closed_by, what)
    if alert.webhook:
        return Row(alert, "Webhook", alert.webhook.name, reverse("admin:webhook", args=[alert.webhook.pk]), closed_by, what)
    return Row(alert, "", "All accounts", "", closed_by, what)
