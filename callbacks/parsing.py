"""A callback's bytes as fields and as reports: pure functions, bounded, that never fail.

They look at the content and not at the Content-Type, which cannot be trusted. What cannot be read has no fields.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import unquote, unquote_plus

from campaigns.exotel import geniq, inbound, whatsapp_reports
from campaigns.exotel.clicks import ClickReport, click
from campaigns.exotel.reports import DeliveryReport, from_fields
from campaigns.exotel.whatsapp_reports import Inbound

MOST_FIELDS = 32
LONGEST_NAME, LONGEST_VALUE = 64, 512
ESCAPED_SIGNS = re.compile("%(?:2[56]|3d)", re.IGNORECASE)  # of & = and %
PART_NAME = re.compile(r'\bname="([^"]*)"', re.IGNORECASE)
Pairs = Iterable[tuple[str, str]]


class Told(NamedTuple):
    """What a callback says: reports of messages, a click, and what people wrote. Nearly always one report."""

    reports: Sequence[DeliveryReport]
    clicks: Sequence[ClickReport] = ()
    written: Sequence[Inbound] = ()


def read(kind: str, raw: bytes) -> Told:
    """What a callback of one kind (CallbackEvent.Kind) says."""
    if kind == "click":
        clicked = click(fields(raw))
        return Told([], clicks=[clicked] if clicked else [])
    if kind == "inbound":
        written = inbound.sms(fields(raw))
        return Told([], written=[written] if written else [])
    if b'"whatsapp"' in raw:
        told, replies = whatsapp_reports.callbacks(raw)
        return Told(told, written=replies)
    report = _of_sms(fields(raw))
    return Told([report] if report else [])


def reports(raw: bytes) -> Sequence[DeliveryReport]:
    """What a callback says: one report of an SMS, several of WhatsApp messages, or nothing about a status."""
    return read("status", raw).reports


def _of_sms(found: dict[str, str]) -> DeliveryReport | None:
    return geniq.receipt(found) if "messageId" in found else from_fields(found, "callback")


def fields(raw: bytes) -> dict[str, str]:
    """At most 32 fields with bounded text, from JSON, a form or a multipart form; of a repeated one the first value."""
    text = raw.decode("utf-8", "replace").replace("\x00", "").lstrip("\ufeff").strip()
    if ordinary := _ordinary_form(text):
        return ordinary
    found: dict[str, str] = {}
    for name, value in islice(_pairs(text), MOST_FIELDS):
        found.setdefault(_clean(name, LONGEST_NAME), _clean(value, LONGEST_VALUE))
    return found


def _ordinary_form(text: str) -> dict[str, str]:
    """A form in which nothing is odd, taken apart whole: the reader of pieces takes five times as long. Else empty."""
    if len(text) > LONGEST_VALUE or text.startswith(("{", "[", "--")) or ESCAPED_SIGNS.search(text):
        return {}
    whole = text.replace("+", " ").replace("%3A", ":")  # nearly always all that is escaped: DateSent
    if "%" in whole:
        whole = unquote(whole)
    pieces = whole.split("&")
    if not whole.isprintable() or len(pieces) > MOST_FIELDS or "" in pieces:
        return {}
    pairs = [piece.partition("=") for piece in pieces]
    found = {name.strip(): value.strip() for name, _, value in pairs}
    return found if len(found) == len(pairs) and max(map(len, found)) <= LONGEST_NAME else {}


def _pairs(text: str) -> Pairs:
    if text.startswith(("{", "[")):
        return _json_pairs(text)
    if text.startswith("--"):
        return _multipart_pairs(text)
    return _form_pairs(text)


def _form_pairs(text: str) -> Iterator[tuple[str, str]]:
    for piece in text.split("&", MOST_FIELDS)[:MOST_FIELDS]:
        name, _, value = piece.partition("=")
        if piece:
            yield _unquoted(name), _unquoted(value)


def _unquoted(text: str) -> str:
    return unquote_plus(text) if "%" in text else text.replace("+", " ")


def _json_pairs(text: str) -> Pairs:
    """The scalars of an object, or of the first object of an array, bare or under SMSMessage; numbers as written."""
    try:
        data: Any = json.loads(text, object_pairs_hook=_first_wins, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return []
    if isinstance(data, list):
        data = data[0] if data else None
    if isinstance(data, dict) and isinstance(data.get("SMSMessage"), dict):
        data = data["SMSMessage"]
    return [(name, value) for name, value in data.items() if isinstance(value, str)] if isinstance(data, dict) else []


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _multipart_pairs(text: str) -> Iterator[tuple[str, str]]:
    boundary = text.split("\n", 1)[0].rstrip("\r")
    for part in text.split(boundary, MOST_FIELDS + 1)[1 : MOST_FIELDS + 1]:
        head, _, value = part.replace("\r\n", "\n").partition("\n\n")
        named = PART_NAME.search(head)
        if named:
            yield named[1], value


def _clean(text: str, longest: int) -> str:
    """Without NUL and halves of characters, which PostgreSQL refuses and SQLite would store."""
    text = text[:longest].strip()
    if text.isprintable():  # true of nearly every value; NUL and halves are not printable
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8").strip()
