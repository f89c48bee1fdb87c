"""What can go wrong with a send request, and when: made from a scenario's JSON."""

import math
from dataclasses import dataclass, fields
from typing import Any

from campaigns.exotel.simulator import spoiling
from campaigns.exotel.simulator.errors import ERRORS, Refused
from campaigns.exotel.simulator.server import Reply, Script
from campaigns.exotel.simulator.spoiling import REARRANGED, REDIRECTS, SPOILT, STATUSES

# Refused with a documented error; nothing is accepted. "error" takes its code from the fault itself.
REFUSALS = {
    "throttle": 40402, "throttle_date": 40402, "throttle_float": 40402, "throttle_negative": 40402,
    "throttle_nonsense": 40402, "throttle_absent": 40402, "throttle503": 40405, "error503_35006": 35006, "error500": 35000,
    "wrong_credentials": 34010, "no_balance": 40001, "error": 0,
}  # fmt: skip
HANGS = frozenset({"hang_before", "hang_after"})
SILENT = HANGS | {"reset_before", "reset_after", "closed_mid_headers"}  # the client never learns a status
# Usually nothing is accepted; "accepted": true says otherwise.
STOPPED = frozenset({*STATUSES, *REDIRECTS, "exception_200"})
NO_ANSWER = Reply(0, b"", "", script=Script())

