"""Asks Exotel about accepted messages that no final report has reached: by Sid, 2, 12, 48 and 72 hours after their request.

Rounds are kept on the request (Attempt.poll_at, polls, poll_after). Questions have a budget of their own, so they never
delay a message, and they stop while the account is stopped or Exotel asks us to wait. What is learnt goes the way of
callbacks. Which messages are asked about: those of the requests that have been due longest, all of them while an hour of
the budget is enough for everything that is due, else an equal share of each request (rounds.share). Unconfirmed messages
have no Sid to ask by; their rounds go on because a callback may give them one. What is left of the budget checks final
statuses (verify).
"""

import logging
import time
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import Count as Number
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from campaigns import bulk, jobs, leases
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.line import Answer, Line
from campaigns.exotel.reports import DeliveryReport, error_of, from_details
from campaigns.models import QUARTER, Account, Attempt, Campaign, Count, Message, Verification
from campaigns.models.secrets import Unreadable
from campaigns.models.states import Delivery, MessageState
from campaigns.sending import evidence, pace, rounds, verify
from campaigns.sending.outcomes.refusals import REFUSALS, retry_after
from campaigns.sending.wires import WIRES

log = logging.getLogger(__name__)
CHUNK = 500  # requests looked at in one transaction
QUICK = {"connect_timeout": 5, "read_timeout": 10, "total_timeout": 12}  # within the time of a lease
THROTTLES = frozenset({"40402", "40403", "40405", "35006"})
THROTTLED, TROUBLED, REFUSED = 60.0, 300.0, 900.0  # seconds until the next question
FAILURES = 3  # in a row without a usable answer: Exotel is away, so the others wait for it
AWAITED = Q(state=MessageState.ACCEPTED, delivery=Delivery.AWAITING, sid__isnull=False)
OPEN = AWAITED | Q(state__in=(MessageState.IN_FLIGHT, MessageState.UNCONFIRMED))


class Asked(NamedTuple):
    """A message that a question is about."""

    id: int
    sid: str
    number: int


def waiting() -> list[int]:
    """Accounts of which something is due, may be asked, and is being asked by nobody."""
    overdue = Attempt.objects.filter(poll_at__lte=timezone.now())
    due = {*overdue.values_list("account_id", flat=True)} | verify.waiting()
    return [pk for pk in due if not leases.held(_lease(pk)) and _ready(pk)]


def _lease(account_id: int) -> str:
    return f"poll:{account_id}"


def _ready(account_id: int) -> bool:
    usable = Account.objects.filter(pk=account_id, stopped_at=None, polls_per_minute__gt=0)
    return usable.exists() and pace.poll_wait(account_id) < settings.TASK_BUDGET


def _due(account_id: int) -> QuerySet[Attempt]:
    return Attempt.objects.filter(account=account_id, poll_at__lte=timezone.now()).order_by("poll_at")


def poll(account_id: int) -> dict[str, int]:
    """Ask what is due for about TASK_BUDGET seconds; rings for a successor when something is left."""
    owner = uuid4()
    if not leases.take(_lease(account_id), owner):
        return {"asked": 0, "told": 0}
    asker = Asker(account_id, owner)
    try:
        asker.run()
    finally:
        asker.close()
        leases.give_back(_lease(account_id), owner)
    if asker.asked and _ready(account_id) and (_due(account_id).exists() or verify.due(account_id)):
        jobs.enqueue(jobs.POLL, account_id)
    return {"asked": asker.asked, "told": asker.told}


