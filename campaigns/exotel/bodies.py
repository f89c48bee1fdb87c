"""Request bodies of the SMS API (document S001): application/x-www-form-urlencoded, ``Messages[0][To]`` and so on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

_QUOTED = ["+" if byte == ord(" ") else quote(bytes([byte]), safe="") for byte in range(256)]  # each byte in a form


@dataclass(frozen=True, slots=True)
class Item:
    """One message: ``to`` in E.164 with plus, the text as the recipient sees it."""

    to: str
    body: str
    dlt_template_id: str = ""
    sms_type: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Shorten:
    """Exotel shortens the links in the texts; it charges for this, and some parts are for select customers only.

    ``header`` must be the one in the address registered on DLT. Clicks are reported to ``callback`` when tracked.
    """

    header: str = ""
    domain: str = ""  # empty for Exotel's own
    tracking: bool = False
    callback: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries; everything but the items holds for all of them.

    On bulksend ``status_callback`` and ``custom_field`` are per request, so they name the batch and never a message.
    """

    sender: str
    items: Sequence[Item]
    dlt_entity_id: str = ""
    status_callback: str = ""
    custom_field: str = ""
    encoding: str = ""  # plain or unicode; empty lets Exotel find out
    priority: str = ""  # high is for OTPs alone
    shorten: Shorten | None = None


def bulk_body(batch: Batch) -> bytes:
    """The body of bulksend: a text of its own for each number."""
    fields = _outer(batch, batch.sender)
    for i, item in enumerate(batch.items):
        prefix = f"Messages%5B{i}%5D%5B"
        fields += (f"{prefix}To%5D={_quoted(item.to)}", f"{prefix}Body%5D={_quoted(item.body)}")
        if item.sender:
            fields.append(f"{prefix}From%5D={_quoted(item.sender)}")
        if item.sms_type:
            fields.append(f"{prefix}SmsType%5D={_quoted(item.sms_type)}")
        if item.dlt_template_id:
            fields.append(f"{prefix}DltTemplateId%5D={_quoted(item.dlt_template_id)}")
    return "&".join(fields).encode("ascii")


def send_body(batch: Batch) -> bytes:
    """The body of the static send: one text to one number or to several. ValueError when the items differ in more."""
    first = batch.items[0]
    if any(replace(item, to=first.to) != first for item in batch.items):
        raise ValueError("A static send carries one text, header and template for all its numbers.")
    fields = _outer(batch, first.sender or batch.sender)
    if len(batch.items) == 1:
        fields.append(f"To={_quoted(first.to)}")
    else:
        fields += [f"To%5B{i}%5D={_quoted(item.to)}" for i, item in enumerate(batch.items)]
    fields.append(f"Body={_quoted(first.body)}")
    fields += _given(("SmsType", first.sms_type), ("DltTemplateId", first.dlt_template_id))
    return "&".join(fields).encode("ascii")


def _outer(batch: Batch, sender: str) -> list[str]:
    fields = _given(
        ("From", sender),
        ("DltEntityId", batch.dlt_entity_id),
        ("StatusCallback", batch.status_callback),
        ("CustomField", batch.custom_field),
        ("EncodingType", batch.encoding),
        ("Priority", batch.priority),
    )
    return fields + _shortened(batch.shorten) if batch.shorten else fields


def _shortened(shorten: Shorten) -> list[str]:
    return _given(
        ("ShortenUrl", "true"),
        ("ShortenUrlParams%5BHeader%5D", shorten.header),
        ("ShortenUrlParams%5BCustomDomain%5D", shorten.domain),
        ("ShortenUrlParams%5BTracking%5D", "true" if shorten.tracking else ""),
        ("ShortenUrlParams%5BClickTrackingCallbackUrl%5D", shorten.callback),
    )


def _given(*values: tuple[str, str]) -> list[str]:
    return [f"{name}={_quoted(value)}" for name, value in values if value]


def _quoted(text: str) -> str:
    """What ``urllib.parse.quote_plus`` gives, in two thirds of its time: a request holds hundreds of values."""
    return "".join(map(_QUOTED.__getitem__, text.encode("utf-8")))
