"""What Exotel says of messages, read tolerantly: types, spellings and shapes differ from page to page and call to call."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, ParseError
from xml.etree.ElementTree import fromstring as _parse

from campaigns.exotel.codes import lookup
from campaigns.exotel.line import Answer
from campaigns.exotel.values import decoded, folded, parsed, scalar, sid
from campaigns.text.phone import last10
from campaigns.text.window import ist

MOST_UNITS = 100  # a body of 2,000 characters takes 30


class DeliveryReport(NamedTuple):
    """One statement about one message, from a callback, a poll or the answer to the request itself."""

    source: str  # callback, poll or answer
    sid: str
    to: str  # as received
    number10: str  # last ten digits, or empty
    word: str  # Status, lower case with hyphens
    code: str  # DetailedStatusCode as text
    name: str  # DetailedStatus
    state: str  # normalised: one of codes.words.STATES
    date_sent: datetime | None
    units: int | None
    custom: str = ""

    @property
    def digest(self) -> bytes:
        """The same for the same statement, however often and by whatever way it comes."""
        sent = self.date_sent.isoformat() if self.date_sent else ""
        return blake2b("\x00".join((self.sid, self.word, self.code, sent)).encode(), digest_size=16).digest()


def from_fields(fields: Mapping[str, Any], source: str) -> DeliveryReport | None:
    """A report from a callback's fields or a message object; None when it says nothing about a status.

    The code decides the state; one that is not in the tables leaves it to the status word.
    """
    values = folded(fields)
    return _report(values, source, _sid(values))


def of_item(item: Mapping[str, Any]) -> tuple[str | None, str, DeliveryReport | None]:
    """Whose message an item of an answer speaks of, by Sid and the last ten digits of its number, and what it says.

    The Sid is None when the item says that there is none, and empty when it has one that cannot be stored.
    """
    values = folded(item)
    sid_given = _sid(values)
    report = _report(values, "answer", sid_given)
    return sid_given, report.number10 if report else last10(scalar(values.get("to"), "to")), report


def _report(values: Mapping[str, Any], source: str, sid_given: str | None) -> DeliveryReport | None:
    word = scalar(values.get("status"), "word").lower().replace("_", "-")
    code = scalar(values.get("detailedstatuscode"), "code")
    name = scalar(values.get("detailedstatus"), "name")
    if not word and not code and not name:
        return None
    row = lookup("exotel", "sms", "status", code or None, name or word)
    to = scalar(values.get("to"), "to")
    return DeliveryReport(
        source=source,
        sid=sid_given or "",
        to=to,
        number10=last10(to),
        word=word,
        code=row.code if row.known else code,  # of 23083 the name decides (C3)
        name=name,
        state=row.state if row.known else lookup("exotel", "sms", "status", None, word).state,
        date_sent=ist(scalar(values.get("datesent"), "date")),
        units=_units(values.get("smsunits")),
        custom=scalar(values.get("customfield"), "custom"),
    )


def _sid(values: Mapping[str, Any]) -> str | None:
    return sid(_given_sid(values))


def _given_sid(values: Mapping[str, Any]) -> Any:
    return values["smssid"] if values.get("smssid") is not None else values.get("sid")


def has_number_for_sid(item: Mapping[str, Any]) -> bool:
    return isinstance(_given_sid(folded(item)), int | float)


def _units(value: Any) -> int | None:
    text = scalar(value, "code")
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_UNITS else None


def items(body: bytes) -> list[dict[str, Any]] | None:
    """The SMSMessage objects of an answer, JSON or XML; None when there is not one that can be read."""
    text = decoded(body)
    if text.startswith("<"):
        return _xml_items(text)
    data = parsed(text)
    entries = data if isinstance(data, list) else [data]
    found = [entry.get("SMSMessage") for entry in entries if isinstance(entry, dict)]
    return [item for item in found if isinstance(item, dict)] or None


def _xml_items(text: str) -> list[dict[str, Any]] | None:
    root = _xml(text)
    if root is None or root.tag != "TwilioResponse":
        return None
    return [{field.tag: field.text for field in message} for message in root.iter("SMSMessage")] or None


def _xml(text: str) -> Element | None:
    """The parsed document, unless it declares anything: entities can be made to fill the memory."""
    if "<!" in text:
        return None
    try:
        return _parse(text)
    except (ParseError, ValueError):
        return None


def from_details(answer: Answer) -> DeliveryReport | None:
    """The report in an answer to details; None for "No matching results", 404 and whatever cannot be read."""
    found = items(answer.body) if answer.status == 200 else None
    return from_fields(found[0], "poll") if found else None


def error_of(answer: Answer) -> tuple[str, str]:
    """Code and message of a RestException, each empty when the answer has none; plain text is a message."""
    text = decoded(answer.body)
    if text.startswith("<"):
        root = _xml(text)
        found = next(root.iter("RestException"), None) if root is not None else None
        fault: Any = {field.tag: field.text for field in found} if found is not None else {}
    else:
        data = parsed(text)
        if not isinstance(data, dict):
            return "", scalar(text, "message")
        fault = data.get("RestException", data)
    if not isinstance(fault, dict):
        return "", ""
    values = folded(fault)
    return scalar(values.get("code"), "code"), scalar(values.get("message"), "message")
