"""Request bodies of the SMS API (document S001): application/x-www-form-urlencoded, ``Messages[0][To]`` and so on."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

_QUOTED = ["+" if byte == ord(" ") else quote(bytes([byte]), safe="") for byte in range(256)]  # each byte in a form
_UNSAFE = re.compile(r"[^A-Za-z0-9_.~ -]")


class Item(NamedTuple):
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
    for names, item in zip(_names(len(batch.items)), batch.items, strict=True):
        to, body, sender, sms_type, template = names
        fields += (to + _quoted(item.to), body + _quoted(item.body))
        if item.sender:
            fields.append(sender + _quoted(item.sender))
        if item.sms_type:
            fields.append(sms_type + _constant(item.sms_type))
        if item.dlt_template_id:
            fields.append(template + _constant(item.dlt_template_id))
    return "&".join(fields).encode("ascii")


@lru_cache(8)
def _names(size: int) -> list[tuple[str, ...]]:
    """The names of each message's fields, with the sign that separates them from their values."""
    fields = ("To", "Body", "From", "SmsType", "DltTemplateId")
    return [tuple(f"Messages%5B{i}%5D%5B{name}%5D=" for name in fields) for i in range(size)]


def send_body(batch: Batch) -> bytes:
    """The body of the static send: one text to one number or to several. ValueError when the items differ in more."""
    first = batch.items[0]
    if any(item._replace(to=first.to) != first for item in batch.items):
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
    """What ``urllib.parse.quote_plus`` gives, in a third of its time: a request holds hundreds of values."""
    if text.isascii():
        return _UNSAFE.sub(_escaped, text).replace(" ", "+")
    return "".join(map(_QUOTED.__getitem__, text.encode("utf-8")))


def _escaped(found: re.Match[str]) -> str:
    return _QUOTED[ord(found[0])]


_constant = lru_cache(256)(_quoted)  # of what all messages of a request have in common