class Asker:
    """Asks one question at a time over one connection."""

    def __init__(self, account_id: int, owner: UUID) -> None:
        self.account_id, self.owner = account_id, owner
        self.asked = self.told = 0
        self._failures = 0  # in a row
        self._until = time.monotonic() + settings.TASK_BUDGET
        self._line: Line | None = None
        self._opened_for: tuple[str, ...] = ()

    def run(self) -> None:
        account = Account.objects.get(pk=self.account_id)
        while _retire(account) == CHUNK:
            pass
        while verify.retire(account, WIRES[account.provider].ask is not None) == verify.CHUNK:
            pass
        share = _share(account)
        while time.monotonic() < self._until and (attempt := _due(self.account_id).first()):
            if not self._round(attempt, share):
                return
        self._verify()

    def _verify(self) -> None:
        """Check final statuses while nothing else is due: what is overdue comes first, also what becomes so meanwhile."""
        while time.monotonic() < self._until and not _due(self.account_id).exists():
            check = verify.due(self.account_id)
            account = self._turn() if check else None
            if check is None or account is None:
                return
            message = Asked(check.message_id, check.message.sid or "", check.message.number)
            if not self._ask(account, Attempt(pk=check.message.attempt_id), message, check):
                return

    def close(self) -> None:
        if self._line:
            self._line.close()

    def _round(self, attempt: Attempt, share: int) -> bool:
        """Ask about one request's messages; False when no more may be asked now. Goes on where it was cut off."""
        awaited = _awaited(attempt, share + 1)
        for message in awaited[:share]:
            account = self._turn()
            if account is None or not self._ask(account, attempt, message):
                return False
            Attempt.objects.filter(pk=attempt.pk).update(poll_after=message.id)
        _advance(attempt, rest=len(awaited) > share)
        return True

    def _turn(self) -> Account | None:
        """Wait for a slot; the account as it is then, or None when none is left for us."""
        leases.take(_lease(self.account_id), self.owner)
        account = Account.objects.get(pk=self.account_id)
        if account.stopped_at or not account.polls_per_minute:
            return None
        wait = pace.take_poll(account, self._until - time.monotonic())
        if wait is None:
            return None
        time.sleep(wait)
        return account

    def _ask(self, account: Account, attempt: Attempt, message: Asked, check: Verification | None = None) -> bool:
        """One question, overdue or to ``check`` what is known; False when the others must wait."""
        ask = WIRES[account.provider].ask
        if ask is None:
            return False
        try:
            line = self._connected(account)
            self.asked += 1
            answer = ask(line, message.sid)
        except Unreadable:
            pace.push_polls(account.pk, REFUSED)
            return False
        except ExotelError as error:
            log.warning("Exotel gave no status of message %s: %s", message.id, error.reason)
            return self._troubled(check)
        return self._take(answer, attempt, message, check)

    def _take(self, answer: Answer, attempt: Attempt, message: Asked, check: Verification | None) -> bool:
        wait = _hold(answer)
        if wait:
            log.warning("Exotel refused a status question with HTTP %s; asking again in %.0f s", answer.status, wait)
            pace.push_polls(self.account_id, wait)
            return False
        if answer.status not in {200, 404}:
            return self._troubled(check)
        self._failures = 0
        report = from_details(answer)
        if report and not _fits(message, report):
            report = None
        with bulk.transaction():
            if check:
                verify.conclude(check, report)
            self.told += bool(report and _tell(attempt, message, report))
        return True

    def _troubled(self, check: Verification | None) -> bool:
        if check:
            verify.postpone(check)
        self._failures += 1
        if self._failures < FAILURES:
            return True
        pace.push_polls(self.account_id, TROUBLED)
        return False

    def _connected(self, account: Account) -> Line:
        """A client with the account's present address and credentials."""
        wanted = (account.base_url, account.account_sid, *account.api_credentials())
        if self._line is None or wanted != self._opened_for:
            self.close()
            self._line, self._opened_for = WIRES[account.provider].open(*wanted, **QUICK), wanted
        return self._line


def _retire(account: Account) -> int:
    """Forget the requests, of those due longest, of which nothing is awaited or can be asked; how many."""
    ids = list(_due(account.pk).values_list("pk", flat=True)[:CHUNK])
    attempts = Attempt.objects.filter(pk__in=ids)
    if WIRES[account.provider].ask is not None:
        still = Exists(Message.objects.filter(OPEN, attempt=OuterRef("pk")))
        attempts = attempts.exclude(still, campaign__channel=Campaign.Channel.SMS)
    return attempts.update(poll_at=None)


def _share(account: Account) -> int:
    """Messages of one request that are asked about, by what is due; the backlog is read from counters."""
    due = _due(account.pk).aggregate(n=Number("pk"), size=Sum("size"), first=Min("started_at"), last=Max("started_at"))
    if not due["n"]:
        return 0
    backlog = min(due["size"], _counted(account.pk, due["first"], due["last"]))
    return rounds.share(backlog, due["n"], account.polls_per_minute)


def _counted(account_id: int, first: datetime, last: datetime) -> int:
    """Messages handed over in that time that have no final report."""
    quarters = (int(first.timestamp()) // QUARTER, int(last.timestamp()) // QUARTER)
    awaiting = Count.objects.filter(state=MessageState.ACCEPTED, delivery=Delivery.AWAITING, quarter__range=quarters)
    return awaiting.filter(campaign__account=account_id).aggregate(total=Sum("n"))["total"] or 0


def _awaited(attempt: Attempt, most: int) -> list[Asked]:
    messages = Message.objects.filter(AWAITED, attempt=attempt.pk, pk__gt=attempt.poll_after).order_by("pk")
    return [Asked(pk, sid or "", number) for pk, sid, number in messages.values_list("id", "sid", "number")[:most]]


def _advance(attempt: Attempt, rest: bool) -> None:
    """The round is over: when the next one is, and where it begins. With ``rest`` it goes on with those not asked about."""
    over, poll_at = rounds.following(attempt.started_at, timezone.now())
    if not Message.objects.filter(OPEN, attempt=attempt.pk).exists():
        poll_at = None
    again = {} if rest else {"poll_after": 0}
    Attempt.objects.filter(pk=attempt.pk).update(polls=over, poll_at=poll_at, **again)


def _hold(answer: Answer) -> float:
    """Seconds that all questions of the account must wait after this answer; 0 when it is an answer."""
    if answer.status == 429 or (answer.status >= 400 and error_of(answer)[0] in THROTTLES):
        return retry_after(answer.headers.get("retry-after", "")) or THROTTLED
    return REFUSED if answer.status in REFUSALS - {404} else 0.0


def _fits(message: Asked, report: DeliveryReport) -> bool:
    """Whether a report speaks of that message and no other."""
    if report.number10 == str(message.number)[-10:] and report.sid in {"", message.sid}:
        return True
    log.warning("Exotel's answer about message %s speaks of another number or Sid; it was not taken.", message.id)
    return False


def _tell(attempt: Attempt, message: Asked, report: DeliveryReport) -> bool:
    """Apply a report; whether it was news."""
    with bulk.transaction():
        verdict = evidence.apply([evidence.Evidence.of(attempt.pk, report, timezone.now())])[0]
    if verdict.reason:
        log.warning("Exotel's answer about message %s was not taken: %s", message.id, verdict.reason)
    return verdict.result == evidence.APPLIED
