"""Standard Webhooks (standardwebhooks.com): how a receiver knows who sent a request, and that nobody changed it."""

import base64
import hmac
from collections.abc import Sequence
from hashlib import sha256


def headers(event_id: str, at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a request sent ``at`` (seconds since 1970); one signature for each secret, ``whsec_...``."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signature(event_id, at, body, secret) for secret in secrets),
    }


def signature(event_id: str, at: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.new(key, f"{event_id}.{at}.".encode() + body, sha256).digest()
    return "v1," + base64.b64encode(signed).decode()
