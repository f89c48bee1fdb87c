"""Whose callbacks are taken: the networks of EXODASH_CALLBACK_NETWORKS, as seen behind EXODASH_TRUSTED_PROXIES proxies.

Each proxy appends to X-Forwarded-For whom it was called by, so of N proxies the N-th entry from the right is the first that
no stranger can write. What stands further left may be anything and is never read.
"""

from collections.abc import Iterable, MutableMapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings

Address = IPv4Address | IPv6Address
FORWARDED = b"x-forwarded-for"
LONGEST = 100  # characters of one entry


def allowed(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request comes from one of the networks; always, and without a look at it, while none is set."""
    networks = settings.CALLBACK_NETWORKS
    if not networks:
        return True
    address = client(scope.get("client"), scope["headers"], settings.TRUSTED_PROXIES)
    return address is not None and any(address in network for network in networks)


def client(peer: Any, headers: Iterable[tuple[bytes, bytes]], proxies: int) -> Address | None:
    """Who called the outermost of so many proxies of ours; None when that cannot be told for certain."""
    if not proxies:
        return parsed(str(peer[0])) if peer else None
    lines = [value for name, value in headers if name.lower() == FORWARDED]
    entries = b",".join(lines).decode("latin-1").rsplit(",", proxies)[-proxies:]
    hops = [parsed(entry.strip(" \t")) for entry in entries]
    return hops[0] if len(hops) == proxies and None not in hops else None


def parsed(text: str) -> Address | None:
    """An address, also with the port that some proxies write beside it; None for anything else."""
    if text.startswith("["):
        text, closed, rest = text[1:].partition("]")
        if not closed or not _is_port(rest) or ":" not in text:
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not _is_port(f":{port}"):
            return None
    try:
        address = ip_address(text) if len(text) <= LONGEST and "%" not in text else None
    except ValueError:
        return None
    # A server that listens on both families sees an IPv4 caller as ::ffff:192.0.2.1.
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_port(text: str) -> bool:
    digits = text[1:]
    return not text or (text[0] == ":" and digits.isascii() and digits.isdecimal() and len(digits) <= 5)
