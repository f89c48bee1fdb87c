"""What a send request asks for: its form taken apart the way PHP does, and every documented error found in it."""

import re
from dataclasses import dataclass, field
from functools import lru_cache

from campaigns.exotel.simulator import multipart, sms
from campaigns.exotel.simulator.errors import Refused

MOST = 100  # messages a request
SMS_TYPES = frozenset({"transactional", "transactional_opt_in", "promotional"})
# Parameters that take one value. Others are ignored, as PHP would: after a misspelt Message[0][To], Messages is missing.
SINGLE = frozenset({
    "From", "StatusCallback", "DltEntityId", "DltTemplateId", "SmsType", "CustomField", "EncodingType", "Priority",
    "ShortenUrl", "StatusCallbackContentType",
})  # fmt: skip
QUOTED = re.compile(r"(?:%[0-9a-fA-F]{2})+")
KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
Item = dict[str, str]
Pairs = list[tuple[tuple[str, ...], str]]


@dataclass(slots=True)
class Form:
    """A send request: what holds for all of it, and To, Body and so on of each message."""

    bulk: bool
    outer: dict[str, str] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    bare: bool = False  # a send to one number: answered with one object

    def of(self, item: Item, name: str) -> str:
        """A parameter of a message, else of the request."""
        return item.get(name) or self.outer.get(name, "")


def read(bulk: bool, body: bytes, query: str, last_to_wins: bool, content_type: str = "") -> Form:
    """The form in the body, and in the query string, where one known client puts it. Raises Refused."""
    pairs = fields(body, query, content_type)
    return _bulk(pairs) if bulk else _static(pairs, last_to_wins)


def fields(body: bytes, query: str, content_type: str = "") -> Pairs:
    """Every field with its name taken apart, in its order: multipart when it is called so, else urlencoded."""
    if multipart.is_multipart(content_type):
        parts = [(_parts(name), value) for name, value in multipart.pairs(body, content_type)]
        return [*parts, *fields(b"", query)]
    encoded = (body.decode("utf-8", "replace") + ("&" + query if query else "")).replace("+", " ")
    return [
        (_key(name), _unquoted(value)) for name, _, value in (pair.partition("=") for pair in encoded.split("&")) if name
    ]


@lru_cache(maxsize=4096)
def _key(name: str) -> tuple[str, ...]:
    return _parts(_unquoted(name))


def _parts(plain: str) -> tuple[str, ...]:
    """``Messages[0][To]`` as its three parts."""
    found = KEY.fullmatch(plain)
    return (found.group(1), *found.group(2)[1:-1].split("][")) if found and found.group(2) else (plain,)


def _unquoted(text: str) -> str:
    return QUOTED.sub(_octets, text) if "%" in text else text


def _octets(found: re.Match[str]) -> str:
    return _decoded(found.group())


@lru_cache(maxsize=4096)  # texts of one campaign quote the same few characters; three times as fast as urllib's unquote
def _decoded(run: str) -> str:
    return bytes.fromhex(run.replace("%", "")).decode("utf-8", "replace")


def _bulk(pairs: Pairs) -> Form:
    form, items = Form(bulk=True), {}  # type: tuple[Form, dict[str, Item]]
    for key, value in pairs:
        if key[0] != "Messages":
            _outer(form, key, value)
        elif len(key) == 3:
            items.setdefault(key[1], {})[key[2]] = value
        else:
            raise Refused(40208 if len(key) < 3 else 40202 if key[2] == "Body" else 40207)
    if not any(item.get("Body") for item in items.values()):  # the documents give 40201 for both: no Messages, no text
        raise Refused(40201)
    form.items = list(items.values())
    return form


def _static(pairs: Pairs, last_to_wins: bool) -> Form:
    form = Form(bulk=False)
    numbers: list[str] = []
    listed = False
    for key, value in pairs:
        if key[0] != "To":
            _outer(form, key, value)
        elif len(key) > 2:
            raise Refused(40207)
        else:
            listed |= len(key) == 2
            numbers = [value] if last_to_wins and len(key) == 1 else [*numbers, value]
    if not form.outer.get("Body"):
        raise Refused(40200)
    form.items = [{"To": number, "Body": form.outer["Body"]} for number in numbers]
    form.bare = len(numbers) == 1 and not listed
    return form


def _outer(form: Form, key: tuple[str, ...], value: str) -> None:
    if len(key) == 1:
        form.outer[key[0]] = value
    elif key[0] == "ShortenUrlParams" and len(key) == 2:
        form.outer[f"ShortenUrlParams[{key[1]}]"] = value
    elif key[0] == "Body":
        raise Refused(40202)
    elif key[0] in SINGLE:
        raise Refused(40207)


def check(form: Form, require_from: bool, international: bool) -> None:
    """Raise the first documented error that holds for the whole request; send must name a sender in every reading."""
    if len(form.items) > MOST:
        raise Refused(40400 if form.bulk else 40406)
    if form.outer.get("From") == "":
        raise Refused(40205)
    if (require_from or not form.bulk) and not all(form.of(item, "From") for item in form.items):
        raise Refused(40210)
    if form.outer.get("EncodingType", "plain") not in {"plain", "unicode"}:
        raise Refused(40209, form.items[0].get("Body", "") if form.items else "")
    for sms_type, sender in {(form.of(item, "SmsType"), form.of(item, "From")) for item in form.items}:
        if sms_type and sms_type not in SMS_TYPES:
            raise Refused(40204)
        if sms_type == "promotional" and sender and not sender.isdigit():
            raise Refused(40206)
    numbers = [item.get("To", "") for item in form.items]
    if not any(sms.reachable(number, international) for number in numbers):
        raise Refused(40003) if any(map(sms.foreign, numbers)) else Refused(40203, ", ".join(numbers)[:500])
