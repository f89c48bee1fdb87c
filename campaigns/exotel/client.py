"""Exotel's SMS API, version 1 (documents S001 and S003). What a request means for its messages: sending.outcomes."""

import base64
from typing import Any
from urllib.parse import quote

from campaigns.exotel.bodies import Batch, bulk_body, send_body
from campaigns.exotel.line import Answer, Line


def basic(api_key: str, api_token: str) -> str:
    """The Authorization header of HTTP Basic."""
    return f"Basic {base64.b64encode(f'{api_key}:{api_token}'.encode()).decode('ascii')}"


class Client(Line):
    """One account's line to the SMS API. ``limits`` are those of Line."""

    def __init__(self, base_url: str, account_sid: str, api_key: str, api_token: str, **limits: Any) -> None:
        super().__init__(f"{base_url.rstrip('/')}/v1/Accounts/{quote(account_sid, safe='')}", **limits)
        self.authorize(basic(api_key, api_token))

    def bulksend(self, batch: Batch) -> Answer:
        """POST up to 100 messages, each with its own text. Raises NotSent or Unknown."""
        return self.request("POST", "/Sms/bulksend.json", bulk_body(batch))

    def send(self, batch: Batch) -> Answer:
        """POST one text to up to 100 numbers. Raises NotSent or Unknown, and ValueError when the texts differ."""
        return self.request("POST", "/Sms/send.json", send_body(batch))

    def details(self, sid: str) -> Answer:
        """GET what Exotel knows of one message; an unknown Sid is answered with 200 and a text."""
        return self.request("GET", f"/SMS/Messages/{quote(sid, safe='')}.json")
