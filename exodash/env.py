"""Typed readers of environment variables that refuse a bad value with a sentence, and the file of generated secrets.

``python -m exodash.env`` writes the secrets file of a first start; it changes nothing when the file exists.
"""

import os
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
TRUE, FALSE = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def text(name: str, default: str | None = None) -> str:
    """The variable's value; without a default it must be set."""
    value = os.environ.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. See docs/configuration.md for what it is and how to make one.")
    return default


def boolean(name: str, default: bool = False) -> bool:
    value = text(name, "yes" if default else "no").lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}: write yes or no.")
    return value in TRUE


def integer(name: str, default: int, low: int = 0, high: int = 2**31) -> int:
    value = text(name, str(default))
    if not value.isdecimal() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number from {low} to {high}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list; empty entries are dropped."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Comma-separated addresses and CIDR networks; empty for none."""
    found = []
    for word in words(name):
        try:
            found.append(ip_network(word))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} holds {word!r}: write addresses or networks such as 203.0.113.0/24, all bits beyond their length 0."
            ) from None
    return found


def mail(name: str) -> dict[str, object]:
    """Django's mail settings from ``smtps://user:password@host:port`` (TLS from the start), ``smtp+tls://`` (STARTTLS) or
    ``smtp://`` (in the clear, for a server without a password); without a host when the variable is not set.
    """
    value = text(name, "")
    parts = urlsplit(value or "smtp://")
    try:
        port = parts.port or MAIL_PORTS.get(parts.scheme, 0)
    except ValueError:
        port = 0
    host, user, password = parts.hostname or "", unquote(parts.username or ""), unquote(parts.password or "")
    if parts.scheme not in MAIL_PORTS or not port or (value and not host) or parts.path.strip("/") or parts.query:
        raise ImproperlyConfigured(
            f"{name} must look like smtps://user:password@mail.example.in:465, smtp+tls:// or smtp://."
        )
    if parts.scheme == "smtp" and user and host not in LOOPBACK:
        raise ImproperlyConfigured(f"{name} would send the password in the clear: write smtps:// or smtp+tls://.")
    return {
        "EMAIL_HOST": host,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def keyring(name: str) -> dict[str, bytes]:
    """``kid:hex,kid:hex``, newest first; each key has at least 16 bytes."""
    ring: dict[str, bytes] = {}
    for entry in words(name, text(name)):
        kid, _, digits = entry.partition(":")
        try:
            key = bytes.fromhex(digits)
        except ValueError:
            key = b""
        if not kid.isalnum() or len(key) < 16:
            raise ImproperlyConfigured(
                f"{name} holds an entry that is not kid:hex with at least 32 hex digits (the kid is letters and digits)."
            )
        ring[kid] = key
    return ring


def url(name: str, default: str) -> str:
    """An http(s) address without a path, query or trailing slash."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise ImproperlyConfigured(f"{name} is {value!r}: write an address such as https://sms.example.in.")
    return value


def database(name: str, default: str) -> dict[str, object]:
    """Django's database settings from ``sqlite:///path`` or ``postgres://user:password@host:port/name``."""
    value = text(name, default)
    parts = urlsplit(value)
    if parts.scheme == "sqlite" and parts.path not in {"", "/"}:
        path = unquote(parts.path)
        return _sqlite(Path(path[1:]))
    if parts.scheme in {"postgres", "postgresql"} and parts.path.strip("/"):
        return _postgres(value)
    raise ImproperlyConfigured(
        f"{name} must look like sqlite:///var/exodash.sqlite3 or postgres://user:password@host:5432/name."
    )


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path if path.is_absolute() else BASE_DIR / path),
        "OPTIONS": {
            # IMMEDIATE: a transaction that reads and then writes would else fail with "locked" whatever the timeout.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: an intent to send must survive a power cut, or its messages would be sent twice.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
            "PRAGMA cache_size=-32000; PRAGMA mmap_size=268435456;",
        },
        "CONN_MAX_AGE": None,
        "TEST": {"NAME": str(path.with_suffix(".test.sqlite3"))},  # a file: threads must share it
    }


def _postgres(value: str) -> dict[str, object]:
    parts = urlsplit(value)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or dict(parse_qsl(parts.query)).get("host", "")),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def load_file(path: Path) -> None:
    """Take ``NAME=value`` lines as defaults: what the environment already says wins."""
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, found, value = line.partition("=")
            if found and not name.lstrip().startswith("#"):
                os.environ.setdefault(name.strip(), value.strip())


def data_dir() -> Path:
    path = Path(text("EXODASH_DATA_DIR", "var"))
    return path if path.is_absolute() else BASE_DIR / path


def generate_secrets(path: Path) -> bool:
    """Write the keys of a first start, readable by this user alone; False when the file is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(
            "# Generated at the first start. Keep a copy: without these keys stored credentials cannot be read.\n"
            f"EXODASH_SECRET_KEY={secrets.token_urlsafe(48)}\n"
            f"EXODASH_CALLBACK_KEYS=k1:{secrets.token_hex(32)}\n"
            f"EXODASH_SECRETS_KEYS=k1:{secrets.token_hex(32)}\n"
        )
    return True


if __name__ == "__main__":
    generate_secrets(data_dir() / "secrets.env")
