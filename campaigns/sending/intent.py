"""The first commit around a POST: choose at most 100 messages and say, durably, that they are about to be sent.

This is the one point at which sending is decided. It holds a permit, so pauses, stops and windows cannot be overtaken;
when its transaction has committed, a crash at any later moment leaves the messages in honest doubt.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from campaigns import bulk, failpoints
from campaigns.exotel.bodies import Batch, Item, Shorten
from campaigns.models import Account, Attempt, Campaign, Message, Suppression
from campaigns.models import rowwise as chosen
from campaigns.models.family import ancestors, family
from campaigns.models.states import MessageState
from campaigns.recent import told
from campaigns.sending import callback_urls, permit, rowwise, states, wires
from campaigns.sending.retry import late
from campaigns.text import render, window
from campaigns.text.phone import e164

_picking = threading.Lock()


@dataclass(frozen=True, slots=True)
class Order:
    """One committed intent: what to post, and whose messages it carries."""

    attempt: Attempt
    batch: Batch
    ids: list[int]
    numbers: list[str]  # last ten digits, distinct, in batch order
    throttled: bool  # Exotel had asked us to wait, and no answer has come since


class Pick(NamedTuple):
    id: int
    number: int
    units: int
    cells: list[str]
    source: int
    language_no: int
    listed: int | None  # 1 for a number on any suppression list at all: nearly never


class Running(NamedTuple):
    """A launched campaign, as far as its messages are made of it."""

    id: int
    snapshot: Mapping[str, Any]
    templates: list[render.Template]  # that of the campaign first, then its translations
    senders: list[str]  # by sender_no
    earlier: tuple[int, ...]  # the campaigns whose failures it sends again


class Unrenderable(Exception):
    """A stored row no longer fits its template; cannot happen without a defect or a hand in the database."""

    def __init__(self, campaign_id: int, sentence: str) -> None:
        super().__init__(sentence)
        self.campaign_id = campaign_id


def waiting(account_id: int) -> bool:
    """Whether a running campaign of the account has something to send; a look without locks."""
    account = Account.objects.get(pk=account_id)
    return any(_has_some(campaign) for campaign, _ in _turns(account, _running(account_id)))


def _has_some(campaign: Running) -> bool:
    if chosen.by_hour(campaign.snapshot):
        return any(rowwise.due(campaign.id, sender_no).exists() for sender_no in range(len(campaign.senders)))
    return Message.objects.filter(campaign=campaign.id, state=MessageState.PENDING).exists()


def _running(account_id: int) -> list[tuple[Running, datetime | None]]:
    """The account's running campaigns, by priority, then who has waited longest; with each its last intent."""
    columns = ("id", "launched_at", "last_intent_at")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM campaigns_campaign WHERE account_id = %s AND state = 'running' "
            "ORDER BY priority DESC, last_intent_at IS NOT NULL, last_intent_at, id",
            [account_id],
        )
        return [(_launched(pk, at), last) for pk, at, last in bulk.loaded(Campaign, columns, cursor.fetchall())]


@lru_cache(maxsize=64)
def _launched(campaign_id: int, launched_at: object) -> Running:
    """What no longer changes once a campaign is launched, so that each request need not read it again."""
    campaign = Campaign.objects.get(pk=campaign_id)
    earlier = tuple(ancestors(campaign, family(campaign_id))) if campaign.retry_of_id else ()
    templates = [render.parse(template["body"]) for template in chosen.templates(campaign.snapshot)]
    return Running(campaign_id, campaign.snapshot, templates, chosen.senders(campaign.snapshot), earlier)


def _turns(account: Account, running: Sequence[tuple[Running, datetime | None]]) -> Iterator[tuple[Running, bool]]:
    """Those whose hours are open, each with whether its turn has to be written down: of one alone only once a second."""
    second_ago = timezone.now() - timedelta(seconds=1)
    for campaign, last in running:
        if may_send_now(campaign.snapshot, account):
            yield campaign, len(running) > 1 or last is None or last < second_ago


