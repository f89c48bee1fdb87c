"""What a person may spend: each launch commits its cost for a calendar month, and none passes a limit."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from campaigns.models import Account, Campaign, Count, SpendLimit, Spent
from campaigns.text.cost import cost, exact
from campaigns.text.dlt import Finding

NAMED = 3  # people who can launch it instead
UPSERT = (
    "INSERT INTO campaigns_spent (user_id, month, amount) VALUES (%s, %s, %s) ON CONFLICT (user_id, month) "
    "DO UPDATE SET amount = campaigns_spent.amount + excluded.amount"
)


def month_of(account: Account, campaign: Campaign | None = None) -> date:
    """The first day of the calendar month, by the account's clocks, in which a campaign starts; else of this one."""
    now = timezone.now()
    start = max(campaign.schedule_at or now, now) if campaign else now
    return start.astimezone(ZoneInfo(account.time_zone)).date().replace(day=1)


def spent(user_id: int, month: date) -> Decimal:
    return Spent.objects.filter(user=user_id, month=month).values_list("amount", flat=True).first() or Decimal(0)


def findings(campaign: Campaign, price: Decimal, user: object) -> Iterator[Finding]:
    """Whether the person may launch it just now."""
    if isinstance(user, User) and (limit := SpendLimit.objects.filter(user=user).first()):
        month = month_of(campaign.account, campaign)
        if why := _over(limit, user, price, spent(user.pk, month), month):
            yield Finding("error", "SPEND_LIMIT", why)


def commit(user: object, price: Decimal, month: date) -> Finding | None:
    """Count a launch, in its transaction, which is rolled back when this finds that it passes a limit.

    The person's row of the month is held from here on: of two launches at once the second sees what the first committed.
    """
    if not isinstance(user, User):
        return None
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [user.pk, month.isoformat(), str(price)])
    limit = SpendLimit.objects.filter(user=user).first()
    if limit is None:
        return None
    why = _over(limit, user, price, spent(user.pk, month) - price, month)
    return Finding("error", "SPEND_LIMIT", why) if why else None


def _over(limit: SpendLimit, user: User, price: Decimal, before: Decimal, month: date) -> str:
    """Which limit a price passes and who is free of it; empty when it passes none."""
    name = user.get_username()
    if limit.per_campaign is not None and price > limit.per_campaign:
        over = f"{name} may spend {exact(limit.per_campaign)} on one campaign, and this one costs about {exact(price)}"
    elif limit.per_month is not None and before + price > limit.per_month:
        over = (
            f"{name} may spend {exact(limit.per_month)} in a month, has spent {exact(before)} in {month:%B %Y}, and this "
            f"costs about {exact(price)}"
        )
    else:
        return ""
    return f"{over}. {_instead()}"


def _instead() -> str:
    names = list(_launchers().filter(spend_limit=None).order_by("username").values_list("username", flat=True)[:NAMED])
    if not names:
        return "Ask an administrator to raise it."
    return f"Somebody without such a limit can launch it: {' or '.join(names)}."


def _launchers() -> QuerySet[User]:
    return User.objects.with_perm("campaigns.launch_campaign", backend="django.contrib.auth.backends.ModelBackend")


def charge(campaign_id: int, units: int) -> None:
    """Count more units for whoever launched a campaign, or fewer: what will never be handed over is given back."""
    rows = Campaign.objects.filter(pk=campaign_id, spend_month__isnull=False, launched_by__isnull=False)
    for user, month, rate in rows.values_list("launched_by", "spend_month", "unit_cost"):
        amount = cost(units, rate or Decimal(0))
        if amount and month:
            Spent.objects.filter(user=user, month=month).update(amount=F("amount") + amount)


def unwritten(campaign: Campaign) -> int:
    """Units of a campaign that was launched and for which no messages were written yet."""
    planned = campaign.imports.aggregate(units=Sum("units"))["units"] or 0
    written = Count.objects.filter(campaign=campaign.pk).aggregate(units=Sum("units"))["units"] or 0
    return max(planned - written, 0)


def overview(user: User, account: Account | None = None) -> dict[str, Any]:
    """A person's limits and what the present month has taken of them."""
    month = month_of(account) if account else timezone.localdate().replace(day=1)
    return _line(user, SpendLimit.objects.filter(user=user).first(), month, spent(user.pk, month))


def sentence(user: User, account: Account | None = None) -> str:
    """How a person stands, in words."""
    now = overview(user, account)
    month, amount = f"{now['month']:%B %Y}", exact(now["spent"])
    campaign, limit = now["per_campaign"], now["per_month"]
    committed = f"Launches have taken {amount} in {month}"
    each = f", at most {exact(campaign)} on one campaign" if campaign is not None else ""
    if limit is not None:
        return f"{committed}, of {exact(limit)} a month{each}."
    return f"{committed}{each}." if each else f"{committed}; there is no limit."


def everybody() -> list[dict[str, Any]]:
    """The same of all who may launch or have a limit, with a handful of statements."""
    month = timezone.localdate().replace(day=1)
    amounts = dict(Spent.objects.filter(month=month).values_list("user", "amount"))
    limited = User.objects.filter(spend_limit__isnull=False)
    people = (_launchers() | limited).distinct().select_related("spend_limit").order_by("username")
    return [_line(user, getattr(user, "spend_limit", None), month, amounts.get(user.pk, Decimal(0))) for user in people]


def _line(user: User, limit: SpendLimit | None, month: date, amount: Decimal) -> dict[str, Any]:
    return {
        "user": user.pk,
        "username": user.get_username(),
        "per_campaign": limit.per_campaign if limit else None,
        "per_month": limit.per_month if limit else None,
        "month": month,
        "spent": amount,
    }


def may_set(user: object, of: User) -> bool:
    """Nobody raises their own limit; but there is no one above a superuser."""
    return isinstance(user, User) and (user.is_superuser or user.pk != of.pk)


def for_audit(per_campaign: Decimal | None, per_month: Decimal | None) -> dict[str, str]:
    return {
        name: "any" if amount is None else str(amount)
        for name, amount in (("per_campaign", per_campaign), ("per_month", per_month))
    }


def set_limit(user: User, per_campaign: Decimal | None, per_month: Decimal | None) -> bool:
    """Both empty: no limit. True when that changed something."""
    before = SpendLimit.objects.filter(user=user).values_list("per_campaign", "per_month").first() or (None, None)
    if before == (per_campaign, per_month):
        return False
    if per_campaign is None and per_month is None:
        SpendLimit.objects.filter(user=user).delete()
    else:
        values = {"per_campaign": per_campaign, "per_month": per_month}
        SpendLimit.objects.update_or_create(user=user, defaults=values)
    return True
