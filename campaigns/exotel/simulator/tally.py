"""Running totals of the ledger, so that asking for them costs nothing however long it grows."""

import sqlite3
from collections import Counter
from collections.abc import Collection
from typing import Any

from campaigns.exotel.simulator.accounts import Window
from campaigns.exotel.simulator.rows import Callback, Message, Request


class Tally:
    """Read once from the ledger, then kept."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.by_code = _counted(db, "SELECT code, count(*) FROM message GROUP BY code")
        self.messages = _counted(db, "SELECT account, count(*) FROM message GROUP BY account")
        self.callbacks = _counted(db, "SELECT state, count(*) FROM callback GROUP BY state")
        self.tries = int(db.execute("SELECT coalesce(sum(tries), 0) FROM callback").fetchone()[0])
        self.by_http_status: Counter[int] = Counter()
        self.requests: Counter[str] = Counter()
        self._everyone = Window()  # POST requests of known accounts, as they arrived, throttled ones too
        self._arrivals: dict[str, Window] = {}
        for row in db.execute("SELECT account, method, http_status, at FROM request ORDER BY at"):
            self._request(*row)

    def add(self, request: Request, messages: Collection[Message], callbacks: Collection[Callback]) -> None:
        self._request(request.account, request.method, request.http_status, request.at)
        if messages:
            self.messages[request.account] += len(messages)
        self.by_code.update(message.code for message in messages)
        self.callbacks.update(callback.state for callback in callbacks)

    def _request(self, account: str, method: str, http_status: int, at: float) -> None:
        self.by_http_status[http_status] += 1
        self.requests[account] += 1
        if account and method == "POST":
            self._everyone.add(at)
            self._arrivals.setdefault(account, Window()).add(at)

    def settle(self, callbacks: Collection[Callback]) -> None:
        """Callbacks after one more try each."""
        self.tries += len(callbacks)
        self.callbacks.update(callback.state for callback in callbacks)
        self.callbacks["waiting"] -= len(callbacks)

    def as_json(self) -> dict[str, Any]:
        states = {state: self.callbacks[state] for state in ("acknowledged", "failed", "lost", "refused")}
        return {
            "requests": self.requests.total(),
            "messages": self.messages.total(),
            "by_code": dict(self.by_code),
            "by_http_status": dict(self.by_http_status),
            "callbacks": {"sent": self.tries, "pending": self.callbacks["waiting"], **states},
            "max_requests_in_60s": self._everyone.most,
            "accounts": {
                account: {
                    "requests": self.requests[account],
                    "messages": self.messages[account],
                    "max_requests_in_60s": self._arrivals[account].most if account in self._arrivals else 0,
                }
                for account in sorted(self.requests)
                if account
            },
        }


def _counted(db: sqlite3.Connection, query: str) -> Counter[str]:
    return Counter(dict(db.execute(query).fetchall()))
