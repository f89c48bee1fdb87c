"""Rows with a header, an hour or a language of their own, on their way from the files to the requests.

A request carries one header, so messages are picked a header at a time; of those with an hour only what is due. Each pick is
one range of the index pending_messages_by_hour: nothing that must wait is ever walked past.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from campaigns.models import Campaign, Import, Message, Template
from campaigns.models import rowwise as chosen


def sealed(campaign: Campaign, imports: Iterable[Import]) -> dict[str, Any]:
    """What the snapshot says of rows that chose for themselves; nothing when none did."""
    found = {str(item.pk): item.rowwise for item in imports if item.rowwise}
    if not found:
        return {}
    named = {pk: [campaign.sender, *kept.get("senders", [])] for pk, kept in found.items()}
    senders = list(dict.fromkeys(sender for some in named.values() for sender in some))
    held = {pk: [template for _, template, _ in kept.get("languages", [])] for pk, kept in found.items()}
    ids = list(dict.fromkeys(template for some in held.values() for template in some))
    templates = Template.objects.in_bulk(ids)
    last_due = chosen.planned(item for item in imports if item.rowwise).last
    return {
        "rowwise": {
            "senders": senders,
            "sender_nos": {pk: [senders.index(sender) for sender in some] for pk, some in named.items()},
            "templates": [_text(templates[pk]) for pk in ids],
            "languages": {pk: [0, *(ids.index(template) + 1 for template in some)] for pk, some in held.items()},
            "language": campaign.template.language,
            "last_due": last_due,
            "by_hour": len(senders) > 1 or last_due > 0,
        }
    }


def _text(template: Template) -> dict[str, Any]:
    return {
        "body": template.body,
        "version": template.version,
        "template": template.name,
        "language": template.language,
        "sms_type": template.sms_type,
        "dlt_template_id": template.dlt_template_id,
    }


def message_columns(snapshot: Mapping[str, Any]) -> tuple[str, str]:
    """Columns of a new message and their values from its recipient, as SQL; empty where no row has a header or hour."""
    if not chosen.by_hour(snapshot):
        return "", ""
    numbered = snapshot["rowwise"]["sender_nos"]
    places = "".join(_sender_of(int(pk), numbers) for pk, numbers in numbered.items() if any(numbers))
    sender_no = f"CASE import_id{places} ELSE 0 END" if places else "0"
    return ", due, sender_no", f", CASE WHEN due > 0 THEN due ELSE {chosen.AT_ONCE} END, {sender_no}"


def _sender_of(import_id: int, numbers: Sequence[int]) -> str:
    places = " ".join(f"WHEN {place} THEN {int(number)}" for place, number in enumerate(numbers))
    return f" WHEN {import_id} THEN CASE sender_no {places} ELSE 0 END"


def turns(senders: int) -> Iterable[int]:
    """The headers in the order in which they are looked at: each second another is first, so that none waits for long."""
    if senders == 1:
        return (0,)
    first = int(timezone.now().timestamp()) % senders
    return (*range(first, senders), *range(first))


def range_of(sender_no: int) -> tuple[str, str]:
    """The condition for pending messages ``m`` of one header that are due, and their order, as SQL."""
    now = int(timezone.now().timestamp())
    return f" AND m.due > 0 AND m.sender_no = {int(sender_no)} AND m.due <= {now}", "m.due, m.id"


def due(campaign_id: int, sender_no: int) -> QuerySet[Message]:
    """The pending messages of one header that may go now."""
    return chosen.waiting(campaign_id, sender_no).filter(due__lte=int(timezone.now().timestamp()))
