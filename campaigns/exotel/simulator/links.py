"""Short links: the URLs of a text replaced, and what is told when somebody follows one."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from campaigns.exotel.simulator import sms
from campaigns.exotel.simulator.fates import Fates, between
from campaigns.exotel.simulator.rows import Message

URL = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
TRAILING = ".,;:!?)]}'"
DOMAIN = "exo.tl"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
CODE_LENGTH = 7
LIFE = 30 * 24 * 60  # minutes that a link works, when TimeToExpiry does not say
MOST_CLICKS = 3
INDIA = timezone(timedelta(hours=5, minutes=30))
PLACES = (("Mumbai", "MH", "400001"), ("Bengaluru", "KA", "560001"), ("Delhi", "DL", "110001"), ("Chennai", "TN", "600001"))
DEVICES = (("Android", "14", "Pixel 8", "mobile"), ("iOS", "17.4", "iPhone", "mobile"), ("Windows", "11", "PC", "desktop"))
Links = list[dict[str, str]]


def shortened(body: str, domain: str, code: Callable[[int], str]) -> tuple[str, Links]:
    """The text with every URL made short, and the links in it. ``code`` gives the key of the nth."""
    links: Links = []
    base = re.sub(r"^[a-z]+://", "", domain.strip(), flags=re.IGNORECASE).strip("/") or DOMAIN

    def short(found: re.Match[str]) -> str:
        url = found.group().rstrip(TRAILING)
        links.append({"code": code(len(links)), "long": url, "short": f"https://{base}/{code(len(links))}"})
        return links[-1]["short"] + found.group()[len(url) :]

    return URL.sub(short, body), links


def key(fates: Fates, about: str) -> str:
    """The key of a short link, always the same for the same seed and matter."""
    number = int(fates.share(b"link", about) * len(LETTERS) ** CODE_LENGTH)
    return "".join(LETTERS[number // len(LETTERS) ** i % len(LETTERS)] for i in range(CODE_LENGTH))


def wanted(outer: dict[str, str], links: Links) -> dict[str, Any]:
    """What is kept of ShortenUrlParams for the clicks."""
    life = outer.get("ShortenUrlParams[TimeToExpiry]", "")
    return {
        "links": links,
        "tracking": outer.get("ShortenUrlParams[Tracking]", "").lower() == "true",
        "click_url": outer.get("ShortenUrlParams[ClickTrackingCallbackUrl]", ""),
        "header": outer.get("ShortenUrlParams[Header]", ""),
        "minutes": int(life) if life.isdecimal() and len(life) < 9 else LIFE,
    }


def clicks(message: Message, extra: dict[str, Any], fates: Fates) -> list[tuple[str, float]]:
    """The clicks that will be told: (code of the callback, when it is due)."""
    if not (extra["tracking"] and extra["click_url"] and message.code.startswith("2000")):
        return []
    plan: list[tuple[str, float]] = []
    for i in range(len(extra["links"])):
        about = f"{message.number10}|{message.body}|{i}"
        at = message.due_at
        followed = fates.share(b"click", about) < fates.scenario.clicks
        for n in range(1 + int(fates.share(b"clicks", about) * MOST_CLICKS) if followed else 0):
            at += between(fates.scenario.click_delay, fates.share(b"clicked", f"{about}|{n}"))
            plan.append((f"click:{i}:{n + 1}", at))
    return plan


def told(message: Message, code: str, at: float, fates: Fates) -> dict[str, str]:
    """The fields of a click callback, in the order and spelling of S001."""
    extra = json.loads(message.extra)
    _, index, count = code.split(":")
    link = extra["links"][int(index)]
    point = fates.share(b"visitor", f"{message.number10}|{link['code']}")
    city, region, postal = PLACES[int(point * len(PLACES))]
    system, version, device, platform = DEVICES[int(point * 1000) % len(DEVICES)]
    created = _iso(message.accepted_at)
    return {
        "sid": f"{int(point * 2**53):032x}", "short_url": link["short"], "short_code": link["code"],
        "long_url": link["long"], "Tracking": "true", "custom_field": message.custom_field,
        "Expires_at": _iso(message.accepted_at + 60 * extra["minutes"]), "Created_time": created, "Last_viewed": _iso(at),
        "Total_clicks": count, "Account_sid": message.account, "Country_code": "IN", "Date_created": created,
        "Sms_sid": message.sid, "To": sms.shown(message.to), "city": city, "Country": "IN",
        "IP": f"198.51.100.{int(point * 254) + 1}", "Postal code": postal, "Region": region, "Accuracy radius": "20",
        "OS_version": version, "OS_name": system, "Device_name": device, "Platform type": platform,
    }  # fmt: skip


def _iso(at: float) -> str:
    try:
        return datetime.fromtimestamp(int(at), UTC).astimezone(INDIA).isoformat()
    except (OverflowError, ValueError):  # a TimeToExpiry of thousands of years
        return "9999-12-31T23:59:59+05:30"
