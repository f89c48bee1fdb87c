"""A message that a person wrote to us, as Exotel's flow applet passes an SMS on: SmsSid, From, To, Date and Body."""

from collections.abc import Mapping
from typing import Any

from campaigns.exotel.values import folded, scalar
from campaigns.exotel.whatsapp_reports import Inbound, instant
from campaigns.text.phone import last10
from campaigns.text.window import ist


def sms(fields: Mapping[str, Any]) -> Inbound | None:
    """None when nobody is named as its writer."""
    values = folded(fields)
    sender = scalar(values.get("from"), "to")
    if not sender:
        return None
    date = scalar(values.get("date"), "date")
    sid = scalar(values.get("smssid"), "sid") or scalar(values.get("sid"), "sid")
    return Inbound(
        sid, sender, last10(sender), "", "text", scalar(values.get("body"), "message"), ist(date) or instant(date)
    )
