"""What Exotel tells of a click on a short link. The names of its fields have mixed case and spaces (S001)."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from campaigns.exotel.values import folded, scalar
from campaigns.exotel.whatsapp_reports import instant
from campaigns.text.phone import last10

COUNTED = 200  # characters of an address by which clicks are counted


class ClickReport(NamedTuple):
    """One click; what was not told is empty. The visitor's IP address is left where it was."""

    sid: str  # of the short link
    sms_sid: str
    number10: str
    short_url: str
    long_url: str
    viewed: str  # as received
    total: str  # clicks on this link so far
    device: str
    os: str
    city: str
    region: str
    country: str

    @property
    def at(self) -> datetime | None:
        return instant(self.viewed)

    @property
    def link(self) -> str:
        """The address without query and fragment, which are often each person's own."""
        url = self.long_url or self.short_url
        return url.partition("#")[0].partition("?")[0][:COUNTED]

    @property
    def digest(self) -> bytes:
        """The same for the same link at the same time; without a time, for the same count of its clicks."""
        link = self.sid or self.short_url or f"{self.number10} {self.long_url}"
        return blake2b("\x00".join((link, self.viewed or f"#{self.total}")).encode(), digest_size=16).digest()


def click(fields: Mapping[str, Any]) -> ClickReport | None:
    """None when no link is named."""
    values = folded(fields)
    sid, short = scalar(values.get("sid"), "sid"), scalar(values.get("shorturl"), "url")
    short, long = short or scalar(values.get("shortcode"), "url"), scalar(values.get("longurl"), "url")
    if not (sid or short or long):
        return None
    system = f"{scalar(values.get('osname'), 'word')} {scalar(values.get('osversion'), 'word')}".strip()
    device, city, region, country = (
        scalar(values.get(name), "place") for name in ("devicename", "city", "region", "country")
    )
    return ClickReport(
        sid=sid,
        sms_sid=scalar(values.get("smssid"), "sid"),
        number10=last10(scalar(values.get("to"), "to")),
        short_url=short,
        long_url=long,
        viewed=scalar(values.get("lastviewed"), "date"),
        total=scalar(values.get("totalclicks"), "word"),
        device=device,
        os=system,
        city=city,
        region=region,
        country=country or scalar(values.get("countrycode"), "place"),
    )
