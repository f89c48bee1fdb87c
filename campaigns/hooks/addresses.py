"""Where a webhook may lead: https, to a name that means public addresses only.

A webhook's address is written by a user and called by a server that stands inside a network: without these rules it could
reach what only the inside may (cloud metadata, databases, other consoles). The name is looked up once for each request and
the connection goes to the very address that was judged, so a name that changes its meaning in between gains nothing.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from django.conf import settings

LONGEST = 500
PORTS = frozenset({443, 8443})
PRINTABLE = re.compile(r"[\x21-\x7e]+")
NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # how the last part looks of what inet_aton takes for an address: 0x7f.1
INSIDE = (".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".home", ".onion")
EXAMPLE = "https://hooks.example.in/exodash"
# Public to Python (which knows them in newer releases alone, or never), yet nobody's server: protocol assignments with a
# cloud's metadata among them, 6to4 relays, Azure's own host address, tunnels that carry an IPv4 address, documentation.
NOT_V4 = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"), IPv4Network("168.63.129.16/32"))
NOT_V6 = (IPv6Network("2001::/23"), IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
GLOBAL_V6 = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last 32 bits


class Forbidden(Exception):
    """No webhook may lead there; the text says why, for whoever wrote the address."""


@dataclass(frozen=True, slots=True)
class Target:
    tls: bool
    host: str  # lower case, without brackets
    port: int
    path: str  # with the query
    listed: bool  # in EXODASH_WEBHOOK_HOSTS: for tests and development

    @property
    def netloc(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def check(url: str) -> Target:
    """The parts of an address, as far as can be judged without looking the name up; raises Forbidden."""
    if not url or len(url) > LONGEST:
        raise Forbidden(f"Write an address of at most {LONGEST} characters, such as {EXAMPLE}.")
    if not PRINTABLE.fullmatch(url) or "\\" in url:
        raise Forbidden("The address has a space or a character that must be percent-encoded.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Forbidden("The address cannot be read: check its host and port.") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise Forbidden(f"Write a whole address that begins with https://, such as {EXAMPLE}.")
    if "@" in parts.netloc:
        raise Forbidden("Take the user name and password out of the address: requests are signed instead.")
    if "#" in url:
        raise Forbidden("Take out what stands after #: it is never sent to a server.")
    tls = parts.scheme == "https"
    port = (443 if tls else 80) if port is None else port
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(tls, host, port, path, listed=bool({host, f"{host}:{port}"} & set(settings.WEBHOOK_HOSTS)))
    if not target.listed:
        _judge(target)
    return target


def _judge(target: Target) -> None:
    if not target.tls:
        raise Forbidden("Use https: over http anybody on the way could read what is sent.")
    if target.port not in PORTS and not 1024 < target.port <= 65535:
        raise Forbidden(f"Port {target.port} is not for webhooks: use 443, 8443 or one above 1024.")
    if ":" in target.host or _is_dotted(target.host):
        if not _literal(target.host):
            raise _inside(target.host)
        return
    if NUMBERS.fullmatch(target.host.rstrip(".").rpartition(".")[2]):
        raise Forbidden(f"{target.host[:80]} is an address in an unusual spelling: write the server's name.")
    if target.host == "localhost" or f".{target.host.rstrip('.')}".endswith(INSIDE):
        raise _inside(target.host)
    if not NAME.fullmatch(target.host.rstrip(".")) or len(target.host) > 253:
        raise Forbidden(f"{target.host[:80]} is not the full name of a server, such as hooks.example.in.")


def _is_dotted(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _literal(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        return False


def _inside(host: str) -> Forbidden:
    return Forbidden(f"{host[:80]} is not on the public internet. A webhook can only lead to a public https address.")


def is_public(text: str) -> bool:
    """Whether an address belongs to somebody's server on the internet; raises ValueError for what is no address."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return _is_public_v4(address.ipv4_mapped)
        if address in NAT64:
            return _is_public_v4(IPv4Address(int(address) & 0xFFFFFFFF))
        return address in GLOBAL_V6 and address.is_global and not any(address in network for network in NOT_V6)
    return _is_public_v4(address)


def _is_public_v4(address: IPv4Address) -> bool:
    special = address.is_multicast or address.is_reserved or any(address in network for network in NOT_V4)
    return address.is_global and not special


def resolve(target: Target) -> list[str]:
    """The addresses that the name has now, each judged; raises Forbidden when any of them is not public."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Forbidden(f"The name {target.host[:80]} was not found. Check its spelling, or try again shortly.") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not target.listed and not (addresses and all(is_public(address) for address in addresses)):
        raise _inside(target.host)
    return addresses


def check_and_resolve(url: str) -> Target:
    """As when it is saved: everything that each request checks again."""
    target = check(url)
    resolve(target)
    return target