def may_send_now(snapshot: Mapping[str, Any], account: Account) -> bool:
    if snapshot.get("category") != "promotional":
        return True
    return window.is_open(timezone.now(), account.window_opens, account.window_closes, ZoneInfo(account.time_zone))


def commit(owner_id: UUID, account_id: int, only: Sequence[int] = ()) -> tuple[Account, Order] | None:
    """Commit one intent, of the messages ``only`` when given; None when there is nothing that may be sent."""
    with bulk.transaction():
        permitted = permit.take(owner_id, account_id)
        order = _order(owner_id, permitted, only) if permitted else None
        return (permitted.account, order) if permitted and order else None


def _order(owner_id: UUID, permitted: permit.Permit, only: Sequence[int]) -> Order | None:
    account = permitted.account
    running = _running(account.pk)
    if len(running) > 1 and any(campaign.snapshot.get("skip_recent_days") for campaign, _ in running):
        # Intents of two campaigns must see each other's claims, or each would write to the same person.
        bulk.hold(("recent", account.pk))
    for campaign, noted in _turns(account, running):
        most = wires.most(account, campaign.snapshot)
        for sender_no in rowwise.turns(len(campaign.senders)):
            if kept := _next(account.pk, campaign, sender_no, most, only):
                order = _write(campaign, owner_id, permitted, kept, campaign.senders[sender_no])
                if noted:
                    bulk.update_one(Campaign, campaign.id, last_intent_at=order.attempt.started_at)
                failpoints.reach("intent.before")
                return order
    return None


def _next(account_id: int, campaign: Running, sender_no: int, most: int, only: Sequence[int]) -> list[Pick]:
    """What of a campaign goes out next under one header."""
    picks = _pick(campaign, sender_no, most, only)
    kept = _sendable(account_id, campaign, picks)
    while picks and not kept and not only:
        picks = _pick(campaign, sender_no, most, only)
        kept = _sendable(account_id, campaign, picks)
    return kept


def _pick(campaign: Running, sender_no: int, most: int, only: Sequence[int]) -> list[Pick]:
    """Pending messages of one header in their order, no two to one number."""
    which, order = rowwise.range_of(sender_no) if chosen.by_hour(campaign.snapshot) else ("", "m.id")
    choice = f" AND m.id IN ({', '.join(str(int(pk)) for pk in only)})" if only else ""
    lock = " FOR UPDATE OF m SKIP LOCKED" if bulk.is_postgres() else ""
    with connection.cursor() as cursor, _in_turn():
        cursor.execute(
            "SELECT m.id, m.number, m.units, r.cells, r.import_id, r.language_no, "
            # Not EXISTS, for which PostgreSQL might read the whole list.
            "(SELECT 1 FROM campaigns_suppression s WHERE s.number = m.number LIMIT 1) FROM campaigns_message m "
            "JOIN campaigns_recipient r ON r.id = m.recipient_id "
            f"WHERE m.campaign_id = %s AND m.state = 'pending'{which}{choice} ORDER BY {order} LIMIT {most}{lock}",
            [campaign.id],
        )
        rows = cursor.fetchall()
    # One call for all of them: each has a price of its own.
    cells = json.loads(f"[{','.join([row[3] for row in rows])}]")
    picks = [Pick(pk, number, units, some, *rest) for (pk, number, units, _, *rest), some in zip(rows, cells, strict=True)]
    return list({pick.number % 10**10: pick for pick in reversed(picks)}.values())[::-1]


@contextmanager
def _in_turn() -> Iterator[None]:
    """Senders pick one after the other: at once, they share the last messages of a campaign, 85 and 15 in place of 100.

    It is of use to the rate alone, so whoever has waited for a second picks all the same.
    """
    mine = _picking.acquire(timeout=1)
    try:
        yield
    finally:
        if mine:
            _picking.release()


def _sendable(account_id: int, campaign: Running, picks: list[Pick]) -> list[Pick]:
    kept = _without_suppressed(account_id, campaign.id, picks)
    if days := campaign.snapshot.get("skip_recent_days", 0):
        kept = _without_recent(account_id, campaign.id, kept, days)
    return _without_reached(campaign, kept) if campaign.earlier else kept


