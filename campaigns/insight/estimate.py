"""What a campaign was thought to cost before its launch, against what Exotel's reports say of it afterwards.

A message's units are our estimate until a report brings Exotel's own count, so the two differ by what reports changed and
by messages sent a second time. From counters and imports alone: the same work for any size.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from campaigns.insight.counts import CampaignCounts
from campaigns.models import Campaign, Import
from campaigns.models.states import BILLABLE, ImportState
from campaigns.text.cost import cost


@dataclass(frozen=True, slots=True)
class Estimate:
    messages: int
    units: int  # of all messages
    cost: Decimal
    units_due: int  # of those that were or may have been handed over: what the actual units are to be held against
    cost_due: Decimal
    difference: int  # actual units less those
    cost_difference: Decimal


def estimate(campaign: Campaign, counted: CampaignCounts) -> Estimate:
    read = Import.objects.filter(campaign=campaign, state=ImportState.DONE).aggregate(m=Sum("accepted"), u=Sum("units"))
    messages, units, rate = read["m"] or 0, read["u"] or 0, campaign.rate
    # Messages that wait, or were never handed over, have their estimate for units; some may not be written yet.
    due = max(units - counted.unbilled_units, 0) if any(counted.state[word] for word in BILLABLE) else 0
    difference = counted.units - due
    return Estimate(messages, units, cost(units, rate), due, cost(due, rate), difference, cost(difference, rate))
