"""Exotel's WhatsApp API, version 2: JSON requests of up to 100 messages (exotel-wire 2.1)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from campaigns.exotel.client import basic
from campaigns.exotel.line import JSON, Answer, Line

LONGEST_TEXT = 4096  # characters
CAPTIONED = frozenset({"image", "video", "document"})
MEDIA = CAPTIONED | {"audio", "sticker"}
Content = dict[str, Any]
Parameter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Item:
    """One message; ``custom`` comes back with each of its reports."""

    to: str  # E.164 with plus
    content: Content
    custom: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    sender: str  # E.164 with plus
    items: Sequence[Item]
    status_callback: str = ""
    custom: str = ""


def text(body: str, preview_url: bool = False) -> Content:
    """Free text: only within 24 hours of the person's own last message."""
    if not 0 < len(body) <= LONGEST_TEXT:
        raise ValueError(f"A WhatsApp text has 1 to {LONGEST_TEXT} characters; this one has {len(body)}.")
    return _content("text", {"body": body, "preview_url": preview_url})


def media(kind: str, link: str, caption: str = "", filename: str = "") -> Content:
    """An image, video, document, audio or sticker that WhatsApp fetches from a public https address."""
    if kind not in MEDIA:
        raise ValueError(f"{kind} is no kind of media; there are {', '.join(sorted(MEDIA))}.")
    if caption and kind not in CAPTIONED:
        raise ValueError(f"WhatsApp shows no caption with {kind}.")
    if filename and kind != "document":
        raise ValueError("Only a document has a file name.")
    return _content(kind, _given({"link": link, "caption": caption, "filename": filename}))


def template(name: str, language: str, components: Sequence[Mapping[str, Any]] = ()) -> Content:
    """A template as Meta approved it; ``components`` fill its header, body and buttons."""
    filled: dict[str, Any] = {"name": name, "language": {"policy": "deterministic", "code": language}}
    return _content("template", filled | ({"components": list(components)} if components else {}))


def header(parameter: Parameter) -> Mapping[str, Any]:
    return {"type": "header", "parameters": [parameter]}


def body(values: Sequence[str]) -> Mapping[str, Any]:
    """The values of {{1}}, {{2}} ... of a template's body."""
    return {"type": "body", "parameters": [{"type": "text", "text": value} for value in values]}


def button(index: int, sub_type: str, parameter: Parameter) -> Mapping[str, Any]:
    """The changing part of a template's button: ``sub_type`` is url or quick_reply, ``index`` counts from 0."""
    return {"type": "button", "sub_type": sub_type, "index": str(index), "parameters": [parameter]}


def _content(kind: str, value: Mapping[str, Any]) -> Content:
    return {"recipient_type": "individual", "type": kind, kind: dict(value)}


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def request_body(batch: Batch) -> bytes:
    """The envelope: without the wrapper ``whatsapp`` Exotel answers that a channel is mandatory (1001)."""
    outer = _given({"custom_data": batch.custom, "status_callback": batch.status_callback})
    messages = [
        {"from": batch.sender, "to": item.to, "content": item.content} | _given({"custom_data": item.custom})
        for item in batch.items
    ]
    return json.dumps(outer | {"whatsapp": {"messages": messages}}).encode("ascii")


class WhatsApp(Line):
    """One account's line to the WhatsApp API. ``limits`` are those of Line."""

    def __init__(self, base_url: str, account_sid: str, api_key: str, api_token: str, **limits: Any) -> None:
        super().__init__(f"{base_url.rstrip('/')}/v2/accounts/{quote(account_sid, safe='')}", **limits)
        self.authorize(basic(api_key, api_token))

    def messages(self, batch: Batch) -> Answer:
        """POST up to 100 messages. Raises NotSent or Unknown."""
        return self.request("POST", "/messages", request_body(batch), JSON)
