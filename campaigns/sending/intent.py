"""The first commit around a POST: choose at most 100 messages and say, durably, that they are about to be sent.

This is the one point at which sending is decided. It holds the account's lock, so pauses, stops and windows cannot be
overtaken; when its transaction has committed, a crash at any later moment leaves the messages in honest doubt.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from campaigns.sending import callback_urls, control, pace, rowwise, states, wires
from campaigns.sending.retry import late
from campaigns.text import render, window
from campaigns.text.phone import e164


@dataclass(frozen=True, slots=True)
class Order:
    """One committed intent: what to post, and whose messages it carries."""

    attempt: Attempt
    batch: Batch
    ids: list[int]
    numbers: list[str]  # last ten digits, distinct, in batch order


class Pick(NamedTuple):
    id: int
    number: int
    units: int
    cells: list[str]
    source: int
    language_no: int


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
    return any(_has_some(campaign) for campaign in _turns(account))


def _has_some(campaign: Running) -> bool:
    if chosen.by_hour(campaign.snapshot):
        return any(rowwise.due(campaign.id, sender_no).exists() for sender_no in range(len(campaign.senders)))
    return Message.objects.filter(campaign=campaign.id, state=MessageState.PENDING).exists()


def _turns(account: Account) -> Iterator[Running]:
    """The account's running campaigns whose hours are open: by priority, then who has waited longest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, launched_at FROM campaigns_campaign WHERE account_id = %s AND state = 'running' "
            "ORDER BY priority DESC, last_intent_at IS NOT NULL, last_intent_at, id",
            [account.pk],
        )
        launches = cursor.fetchall()
    for launch in launches:
        campaign = _running(*launch)
        if may_send_now(campaign.snapshot, account):
            yield campaign


@lru_cache(maxsize=64)
def _running(campaign_id: int, launched_at: object) -> Running:
    """What no longer changes once a campaign is launched, so that each request need not read it again."""
    campaign = Campaign.objects.get(pk=campaign_id)
    earlier = tuple(ancestors(campaign, family(campaign_id))) if campaign.retry_of_id else ()
    templates = [render.parse(template["body"]) for template in chosen.templates(campaign.snapshot)]
    return Running(campaign_id, campaign.snapshot, templates, chosen.senders(campaign.snapshot), earlier)


def may_send_now(snapshot: Mapping[str, Any], account: Account) -> bool:
    if snapshot.get("category") != "promotional":
        return True
    return window.is_open(timezone.now(), account.window_opens, account.window_closes, ZoneInfo(account.time_zone))


def commit(owner_id: UUID, account_id: int, only: Sequence[int] = ()) -> tuple[Account, Order] | None:
    """Commit one intent, of the messages ``only`` when given; None when there is nothing that may be sent."""
    with control.account_lock(account_id) as account:
        if not _alive(owner_id) or account.stopped_at or pace.blocked(account_id):
            return None
        for campaign in _turns(account):
            most = wires.most(account, campaign.snapshot)
            for sender_no in rowwise.turns(len(campaign.senders)):
                if kept := _next(account_id, campaign, sender_no, most, only):
                    return account, _write(campaign, account_id, owner_id, kept, campaign.senders[sender_no])
    return None


def _next(account_id: int, campaign: Running, sender_no: int, most: int, only: Sequence[int]) -> list[Pick]:
    """What of a campaign goes out next under one header."""
    picks = _pick(campaign, sender_no, most, only)
    kept = _sendable(account_id, campaign, picks)
    while picks and not kept and not only:
        picks = _pick(campaign, sender_no, most, only)
        kept = _sendable(account_id, campaign, picks)
    return kept


def _alive(owner_id: UUID) -> bool:
    """Show a sign of life; False for an owner that is told to stop, or that recovery holds for dead."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_owner SET beat = beat + 1 WHERE id = %s AND NOT dead AND NOT stop",
            bulk.stored(Attempt, ("owner",), [owner_id]),
        )
        return bool(cursor.rowcount)


def _pick(campaign: Running, sender_no: int, most: int, only: Sequence[int]) -> list[Pick]:
    """Pending messages of one header in their order, no two to one number."""
    which, order = rowwise.range_of(sender_no) if chosen.by_hour(campaign.snapshot) else ("", "m.id")
    choice = f" AND m.id IN ({', '.join(str(int(pk)) for pk in only)})" if only else ""
    lock = " FOR UPDATE OF m SKIP LOCKED" if bulk.is_postgres() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id, m.number, m.units, r.cells, r.import_id, r.language_no FROM campaigns_message m "
            "JOIN campaigns_recipient r ON r.id = m.recipient_id "
            f"WHERE m.campaign_id = %s AND m.state = 'pending'{which}{choice} ORDER BY {order} LIMIT {most}{lock}",
            [campaign.id],
        )
        picks = [Pick(pk, number, units, json.loads(cells), *rest) for pk, number, units, cells, *rest in cursor.fetchall()]
    return list({pick.number % 10**10: pick for pick in reversed(picks)}.values())[::-1]


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
    now = timezone.now()
    barred = _listed([pick.number for pick in picks])
    if barred:
        listed = Suppression.objects.filter(
            Q(account=account_id) | Q(account=None), Q(expires_at=None) | Q(expires_at__gt=now)
        )
        barred = set(listed.filter(number__in=barred).values_list("number", flat=True))
    if barred:
        gone = [(pick.id, pick.units) for pick in picks if pick.number in barred]
        states.suppress(campaign_id, gone, now, "On the suppression list when its turn came")
    return [pick for pick in picks if pick.number not in barred]


def _listed(numbers: list[int]) -> set[int]:
    """Those on any suppression list at all: nearly always none."""
    if not numbers:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT number FROM campaigns_suppression WHERE number IN ({bulk.marks(numbers)})", numbers)
        return {row[0] for row in cursor.fetchall()}


def _write(campaign: Running, account_id: int, owner_id: UUID, picks: list[Pick], sender: str) -> Order:
    attempt = Attempt(
        id=uuid4(), campaign_id=campaign.id, account_id=account_id, owner_id=owner_id,
        size=len(picks), started_at=timezone.now(),
    )  # fmt: skip
    batch = _batch(campaign, attempt, picks, sender)
    attempt.save(force_insert=True)
    if not states.claim(attempt, [(pick.id, pick.units) for pick in picks]):
        raise RuntimeError("A picked message changed hands inside a locked transaction.")
    Campaign.objects.filter(pk=campaign.id).update(last_intent_at=attempt.started_at)
    failpoints.reach("intent.before")
    return Order(attempt, batch, [pick.id for pick in picks], [str(pick.number)[-10:] for pick in picks])


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