def _without_recent(account_id: int, campaign_id: int, picks: list[Pick], days: int) -> list[Pick]:
    """Leave out whom another campaign has written to since the file was read, as its draft asked for."""
    found = told(account_id, [pick.number for pick in picks], days, but=campaign_id)
    for why in {one.sentence for one in found.values()}:
        gone = [(pick.id, pick.units) for pick in picks if pick.number in found and found[pick.number].sentence == why]
        states.suppress(campaign_id, gone, timezone.now(), why)
    return [pick for pick in picks if pick.number not in found]


def _without_reached(campaign: Running, picks: list[Pick]) -> list[Pick]:
    """Of a retry, leave out whom an earlier try has reached since it was made, and say so on their messages."""
    gone = late.reached(campaign.earlier, [pick.id for pick in picks])
    if gone:
        units = [(pick.id, pick.units) for pick in picks if pick.id in gone]
        states.suppress(campaign.id, units, timezone.now(), late.REASON)
    return [pick for pick in picks if pick.id not in gone]


def _without_suppressed(account_id: int, campaign_id: int, picks: list[Pick]) -> list[Pick]:
    """Leave out who opted out since the file was read, and say so on their messages."""
    barred = {pick.number for pick in picks if pick.listed}
    if barred:
        now = timezone.now()
        listed = Suppression.objects.filter(
            Q(account=account_id) | Q(account=None), Q(expires_at=None) | Q(expires_at__gt=now)
        )
        barred = set(listed.filter(number__in=barred).values_list("number", flat=True))
        gone = [(pick.id, pick.units) for pick in picks if pick.number in barred]
        states.suppress(campaign_id, gone, now, "On the suppression list when its turn came")
    return [pick for pick in picks if pick.number not in barred] if barred else picks


def _write(campaign: Running, owner_id: UUID, permitted: permit.Permit, picks: list[Pick], sender: str) -> Order:
    attempt = Attempt(
        id=uuid4(), campaign_id=campaign.id, account_id=permitted.account.pk, owner_id=owner_id,
        size=len(picks), started_at=timezone.now(),
    )  # fmt: skip
    batch = _batch(campaign, attempt, picks, sender)
    bulk.insert_one(attempt)
    if not states.claim(attempt, [(pick.id, pick.units) for pick in picks]):
        raise RuntimeError("A picked message changed hands inside a locked transaction.")
    numbers = [str(pick.number)[-10:] for pick in picks]
    return Order(attempt, batch, [pick.id for pick in picks], numbers, permitted.throttled)


def _batch(campaign: Running, attempt: Attempt, picks: Iterable[Pick], sender: str) -> Batch:
    snapshot, registered = campaign.snapshot, chosen.templates(campaign.snapshot)
    items = []
    for pick in picks:
        columns = snapshot["columns"].get(str(pick.source), [])
        no = chosen.template_no(snapshot, pick.source, pick.language_no) if pick.language_no else 0
        try:
            body = render.render(campaign.templates[no], [render.clean(pick.cells[column]) for column in columns])
        except (ValueError, IndexError) as error:
            raise Unrenderable(campaign.id, f"Message {pick.id} cannot be written from its row: {error}") from error
        items.append(Item(e164(pick.number), body, registered[no]["dlt_template_id"], registered[no]["sms_type"]))
    return Batch(
        sender=sender,
        items=items,
        dlt_entity_id=snapshot["dlt_entity_id"],
        status_callback=callback_urls.sign(attempt.id),
        custom_field=attempt.id.hex,
        shorten=_shorten(snapshot, attempt, sender),
    )


def _shorten(snapshot: Mapping[str, Any], attempt: Attempt, sender: str) -> Shorten | None:
    if "short_domain" not in snapshot:
        return None
    clicks = callback_urls.sign(attempt.id, callback_urls.CLICKS)
    return Shorten(sender, snapshot["short_domain"], tracking=True, callback=clicks)
