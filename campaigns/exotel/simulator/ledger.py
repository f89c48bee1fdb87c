"""The truth to compare with: every request, accepted message and callback, on disk before a request is answered."""

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from campaigns.exotel.simulator.accounts import Account
from campaigns.exotel.simulator.dlt import Template
from campaigns.exotel.simulator.rows import Callback, Message, Request
from campaigns.exotel.simulator.tally import Tally

VERSION = 2  # of SCHEMA, in the file's user_version
SCHEMA = """
CREATE TABLE meta (nonce TEXT);
CREATE TABLE account (sid TEXT PRIMARY KEY, settings TEXT);
CREATE TABLE template (id TEXT PRIMARY KEY, body TEXT, settings TEXT);
CREATE TABLE request (
    id INTEGER PRIMARY KEY, number INTEGER, at REAL, account TEXT, method TEXT, path TEXT, messages INTEGER,
    http_status INTEGER, fault TEXT);
CREATE TABLE message (
    id INTEGER PRIMARY KEY, request_id INTEGER, sid TEXT, account TEXT, "to" TEXT, number10 TEXT, body TEXT, "from" TEXT,
    sms_type TEXT, dlt_entity_id TEXT, dlt_template_id TEXT, custom_field TEXT, status_callback TEXT, accepted_at REAL,
    due_at REAL, code TEXT, units INTEGER, channel TEXT, extra TEXT);
CREATE TABLE callback (
    id INTEGER PRIMARY KEY, message_id INTEGER, code TEXT, due_at REAL, state TEXT, tries INTEGER, http_status INTEGER,
    sent_at REAL);
CREATE INDEX callback_of_message ON callback (message_id);
"""
FROM_VERSION_1 = """
ALTER TABLE template ADD COLUMN settings TEXT DEFAULT '{}';
ALTER TABLE message ADD COLUMN channel TEXT DEFAULT 'sms';
ALTER TABLE message ADD COLUMN extra TEXT DEFAULT '';
"""
# NORMAL: a commit outlives a kill -9 of the process; a power cut is not simulated.
PRAGMAS = """
PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 8000;
"""
SID_HEAD = 20  # hexadecimal digits before the message's id


class Unusable(Exception):
    """The ledger file cannot be used; the text says why and what to do."""


