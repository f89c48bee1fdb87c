"""What people write to us: each message once, and of those that ask to opt out or in again, the latest counts."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from callbacks.models import CallbackEvent
from campaigns import audit, bulk
from campaigns.audience import opt_outs
from campaigns.exotel.whatsapp_reports import Inbound
from campaigns.models import Account, Attempt, InboundMessage
from campaigns.sending.evidence import APPLIED, DUPLICATE, PARKED, Verdict
from campaigns.text import keywords
from campaigns.text.phone import anywhere, mask

COLUMNS = ("account", "channel", "digest", "number", "text", "wish", "at")
OLDEST, NEWEST = timedelta(days=30), timedelta(hours=1)  # before and after its arrival that a message's time is believed
LONGEST = 500  # characters that are kept
Wish = InboundMessage.Wish


class Written(NamedTuple):
    attempt: UUID  # or the callback id of an account
    kind: str  # of the callback that told it
    said: Inbound
    received_at: datetime

    @property
    def channel(self) -> str:
        sms = self.kind == CallbackEvent.Kind.INBOUND
        return (InboundMessage.Channel.SMS if sms else InboundMessage.Channel.WHATSAPP).value

    @property
    def digest(self) -> bytes:
        """The same for the same message; one that has neither Sid nor time counts each time it comes."""
        said = self.said
        own = said.sid or f"{said.sender}|{said.at or self.received_at}|{said.text}"
        return blake2b(f"{self.channel}|{own}".encode(), digest_size=16).digest()

    @property
    def at(self) -> datetime:
        at, received = self.said.at, self.received_at
        return at if at and received - OLDEST <= at <= received + NEWEST else received


def apply(written: Sequence[Written]) -> list[Verdict]:
    """Keep messages and do what they ask for; one verdict each, in order. Inside a transaction."""
    if not written:
        return []
    accounts = _accounts({one.attempt for one in written})
    rows: dict[tuple[int, bytes], tuple] = {}
    for one in written:
        if account := accounts.get(one.attempt):
            rows.setdefault((account.pk, one.digest), _row(one, account))
    inserted = bulk.insert_new(InboundMessage, COLUMNS, list(rows.values()), ("account", "digest"))
    new = {(pk, bytes(digest)) for pk, digest in inserted}
    _obey({account.pk: account for account in accounts.values()}, [rows[key] for key in rows if key in new])
    return [_verdict(one, accounts.get(one.attempt), new) for one in written]


def _verdict(one: Written, account: Account | None, new: set[tuple[int, bytes]]) -> Verdict:
    if account is None:
        return Verdict(PARKED, "The account or request it came for is not known here yet.")
    key = (account.pk, one.digest)
    if key not in new:
        return Verdict(DUPLICATE)
    new.remove(key)  # the same message again in this batch is a repetition
    return Verdict(APPLIED)


def _accounts(ids: Collection[UUID]) -> dict[UUID, Account]:
    """Whose address it was: an account's own, or that of one of its requests."""
    found = {account.callback_id: account for account in Account.objects.filter(callback_id__in=ids)}
    requests = Attempt.objects.filter(id__in=set(ids) - found.keys()).select_related("account")
    return found | {attempt.pk: attempt.account for attempt in requests}


def _row(one: Written, account: Account) -> tuple:
    number = anywhere(one.said.sender)
    stop, start = keywords.words(account.stop_words), keywords.words(account.start_words)
    wish = keywords.wish(one.said.text, stop, start)
    return (account.pk, one.channel, one.digest, number, one.said.text[:LONGEST], wish, one.at)


def _obey(accounts: dict[int, Account], rows: Sequence[tuple]) -> None:
    """Do what each person asked for last, whatever the order in which it arrived."""
    for pk, number in sorted({(row[0], row[3]) for row in rows if row[3] and row[5]}):
        asked = InboundMessage.objects.filter(account=pk, number=number).exclude(wish=Wish.NONE)
        last = asked.order_by("-at", "-wish").first()  # of one second, leaving counts
        if last is not None:
            _do(accounts[pk], number, last)


def _do(account: Account, number: int, asked: InboundMessage) -> None:
    channel = asked.get_channel_display()
    details: dict[str, Any] = {"number": mask(number), "account": account.name, "channel": channel}
    if asked.wish == Wish.STOP:
        if row := opt_outs.opt_out(account, number, channel, asked.at):
            audit.record("suppression.opt_out", row, **details)
    elif pk := opt_outs.opt_in(account, number):
        audit.record("suppression.opt_in", f"suppression:{pk}", **details)
