"""What the alert rules are held against: sums of counters and of refused requests, for each account, in one look a minute.

Nothing here reads messages. Counters stand at the quarter of an hour in which a message was handed over.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, F, Sum
from django.db.models.expressions import RawSQL
from django.utils import timezone

from campaigns.exotel.codes.stored import of_message
from campaigns.insight import checks, hours
from campaigns.insight.outcomes import is_dlt
from campaigns.models import QUARTER, Account, Attempt, Campaign, Count
from campaigns.models.message import LITERALLY_REFUSED
from campaigns.models.states import FINAL_DELIVERY, CampaignState, Delivery, MessageState
from campaigns.text import window

WHATSAPP = Campaign.Channel.WHATSAPP
# More than 24 hours since the person's last message, of each provider; told apart by the channel of the campaign.
SESSION_CODES = frozenset({"30018", "131047", "301"})
BALANCE_CODES = {"exotel": frozenset({"40001", "1000"}), "geniq": frozenset({"6", "7"})}
AUTH_CODES = {"exotel": frozenset({"34001", "34009", "34010"}), "geniq": frozenset({"1", "2", "20", "24"})}
AUTH_STATUSES = frozenset({401, 403})


class Row(NamedTuple):
    """So many messages of an account that stand at one place."""

    account: int
    channel: str
    quarter: int
    state: str
    delivery: str
    code: str
    n: int

    @property
    def final(self) -> bool:
        return self.state == MessageState.REJECTED or self.delivery in FINAL_DELIVERY

    @property
    def failed(self) -> bool:
        return self.state == MessageState.REJECTED or self.delivery == Delivery.FAILED


class Refusal(NamedTuple):
    """Requests of an account that were refused as a whole, in one way, in one quarter of an hour."""

    account: int
    kind: str  # throttled, balance, auth, dlt or other
    at: datetime


@dataclass
class Measured:
    """All that one look found."""

    now: datetime
    accounts: dict[int, Account]
    rows: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))  # by account
    refusals: dict[int, list[Refusal]] = field(default_factory=lambda: defaultdict(list))
    checks: dict[int, list[tuple[int, str, int]]] = field(default_factory=dict)  # quarter, result, n

    def since(self, account: int, minutes: int) -> list[Row]:
        """Places of messages handed over in the last so many minutes, rounded to the whole quarter they began in."""
        first = quarter(self.now - timedelta(minutes=minutes))
        return [row for row in self.rows[account] if row.quarter >= first]

    def refused(self, account: int, minutes: int, kind: str) -> int:
        """Requests refused in that way in the last so many minutes."""
        since = self.now - timedelta(minutes=minutes)
        return sum(one.kind == kind and one.at >= since for one in self.refusals[account])

    def checked(self, account: int, minutes: int) -> Counter[str]:
        """Statuses checked with Exotel in the last so many minutes, by the result."""
        first, found = quarter(self.now - timedelta(minutes=minutes)), Counter[str]()
        for at, result, n in self.checks.get(account, []):
            found[result] += n if at >= first else 0
        return found


def quarter(at: datetime) -> int:
    return int(at.timestamp()) // QUARTER


def measure(minutes: int) -> Measured:
    """Look back so many minutes."""
    now = timezone.now()
    since = now - timedelta(minutes=minutes)
    found = Measured(now, {account.pk: account for account in Account.objects.order_by("pk")})
    counted = Count.objects.filter(quarter__gte=quarter(since), quarter__gt=0)
    places = counted.values_list("campaign__account", "campaign__channel", "quarter", "state", "delivery", "code")
    for row in places.annotate(total=Sum("n")).order_by():
        if row[-1]:
            found.rows[row[0]].append(Row(*row))
    found.checks = checks.counts_since(since)
    literal = RawSQL(LITERALLY_REFUSED, [], output_field=BooleanField())  # noqa: S611  (no input in it)
    refused = Attempt.objects.filter(literal, started_at__gte=since)
    columns = ("account_id", "account__provider", "outcome", "http_status", "app_code", "started_at")
    for account, provider, outcome, status, code, at in refused.values_list(*columns):
        found.refusals[account].append(Refusal(account, refusal_kind(provider, outcome, status, code), at))
    return found


def refusal_kind(provider: str, outcome: str, status: int | None, code: str) -> str:
    """What a request was refused for: throttled, balance, auth, template or other."""
    if outcome == "throttled":
        return "throttled"
    if outcome == "stop_campaign":
        row = of_message(f"geniq:{code}" if provider == "geniq" else code)
        return "template" if row.known and row.actor == "dlt_admin" else "other"
    if status == 402 or code in BALANCE_CODES[provider]:
        return "balance"
    if code in AUTH_CODES[provider] or (status in AUTH_STATUSES and (not code or provider == "geniq")):
        return "auth"
    return "auth" if status == 401 else "other"


def is_template(code: str) -> bool:
    """Whether a message failed for its template or its DLT registration."""
    return is_dlt(code) or (bool(code) and "TEMPLATE" in of_message(code).name)


def by_code(rows: Iterable[Row], chosen: Callable[[str], bool]) -> Counter[str]:
    """Failures with the chosen codes."""
    found: Counter[str] = Counter()
    for row in rows:
        if row.failed and row.code and chosen(row.code):
            found[row.code] += row.n
    return found


def unreported(rows: Iterable[Row], until: int) -> int:
    """Messages handed over before the quarter ``until``, after the last one of which any report is known."""
    told = max((row.quarter for row in rows if row.delivery not in {"", Delivery.AWAITING} and row.n > 0), default=0)
    waiting = (row for row in rows if row.state == MessageState.ACCEPTED and row.delivery == Delivery.AWAITING)
    return sum(row.n for row in waiting if told < row.quarter < until)


def stuck(account: Account, now: datetime) -> tuple[int, datetime | None]:
    """Messages of running campaigns whose hours are open, and since when none of them was handed over."""
    running = Campaign.objects.filter(account=account, state=CampaignState.RUNNING).order_by("pk")
    campaigns = [one for one in running if account.stopped_at is None and _opened(one, account, now)]
    rows = Count.objects.filter(campaign__in=campaigns, state=MessageState.PENDING)
    pending = dict(rows.values_list("campaign").annotate(total=Sum(F("n"))).order_by())
    due = {one.pk: hours.due_since(one, now) for one in campaigns if pending.get(one.pk, 0) > 0}
    waiting = [one for one in campaigns if due.get(one.pk)]
    if not waiting:
        return 0, None
    began = min(
        max(filter(None, (one.launched_at, one.resumed_at, due[one.pk], _opened(one, account, now)))) for one in waiting
    )
    last = max((one.last_intent_at for one in campaigns if one.last_intent_at), default=began)
    later = (hours.later(one, now) for one in waiting)
    return sum(pending[one.pk] for one in waiting) - sum(one.messages for one in later if one), max(began, last)


def _opened(campaign: Campaign, account: Account, now: datetime) -> datetime | None:
    """Since when the campaign may be sent; None while its hours are closed."""
    if campaign.snapshot.get("category") != "promotional":
        return campaign.launched_at or now
    zone = ZoneInfo(account.time_zone)
    if not window.is_open(now, account.window_opens, account.window_closes, zone):
        return None
    return window.resolve_local(datetime.combine(now.astimezone(zone).date(), account.window_opens), zone)
