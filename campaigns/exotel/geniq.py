"""GENIQ, another provider of SMS (document S004): form requests under a token that is fetched with key and secret.

A request carries one text: to one number (``/sms``) or to several (``/batch_sms``).
"""

import base64
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from campaigns.exotel.bodies import Batch
from campaigns.exotel.client import basic
from campaigns.exotel.codes import lookup
from campaigns.exotel.codes.stored import stored
from campaigns.exotel.errors import NotSent, Unknown
from campaigns.exotel.line import Answer, Line
from campaigns.exotel.reports import DeliveryReport
from campaigns.exotel.values import decoded, folded, mapping, parsed, scalar, sid
from campaigns.exotel.whatsapp_reports import instant
from campaigns.text.phone import last10

TOKEN_LIFE = 300.0  # seconds that a token is used when it does not say how long it lives
EARLY = 30.0  # seconds before its end that it is replaced
STOP = "stop_account"
NO_SESSION = "GENIQ gave no access token. No message was sent; it is tried again by itself."
TOKEN_REFUSED = frozenset({"20", "23"})  # not valid, expired
# GENIQ's words for a message, on our scale. "unknown" says nothing.
STATES = {
    "processed": "submitted", "delivered": "delivered", "sent": "submitted", "read": "read", "expired": "failed",
    "deleted": "failed", "undeliverable": "failed", "rejected": "failed", "failed": "failed", "exceeded_retry": "failed",
}  # fmt: skip


class Geniq(Line):
    """One account's line. ``limits`` are those of Line."""

    def __init__(self, base_url: str, account: str, key: str, secret: str, **limits: Any) -> None:
        super().__init__(f"{base_url.rstrip('/')}/rest/v1", **limits)
        self._basic = basic(key, secret)
        self._until = 0.0  # on the monotonic clock

    def bulksend(self, batch: Batch) -> Answer:
        """POST one text to one number or to several. Raises NotSent or Unknown, and ValueError when the texts differ."""
        return self.batch(batch) if len(batch.items) > 1 else self.send(batch)

    def send(self, batch: Batch) -> Answer:
        """POST the batch's first message."""
        return self._post("/sms", _fields(batch) | {"recipient": batch.items[0].to.lstrip("+")})

    def batch(self, batch: Batch) -> Answer:
        """POST one text to all numbers of the batch."""
        if len({item.body for item in batch.items}) > 1:
            raise ValueError("GENIQ takes one text a request.")
        recipients = ",".join(item.to.lstrip("+") for item in batch.items)
        return self._post("/batch_sms", _fields(batch) | {"recipients": recipients})

    def _post(self, path: str, fields: Mapping[str, str]) -> Answer:
        if time.monotonic() >= self._until and (refused := self._fetch_token()):
            return refused
        answer = self.request("POST", path, urlencode(fields).encode("ascii"))
        if answer.status == 401 or response_code(answer) in TOKEN_REFUSED:
            self._until = 0.0  # the next request begins with a new one
        return answer

    def _fetch_token(self) -> Answer | None:
        """Use a fresh token. An answer that refuses the credentials is given back, to stand for that of the message."""
        self.authorize(self._basic)
        try:
            answer = self.request("POST", "/token")
        except Unknown:
            raise NotSent(NO_SESSION) from None
        given = folded(mapping(parsed(decoded(answer.body))))
        token = given.get("token") or given.get("accesstoken")
        if 200 <= answer.status < 300 and isinstance(token, str) and token.isascii() and token.isprintable():
            self.authorize(f"Bearer {token}")
            self._until = time.monotonic() + max(_life(token) - EARLY, 1.0)
            return None
        if answer.status in {401, 402, 403} or lookup("geniq", "sms", "response", response_code(answer)).effect == STOP:
            return answer
        raise NotSent(NO_SESSION)


def _life(token: str) -> float:
    """Seconds that a JWT says it lives; it is not verified here, that is GENIQ's affair."""
    try:
        middle = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        return min(max(float(claims["exp"]) - time.time(), 0.0), 86_400.0)
    except (ValueError, IndexError, KeyError, TypeError):
        return TOKEN_LIFE


def _fields(batch: Batch) -> dict[str, str]:
    fields = {
        "message": batch.items[0].body, "originator": batch.items[0].sender or batch.sender, "originatorTon": "auto",
        "dataCoding": {"plain": "text", "unicode": "unicode"}.get(batch.encoding, "auto"), "reference": batch.custom_field,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value}


def response_code(answer: Answer) -> str:
    """GENIQ's own code: text in the documents, perhaps a number; empty when the answer has none."""
    return scalar(folded(mapping(parsed(decoded(answer.body)))).get("responsecode"), "code")


def recipients(answer: Answer) -> list[tuple[str, str | None]]:
    """The last ten digits of each number an answer speaks of, empty for the only one of ``/sms``, and its message id.

    A long text has an id for each of its parts: the first stands for the message.
    """
    told = mapping(parsed(decoded(answer.body)))
    details = mapping(told.get("details")).get("recipients")
    if not isinstance(details, list):
        return [("", _first_id(told))]
    return [(last10(scalar(mapping(item).get("recipient"), "to")), _first_id(mapping(item))) for item in details]


def _first_id(item: Mapping[str, Any]) -> str | None:
    ids = item.get("messageIds")
    return sid(ids[0]) if isinstance(ids, list) and ids else None


def receipt(fields: Mapping[str, Any]) -> DeliveryReport | None:
    """A delivery report from a receipt's fields; None when it says nothing about a status."""
    values = folded(fields)
    word, reason = scalar(values.get("status"), "word").lower(), scalar(values.get("reasoncode"), "code")
    message_id = sid(values.get("messageid"))
    if not word or not message_id:
        return None
    to = scalar(values.get("recipient"), "to")
    row = lookup("geniq", "sms", "reason", reason)
    state = STATES.get(word, "")
    failed = state == "failed"
    return DeliveryReport(
        source="callback",
        sid=message_id,
        to=to,
        number10=last10(to),
        word=word,
        code=stored("geniq-reason", reason) if failed else "",
        name=row.name if failed else "",
        state=state,
        date_sent=instant(values.get("messagetimestamp")),
        units=None,
    )
