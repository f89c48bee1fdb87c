"""How an answer is spoilt: a list of items that is not what was asked for, or bytes that are no proper answer."""

import gzip
import json
import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from campaigns.exotel.simulator.server import Reply, Script, plain

Items = list[Any]
MEGABYTE = 1024 * 1024
DRIPS = 20
STRANGER = "09000000000"  # nobody wrote to this number: it is in no good request
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


def _at(items: Items, point: float, change: Callable[[Any], Any]) -> Items:
    """The items with the one at a seeded place changed."""
    place = int(point * len(items))
    return [change(item) if i == place else item for i, item in enumerate(items)]


def _with_sid(item: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """An item with the object that holds its sid changed: the item itself, or its ``data`` in WhatsApp's shape."""
    if not isinstance(item, dict):
        return item
    return item | {"data": change(item["data"])} if isinstance(item.get("data"), dict) else change(item)


def _without_sid(item: Any) -> Any:
    return _with_sid(item, lambda held: {name: value for name, value in held.items() if name.lower() != "sid"})


def _numbered(item: Any) -> Any:
    return _with_sid(item, lambda held: {n: 4_711 if n.lower() == "sid" else v for n, v in held.items()})


def _stranger(item: Any, point: float) -> Any:
    sid = f"{int(point * 2**53):032x}"
    changed = _with_sid(item, lambda held: {n: sid if n.lower() == "sid" else v for n, v in held.items()})
    return changed | {"To": STRANGER} if isinstance(changed, dict) and "To" in changed else changed


# Given the items of the answer and the seeded chance of this request in [0, 1).
REARRANGED: dict[str, Callable[[Items, float], Items]] = {
    "short_answer": lambda items, point: items[:-1],
    "reordered": lambda items, point: items[::-1],
    "doubled_items": lambda items, point: [*items, *items[: 1 + int(point * len(items))]],
    "foreign_items": lambda items, point: [*items, *(_stranger(item, point) for item in items[:1])],
    "null_item": lambda items, point: _at(items, point, lambda item: None),
    "text_item": lambda items, point: _at(items, point, lambda item: "queued"),
    "missing_sid": lambda items, point: _at(items, point, _without_sid),
    "number_sid": lambda items, point: _at(items, point, _numbered),
}


def pieces(data: bytes, most: int = DRIPS) -> tuple[bytes, ...]:
    step = max(1, -(-len(data) // most))
    return tuple(data[i : i + step] for i in range(0, len(data), step))


def _closed(reply: Reply, data: bytes) -> Reply:
    return replace(reply, script=Script((data,), ending="close"))


def _mid_headers(reply: Reply, fault: Any) -> Reply:
    head = reply.encoded(keep_alive=False).partition(b"\r\n\r\n")[0]
    return _closed(reply, head[: len(head) * 2 // 3])


def _dripping(reply: Reply, fault: Any) -> Reply:
    parts = pieces(reply.encoded(keep_alive=False))
    return replace(reply, script=Script(parts, fault.seconds / len(parts), "close"))


@lru_cache(maxsize=2)
def _bomb(megabytes: int) -> bytes:
    return gzip.compress(b"[" + b" " * (megabytes * MEGABYTE) + b"]", compresslevel=1, mtime=0)


def _exception(reply: Reply, fault: Any) -> Reply:
    error = {"RestException": {"Status": 200, "Message": "Something went wrong.", "Code": 35000}}
    return Reply(200, json.dumps(error).encode(), "application/json")


def _longer(reply: Reply, by: int) -> Reply:
    return _closed(reply, reply.encoded(keep_alive=False, length=len(reply.body) + by))


# Given the true answer and the fault.
SPOILT: dict[str, Callable[[Reply, Any], Reply]] = {
    "reset_after": lambda reply, fault: replace(
        reply, script=Script((reply.encoded(True)[: fault.leaves],) if fault.leaves else ())
    ),
    "error503": lambda reply, fault: plain(503, "Service Unavailable"),
    "bad_json": lambda reply, fault: replace(reply, body=reply.body[: len(reply.body) // 2]),
    "html": lambda reply, fault: Reply(200, b"<html><body>Bad gateway</body></html>", "text/html"),
    "empty_body": lambda reply, fault: replace(reply, body=b""),
    "wrong_type": lambda reply, fault: replace(reply, content_type="text/html; charset=utf-8"),
    "gzip_bomb": lambda reply, fault: replace(
        reply, body=_bomb(fault.megabytes), headers=(*reply.headers, ("Content-Encoding", "gzip"))
    ),
    "not_gzip": lambda reply, fault: replace(reply, headers=(*reply.headers, ("Content-Encoding", "gzip"))),
    "huge_body": lambda reply, fault: replace(reply, body=reply.body + b" " * (fault.megabytes * MEGABYTE)),
    "closed_mid_headers": _mid_headers,
    "closed_mid_body": lambda reply, fault: _closed(reply, reply.encoded(False)[: -max(1, len(reply.body) // 2)]),
    "slow_drip": _dripping,
    "length_too_long": lambda reply, fault: _longer(reply, 100),
    "length_too_short": lambda reply, fault: _longer(reply, -(len(reply.body) // 2)),
    "length_negative": lambda reply, fault: _longer(reply, -2 * len(reply.body) - 1),
    "noise_100": lambda reply, fault: replace(reply, script=Script((CONTINUE * 3 + reply.encoded(True),), ending="keep")),
    "double_answer": lambda reply, fault: replace(reply, script=Script((reply.encoded(True) * 2,), ending="keep")),
}
# Given the true answer, or nothing accepted and none: a whole answer made by what stands between us and Exotel.
STATUSES = {"status408": 408, "status500": 500, "status502": 502, "status503": 503, "status504": 504}
REDIRECTS = {"redirect301": 301, "redirect302": 302, "redirect307": 307}
WORDS = {408: "Request Time-out", 500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Time-out"}


def instead(kind: str, path: str) -> Reply:
    """The answer of a request that never got to Exotel."""
    if kind in STATUSES:
        return plain(STATUSES[kind], WORDS.get(STATUSES[kind], "Service Unavailable"))
    if kind in REDIRECTS:
        return Reply(REDIRECTS[kind], b"", "text/plain", (("Location", path),))
    return _exception(Reply(200, b"", ""), None)


def retry_after(form: str, seconds: float, point: float) -> str | None:
    """A Retry-After header in one of its forms; ``point`` picks the nonsense."""
    forms = {
        "date": lambda: formatdate(time.time() + seconds, usegmt=True),
        "float": lambda: f"{seconds + 0.5:.3f}",
        "negative": lambda: f"-{max(1, round(seconds))}",
        "nonsense": lambda: ("soon", "1e400", "Thu, 99 Foo 2020", "9" * 40, "0x10", "5 seconds")[int(point * 6)],
        "absent": lambda: None,
    }
    return forms[form]() if form in forms else str(seconds)
