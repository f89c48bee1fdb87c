"""Clicks on short links become rows and counters. Whose click it was, the number, the Sid or the text tells."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from campaigns import bulk
from campaigns.exotel.clicks import ClickReport
from campaigns.models import QUARTER, Attempt, Click, ClickCount, Clicker, Message
from campaigns.sending.evidence import (
    APPLIED,
    DUPLICATE,
    PARKED,
    PURGED,
    QUARANTINED,
    TOO_LATE,
    Verdict,
    of_requests,
    purged,
)
from campaigns.text import render

COLUMNS = ("campaign", "attempt", "message", "digest", "link", "device", "os", "city", "region", "country", "at")
OLDEST, NEWEST = timedelta(days=400), timedelta(hours=1)  # before and after its arrival that a click's time is believed
MOST_VALUES = 200  # links, devices and cities of a campaign that are counted by name; more are counted as OTHERS
OTHERS = "all others"
MOST_TEXTS = 20  # requests of one batch whose texts are read to find out whose link it was
Kind = ClickCount.Kind
NAMED = (Kind.LINK, Kind.DEVICE, Kind.CITY)


class Clicked(NamedTuple):
    attempt: UUID
    report: ClickReport
    received_at: datetime


class New(NamedTuple):
    """A click that was not known before."""

    campaign: int
    visitor: int
    click: Clicked
    at: datetime


def apply(clicked: Sequence[Clicked]) -> list[Verdict]:
    """Store and count clicks; one verdict each, in order. Inside a transaction."""
    if not clicked:
        return []
    campaigns = dict(Attempt.objects.filter(id__in={one.attempt for one in clicked}).values_list("id", "campaign_id"))
    messages, gone = _messages(clicked, campaigns), purged(campaigns.keys())
    verdicts = [_verdict(one, campaigns, gone, messages.get(i)) for i, one in enumerate(clicked)]
    fresh: dict[tuple[int, bytes], int] = {}
    for i, one in enumerate(clicked):
        if verdicts[i].result == DUPLICATE:
            fresh.setdefault((campaigns[one.attempt], one.report.digest), i)
    rows = [_row(clicked[i], campaign, messages.get(i)) for (campaign, _), i in sorted(fresh.items())]
    stored = {(pk, bytes(digest)) for pk, digest in bulk.insert_new(Click, COLUMNS, rows, ("campaign", "digest"))}
    new = []
    for key, i in fresh.items():
        if key in stored:
            verdicts[i] = verdicts[i]._replace(result=APPLIED)
            one, message = clicked[i], messages.get(i)
            new.append(New(key[0], message or _stranger(one), one, _at(one)))
    _count(new)
    return verdicts


def _verdict(one: Clicked, campaigns: Collection[UUID], gone: Collection[UUID], message: int | None) -> Verdict:
    """What becomes of a click; one that may be stored is a repetition until it turns out to be new."""
    if one.attempt not in campaigns:
        return Verdict(PARKED, "The request whose link was clicked is not known here yet.")
    if one.attempt in gone:
        return Verdict(PURGED, TOO_LATE)
    if message is None and one.report.number10:
        return Verdict(QUARANTINED, "The click names a number that was not in this request.")
    return Verdict(DUPLICATE, message_id=message)


def _row(one: Clicked, campaign: int, message: int | None) -> tuple:
    told = one.report
    where = (told.link, told.device, told.os, told.city, told.region, told.country)
    return (campaign, one.attempt, message, told.digest, *where, _at(one))


def _at(one: Clicked) -> datetime:
    """When it was clicked; when it was told, where the time told cannot be."""
    at, received = one.report.at, one.received_at
    return at if at and received - OLDEST <= at <= received + NEWEST else received


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 2


def _stranger(one: Clicked) -> int:
    """Stands for a visitor whose message is not known: the short link is each person's own."""
    return -1 - _hash(f"{one.attempt}|{one.report.sid or one.report.short_url}")


# Whose click it was -------------------------------------------------------------------------------------------------


def _messages(clicked: Sequence[Clicked], attempts: Collection[UUID]) -> dict[int, int]:
    """The messages of clicks, by place in ``clicked``: by number, else by Sid, else by the text that holds the link."""
    known = [(i, one.attempt, one.report) for i, one in enumerate(clicked) if one.attempt in attempts]
    numbered = [(i, attempt, int(told.number10)) for i, attempt, told in known if told.number10]
    found = _by_number(numbered)
    left = [(i, attempt, told) for i, attempt, told in known if i not in found]
    if sids := {told.sms_sid for _, _, told in left if told.sms_sid}:
        held = Message.objects.filter(attempt__in={attempt for _, attempt, _ in left}, sid__in=sids)
        by_sid = {(attempt, sid): pk for attempt, sid, pk in held.values_list("attempt_id", "sid", "id")}
        found |= {i: by_sid[attempt, told.sms_sid] for i, attempt, told in left if (attempt, told.sms_sid) in by_sid}
    nameless = [(i, attempt, told.long_url) for i, attempt, told in left if i not in found and not told.number10]
    return found | _by_text([one for one in nameless if one[2]])


