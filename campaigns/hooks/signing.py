"""Standard Webhooks (standardwebhooks.com): how a receiver knows who sent a request, and that nobody changed it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook


def headers(event_id: str, at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of a request sent ``at`` (seconds since 1970); one signature for each secret, ``whsec_...``."""
    sent, text = datetime.fromtimestamp(at, UTC), body.decode()
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, sent, text) for secret in secrets),
    }
