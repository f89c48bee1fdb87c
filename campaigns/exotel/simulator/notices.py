"""What a callback says: where it goes, and its body in the shape of its channel."""

import hashlib
import hmac
import json
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from campaigns.exotel.simulator import links, names, wire
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.rows import Callback, Message, part_id
from campaigns.exotel.simulator.wire import stamp

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
REPLIES = ("Thanks", "STOP", "Is it open today?", "👍", "नमस्ते")


class Notice(NamedTuple):
    """One POST to the customer."""

    url: str
    content_type: str
    body: bytes


def url(callback: Callback, message: Message) -> str:
    return json.loads(message.extra)["click_url"] if callback.code.startswith("click:") else message.status_callback


def notice(callback: Callback, message: Message, fates: Fates) -> Notice:
    """The callback as it leaves."""
    to = url(callback, message)
    if message.channel == "whatsapp":
        return Notice(to, JSON, _json({"whatsapp": {"messages": _whatsapp(callback, message, fates)}}))
    if message.channel == "geniq":
        return Notice(to, JSON, _json(_receipt(callback, message)))
    if callback.code.startswith("click:"):
        fields = links.told(message, callback.code, callback.due_at, fates)
        as_json = fates.scenario.click_format == "json"
    else:
        fields = wire.callback(message, callback.code, callback.due_at, fates.scenario)
        as_json = bool(message.extra) and json.loads(message.extra).get("json", False)
    return Notice(to, JSON, _json(fields)) if as_json else Notice(to, FORM, _form(fields))


def signature(notice: Notice, kind: str, secret: str) -> str:
    """The header with a body's signature, for those who say that there is one; else nothing."""
    if kind == "none":
        return ""
    return f"X-Exotel-Signature: {hmac.digest(secret.encode(), notice.body, getattr(hashlib, kind)).hex()}\r\n"


def _whatsapp(callback: Callback, message: Message, fates: Fates) -> list[dict[str, Any]]:
    """The report, and in the same array the reply of somebody who read the message and answers."""
    name = names.whatsapp(callback.code)
    report = {
        "callback_type": "dlr", "sid": message.sid, "to": message.to, "exo_status_code": names.number(callback.code),
        "exo_detailed_status": name, "description": name.removeprefix("EX_").replace("_", " ").capitalize(),
        "timestamp": stamp(callback.due_at),
    }  # fmt: skip
    report |= {"custom_data": message.custom_field} if message.custom_field else {}
    about = f"{message.number10}|{message.extra}"
    if callback.code != names.SEEN or fates.share(b"reply", about) >= fates.scenario.whatsapp_replies:
        return [report]
    point = fates.share(b"replied", about)
    reply = {
        "callback_type": fates.scenario.inbound_type, "sid": f"{int(point * 2**53):032x}", "from": message.to,
        "to": message.sender, "profile_name": "Asha", "timestamp": stamp(callback.due_at),
        "content": {"type": "text", "text": {"body": REPLIES[int(point * len(REPLIES))]}},
    }  # fmt: skip
    return [report, reply]


def _receipt(callback: Callback, message: Message) -> dict[str, Any]:
    status, reason, part = callback.code.split(":")
    return {
        "messageId": part_id(message.sid, int(part)), "channel": "sms", "recipient": message.to, "status": status,
        "reasonCode": reason, "messageTimestamp": stamp(message.accepted_at), "operatorTimestamp": stamp(callback.due_at),
    }  # fmt: skip


def _json(given: Any) -> bytes:
    return json.dumps(given, ensure_ascii=False).encode("utf-8", "replace")


def _form(fields: dict[str, Any]) -> bytes:
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in fields.items()]).encode("ascii")


def _quoted(text: str) -> str:
    return text if text.isalnum() and text.isascii() else quote_plus(text, errors="replace")
