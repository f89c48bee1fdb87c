"""Which rows of a draft a finding about hours means: those whose own hour is over, is to come, or is outside the window."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from campaigns.models import Campaign, Import, Template
from campaigns.text import window
from campaigns.text.moments import Planned

PAST, LATER, OUTSIDE = "ROWS_PAST_HOUR", "ROWS_BY_HOUR", "ROWS_OUTSIDE_WINDOW"
CODES = frozenset({PAST, LATER, OUTSIDE})


def counted(source: Import) -> int:
    """Rows of the file with an hour of their own."""
    return Planned(source.rowwise.get("planned")).total


def chooser(campaign: Campaign, code: str) -> Callable[[int], bool]:
    """Whether a row that is due then, in seconds since 1970, is one that the code means."""
    account, zone = campaign.account, ZoneInfo(campaign.account.time_zone)
    start = max(campaign.schedule_at or timezone.now(), timezone.now()).timestamp()
    if code == PAST:
        return lambda due: due <= start
    if code == LATER:
        return lambda due: due > start
    held = campaign.template.category == Template.Category.PROMOTIONAL and account.window_opens < account.window_closes

    def outside(due: int) -> bool:
        at = datetime.fromtimestamp(due, UTC)
        return held and due > start and not window.is_open(at, account.window_opens, account.window_closes, zone)

    return outside