KINDS: dict[str, str] = {
    "throttle": "429 with 40402; retry_after is the header, as given",
    "throttle_date": "the same with Retry-After as an HTTP date",
    "throttle_float": "... as a number with a fraction",
    "throttle_negative": "... below zero",
    "throttle_nonsense": "... that means nothing",
    "throttle_absent": "... left out",
    "throttle503": "503 with 40405",
    "error503_35006": "503 with 35006",
    "error500": "500 with 35000",
    "wrong_credentials": "401 with 34010",
    "no_balance": "40001",
    "error": 'the documented request error in "code"',
    "status408": "408 from a machine in between; nothing accepted, unless accepted is true",
    "status500": "500 from it",
    "status502": "502 from it",
    "status503": "503 from it",
    "status504": "504 from it",
    "redirect301": "301 to the same address",
    "redirect302": "302 to the same address",
    "redirect307": "307 to the same address",
    "exception_200": "200 with a RestException; nothing accepted",
    "hang_before": "nothing accepted, no answer for so many seconds, then a reset",
    "hang_after": "all accepted, no answer for so many seconds, then a reset",
    "reset_before": "nothing accepted, a reset",
    "reset_after": "all accepted, a reset after so many bytes (leaves)",
    "closed_mid_headers": "accepted; the connection ends within the headers",
    "closed_mid_body": "accepted; it ends within the body",
    "slow_drip": "accepted; the answer takes so many seconds, a few bytes at a time",
    "short_answer": "accepted; the last item is missing",
    "reordered": "accepted; the items come in reverse",
    "doubled_items": "accepted; some items come twice",
    "foreign_items": "accepted; one more item, of somebody else's message",
    "null_item": "accepted; one item is null",
    "text_item": "accepted; one item is a text",
    "missing_sid": "accepted; one item has no Sid",
    "number_sid": "accepted; one item has a number for its Sid",
    "error503": "accepted, and answered with 503",
    "bad_json": "accepted; half of the JSON",
    "html": "accepted; a page of HTML",
    "empty_body": "accepted; no body",
    "wrong_type": "accepted; the true answer, called text/html",
    "gzip_bomb": "accepted; a gzip that unpacks to so many megabytes",
    "not_gzip": "accepted; called gzip, and is not",
    "huge_body": "accepted; so many megabytes of blanks after the answer",
    "length_too_long": "accepted; Content-Length promises more than comes",
    "length_too_short": "accepted; Content-Length stops half-way",
    "length_negative": "accepted; Content-Length is below zero",
    "noise_100": "accepted; three times 100 Continue before the answer",
    "double_answer": "accepted; the answer is sent twice over",
    "early_callback": "accepted; the first callbacks come before the answer",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """When it strikes (any of ``every``, ``at`` and ``share``), counted by send requests from 1, and how."""

    kind: str
    every: int = 0
    at: tuple[int, ...] = ()
    share: float = 0.0
    seconds: float = 60.0  # until a hanging connection is dropped, or that a dripping answer takes
    retry_after: float | str | None = None  # the header of a refusal, as given
    code: int = 0  # the API code of "error"
    leaves: int = 0  # bytes of the answer that leave before a "reset_after"
    accepted: bool = False  # of STOPPED: Exotel took it, and only the answer got lost
    megabytes: int = 32

    def strikes(self, number: int, point: float) -> bool:
        """Whether it hits the request of a number; ``point`` is that request's seeded chance in [0, 1)."""
        return number in self.at or bool(self.every and number % self.every == 0) or point < self.share

    def refuse(self, messages: int, point: float) -> None:
        """Raise Refused when this is a fault of that sort."""
        if self.kind in REFUSALS:
            form = self.kind.partition("_")[2] if self.kind.startswith("throttle_") else ""
            seconds = self.retry_after if isinstance(self.retry_after, int | float) else 2
            header = spoiling.retry_after(form, seconds, point) if form else self.retry_after
            raise Refused(self.code or REFUSALS[self.kind], messages, header)

    @property
    def silent(self) -> bool:
        return self.kind in SILENT

    @property
    def takes_nothing(self) -> bool:
        """Whether the request ends before anything of it is accepted."""
        return self.kind in {"hang_before", "reset_before"} or (self.kind in STOPPED and not self.accepted)

    def rearranged(self, items: list[Any], point: float) -> list[Any]:
        return REARRANGED[self.kind](items, point) if self.kind in REARRANGED else items

    def spoilt(self, reply: Reply, path: str) -> Reply:
        """The answer that leaves instead of the true one."""
        if self.kind in STOPPED:
            return spoiling.instead(self.kind, path)
        return SPOILT[self.kind](reply, self) if self.kind in SPOILT and reply.script is None else reply


LEGAL: dict[str, tuple[type | Any, ...]] = {
    "kind": (str,), "every": (int,), "share": (int, float), "seconds": (int, float), "code": (int,), "leaves": (int,),
    "retry_after": (int, float, str, type(None)), "accepted": (bool,), "megabytes": (int,),
}  # fmt: skip
MOST = {"megabytes": 512, "seconds": 86_400, "share": 1}


def fault(given: object) -> Fault:
    """A fault from a scenario's JSON; ValueError names what is wrong with it."""
    if not isinstance(given, dict) or given.get("kind") not in list(KINDS):
        raise ValueError(f"faults: kind must be one of {', '.join(sorted(KINDS))}.")
    if unknown := set(given) - {item.name for item in fields(Fault)}:
        raise ValueError(f"faults: {given['kind']} has an unknown field {sorted(unknown)[0]}.")
    for field, kinds in LEGAL.items():
        if field in given and not isinstance(given[field], kinds):
            raise ValueError(f"faults: {field} of {given['kind']} has the wrong type.")
        _bounded(given, field)
    at = given.get("at", [])
    if not isinstance(at, list | tuple) or not all(isinstance(number, int) for number in at):
        raise ValueError("faults: at must be a list of request numbers.")
    made = Fault(**{**given, "at": tuple(at)})
    if (made.kind == "error" or made.code) and made.code not in ERRORS:
        raise ValueError("faults: error needs the code of a documented request error, such as 40300.")
    return made


def _bounded(given: dict[str, Any], field: str) -> None:
    value = given.get(field)
    if field == "retry_after" or not isinstance(value, int | float):
        return
    if not math.isfinite(value) or not 0 <= value <= MOST.get(field, 10**9):
        raise ValueError(f"faults: {field} of {given['kind']} must be from 0 to {MOST.get(field, 10**9)}.")
