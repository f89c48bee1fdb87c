"""GENIQ's SMS API, a second provider with shapes of its own: a token for Basic credentials, then Bearer on every call."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from campaigns.exotel.simulator import forms, sms
from campaigns.exotel.simulator.accounts import Account
from campaigns.exotel.simulator.call import Call
from campaigns.exotel.simulator.desk import Desk, Plan, planned
from campaigns.exotel.simulator.errors import Refused
from campaigns.exotel.simulator.fates import Fate
from campaigns.exotel.simulator.faults import NO_ANSWER
from campaigns.exotel.simulator.rows import Message, part_id
from campaigns.exotel.simulator.server import Reply

PREFIX = "/rest/v1"  # below the base URL, as at https://api.geniq.io
LIFE = 3600  # seconds that a token is good for
MOST = 100  # recipients of a batch
LONGEST_ALPHA = 11
MESSAGES = {
    "0": "Success", "1": "Invalid Username or Password", "4": "Account is disabled",
    "5": "Account maximum throttling rate is exceeded", "6": "Account does not have sufficient credit balance",
    "11": "Invalid recipient address", "12": "Invalid originating address", "13": "Invalid alphanumeric originating address",
    "16": "Destination Address Duplicated", "17": "Destination Address list exceeded maximum", "20": "Invalid token",
    "23": "Token expired", "24": "Invalid key", "88": "General Failure",
    "99": "System error. Please contact us if problem persist",
}  # fmt: skip
STATUS = {"1": 401, "20": 401, "23": 401, "24": 401, "4": 403, "5": 429, "99": 500}
REFUSALS = {40002: "4", 40402: "5", 40405: "5", 35006: "5", 40001: "6", 34009: "88", "authentication": "1", 34001: "1"}
TONS = {"", "auto", "national", "alpha", "international"}


class Declined(Exception):
    """The request gets a responseCode other than "0"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class GeniqApi:
    """Answers everything below PREFIX."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._actions: dict[str, Callable[[Call, Account, dict[str, str]], Reply]] = {
            "sms": self._sms,
            "batch_sms": self._batch,
        }

    def serve(self, asked: Call) -> Reply:
        """The answer. Raises Refused."""
        action = asked.request.path[len(PREFIX) :].strip("/").lower()
        try:
            if asked.request.method != "POST":
                raise Declined("88")
            if action == "token":
                return self._token(asked)
            account = self._desk.enter(asked, *self._bearer(asked))
            self._desk.throttle(asked, account)
            if action not in self._actions:
                raise Declined("88")
            return NO_ANSWER if self._desk.struck(asked) else self._actions[action](asked, account, _fields(asked))
        except Declined as declined:
            return _answer(declined.code, {})

    def error(self, refused: Refused, asked: Call) -> Reply:
        code = "20" if refused.key == 34010 and not _is_token(asked) else REFUSALS.get(refused.key, "99")
        reply = _answer("1" if refused.key == 34010 and _is_token(asked) else code, {})
        wait = () if refused.retry_after is None else (("Retry-After", str(refused.retry_after)),)
        return Reply(reply.status, reply.body, reply.content_type, wait)

    def _token(self, asked: Call) -> Reply:
        sids = self._desk.accounts.known(asked.request.headers.get("authorization", ""))
        account = self._desk.enter(asked, min(sids), sids)
        expires = int(self._desk.clock()) + LIFE
        token = signed({"sub": account.sid, "exp": expires}, account.token)
        return _answer("0", {"expiry": datetime.fromtimestamp(expires, UTC).isoformat(), "token": token})

    def _bearer(self, asked: Call) -> tuple[str, set[str]]:
        """The account that a token was given to."""
        scheme, _, token = asked.request.headers.get("authorization", "").partition(" ")
        claims = claimed(token.strip()) if scheme.lower() == "bearer" else None
        account = self._desk.accounts.get(str(claims.get("sub"))) if claims else None
        if claims is None or account is None or token.strip() != signed(claims, account.token):
            raise Declined("20")
        if claims["exp"] <= self._desk.clock():
            raise Declined("23")
        return account.sid, {account.sid}

    def _sms(self, asked: Call, account: Account, given: dict[str, str]) -> Reply:
        self._check(given)
        if not number(given.get("recipient", "")):
            raise Declined("11")
        self._desk.refuse(asked, 1)
        self._desk.charge(asked, account, 1)
        ids: list[Any] = [{"sid": one} for one in self._take(asked, account, given, given["recipient"])]
        if asked.fault:
            ids = asked.fault.rearranged(ids, self._desk.point(asked))
        return _answer("0", {"reference": given.get("reference", ""), "messageIds": _bare(ids)})

    def _batch(self, asked: Call, account: Account, given: dict[str, str]) -> Reply:
        self._check(given)
        recipients = [one.strip() for one in given.get("recipients", "").split(",") if one.strip()]
        if not recipients:
            raise Declined("11")
        if len(recipients) > MOST:
            raise Declined("17")
        self._desk.refuse(asked, len(recipients))
        codes = ["11" if not number(to) else "16" if to in recipients[:i] else "0" for i, to in enumerate(recipients)]
        self._desk.charge(asked, account, codes.count("0"))
        shown: list[Any] = [
            _outcome(to, code, self._take(asked, account, given, to) if code == "0" else [])
            for to, code in zip(recipients, codes, strict=True)
        ]
        if asked.fault:
            shown = asked.fault.rearranged(shown, self._desk.point(asked))
        good = codes.count("0")
        details = {"total": len(codes), "processed": good, "failed": len(codes) - good, "recipients": shown}
        return _answer("0", {"reference": given.get("reference", ""), "details": details})

    def _check(self, given: dict[str, str]) -> None:
        """Raise Declined for what is wrong with a request whoever it goes to."""
        sender = given.get("originator", "")
        if not given.get("message") or given.get("originatorTon", "") not in TONS:
            raise Declined("88")
        if not sender or len(sender) > 20:
            raise Declined("12")
        if not sender.isdigit() and len(sender) > LONGEST_ALPHA:
            raise Declined("13")

    def _take(self, asked: Call, account: Account, given: dict[str, str], to: str) -> list[str]:
        """The ids of the message's parts."""
        desk, place, body = self._desk, self._desk.next_id(asked), given["message"]
        ten, now = number(to), desk.clock()
        fate = desk.fate(asked, ten, body)
        units = sms.units(body, given.get("dataCoding", ""))
        message = Message(
            place, desk.last_id + 1, desk.ledger.sid(place), account.sid, to, ten, body, given["originator"], "", "", "",
            given.get("reference", ""), account.receipt_url, now, now + fate.delay, desk.fates.outcome(ten, "geniq"), units,
            "geniq",
        )  # fmt: skip
        desk.take(asked, message, _receipts(message, fate), fate)
        return [part_id(message.sid, part) for part in range(units)]


