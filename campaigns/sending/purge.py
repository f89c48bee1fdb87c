"""Removes the people and messages of campaigns that ended long ago; counters, requests and the audit trail stay.

A campaign is marked first: from then on no page expects its messages, and a report that still comes is too late. What goes
is removed in batches, each a transaction of its own, so a killed purge leaves nothing by halves and the next one goes on.
Tries of one campaign go together, because who was reached in one is known from the others.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection, models
from django.db.models import Sum
from django.utils import timezone

from campaigns import bulk, failpoints
from campaigns.models import Attempt, Campaign, Click, Clicker, Count, Import, Message, Recipient, RowError
from campaigns.models.states import ENDED, UNSETTLED, MessageState
from campaigns.sending import control

BATCH = 2_000  # messages a transaction: about 100 ms on SQLite, where other writers wait meanwhile
ROWS = 10_000  # of tables that nothing refers to
ASKING = timedelta(days=4)  # for which Exotel is asked about messages without a report
EMPTY: list[object] = []


class Due(NamedTuple):
    """A campaign that may go, and how much of it there is."""

    campaign: Campaign
    messages: int


class Kept(NamedTuple):
    """A campaign that is old enough and stays, and a sentence why."""

    campaign: Campaign
    why: str


class Removed(NamedTuple):
    messages: int
    recipients: int
    files: int


def chosen(before: datetime, only: int | None = None, force: bool = False) -> tuple[list[Due], list[Kept]]:
    """Campaigns that ended before an instant, with all their tries; and those that must stay, when one asks about them."""
    families: dict[int, list[Campaign]] = defaultdict(list)
    roots: dict[int, int] = {}
    for campaign in Campaign.objects.order_by("pk").defer("snapshot"):  # a try is always younger than what it tries again
        roots[campaign.pk] = roots.get(campaign.retry_of_id or 0, campaign.pk)
        families[roots[campaign.pk]].append(campaign)
    due: list[Due] = []
    kept: list[Kept] = []
    for members in families.values():
        if only is not None and only not in {member.pk for member in members}:
            continue
        going = [member for member in members if member.purging or not member.purged_at]
        old = [member for member in going if member.purging or _ended(member, before)]
        why = "" if len(old) == len(going) else "it or another try of it has not ended, or not long enough ago."
        why = why or _obstacle(old, force)
        if why and (old or only is not None):
            kept += [Kept(member, why) for member in (old or going)]
        elif not why:
            due += [Due(member, _sum(member)) for member in old]
    return due, kept


def _ended(campaign: Campaign, before: datetime) -> bool:
    return campaign.state in ENDED and campaign.finished_at is not None and campaign.finished_at < before


def _sum(campaign: Campaign, *states: str) -> int:
    rows = Count.objects.filter(campaign=campaign)
    rows = rows.filter(state__in=states) if states else rows
    return rows.aggregate(total=Sum("n"))["total"] or 0


def _obstacle(members: Sequence[Campaign], force: bool) -> str:
    """Why these must stay; a purge that was begun is always ended."""
    fresh = [member for member in members if not member.purging]
    if any(_sum(member, *UNSETTLED) for member in fresh):
        return "messages of it still wait or are being sent."
    doubtful = sum(_sum(member, MessageState.UNCONFIRMED) for member in fresh)
    if doubtful and not force:
        return f"{doubtful} of its messages are unconfirmed: decide them on the page Unconfirmed, or use --force."
    asked = Attempt.objects.filter(campaign__in=fresh, poll_at__isnull=False, started_at__gt=timezone.now() - ASKING)
    if not force and asked.exists():
        return "Exotel is still being asked about messages of it: wait a few days, or use --force."
    return ""


def purge(campaign: Campaign, said: Callable[[int], None] = lambda _: None) -> Removed:
    """Remove all that is known of a campaign's people. Raises control.Refused when it runs again meanwhile."""
    _begin(campaign)
    recipients = _delete_all(Recipient, "campaign_id", [campaign.pk])
    messages = 0
    while done := _delete_messages(campaign.pk):
        messages += done
        said(messages)
    imports = list(Import.objects.filter(campaign=campaign))
    _delete_all(RowError, "import_id", [source.pk for source in imports])
    for model in (Click, Clicker):
        _delete_all(model, "campaign_id", [campaign.pk])
    files = sum(_delete_file(source) for source in imports)
    Attempt.objects.filter(campaign=campaign).exclude(strays=EMPTY).update(strays=EMPTY)
    Campaign.objects.filter(pk=campaign.pk).update(purging=False)
    return Removed(messages, recipients, files)


def _begin(campaign: Campaign) -> None:
    """From here on the messages count as gone. Under the account's lock, which whoever sends something again holds too."""
    with control.account_lock(campaign.account_id):
        ended = Campaign.objects.filter(pk=campaign.pk, state__in=ENDED)
        if ended.filter(purging=True).exists():
            return
        if not ended.update(purged_at=timezone.now(), purging=True):
            raise control.Refused("wrong_state", "It runs again, so nothing of it was removed.")
        Attempt.objects.filter(campaign=campaign, poll_at__isnull=False).update(poll_at=None)


def _delete_messages(campaign_id: int) -> int:
    """One batch with all that belongs to it, the newest first: a message sent again goes before the one it repeats."""
    with bulk.transaction(), connection.cursor() as cursor:
        newest = Message.objects.filter(campaign=campaign_id).order_by("-id").values_list("id", flat=True)
        ids = sorted(newest[:BATCH])
        if not ids:
            return 0
        marks = bulk.marks(ids)
        # In the order in which reports lock them, and before their reports: else the two would wait for each other.
        cursor.execute(f"SELECT id FROM campaigns_message WHERE id IN ({marks}) ORDER BY id{bulk.for_update()}", ids)
        for statement in _belonging():
            cursor.execute(statement.format(marks), ids)
        cursor.execute(f"DELETE FROM campaigns_message WHERE id IN ({marks})", ids)
        failpoints.reach("purge.before")
    failpoints.reach("purge.committed")
    return len(ids)


@cache
def _belonging() -> list[str]:
    """What becomes of rows of other tables that name a message: as their foreign keys say."""
    found = []
    for relation in Message._meta.related_objects:
        table, column = relation.related_model._meta.db_table, relation.field.column
        if relation.related_model is not Message:
            keeps = relation.on_delete is models.SET_NULL
            verb = f'UPDATE "{table}" SET "{column}" = NULL' if keeps else f'DELETE FROM "{table}"'
            found.append(f'{verb} WHERE "{column}" IN ({{}})')
    return found


def _delete_all(model: type[models.Model], column: str, values: Sequence[int]) -> int:
    """Rows of a table that nothing refers to, in batches."""
    table, total = model._meta.db_table, 0
    while values:
        with bulk.transaction(), connection.cursor() as cursor:
            cursor.execute(
                f'DELETE FROM "{table}" WHERE id IN '
                f'(SELECT id FROM "{table}" WHERE "{column}" IN ({bulk.marks(values)}) LIMIT {ROWS})',
                list(values),
            )
            done = cursor.rowcount
        total += done
        if done < ROWS:
            break
    return total


def _delete_file(source: Import) -> bool:
    """The uploaded file and the rows that were shown of it; how it was read stays."""
    path = source.path
    if path:
        (Path(settings.MEDIA_ROOT) / path).unlink(missing_ok=True)
    Import.objects.filter(pk=source.pk).update(path="", sample=EMPTY, examples={})
    return bool(path)
