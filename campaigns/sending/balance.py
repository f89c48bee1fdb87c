"""What is left of an account's money: as a person told it, less what was sent since. Exotel has no address to ask."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from campaigns.models import QUARTER, Account, Campaign, Count, Import
from campaigns.models.states import LIVE, MAY_ARRIVE, CampaignState, ImportState, MessageState
from campaigns.text.cost import cost

UNWRITTEN = (CampaignState.SCHEDULED, CampaignState.LAUNCHING)  # launched, and not all messages are there


@dataclass(frozen=True, slots=True)
class Standing:
    told: Decimal
    at: datetime
    sent: Decimal  # since then
    waiting: Decimal  # what launched campaigns will still cost

    @property
    def left(self) -> Decimal:
        return self.told - self.sent - self.waiting


def tell(account: Account, amount: Decimal | None) -> None:
    """Keep what a person says the balance is just now; None when nobody knows it."""
    account.balance = amount
    account.balance_at = None if amount is None else timezone.now()
    account.balance_counted = _sent(account) if account.balance_at else Decimal(0)
    account.save(update_fields=["balance", "balance_at", "balance_counted"])


def standing(account: Account) -> Standing | None:
    """From counters; None when nobody has told the balance."""
    if account.balance is None or account.balance_at is None:
        return None
    sent = max(_sent(account) - account.balance_counted, Decimal(0))
    return Standing(account.balance, account.balance_at, sent, _waiting(account))


def _sent(account: Account) -> Decimal:
    """Of all that was handed over since the quarter of an hour in which the balance was told."""
    first = int(account.balance_at.timestamp()) // QUARTER if account.balance_at else 0
    rows = Count.objects.filter(campaign__account=account, quarter__gte=first, state__in=MAY_ARRIVE)
    kind: DecimalField = DecimalField(max_digits=8, decimal_places=4)
    rates = rows.annotate(rate=Coalesce("campaign__unit_cost", "campaign__account__cost_per_unit", output_field=kind))
    sums = rates.values_list("rate").annotate(Sum("units")).order_by()
    return sum((cost(units, rate) for rate, units in sums), Decimal(0))


def _waiting(account: Account) -> Decimal:
    live = Campaign.objects.filter(account=account, state__in=[*LIVE, *UNWRITTEN]).select_related("account", "template")
    campaigns = {campaign.pk: campaign for campaign in live}
    written = [pk for pk, campaign in campaigns.items() if campaign.state not in UNWRITTEN]
    unwritten = campaigns.keys() - written
    pending = Count.objects.filter(campaign__in=written, quarter=0, state=MessageState.PENDING)
    read = Import.objects.filter(campaign__in=unwritten, state=ImportState.DONE)
    sums = [
        *pending.values_list("campaign").annotate(Sum("units")).order_by(),
        *read.values_list("campaign").annotate(Sum("units")).order_by(),
    ]
    return sum((cost(units, campaigns[pk].rate) for pk, units in sums), Decimal(0))