class Ledger:
    """One connection, used from the event loop's thread alone. Raises Unusable for a file that is not its own."""

    def __init__(self, path: str) -> None:
        try:
            self.db = sqlite3.connect(path, isolation_level=None, timeout=1)
            self.db.executescript(PRAGMAS)
            self._prepare()
        except sqlite3.Error as error:
            why = "another simulator is using it" if "locked" in str(error) else str(error)
            raise Unusable(f"The ledger {path} cannot be used: {why}. Give another file with --ledger.") from error
        self.db.row_factory = sqlite3.Row
        self._nonce = self.db.execute("SELECT nonce FROM meta").fetchone()[0]
        self.requests, self.messages, self.callbacks = (self._last("request"), self._last("message"), self._last("callback"))
        self.numbers = self.db.execute("SELECT coalesce(max(number), 0) FROM request").fetchone()[0]
        self.tally = Tally(self.db)

    def _prepare(self) -> None:
        version = self.db.execute("PRAGMA user_version").fetchone()[0]
        if version == VERSION:
            return
        if version == 1:
            self.db.executescript(f"BEGIN; {FROM_VERSION_1} PRAGMA user_version = {VERSION}; COMMIT;")
            return
        if version or self.db.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise Unusable("The ledger was written by another version of the simulator. Move it away to begin a new one.")
        self.db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        self.db.execute("INSERT INTO meta VALUES (?)", (secrets.token_hex(16),))

    def _last(self, table: str) -> int:
        return int(self.db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0])

    def sid(self, message_id: int) -> str:
        """32 hexadecimal digits that no other ledger gives; the id is in them, so that no index is needed to find it."""
        return f"{self._nonce[:SID_HEAD]}{message_id:012x}"

    def record(
        self,
        request: Request,
        messages: Collection[Message],
        callbacks: Collection[Callback],
        account: Account | None = None,
    ) -> None:
        """One request and all that it brought about, in one commit; ``account`` when its balance has changed."""
        with self.db:
            self.db.execute("BEGIN")
            self.db.execute(f"INSERT INTO request VALUES ({_marks(Request)})", request)
            self.db.executemany(f"INSERT INTO message VALUES ({_marks(Message)})", messages)
            self.db.executemany(f"INSERT INTO callback VALUES ({_marks(Callback)})", callbacks)
            if account:
                self.keep_account(account)
        self.requests, self.numbers = request.id, max(self.numbers, request.number)
        self.messages += len(messages)
        self.callbacks += len(callbacks)
        self.tally.add(request, messages, callbacks)

    def settle(self, callbacks: Collection[Callback]) -> None:
        """What became of tries to send callbacks, in one commit; each entry is the row after one more try."""
        rows = [(one.due_at, one.state, one.tries, one.http_status, one.sent_at, one.id) for one in callbacks]
        with self.db:
            self.db.execute("BEGIN")
            self.db.executemany(
                "UPDATE callback SET due_at = ?, state = ?, tries = ?, http_status = ?, sent_at = ? WHERE id = ?", rows
            )
        self.tally.settle(callbacks)

    def waiting(self) -> Iterator[tuple[float, int]]:
        """When each callback that an earlier run still owes is due, and its id."""
        return ((row[0], row[1]) for row in self.db.execute("SELECT due_at, id FROM callback WHERE state = 'waiting'"))

    def due(self, ids: Iterable[int]) -> list[tuple[Callback, Message]]:
        """Callbacks with the messages that they report on."""
        cut = len(Callback._fields)
        rows = self.db.execute(
            "SELECT c.*, m.* FROM json_each(?) i JOIN callback c ON c.id = i.value JOIN message m ON m.id = c.message_id",
            (json.dumps(list(ids)),),
        )
        return [(Callback(*row[:cut]), Message(*row[cut:])) for row in rows]

    def find(self, account: str, sid: str) -> Message | None:
        try:
            row = self.db.execute("SELECT * FROM message WHERE id = ?", (int(sid[SID_HEAD:], 16),)).fetchone()
        except (ValueError, OverflowError):
            return None
        found = Message(*row) if row else None
        return found if found and (found.sid, found.account) == (sid, account) else None

    def keep_account(self, account: Account) -> None:
        self.db.execute("REPLACE INTO account VALUES (?, ?)", (account.sid, json.dumps(asdict(account))))

    def accounts(self) -> list[Account]:
        known = {item.name for item in fields(Account)}
        rows = [json.loads(row[0]) for row in self.db.execute("SELECT settings FROM account ORDER BY rowid")]
        return [Account(**{name: value for name, value in row.items() if name in known}) for row in rows]

    def keep_template(self, template: Template) -> None:
        self.db.execute("REPLACE INTO template VALUES (?, ?, ?)", (template.id, template.body, json.dumps(asdict(template))))

    def templates(self) -> list[Template]:
        rows = self.db.execute("SELECT id, body, settings FROM template")
        kept = [{"id": row[0], "body": row[1]} | json.loads(row[2]) for row in rows]
        return [Template(**one | {"headers": tuple(one.get("headers", ()))}) for one in kept]

    def admitted(self, since: float) -> list[tuple[str, str, float]]:
        """Account, method and time of the requests that count towards a limit from a time on."""
        rows = self.db.execute(
            "SELECT account, method, at FROM request WHERE at > ? AND account != '' AND http_status != 429 ORDER BY at",
            (since,),
        )
        return [tuple(row) for row in rows]

    def page(self, table: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Rows of request, message or callback after an id."""
        rows = self.db.execute(f"SELECT * FROM {table} WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [dict(row) for row in rows]

    def deliveries(self, first: int, last: int) -> dict[int, tuple[int, int]]:
        """Callbacks sent and acknowledged for each message of a range of ids."""
        rows = self.db.execute(
            "SELECT message_id, sum(tries), sum(state = 'acknowledged') FROM callback WHERE message_id BETWEEN ? AND ? "
            "GROUP BY message_id",
            (first, last),
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def close(self) -> None:
        self.db.close()


def _marks(kind: type[NamedTuple]) -> str:
    return ", ".join("?" * len(kind._fields))
