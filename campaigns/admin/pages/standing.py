"""How one campaign stands, in the words and bars that the dashboard, the list and its own page share."""

from datetime import timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils import timezone

from campaigns.admin import outcomes
from campaigns.admin.outcomes import Outcome, Segment
from campaigns.admin.words import span
from campaigns.insight import counts
from campaigns.models import Campaign
from campaigns.models.states import CampaignState, Delivery, MessageState
from campaigns.text.cost import indian, percent


class Standing:
    """A campaign with its counts."""

    def __init__(self, campaign: Campaign, counted: counts.CampaignCounts, zone: ZoneInfo) -> None:
        self.campaign = campaign
        self.counts = counted
        self.zone = zone

    @cached_property
    def progress(self) -> counts.Progress:
        return counts.progress(self.campaign, self.counts)

    @cached_property
    def handed_over(self) -> int:
        state = self.counts.state
        return state[MessageState.ACCEPTED] + state[MessageState.REJECTED] + state[MessageState.UNCONFIRMED]

    @cached_property
    def waiting(self) -> int:
        return self.counts.state[MessageState.PENDING] + self.counts.state[MessageState.IN_FLIGHT]

    @cached_property
    def total(self) -> int:
        return self.counts.total

    @cached_property
    def failed(self) -> int:
        """Refused by Exotel or reported failed."""
        return self.counts.state[MessageState.REJECTED] + self.counts.delivery[Delivery.FAILED]

    @cached_property
    def arrived(self) -> int:
        return self.counts.delivery[Delivery.DELIVERED] + self.counts.delivery[Delivery.READ]

    @cached_property
    def final(self) -> int:
        """Messages whose fate is reported; what waits or is in doubt is not among them."""
        return self.arrived + self.counts.delivery[Delivery.AT_OPERATOR] + self.failed

    @property
    def parts(self) -> list[tuple[Outcome, int]]:
        delivery, dnd = self.counts.delivery, self.counts.dnd
        return [
            (outcomes.DELIVERED, self.arrived),
            (outcomes.AT_OPERATOR, delivery[Delivery.AT_OPERATOR]),
            (outcomes.DND, dnd),
            (outcomes.FAILED, self.failed - dnd),
            (outcomes.AWAITING, delivery[Delivery.AWAITING]),
            (outcomes.UNCONFIRMED, self.counts.state[MessageState.UNCONFIRMED]),
        ]

    @cached_property
    def segments(self) -> list[Segment]:
        return outcomes.segments(self.parts, self.total)

    @cached_property
    def label(self) -> str:
        """The bar in words, for those who do not see it."""
        words = [f"{indian(count)} {outcome.word.lower()}" for outcome, count in self.parts if count]
        return f"{indian(self.total)} messages: {', '.join(words) or 'none sent yet'}"

    @property
    def headline(self) -> str:
        return f"{indian(self.handed_over)} of {indian(self.total)} sent" if self.total else "Nothing sent yet"

    @property
    def percent(self) -> str:
        return percent(self.handed_over, self.total) if self.total else "0 %"

    @property
    def left(self) -> str:
        eta = self.progress.eta
        return span(max(eta - timezone.now(), timedelta())) if eta else ""

    @property
    def under(self) -> str:
        """One line on why it stands where it stands."""
        campaign = self.campaign
        if self.progress.held_up:
            return self.progress.held_up
        if campaign.state == CampaignState.RUNNING and self.progress.rate_per_minute:
            return f"{indian(round(self.progress.rate_per_minute))} a minute"
        if campaign.state == CampaignState.RUNNING and self.progress.later:
            return self.progress.later.sentence(self.zone)
        if campaign.state == CampaignState.SCHEDULED and campaign.schedule_at:
            return f"Starts {campaign.schedule_at.astimezone(self.zone):%a %-d %b, %H:%M %Z}"
        words = {
            CampaignState.RUNNING: "Waiting for its turn",
            CampaignState.LAUNCHING: "Its messages are being written",
            CampaignState.PAUSED: f"{indian(self.waiting)} messages wait until it is resumed",
        }
        return campaign.state_reason or words.get(CampaignState(campaign.state), "")
