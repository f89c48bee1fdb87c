"""Is anything wrong right now? Each alert says what happened, what was kept and where to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from campaigns.admin.pages import health
from campaigns.admin.words import count, span
from campaigns.insight import alerts as alerts_read
from campaigns.models import Account, AlertRule, Campaign
from campaigns.models.alert import STOPPED
from campaigns.models.states import CampaignState


@dataclass(frozen=True)
class Alert:
    level: str  # error, warning or unconfirmed: its colour
    title: str
    text: str
    url: str = ""
    link: str = ""


def alerts(account: Account | None, unconfirmed: int) -> list[Alert]:
    """All that needs attention, the worst first; so many messages of today are ``unconfirmed``."""
    now = timezone.now()
    doubt = _doubt(unconfirmed) if unconfirmed else ()
    return [*_worker(now), *_accounts(account), *_campaigns(account), *_raised(account), *doubt]


def _worker(now: datetime) -> Iterator[Alert]:
    beat = health.last_beat()
    if beat is None or now - beat > health.SILENT_AFTER:
        since = f"for {span(now - beat)}" if beat else "yet"
        yield Alert(
            "error",
            "Nothing is being sent or read.",
            f"The background worker has given no sign of life {since}. Nothing is lost: start it with "
            "“python manage.py run_worker” and everything goes on where it stopped.",
        )


def _accounts(account: Account | None) -> Iterator[Alert]:
    stopped = Account.objects.filter(stopped_at__isnull=False)
    for row in stopped.filter(pk=account.pk) if account else stopped:
        url = reverse("admin:campaigns_account_change", args=[row.pk])
        yield Alert(
            "error", f"Sending from {row.name} is stopped.", f"{row.stop_reason} Nothing is lost.", url, "Open the account"
        )


def _campaigns(account: Account | None) -> Iterator[Alert]:
    """Stopped campaigns, but for those that stand only because their account does."""
    stopped = Campaign.objects.filter(state=CampaignState.STOPPED, account__stopped_at=None)
    for row in stopped.filter(account=account) if account else stopped:
        url = reverse("admin:campaign", args=[row.pk])
        yield Alert("error", f"“{row.name}” stopped by itself.", row.state_reason, url, "See what to do")


def _raised(account: Account | None) -> Iterator[Alert]:
    """What the rules have raised and nobody has acknowledged; stops are told of above, with what to do."""
    for row in alerts_read.open_ones():
        about = row.account_id or (row.campaign.account_id if row.campaign else None)
        if row.kind == STOPPED or (account and about not in {None, account.pk}):
            continue
        name = f"{row.account.name}: " if row.account else ""
        title = AlertRule.Kind(row.kind).label if row.kind in AlertRule.Kind.values else row.get_level_display()
        yield Alert(row.level, f"{name}{title}.", row.text, reverse("admin:alerts"), "Look at it, acknowledge it")


def _doubt(unconfirmed: int) -> Iterator[Alert]:
    yield Alert(
        "unconfirmed",
        f"{count(unconfirmed, 'message')} of today {'is' if unconfirmed == 1 else 'are'} unconfirmed.",
        "Exotel did not answer in time, so nobody knows yet whether they went out. They are not sent again by "
        "themselves; a status report settles each of them.",
        reverse("admin:unconfirmed"),
        "See what is known",
    )
