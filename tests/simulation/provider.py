"""The other side of the wire: what it accepted, which is the truth, and what it says of it, which may be anything."""

import json
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit
from uuid import UUID

from campaigns.exotel.errors import ExotelError, NotSent, Unknown
from campaigns.exotel.line import Answer
from campaigns.sending import callback_urls


class Breach(AssertionError):
    """A promise of the sending core does not hold."""


@dataclass(eq=False)
class Parcel:
    """One request on its way: the messages it carries, and whether anybody can be sure what became of them."""

    attempt: UUID
    messages: dict[str, int]  # last ten digits: message
    callback_path: str
    worker: object
    arrived: bool = False
    settled: bool = False  # its sender has stored an outcome
    doubtful: set[str] = field(default_factory=set)

    def doubt_all(self):
        self.doubtful |= set(self.messages)


@dataclass(eq=False)
class Entry:
    """One message that the provider accepted, and will hand to its recipient."""

    sid: str
    number10: str
    parcel: Parcel
    told: list["Told"] = field(default_factory=list)  # what our side has been told of it

    @property
    def message(self):
        return self.parcel.messages[self.number10]


@dataclass(frozen=True)
class Told:
    """One statement about a message."""

    word: str
    code: str
    second: int = 0
    units: int = 0

    def fields(self, sid, number10):
        sent = f"2026-11-20 10:{self.second // 60:02d}:{self.second % 60:02d}" if self.second else "1970-01-01 05:30:00"
        return {
            "Sid": sid, "To": f"0{number10}", "Status": self.word, "DetailedStatusCode": self.code, "DateSent": sent,
            "SmsUnits": self.units or None,
        }  # fmt: skip


@dataclass(eq=False)
class Callback:
    """A status report under way to us, perhaps forged."""

    due: float
    path: str  # empty for the address of the account as a whole
    sid: str
    number10: str
    told: Told
    entry: Entry | None = None  # None: forged


QUEUED = Told("queued", "21010")
REFUSALS = ("23010", "23072", "23181")
# What can happen to a request, beside the ordinary; a history draws a few, so that it meets often what is rare in others.
FATES = (
    "throttled", "throttled_503", "busy_503", "busy_503", "error_500", "error_500", "partly_500", "timeout", "arrives_late",
    "reset", "refused", "reordered", "doubled", "foreign", "repeated_sid", "repeated_sid", "nameless", "unreadable",
    "nothing_settled", "wrong_key", "no_balance", "wrong_header",
)  # fmt: skip
SPOILT = ("", "", "short", "reordered", "doubled", "foreign", "repeated_sid")  # a partial answer, besides
UNREADABLE = (b"", b"<html>Bad Gateway</html>", b'[{"SMSMessage": {"Sid": "x"', b"\xff\xfe", b"[]", b"null")
HELD = {  # nothing accepted, and nothing may be sent until the wait is over or somebody has mended it
    "throttled": (429, ""), "throttled_503": (503, ""), "wrong_key": (401, "34010"), "no_balance": (402, "40001"),
    "wrong_header": (400, "40206"),
}  # fmt: skip
STOPS = frozenset({"wrong_key", "no_balance", "wrong_header"})
RETRY_AFTER = ("", "", "1", "7", "60", "0", "-5", "soon", "99999999")
# What the provider reports of an accepted message, in this order if nothing is lost.
LIVES = (
    ("20005",), ("20005",), ("21020", "20005"), ("21010", "21020", "20006"), ("20006",), ("23050",), ("23050", "20005"),
    ("24990", "23040"), ("20006", "23035"), ("21020", "24010", "23060"), ("20005", "23015"), (),
)  # fmt: skip
WORDS = {"21010": "queued", "21020": "submitted", "20006": "sent", "20005": "sent"}


