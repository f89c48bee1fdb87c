"""All that is done to an audience in the background: its files are read, its segments counted, and what was deleted goes."""

from uuid import uuid4

from django.db import connection, transaction

from campaigns import leases
from campaigns.audience import counting, growing
from campaigns.audience.turns import Turn
from campaigns.models import Audience, AudienceFile, AudienceMember, AudienceRowError
from campaigns.models.saved import READING

SLICE = 20_000  # rows a transaction: on SQLite other writers wait meanwhile


def run(audience_id: int) -> bool:
    """Work for about TASK_BUDGET seconds. False when there is more to do and nobody else does it."""
    owner, name = uuid4(), f"audience:{audience_id}"
    if not leases.take(name, owner):
        return True
    try:
        return _work(audience_id, Turn(lambda: leases.take(name, owner)))
    finally:
        leases.give_back(name, owner)


def _work(audience_id: int, turn: Turn) -> bool:
    while turn.goes_on():
        audience = Audience.objects.filter(pk=audience_id).first()
        if audience is None:
            return True
        if audience.deleting:
            return _remove(audience, turn)
        file = audience.files.exclude(path="").order_by("pk").first()
        if file is None:
            if not counting.advance(audience, turn):
                return False
            if not audience.files.exclude(path="").exists():  # one that came meanwhile rang in vain
                return True
        elif file.state not in READING:
            growing.put_away(file)
        elif not growing.read(file, turn):
            # It may be a campaign that it waits for, which rings when it has its people.
            return not AudienceFile.objects.filter(pk=file.pk, state="running").exists()
    return turn.lost


def _remove(audience: Audience, turn: Turn) -> bool:
    """Delete an audience with all that belongs to it; False when the turn ended before."""
    files = list(audience.files.all())
    wholes = [(AudienceMember, "audience_id", audience.pk), *((AudienceRowError, "file_id", file.pk) for file in files)]
    for model, column, value in wholes:
        while _remove_some(model._meta.db_table, column, value):
            if not turn.goes_on():
                return turn.lost
    for file in files:
        if file.path:
            growing.put_away(file)
    audience.delete()
    return True


def _remove_some(table: str, column: str, value: int) -> int:
    query = f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM "{table}" WHERE "{column}" = %s LIMIT %s)'
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(query, [value, SLICE])
        return cursor.rowcount
