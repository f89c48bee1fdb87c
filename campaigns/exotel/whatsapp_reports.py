"""What the WhatsApp API says of messages: the items of its answers, delivery reports and messages that people write.

The string ``exo_detailed_status`` decides before the number: two documents give the numbers different meanings (C11).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.exotel.codes import lookup
from campaigns.exotel.codes.stored import stored
from campaigns.exotel.reports import DeliveryReport
from campaigns.exotel.values import decoded, folded, mapping, objects, parsed, scalar, sid
from campaigns.text.phone import last10
from campaigns.text.window import IST

LARGEST = 100  # messages of one callback that are looked at
INBOUND = frozenset({"icm", "incoming_message"})  # as documented, and as seen on the wire
LONGEST_BODY = 4096  # characters


@dataclass(frozen=True, slots=True)
class Result:
    """One item of an answer. ``sid`` is None for none and empty for one that cannot be stored."""

    sid: str | None
    word: str  # success or failure
    code: str  # of error_data, else the item's own


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message that a person wrote to us."""

    sid: str
    sender: str
    number10: str
    name: str
    kind: str
    text: str  # of a text, a caption or the title of a button
    at: datetime | None


def results(body: bytes) -> list[Result] | None:
    """The items of an answer in the order of the request's messages; None when there is none that can be read.

    An item that is no object keeps its place, because the place alone says whose it is.
    """
    messages = mapping(mapping(mapping(parsed(decoded(body))).get("response")).get("whatsapp")).get("messages")
    return [_result(mapping(item)) for item in messages] or None if isinstance(messages, list) else None


def _result(item: Mapping[str, Any]) -> Result:
    fault = folded(mapping(item.get("error_data")))
    code = scalar(fault.get("code"), "code") or scalar(item.get("code"), "code")
    return Result(sid(folded(mapping(item.get("data"))).get("sid")), scalar(item.get("status"), "word").lower(), code)


def error_code(body: bytes) -> str:
    """The API's code in an answer that refuses a whole request; the documents do not say where it stands."""
    answer = mapping(parsed(decoded(body)))
    response = answer.get("response")
    places = [response, *(objects(response)), answer, answer.get("error"), mapping(response).get("error")]
    for place in map(mapping, places):
        for fault in (mapping(place.get("error_data")), place):
            if code := scalar(fault.get("code"), "code"):
                return code
    return ""


def callbacks(raw: bytes) -> tuple[list[DeliveryReport], list[Inbound]]:
    """The delivery reports and incoming messages of one callback; both kinds may stand in one array."""
    told = mapping(parsed(decoded(raw)))
    messages = objects(mapping(told.get("whatsapp")).get("messages"))[:LARGEST]
    dlrs = [report for item in messages if not _is_inbound(item) and (report := from_dlr(item))]
    return dlrs, [_inbound(item) for item in messages if _is_inbound(item)]


def from_dlr(item: Mapping[str, Any]) -> DeliveryReport | None:
    """A report from one element of the array; None when it says nothing about a status."""
    values = folded(item)
    code, name = scalar(values.get("exostatuscode"), "code"), scalar(values.get("exodetailedstatus"), "name")
    word = scalar(values.get("status"), "word").lower().replace("_", "-")
    if not (code or name or word):
        return None
    row = lookup("exotel", "whatsapp", "status", code or None, name or word)
    to = scalar(values.get("to"), "to")
    return DeliveryReport(
        source="callback",
        sid=sid(values.get("sid")) or "",
        to=to,
        number10=last10(to),
        word=word or name.lower()[:32],
        code=stored("wa", row.code if row.known else code or name),
        name=name or row.name,
        state=row.state,
        date_sent=instant(values.get("timestamp")),
        units=None,
        custom=scalar(values.get("customdata"), "custom"),
    )


def _is_inbound(item: Mapping[str, Any]) -> bool:
    return scalar(item.get("callback_type"), "word").lower() in INBOUND


def _inbound(item: Mapping[str, Any]) -> Inbound:
    values, content = folded(item), mapping(item.get("content"))
    sender, kind = scalar(values.get("from"), "to"), scalar(content.get("type"), "word")
    inner = mapping(content.get(kind))
    said = next((inner[key] for key in ("body", "caption", "text", "title") if isinstance(inner.get(key), str)), "")
    said = said.replace("\x00", "")[:LONGEST_BODY].encode("utf-8", "replace").decode("utf-8")
    name = scalar(values.get("profilename"), "name")
    at = instant(values.get("timestamp"))
    return Inbound(sid(values.get("sid")) or "", sender, last10(sender), name, kind, said, at)


def instant(value: Any) -> datetime | None:
    """An ISO 8601 time, in India when it names no zone; None for nothing and for nonsense."""
    try:
        at = datetime.fromisoformat(scalar(value, "date"))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=IST)
