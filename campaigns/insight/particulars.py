"""What messages carry that their rows chose: reference, header, hour and language."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from campaigns.models import Message, Recipient, rowwise


@dataclass(frozen=True, slots=True)
class Particulars:
    reference: str
    sender_id: str
    due_at: datetime | None  # not to be sent before; None where the row named no hour
    language: str  # the tag of its text's language; empty where nobody has said it
    template: str  # the name of its text


def of(messages: Collection[Message]) -> dict[int, Particulars]:
    """By message, with one query for all of them; their campaigns are at hand."""
    rows = Recipient.objects.filter(pk__in=[message.recipient_id for message in messages])
    told = {pk: rest for pk, *rest in rows.values_list("pk", "reference", "source_id", "language_no")}
    return {message.pk: _of(message, *told.get(message.recipient_id, ("", 0, 0))) for message in messages}


def _of(message: Message, reference: str, source: int, language_no: int) -> Particulars:
    snapshot = message.campaign.snapshot
    no = rowwise.template_no(snapshot, source, language_no)
    senders = rowwise.senders(snapshot)
    return Particulars(
        reference=reference,
        sender_id=senders[message.sender_no] if message.sender_no < len(senders) else "",
        due_at=datetime.fromtimestamp(message.due, UTC) if message.due > rowwise.AT_ONCE else None,
        language=rowwise.languages(snapshot)[no],
        template=rowwise.templates(snapshot)[no].get("template", ""),
    )
