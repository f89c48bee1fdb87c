"""Exotel's shapes as the documents and captures show them: messages, errors, JSON and XML, dates in naive IST."""

import json
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

from campaigns.exotel.simulator import sms
from campaigns.exotel.simulator.dlt import IST
from campaigns.exotel.simulator.errors import ERRORS, Refused
from campaigns.exotel.simulator.names import QUEUED, SENDING, SUBMITTED, name, told
from campaigns.exotel.simulator.readings import Readings
from campaigns.exotel.simulator.rows import Message
from campaigns.exotel.simulator.server import Reply

USUAL = Readings()
NOT_SENT = "1970-01-01 05:30:00"  # the epoch in IST: what details say before a message was sent
PRICE = 0.2  # rupees a unit
SOON = 1.0  # seconds; a message that must wait for hours is with the operator all the same
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Shown = dict[str, Any]  # an SMSMessage object


def ist(at: float) -> str:
    return _ist(int(at))


@lru_cache(maxsize=4096)
def _ist(second: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second + IST))


def stamp(at: float) -> str:
    """ISO 8601 with milliseconds, in India's time: what WhatsApp's callbacks carry."""
    milliseconds = int(at % 1 * 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at + IST))}.{milliseconds:03d}+05:30"


def accepted(message: Message, sender: str, as_json: bool) -> Shown:
    """What the answer to a request shows of a message that was taken."""
    at = ist(message.accepted_at)
    return {
        "Sid": message.sid, "AccountSid": message.account, "From": sender, "To": sms.shown(message.to), "DateCreated": at,
        "DateUpdated": at, "DateSent": None, "Body": message.body, "Direction": "outbound-api",
        "Uri": uri(message, as_json), "ApiVersion": None, "Price": None, "Status": "queued",
        "DetailedStatusCode": int(QUEUED), "DetailedStatus": "PENDING_TO_OPERATOR", "SmsUnits": None,
    }  # fmt: skip


def uri(message: Message, as_json: bool) -> str:
    return f"/v1/Accounts/{message.account}/SMS/Messages/{message.sid}{'.json' if as_json else ''}"


def refused(account: str, to: str, body: str, code: str) -> Shown:
    """What it shows of an item that was not taken: all but these fields are null."""
    return {
        "Sid": None, "AccountSid": account, "From": None, "To": to, "DateCreated": None, "DateUpdated": None,
        "DateSent": None, "Body": body, "Direction": None, "Uri": None, "ApiVersion": None, "Price": None,
        "Status": "failed", "DetailedStatusCode": int(code), "DetailedStatus": name(code), "SmsUnits": None,
    }  # fmt: skip


def details(message: Message, sender: str, as_json: bool, now: float, readings: Readings = USUAL) -> Shown:
    """What the details call says at a time: the way to the operator first, then the outcome. The code is text here."""
    done = now >= message.due_at
    status, detailed, code = told(message.code if done else _on_the_way(message, now), readings)
    charged = done and code.startswith("20")
    return accepted(message, sender, as_json) | {
        "DateCreated": ist(message.accepted_at), "DateUpdated": ist(message.due_at if done else now),
        "DateSent": ist(message.due_at) if done else NOT_SENT, "Price": f"{message.units * PRICE:.6f}" if charged else None,
        "Status": status, "DetailedStatusCode": code, "DetailedStatus": detailed, "SmsUnits": message.units,
    }  # fmt: skip


def _on_the_way(message: Message, now: float) -> str:
    step = min((message.due_at - message.accepted_at) / 10, SOON)
    passed = now - message.accepted_at
    return QUEUED if passed < step else SENDING if passed < 2 * step else SUBMITTED


def otherwise(shown: Shown, readings: Readings, message: Message | None) -> Shown:
    """A message as the losing sides of C7 show it."""
    changes: Shown = {}
    if readings.code_type != "captured":
        code = shown["DetailedStatusCode"]
        changes["DetailedStatusCode"] = int(code) if readings.code_type == "number" else str(code)
    if readings.unsent_date != "captured" and shown["DateSent"] in {None, NOT_SENT} and shown["Sid"]:
        changes["DateSent"] = NOT_SENT if readings.unsent_date == "epoch" else None
    if message and readings.number_form != "national" and not sms.foreign(message.to):
        ten = message.number10
        changes["To"] = {"international": f"+91{ten}", "bare": ten, "as_sent": message.to}[readings.number_form]
    shown = shown | changes
    return {readings.units_name if field == "SmsUnits" else field: value for field, value in shown.items()}


def answer(status: int, messages: Iterable[Any], as_json: bool, bare: bool) -> Reply:
    """An array of messages, or the one object (``bare``) of details and of a send to one number."""
    messages = list(messages)
    if as_json:
        wrapped = [{"SMSMessage": message} if isinstance(message, dict) else message for message in messages]
        one = bare and len(wrapped) == 1  # a fault may have taken or added some
        return Reply(status, json.dumps(wrapped[0] if one else wrapped).encode(), "application/json")
    # S001 spells the last field SMSUnits in the XML of a success, SmsUnits everywhere else.
    units = "SMSUnits" if status == 200 and not bare else "SmsUnits"
    inner = "".join(_element("SMSMessage", message, units) for message in messages)
    return Reply(status, _document(inner), "application/xml")


def error(fault: Refused, as_json: bool, readings: Readings = USUAL) -> Reply:
    """A RestException; missing credentials are answered in plain text, whatever was asked for."""
    status, text = ERRORS[fault.key]
    if fault.key == 40001 and readings.no_balance == "402":
        status = 402
    text = text.format(value=fault.value)
    headers = () if fault.retry_after is None else (("Retry-After", str(fault.retry_after)),)
    if fault.key == "authentication":
        return Reply(status, text.encode(), "text/plain", (("WWW-Authenticate", 'Basic realm="Exotel"'),))
    exception = {"Status": status, "Message": text} | _code(fault.key, readings)
    if as_json:
        return Reply(status, json.dumps({"RestException": exception}).encode(), "application/json", headers)
    return Reply(status, _document(_element("RestException", exception)), "application/xml", headers)


def _code(key: int | str, readings: Readings) -> Shown:
    known = isinstance(key, int) and readings.error_code != "absent"
    code = {"Code": str(key) if readings.error_code == "text" else key} if known else {}
    more = {"MoreInfo": f"https://developer.exotel.com/api/errors#{key}"} if readings.more_info else {}
    return code | more


def callback(message: Message, code: str, at: float, readings: Readings = USUAL) -> Shown:
    """The documented fields of a status callback (S001); CustomField only when it was set."""
    status, detailed, code = told(code, readings)
    fields = {
        "SmsSid": message.sid, "To": sms.shown(message.to), "Status": status, "DetailedStatus": detailed,
        "DetailedStatusCode": code, "DateSent": ist(at), "SmsUnits": str(message.units),
    }  # fmt: skip
    return fields | ({"CustomField": message.custom_field} if message.custom_field else {})


def _element(tag: str, fields: Any, units: str = "SmsUnits") -> str:
    if not isinstance(fields, dict):  # an item that a fault has broken
        return _field(tag, fields)
    inner = "".join(_field(units if field == "SmsUnits" else field, value) for field, value in fields.items())
    return f"<{tag}>{inner}</{tag}>"


def _field(tag: str, value: object) -> str:
    return f"<{tag}/>" if value is None else f"<{tag}>{escape(NOT_XML.sub('', str(value)))}</{tag}>"


def _document(inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<TwilioResponse>{inner}</TwilioResponse>'.encode()
