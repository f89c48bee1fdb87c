"""Whether there is money for a campaign: on the account, and of what the person may spend."""

from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

from campaigns.models import Campaign
from campaigns.sending import balance, spending
from campaigns.text.cost import exact
from campaigns.text.dlt import Finding


def findings(campaign: Campaign, price: Decimal, user: object) -> Iterator[Finding]:
    yield from spending.findings(campaign, price, user)
    if not campaign.single:  # nobody reads a warning about it, and each would sum up the counters anew
        yield from _balance(campaign, price)


def _balance(campaign: Campaign, price: Decimal) -> Iterator[Finding]:
    account = campaign.account
    now = balance.standing(account)
    if now is None:
        return
    at = now.at.astimezone(ZoneInfo(account.time_zone))
    left = f"About {exact(max(now.left, Decimal(0)))} are left on {account.name}, this campaign costs about {exact(price)}."
    told = f"The balance was {exact(now.told)} on {at:%-d %b %Y, %H:%M %Z}"
    taken = f"{exact(now.sent)} were sent since and {exact(now.waiting)} wait to be sent"
    if price <= now.left:
        yield Finding("info", "BALANCE", f"{left} {told}; {taken}.")
    else:
        yield Finding(
            "warning", "BALANCE_LOW",
            f"{left} {told}; {taken}.",
        )  # fmt: skip
