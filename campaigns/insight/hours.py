"""Messages that wait for an hour of their own: how many, until when. Their files have told it, or one look at an index."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, Import, rowwise
from campaigns.models.states import LIVE, ImportState
from campaigns.text.cost import indian


@dataclass(frozen=True, slots=True)
class Later:
    messages: int
    next: datetime
    last: datetime
    alone: bool  # nothing else of the campaign is to be sent now

    def sentence(self, zone: ZoneInfo) -> str:
        at = f"{self.next.astimezone(zone):%a %-d %b, %H:%M %Z}"
        if self.messages == 1:
            return f"1 message waits for its own hour: {at}"
        return f"{indian(self.messages)} messages wait for their own hours, the next at {at}"


def later(campaign: Campaign, now: datetime) -> Later | None:
    """What of a campaign is not due yet; None when nothing waits for its hour."""
    seconds = int(now.timestamp())
    if rowwise.last_due(campaign.snapshot) <= seconds or campaign.state not in LIVE:
        return None
    first = _first(campaign, due__gt=seconds)
    if first is None:
        return None
    files = Import.objects.filter(campaign=campaign.pk, state=ImportState.DONE)
    messages = max(rowwise.planned(files).after(seconds), 1)
    last = datetime.fromtimestamp(rowwise.last_due(campaign.snapshot), UTC)
    return Later(messages, datetime.fromtimestamp(first, UTC), last, _first(campaign, due__lte=seconds) is None)


def due_since(campaign: Campaign, now: datetime) -> datetime | None:
    """Since when the first of its waiting messages could have gone, as far as their hours say; None while none is due."""
    if not rowwise.by_hour(campaign.snapshot):
        return campaign.launched_at or now
    first = _first(campaign, due__lte=int(now.timestamp()))
    return None if first is None else datetime.fromtimestamp(first, UTC)


def _first(campaign: Campaign, **bounds: int) -> int | None:
    """The earliest hour within bounds that a message waits for."""
    found = (
        rowwise.waiting(campaign.pk, sender_no).filter(**bounds).order_by("due").values_list("due", flat=True).first()
        for sender_no in range(len(rowwise.senders(campaign.snapshot)))
    )
    return min((due for due in found if due is not None), default=None)
