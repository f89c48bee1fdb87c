"""Who got a message lately: the newest one of an account to each of some numbers."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone

from campaigns import bulk
from campaigns.models import Message
from campaigns.models.states import MAY_ARRIVE


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
    since, states = timezone.now() - timedelta(days=days), list(MAY_ARRIVE)
    newest = bulk.of_values(
        Message,
        "number",
        list(numbers),
        "v.number, MAX(t.id)",
        f"t.number = v.number AND t.account_id = %s AND t.campaign_id <> %s AND t.state IN ({bulk.marks(states)}) "
        "AND t.sent_at >= %s",
        [account_id, but, *states, *bulk.stored(Message, ("sent_at",), [since])],
        "GROUP BY v.number",
    )
    rows = Message.objects.filter(pk__in=[pk for _, pk in newest]).values_list("number", "sent_at", "campaign__name")
    return {number: Told(number, at, name) for number, at, name in rows if at}