def _by_number(numbered: Sequence[tuple[int, UUID, int]]) -> dict[int, int]:
    if not numbered:
        return {}
    sent_to, parameters = of_requests(numbered)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT v.id, m.id {sent_to}", parameters)
        return dict(cursor.fetchall())


def _by_text(nameless: Sequence[tuple[int, UUID, str]]) -> dict[int, int]:
    """Where exactly one text of the request holds the link, it is that one's."""
    attempts = sorted({attempt for _, attempt, _ in nameless})[:MOST_TEXTS]
    texts = _texts(attempts) if attempts else {}
    found = {}
    for i, attempt, url in nameless:
        holders = [pk for pk, text in texts.get(attempt, ()) if url in text]
        if len(holders) == 1:
            found[i] = holders[0]
    return found


def _texts(attempts: Sequence[UUID]) -> dict[UUID, list[tuple[int, str]]]:
    """Messages of requests with the values that were put into their texts."""
    texts = defaultdict(list)
    carried = Message.objects.filter(attempt__in=attempts).select_related("recipient", "campaign").order_by("id")
    for message in carried:
        snapshot, recipient = message.campaign.snapshot, message.recipient
        columns = snapshot["columns"].get(str(recipient.source_id), [])
        try:
            text = render.render(render.parse(snapshot["body"]), [render.clean(recipient.cells[at]) for at in columns])
        except (ValueError, IndexError):
            continue
        texts[message.attempt_id].append((message.pk, text))
    return texts  # type: ignore[return-value]


# Counting -----------------------------------------------------------------------------------------------------------


def _count(new: Sequence[New]) -> None:
    """Insert what these clicks add, as deltas. Whoever clicks again is counted as a click and not as a person."""
    if not new:
        return
    pairs = {(one.campaign, one.visitor, link) for one in new for link in (0, _link(one))}
    columns = ("campaign", "visitor", "link")
    first = set(bulk.insert_new(Clicker, columns, sorted(pairs), columns))
    sums: dict[tuple[int, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in sorted(new, key=lambda one: one.at):
        new_here, new_at_link = _taken(first, one, 0), _taken(first, one, _link(one))
        for kind, value in _places(one):
            add = sums[one.campaign, kind, value]
            add[0] += 1
            add[1] += new_at_link if kind == Kind.LINK else new_here
    rows = [(*place, clicks, people) for place, (clicks, people) in _bounded(sums).items()]
    bulk.insert_few(ClickCount, ("campaign", "kind", "value", "clicks", "people"), rows)


def _link(one: New) -> int:
    return _hash(one.click.report.link) or 1


def _taken(first: set[tuple], one: New, link: int) -> bool:
    """Whether it is the person's first click; the next one of the same batch is not."""
    key = (one.campaign, one.visitor, link)
    if key not in first:
        return False
    first.remove(key)
    return True


def _places(one: New) -> Iterable[tuple[str, str]]:
    told = one.click.report
    quarter = str(int(one.at.timestamp()) // QUARTER)
    return (
        (Kind.ALL, ""), (Kind.LINK, told.link), (Kind.DEVICE, told.device), (Kind.CITY, told.city), (Kind.QUARTER, quarter),
    )  # fmt: skip


def _bounded(sums: dict[tuple[int, str, str], list[int]]) -> dict[tuple[int, str, str], tuple[int, int]]:
    """Values beyond the first 200 of a kind are added to one: a campaign's page costs the same whatever was clicked."""
    kept: dict[tuple[int, str, str], tuple[int, int]] = {}
    known: dict[tuple[int, str], set[str]] = {}
    for (campaign, kind, value), (clicks, people) in sums.items():
        name = value
        if kind in NAMED:
            if (campaign, kind) not in known:
                known[campaign, kind] = _values(campaign, kind)
            values = known[campaign, kind]
            name = value if value in values or len(values) < MOST_VALUES else OTHERS
            values.add(name)
        before = kept.get((campaign, kind, name), (0, 0))
        kept[campaign, kind, name] = (before[0] + clicks, before[1] + people)
    return kept


def _values(campaign: int, kind: str) -> set[str]:
    rows = ClickCount.objects.filter(campaign=campaign, kind=kind)
    return set(rows.values_list("value", flat=True).distinct()[: MOST_VALUES + 1])