class Provider:
    def __init__(self, random: Random, poison: set[str]):
        self.random = random
        self.poison = poison  # numbers that spoil any request they are in
        self.fates = ["accepted", "partial", "short", *random.sample(FATES, random.choice((2, 4, 7)))]
        self.weights = [random.choice((1, 2, 5)), *(1 for _ in self.fates[1:])]
        self.ledger: dict[int, Entry] = {}  # by message
        self.entries: list[Entry] = []
        self.rejected: dict[int, str] = {}
        self.calm = False  # from here on nothing goes wrong any more
        self.arrivals: list[tuple[float, Parcel]] = []  # requests that the network still holds
        self.callbacks: list[Callback] = []
        self._sids = 0

    def receive(self, parcel: Parcel, now: float) -> tuple[str, Answer | ExotelError]:
        """A request and what its sender gets for it; the fate's name tells the trace."""
        fate = "accepted" if self.calm else self.random.choices(self.fates, self.weights)[0]
        if fate in HELD:
            return fate, self._held(fate)
        if fate == "refused":
            return fate, NotSent("Connection refused.")
        if fate == "arrives_late":
            parcel.doubt_all()
            self.arrivals.append((now + self.random.choice((1, 50, 200)), parcel))
            return fate, Unknown("No answer in time.")
        if self.poison & set(parcel.messages):
            return "poisoned", self._poisoned(parcel)
        if fate in {"timeout", "reset", "error_500", "busy_503", "unreadable", "nothing_settled"}:
            parcel.doubt_all()
            taken = fate in {"unreadable", "nothing_settled"} or self.random.random() < 0.5
            self._accept(parcel, list(parcel.messages) if taken else [], now)
            return f"{fate}, {'' if taken else 'not '}accepted", self._unclear(fate)
        if fate == "partly_500":
            parcel.doubt_all()
            self._accept(parcel, [n for n in parcel.messages if self.random.random() < 0.5], now)
            return fate, self._answer(500, {"RestException": {"Code": 35000, "Message": "Some may have been sent"}})
        return fate, self._listed(fate, parcel, now)

    def arrive_late(self, parcel: Parcel, now: float):
        """A request that its sender has given up arrives all the same."""
        if not self.poison & set(parcel.messages):
            self._accept(parcel, list(parcel.messages), now)

    def _accept(self, parcel, numbers, now):
        if parcel.arrived and numbers:
            raise Breach(f"the request {parcel.attempt} was sent twice")
        parcel.arrived = True
        for number10 in numbers:
            self._sids += 1
            entry = Entry(f"sid{self._sids}", number10, parcel)
            if entry.message in self.ledger:
                raise Breach(f"message {entry.message} was accepted twice: its recipient gets two")
            self.ledger[entry.message] = entry
            self.entries.append(entry)
            self._report(entry, now)

    def _report(self, entry, now):
        """Put the reports of one message under way."""
        start = self.random.randint(1, 3000)
        for i, code in enumerate(self.random.choice(LIVES)):
            told = Told(WORDS.get(code, "failed"), code, start + i, self.random.choice((0, 0, 1, 2)))
            if self.random.random() < 0.12:
                continue
            path = "" if self.random.random() < 0.1 else entry.parcel.callback_path
            for _ in range(self.random.choice((1, 1, 1, 2))):
                due = now + self.random.choice((0, 0, 0.5, 3, 20, 200, 90_000))
                self.callbacks.append(Callback(due, path, entry.sid, entry.number10, told, entry))

    def _held(self, fate):
        status, code = HELD[fate]
        code = code or self.random.choice(("40402", "")) if status == 429 else code
        code = self.random.choice(("40405", "35006")) if fate == "throttled_503" else code
        body = {"RestException": {"Status": status, "Code": code, "Message": "no"}} if code else {}
        return self._answer(status, body, self.random.choice(RETRY_AFTER) if "throttled" in fate else "")

    def _poisoned(self, parcel):
        if len(parcel.messages) == 1:
            self.rejected[next(iter(parcel.messages.values()))] = "40202"
        return self._answer(400, {"RestException": {"Status": 400, "Code": 40202, "Message": "no"}})

    def _unclear(self, fate):
        if fate == "timeout":
            return Unknown("No answer in time.")
        if fate == "reset":
            return Unknown("The connection broke.")
        if fate == "unreadable":
            return Answer(200, {}, self.random.choice(UNREADABLE), 0.1)
        if fate == "nothing_settled":
            return self._answer(200, [{"SMSMessage": {"Sid": "x1", "To": "08000000000", "Status": "queued"}}])
        return self._answer(503 if fate == "busy_503" else 500, {})

    def _listed(self, fate, parcel, now):
        """An answer that names messages one by one."""
        numbers = list(parcel.messages)
        refused = {n: self.random.choice(REFUSALS) for n in numbers if fate == "partial" and self.random.random() < 0.4}
        self._accept(parcel, [n for n in numbers if n not in refused], now)
        self.rejected |= {parcel.messages[n]: code for n, code in refused.items()}
        items = []
        for number10 in numbers:
            if number10 in refused:
                items.append(Told("failed", refused[number10]).fields(None, number10))
            else:
                items.append(QUEUED.fields(self.ledger[parcel.messages[number10]].sid, number10))
        self._spoil(self.random.choice(SPOILT) if fate == "partial" else fate, items, parcel)
        return self._answer(207 if refused else 200, [{"SMSMessage": item} for item in items])

    def _spoil(self, fate, items, parcel):
        if fate == "short":
            gone = items.pop(self.random.randrange(len(items)))
            parcel.doubtful.add(gone["To"][1:])
            if not items:
                parcel.doubt_all()
        if fate in {"reordered", "foreign", "doubled"}:
            self.random.shuffle(items)
        if fate == "doubled":
            items.append(dict(self.random.choice(items)))
        if fate == "foreign":
            at = self.random.randrange(len(items) + 1)
            items.insert(at, QUEUED.fields("foreign1", "8000000000"))
        if fate == "nameless":
            for item in items:
                item["To"] = self.random.choice(("", item["To"]))
        if fate == "repeated_sid":
            victim = self.random.choice([i for i, item in enumerate(items) if item["Sid"]] or [0])
            others = [item["Sid"] for item in items[:victim] if item["Sid"]] + [e.sid for e in self.entries if self.known(e)]
            if others and items[victim]["Sid"]:
                items[victim]["Sid"] = self.random.choice(others)
                parcel.doubtful.add(items[victim]["To"][1:])
                if len(items) == 1:
                    parcel.doubt_all()

    def known(self, entry: Entry) -> bool:
        """Whether our side has stored this entry's Sid, so that it can tell when another message is given it."""
        return bool(entry.told)

    def _answer(self, status, body, retry_after=""):
        headers = {"retry-after": retry_after} if retry_after else {}
        return Answer(status, headers, json.dumps(body).encode(), 0.1)

    def forge(self, kind: str, now: float) -> Callback | None:
        """A report that nobody at the provider sent: under a valid address or none."""
        told = Told("sent", "20005", 59)
        if not self.entries:
            return None
        entry = self.random.choice(self.entries)
        path = entry.parcel.callback_path
        if kind == "stranger":
            return Callback(now, path, "forged1", "8000000000", told)
        if kind == "unknown_request":
            path = urlsplit(callback_urls.sign(UUID(int=self.random.getrandbits(128)))).path
            return Callback(now, path, entry.sid, entry.number10, told)
        if kind == "of_another_request":
            others = [e for e in self.entries if e.number10 not in entry.parcel.messages]
            return Callback(now, path, "forged2", self.random.choice(others).number10, told) if others else None
        return Callback(now, path, "forged3", entry.number10, told) if self.known(entry) else None