def number(text: str) -> str:
    """The last ten digits of a recipient; empty when it is none. GENIQ takes numbers of every country, without a plus."""
    return text[-10:] if text.isascii() and text.isdigit() and 7 <= len(text) <= 15 else ""


def signed(claims: dict[str, Any], secret: str) -> str:
    """A JSON Web Token (HS256)."""
    head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = f"{head}.{_encoded(json.dumps(claims).encode())}"
    return f"{text}.{_encoded(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))}"


def claimed(token: str) -> dict[str, Any] | None:
    """What a token says, its signature unchecked; None when it says nothing."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError, binascii.Error):
        return None
    return claims if isinstance(claims, dict) and isinstance(claims.get("exp"), int) else None


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _fields(asked: Call) -> dict[str, str]:
    request = asked.request
    pairs = forms.fields(request.body, request.query, request.headers.get("content-type", ""))
    return {key[0]: value for key, value in pairs if len(key) == 1}


def _receipts(message: Message, fate: Fate) -> Plan:
    """One for each part, each with its place after the code."""
    steps = [(message.code, message.due_at)]
    if fate.intermediate and not fate.early:
        steps = [("processed:0", (message.accepted_at + message.due_at) / 2), *steps]
    plan = planned(steps, fate, message.accepted_at)
    return [(f"{code}:{part}", at) for code, at in plan for part in range(message.units)]


def _is_token(asked: Call) -> bool:
    return asked.request.path.rstrip("/").lower().endswith("/token")


def _bare(items: list[Any]) -> list[Any]:
    """Ids without the object that a fault looks for them in."""
    return [item.get("sid") if isinstance(item, dict) else item for item in items]


def _outcome(recipient: str, code: str, ids: list[str]) -> dict[str, Any]:
    return {"recipient": recipient, "messageIds": ids, "responseCode": code, "responseMessage": MESSAGES[code]}


def _answer(code: str, more: dict[str, Any]) -> Reply:
    body = more | {"responseMessage": MESSAGES[code], "responseCode": code}
    return Reply(STATUS.get(code, 200), json.dumps(body).encode(), "application/json")
