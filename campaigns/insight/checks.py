"""How statuses fared that were checked with Exotel's own record, and the evidence behind contradictions."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils import timezone

from campaigns.insight.listing import Event, check_text, report_event
from campaigns.models import QUARTER, Account, CheckCount, DeliveryEvent, Verification
from campaigns.text.cost import indian

Result = Verification.Result
SPAN = timedelta(days=30)
MOST_REPORTS = 50  # of one message


@dataclass(frozen=True, slots=True)
class Checks:
    agreed: int = 0
    differed: int = 0
    unknown: int = 0  # Exotel gave no final status

    @property
    def checked(self) -> int:
        return self.agreed + self.differed

    @property
    def sentence(self) -> str:
        if not self.checked and not self.unknown:
            return "Nothing was checked with Exotel in the last 30 days."
        unknown = f"; Exotel gave no final status for {indian(self.unknown)} more" if self.unknown else ""
        return f"Last 30 days: checked {indian(self.checked)}, {indian(self.differed)} differed{unknown}."


def of(account: Account | None = None) -> Checks:
    """The checks of the last 30 days, of one account or of all."""
    since = int((timezone.now() - SPAN).timestamp()) // QUARTER
    rows = CheckCount.objects.filter(quarter__gte=since)
    if account is not None:
        rows = rows.filter(account=account)
    sums = dict(rows.values_list("result").annotate(total=Sum("n")).order_by())
    return Checks(*(sums.get(result.value, 0) for result in (Result.AGREED, Result.DIFFERED, Result.UNKNOWN)))


def counts_since(since: datetime) -> dict[int, list[tuple[int, str, int]]]:
    """(quarter, result, n) by account."""
    found: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
    rows = CheckCount.objects.filter(quarter__gte=int(since.timestamp()) // QUARTER)
    for account, quarter, result, n in rows.values_list("account", "quarter", "result", "n"):
        found[account].append((quarter, result, n))
    return found


def reports_of(messages: Collection[int]) -> dict[int, list[Event]]:
    """Every report that these messages ever received, the first first."""
    found: dict[int, list[Event]] = defaultdict(list)
    seen: Counter[int] = Counter()
    for report in DeliveryEvent.objects.filter(message__in=messages).order_by("id").iterator():
        seen[report.message_id] += 1
        if seen[report.message_id] <= MOST_REPORTS:
            found[report.message_id].append(report_event(report))
    return found


def checks_of(messages: Collection[int]) -> dict[int, str]:
    """What checking these messages with Exotel came to, in a sentence."""
    rows = Verification.objects.filter(message__in=messages).order_by("id")
    return {row.message_id: check_text(row) for row in rows}
