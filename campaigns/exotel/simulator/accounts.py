"""The customers of the simulated provider: who may send, how often, and for how much."""

import base64
from collections import deque
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, get_args

from campaigns.exotel.simulator.errors import Refused

MINUTE = 60.0
TRIAL_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class Account:
    sid: str
    key: str
    token: str
    balance: int | None = None  # messages it can still pay for; None is without end
    active: bool = True
    trial: bool = False  # at most 10 messages, none of them promotional
    rate_per_minute: int = 0  # POST requests in any 60 s; 0 is no limit
    get_rate_per_minute: int = 0
    exophone: str = "08047112233"
    header: str = "EXODMO"  # shown when From is the ExoPhone
    headers: str = ""  # the senders it may use, with commas between; empty allows every one
    international: bool = False
    kyc: bool = True  # a trial account without it sends to its whitelist alone
    whitelist: str = ""  # numbers, with commas between
    scrubbing: bool = False  # messages are held against the templates registered here, as operators do
    receipt_url: str = ""  # where GENIQ posts its receipts

    def shown_sender(self, sender: str) -> str:
        """``<ExoPhone>/<header>`` as answers give it."""
        if sender.isdigit() and len(sender) > 6:  # six digits are a promotional header
            return f"{sender}/{self.header}"
        return f"{self.exophone}/{sender or self.header}"

    def sending_header(self, sender: str) -> str:
        """The header that the network sees."""
        return self.shown_sender(sender).rpartition("/")[2]

    def may_use(self, header: str) -> bool:
        return not self.headers or header in listed(self.headers) or header == self.header

    def has_promotional_header(self) -> bool:
        return not self.headers or any(map(str.isdigit, listed(self.headers)))


def listed(text: str) -> list[str]:
    """The entries of a text with commas between them."""
    return [entry.strip() for entry in text.split(",") if entry.strip()]


LEGAL = {item.name: get_args(item.type) or (item.type,) for item in fields(Account)}


def changed(account: Account | None, sid: str, changes: object) -> Account:
    """An account made or amended from JSON; ValueError says what is wrong."""
    if not isinstance(changes, dict):
        raise ValueError("An account is a JSON object.")
    for name, value in changes.items():
        if name == "sid" or name not in LEGAL:
            raise ValueError(f"Unknown field {name}; known are {', '.join(sorted(set(LEGAL) - {'sid'}))}.")
        if type(value) not in LEGAL[name]:
            raise ValueError(f"{name} has the wrong type.")
        if isinstance(value, int) and value < 0:
            raise ValueError(f"{name} must not be below 0.")
    if account is None and not {"key", "token"} <= set(changes):
        raise ValueError("A new account needs a key and a token.")
    return replace(account or Account(sid, "", ""), **changes)


def as_json(account: Account) -> dict[str, Any]:
    """What may be shown: everything but the token."""
    return {name: value for name, value in asdict(account).items() if name != "token"}


@dataclass(slots=True)
class Window:
    """Requests in the sliding 60 seconds that end with the latest one, and the most there ever were."""

    times: deque[float] = field(default_factory=deque)
    most: int = 0

    def add(self, at: float) -> None:
        self.times.append(at)
        self.most = max(self.most, self.count(at))

    def count(self, now: float) -> int:
        while self.times and now - self.times[0] >= MINUTE:
            self.times.popleft()
        return len(self.times)

    def wait(self, now: float) -> float:
        """Seconds until the oldest request leaves the window."""
        return max(0.0, self.times[0] + MINUTE - now) if self.times else 0.0

    def admit(self, now: float, limit: int, refusal: int) -> None:
        """Count a request, or raise Refused when there is no room for it. One refused takes no room."""
        if limit and self.count(now) >= limit:
            raise Refused(refusal)
        self.add(now)


class Accounts:
    """All accounts, and who is let in."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._tokens: dict[tuple[str, str], set[str]] = {}
        self._windows: dict[tuple[str, str], Window] = {}

    def put(self, account: Account) -> None:
        self._accounts[account.sid] = account
        self._tokens = {}
        for one in self._accounts.values():
            self._tokens.setdefault((one.key, one.token), set()).add(one.sid)

    def get(self, sid: str) -> Account | None:
        return self._accounts.get(sid)

    def all(self) -> list[Account]:
        return list(self._accounts.values())

    def window(self, sid: str, method: str) -> Window:
        return self._windows.setdefault((sid, method), Window())

    def known(self, authorization: str) -> set[str]:
        """The sids that credentials belong to. Raises Refused."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "basic" or not token.strip():
            raise Refused("authentication")
        try:
            key, _, secret = base64.b64decode(token, validate=True).decode().partition(":")
        except ValueError:  # not base64, not ASCII, not UTF-8
            raise Refused(34010) from None
        if not key or not secret:
            raise Refused("authentication")
        if not (key + secret).isalnum():
            raise Refused(34001)
        sids = self._tokens.get((key, secret))
        if sids is None:
            raise Refused(34010)
        return sids

    def permitted(self, sid: str, sids: set[str]) -> Account:
        """The account in the address, when the credentials are its own. Raises Refused."""
        if sid not in sids:
            raise Refused(34009)
        account = self._accounts[sid]
        if not account.active:
            raise Refused(40002)
        return account

    def throttle(self, account: Account, method: str, now: float, code: int = 40402) -> None:
        """Raise Refused, POST with ``code``, when the account's minute is full."""
        limit, refusal = (account.rate_per_minute, code) if method == "POST" else (account.get_rate_per_minute, 40403)
        self.window(account.sid, method).admit(now, limit, refusal)

    def with_key(self, key: str) -> Account | None:
        """The account that an API key belongs to."""
        return next((account for account in self._accounts.values() if account.key == key), None)
