"""Who got a message lately: the newest one of an account to each of some numbers."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Max
from django.utils import timezone

from campaigns.models.message import Message
from campaigns.models.states import MAY_ARRIVE

SOME = 1_000  # numbers a statement, always as many: sqlite3 keeps each different length prepared


class Told(NamedTuple):
    """A message that was sent, or may have been."""

    number: int
    at: datetime
    campaign: str

    @property
    def sentence(self) -> str:
        return f"It got a message of “{self.campaign[:80]}” on {timezone.localtime(self.at):%-d %b %Y}."


def told(account_id: int, numbers: Collection[int], days: int, but: int = 0) -> dict[int, Told]:
    """The numbers with a message of the last ``days``, but for those of one campaign; read by their index."""
    since = timezone.now() - timedelta(days=days)
    sent = Message.objects.filter(account=account_id, state__in=MAY_ARRIVE, sent_at__gte=since).exclude(campaign=but)
    found: dict[int, Told] = {}
    for some in _portions(list(numbers)):
        newest = sent.filter(number__in=some).values_list("number").annotate(Max("pk")).order_by()
        ids = [pk for _, pk in newest]
        rows = Message.objects.filter(pk__in=ids).values_list("number", "sent_at", "campaign__name") if ids else []
        found |= {number: Told(number, at, name) for number, at, name in rows if at}
    return found


def _portions(numbers: list[int]) -> Iterator[list[int]]:
    for i in range(0, len(numbers), SOME):
        some = numbers[i : i + SOME]
        size = SOME if len(numbers) > 100 else 100
        yield [*some, *[0] * (-len(some) % size)]
