"""Step 4: what the checks found, what it costs, when it goes out and when it is done."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.drafts import findings, flow
from campaigns.admin.words import span
from campaigns.models import Account, Campaign, Import, rowwise
from campaigns.models.states import ImportState
from campaigns.sending import schedule
from campaigns.sending.preflight import Preflight, preflight
from campaigns.text import window
from campaigns.text.cost import indian


class WallTimeField(forms.DateTimeField):
    """A date and time as some clocks show it, not yet an instant. One that names its offset is an instant as it is."""

    NO_OFFSET = ZoneInfo("UTC")

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self.NO_OFFSET):
            at: datetime | None = super().to_python(value)
        return at.replace(tzinfo=None) if at and at.tzinfo is self.NO_OFFSET else at


class ReviewForm(forms.Form):
    schedule_at = WallTimeField(
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": "Write a date and a time, such as 2026-11-30 10:00."},
    )
    accept = forms.BooleanField(required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    def clean_schedule_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["schedule_at"]
        try:
            return schedule.start(at, self.zone, timezone.now()) if at else None
        except schedule.Impossible as error:
            raise forms.ValidationError(str(error), error.code) from None


@flow.on_read_file
def review(request: HttpRequest, campaign: Campaign, sources: list[Import]) -> HttpResponse:
    zone = shell.zone_of(campaign.account)
    form = ReviewForm(shell.posted(request), initial={"schedule_at": campaign.schedule_at}, zone=zone)
    valid = request.method == "POST" and form.is_valid()
    if valid:
        campaign.schedule_at = form.cleaned_data["schedule_at"]
    report = preflight(campaign, request.user)
    if valid and not report.blocks(form.cleaned_data["accept"]):
        campaign.save(update_fields=["schedule_at"])
        audit.record("campaign.review", campaign, request=request)
        accepted = "?accept=yes" if form.cleaned_data["accept"] else ""
        return redirect(reverse("admin:draft_launch", args=[campaign.pk]) + accepted)
    if valid and not report.blocks(warnings_accepted=True):
        form.add_error("accept", "Tick this to go on, or mend what the warnings name.")
    return flow.render(
        request, "draft_review", "console/drafts/review.html", campaign, sources,
        form=form,
        unread=[source for source in sources if source.state in {ImportState.UPLOADED, ImportState.FAILED}],
        groups=findings.groups(report, shell.sees_numbers(request)),
        refused=findings.refused(report, shell.sees_numbers(request)),
        **shown(campaign, report, zone),
    )  # fmt: skip


def shown(campaign: Campaign, report: Preflight, zone: ZoneInfo) -> dict[str, Any]:
    levels = [finding.level for finding in report.findings]
    account = campaign.account
    rate = account.rate_per_minute
    return {
        "report": report,
        "errors": levels.count("error"),
        "warnings": levels.count("warning"),
        "units_each": f"{report.units / report.messages:.2f}" if report.messages else "0",
        "takes": f"about {span(timedelta(seconds=report.seconds))}" if report.seconds is not None else "no limit",
        "pace": f"{indian(rate)} requests a minute, 100 messages each" if rate else "as fast as Exotel answers",
        "finish": finish(campaign, report, zone),
        "hours": hours(account, campaign.template.category),
        "others": others(campaign),
    }


def hours(account: Account, category: str) -> str:
    if category != "promotional":
        return "any hour: not promotional"
    return f"{account.window_opens:%H:%M} to {account.window_closes:%H:%M} only, as promotional SMS must"


def finish(campaign: Campaign, report: Preflight, zone: ZoneInfo) -> str:
    """When sending is over at the account's rate; reports from handsets may take longer."""
    if report.seconds is None or not report.messages:
        return "–"
    account = campaign.account
    start = max(campaign.schedule_at or timezone.now(), timezone.now())
    if campaign.template.category == "promotional" and account.window_opens < account.window_closes:
        end = through_window(start, timedelta(seconds=report.seconds), account, zone)
    else:
        end = start + timedelta(seconds=report.seconds)
    planned = rowwise.planned(campaign.imports.filter(state=ImportState.DONE))
    end = max(end, datetime.fromtimestamp(planned.last, zone))
    return f"{end.astimezone(zone):%a %-d %b, %H:%M %Z}"


def others(campaign: Campaign) -> str:
    """The headers of rows that have their own."""
    files = campaign.imports.filter(state=ImportState.DONE)
    named = dict.fromkeys(sender for item in files for sender in item.rowwise.get("senders", []))
    return ", ".join(sender for sender in named if sender != campaign.sender)


def through_window(start: datetime, work: timedelta, account: Account, zone: ZoneInfo) -> datetime:
    """Work done only while the promotional hours are open, day after day."""
    at = window.next_opening(start, account.window_opens, account.window_closes, zone)
    while True:
        local = at.astimezone(zone)
        closes = window.resolve_local(datetime.combine(local.date(), account.window_closes), zone)
        if at + work <= closes:
            return at + work
        work -= closes - at
        at = window.next_opening(closes, account.window_opens, account.window_closes, zone)
