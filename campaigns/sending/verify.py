"""Statuses checked with Exotel's own record: every message whose reports contradict each other, and a sample of the others.

Planned in the transaction that makes a message final or contradictory, asked by ``reconcile`` with what overdue questions
leave of the account's budget. The answer is evidence like any other; here it is only compared with what we held to be true.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, F, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from campaigns import bulk
from campaigns.exotel.reports import DeliveryReport
from campaigns.models import QUARTER, Account, Campaign, CheckCount, Message, Verification
from campaigns.models.states import ARRIVED, DELIVERY_OF, FINAL_DELIVERY, Delivery

Why, Result = Verification.Why, Verification.Result
SETTLING = timedelta(minutes=10)  # Exotel's record may lag behind its callbacks
AGAIN = timedelta(hours=1)
TRIES = 3
CHUNK = 500
LITERALLY_WAITING = "campaigns_verification.result = ''"


class Final(NamedTuple):
    """A message that has just got a final status, or whose reports have just come to contradict each other."""

    message: int
    account: int
    why: str
    at: datetime


def plan(found: Sequence[Final]) -> None:
    """Have contradictions and the account's share of the others checked; each once. Inside a transaction."""
    if not found:
        return
    one_in = dict(Account.objects.filter(pk__in={one.account for one in found}).values_list("id", "verify_one_in"))
    rows = [
        (one.message, one.account, one.why, one.at + SETTLING, 0, Result.WAITING, "", "")
        for one in found
        if one.why == Why.CONFLICT or sampled(one.message, one_in[one.account])
    ]
    columns = ("message", "account", "why", "due_at", "tries", "result", "stood", "told")
    bulk.insert_new(Verification, columns, rows, ("message",))


def sampled(message_id: int, one_in: int) -> bool:
    """Whether a message belongs to the sample: always the same answer for the same message."""
    return bool(one_in) and message_id % one_in == 0


def waiting() -> set[int]:
    """Accounts of which a check is due."""
    return set(_waiting().values_list("account_id", flat=True).distinct())


def _waiting() -> QuerySet[Verification]:
    # In the words of the index, without which SQLite does not use it.
    literal = RawSQL(LITERALLY_WAITING, [], output_field=BooleanField())  # noqa: S611  (no input in it)
    return Verification.objects.filter(literal, due_at__lte=timezone.now())


def due(account_id: int) -> Verification | None:
    """The check of the account that has been due longest, with its message."""
    return _waiting().filter(account=account_id).order_by("due_at").select_related("message").first()


def retire(account: Account, askable: bool) -> int:
    """Forget checks that cannot be asked: Exotel answers by Sid, about SMS alone. How many."""
    ids = list(_waiting().filter(account=account).order_by("due_at").values_list("pk", flat=True)[:CHUNK])
    unfit = ~Q(message__campaign__channel=Campaign.Channel.SMS) | Q(message__sid=None)
    checks = Verification.objects.filter(pk__in=ids)
    return (checks.filter(unfit) if askable else checks).delete()[0]


def conclude(check: Verification, report: DeliveryReport | None) -> None:
    """Note what Exotel said and count it once. Inside the transaction that applies the report."""
    stood = Message.objects.values_list("delivery", flat=True).get(pk=check.message_id)
    told = DELIVERY_OF.get(report.state, Delivery.NONE) if report else Delivery.NONE
    result = _compared(stood, told)
    now = timezone.now()
    waiting = Verification.objects.filter(pk=check.pk, result=Result.WAITING)
    if waiting.update(result=result, stood=stood, told=told, asked_at=now):
        _count(check.account_id, int(now.timestamp()) // QUARTER, result)


def _compared(stood: str, told: str) -> str:
    if told not in FINAL_DELIVERY:
        return Result.UNKNOWN
    same = stood == told or {stood, told} <= ARRIVED
    return Result.AGREED if same else Result.DIFFERED


def _count(account_id: int, quarter: int, result: str) -> None:
    key = {"account_id": account_id, "quarter": quarter, "result": result}
    bulk.insert_new(CheckCount, ("account", "quarter", "result", "n"), [(account_id, quarter, result, 0)], ("id",))
    CheckCount.objects.filter(**key).update(n=F("n") + 1)


def postpone(check: Verification) -> None:
    """No usable answer: once more later, then no more."""
    if check.tries + 1 >= TRIES:
        with bulk.transaction():
            conclude(check, None)
        return
    Verification.objects.filter(pk=check.pk).update(tries=F("tries") + 1, due_at=timezone.now() + AGAIN)
