"""What the rows of a campaign's files chose for themselves, as its imports and its snapshot keep it.

    Import.rowwise        {"senders": [header], "languages": [[tag, template, version]], "planned": moments.Planned}
    snapshot["rowwise"]   {"senders": [header, the campaign's own first], "templates": [translation], "last_due": seconds,
                          "languages": {import: [place in templates, 0 for the campaign's own]}, "by_hour": bool,
                          "sender_nos": {import: [place in senders]}, "language": tag of the campaign's own text}

Either is empty where no row chose anything, and then nothing here costs anything. ``by_hour`` says that messages are picked
by header and hour, because some of their rows have one.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from campaigns.models.audience import Import
from campaigns.models.message import LITERALLY, Message
from campaigns.models.states import MessageState
from campaigns.text.moments import Planned

AT_ONCE = 1  # the hour of a message without one, where others have one


def planned(imports: Iterable[Import]) -> Planned:
    """How many rows of these files have which hour."""
    found = Planned()
    for item in imports:
        if item.rowwise.get("planned"):
            found.join(Planned(item.rowwise["planned"]))
    return found


def by_hour(snapshot: Mapping[str, Any]) -> bool:
    return bool(snapshot.get("rowwise", {}).get("by_hour"))


def senders(snapshot: Mapping[str, Any]) -> list[str]:
    """The headers that messages go out under, by their sender_no."""
    return snapshot.get("rowwise", {}).get("senders") or [snapshot.get("sender", "")]


def last_due(snapshot: Mapping[str, Any]) -> int:
    """When the last of the messages with an hour of their own may go; 0 when none has."""
    return int(snapshot.get("rowwise", {}).get("last_due", 0))


def templates(snapshot: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The text of the campaign and those of its translations, each with all that is sent with it."""
    return [snapshot, *snapshot.get("rowwise", {}).get("templates", [])]


def template_no(snapshot: Mapping[str, Any], source: int, language_no: int) -> int:
    """The place among ``templates`` of the text of a row, by its import and language_no."""
    return int(snapshot["rowwise"]["languages"][str(source)][language_no]) if language_no else 0


def languages(snapshot: Mapping[str, Any]) -> list[str]:
    """The tags of the languages of ``templates``; empty where nobody has said it."""
    return [snapshot.get("rowwise", {}).get("language", ""), *(one["language"] for one in templates(snapshot)[1:])]


def waiting(campaign_id: int, sender_no: int) -> QuerySet[Message]:
    """The pending messages under one header, of a campaign whose messages are picked by header and hour."""
    literal = RawSQL(LITERALLY["pending_by_hour"], [], output_field=BooleanField())  # noqa: S611  (no input in it)
    return Message.objects.filter(literal, campaign=campaign_id, state=MessageState.PENDING, sender_no=sender_no)
