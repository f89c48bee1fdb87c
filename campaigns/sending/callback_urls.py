"""Addresses for callbacks that prove themselves: Exotel signs nothing, so each request names its own URL.

``<EXODASH_PUBLIC_URL>/callbacks/v1/<kid>/<attempt>.<mac>`` with mac = the first 128 bits of HMAC-SHA256 over the attempt.
Clicks and what people write to us have paths of their own and the same token. The keys are a ring of their own: new URLs
use the first, the others are still accepted.
"""

import hmac
import re
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from django.conf import settings

PREFIX = "/callbacks/v1/"  # statuses
CLICKS = "/callbacks/clicks/"
INBOUND = "/callbacks/inbound/"  # what people write; the token holds an account's callback id
PREFIXES = (PREFIX, CLICKS, INBOUND)
TOKEN = re.compile(r"/callbacks/(?:v1|clicks|inbound)/([A-Za-z0-9]{1,16})/([0-9a-f]{32})\.([0-9a-f]{32})")


def _mac(key: bytes, attempt: str) -> str:
    return hmac.new(key, b"callbacks/v1|" + attempt.encode(), sha256).hexdigest()[:32]


def sign(attempt: UUID, prefix: str = PREFIX) -> str:
    """The callback address of one attempt; its host comes from settings, never from a request."""
    kid, key = next(iter(settings.CALLBACK_KEYS.items()))
    return f"{settings.PUBLIC_URL}{prefix}{kid}/{attempt.hex}.{_mac(key, attempt.hex)}"


def verify(path: str) -> UUID | None:
    """The attempt that a request path proves, or None. Costs at most one HMAC and no database."""
    match = TOKEN.fullmatch(path)
    if not match:
        return None
    kid, attempt, mac = match.groups()
    key = settings.CALLBACK_KEYS.get(kid)
    return None if key is None else _proven(key, attempt, mac)


@lru_cache(maxsize=4_000)  # the 100 messages of a request share its address
def _proven(key: bytes, attempt: str, mac: str) -> UUID | None:
    return UUID(hex=attempt) if hmac.compare_digest(_mac(key, attempt), mac) else None
