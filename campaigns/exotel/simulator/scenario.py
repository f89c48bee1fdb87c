"""What the simulated network does: outcomes, delays, the fate of callbacks, faults on requests. Made from JSON."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from campaigns.exotel.simulator.faults import Fault, fault
from campaigns.exotel.simulator.readings import CHOICES, FLAGS, Readings

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Scenario(Readings):
    """Times are in seconds, shares in [0, 1]; pairs are the least and the most."""

    outcomes: dict[str, float] = field(default_factory=lambda: {"20005": 1})  # detailed status code: weight
    numbers: dict[str, str] = field(default_factory=dict)  # last ten digits: code, whatever the weights say
    whatsapp_outcomes: dict[str, float] = field(
        default_factory=lambda: {"30003": 1}
    )  # the last state, each before it told too
    whatsapp_numbers: dict[str, str] = field(default_factory=dict)
    geniq_outcomes: dict[str, float] = field(default_factory=lambda: {"delivered:0": 1})  # status and reasonCode
    geniq_numbers: dict[str, str] = field(default_factory=dict)
    delay: tuple[float, float] = (0.5, 3.0)  # from acceptance to the outcome and its callback
    latency: tuple[float, float] = (0.0, 0.0)  # from acceptance to the answer
    lost: float = 0.0  # callbacks that never come
    doubled: float = 0.0  # that come twice
    early: float = 0.0  # that come before the request is answered
    late: float = 0.0  # that come long after the outcome
    late_by: tuple[float, float] = (DAY, 3 * DAY)
    reordered: float = 0.0  # messages whose later report comes before the earlier ones
    intermediate: float = 0.0  # messages with a callback "submitted" half-way; true is all of them
    clicks: float = 0.3  # delivered messages with a tracked link that is followed
    click_delay: tuple[float, float] = (1.0, 5.0)  # from delivery
    whatsapp_replies: float = 0.0  # read messages that are replied to, in the array of the last report
    faults: tuple[Fault, ...] = ()
    callback_timeout: float = 15.0
    callback_retries: int = 2
    callback_retry_wait: float = 5.0
    callback_retry_schedule: tuple[float, ...] = ()  # waits before each new try, instead of the two above
    promotional_hours: tuple[float, float] = (10.0, 21.0)  # IST; outside them promotional messages wait at 21020
    clock_ahead: float = 0.0  # how far the provider's clock runs before the machine's


PAIRS = ("delay", "latency", "late_by", "click_delay", "promotional_hours")
SHARES = ("lost", "doubled", "early", "late", "reordered", "intermediate", "clicks", "whatsapp_replies")
NUMBERS = ("callback_timeout", "callback_retries", "callback_retry_wait", "clock_ahead")
RECEIPT = re.compile(r"(delivered|expired|deleted|undeliverable|rejected|unknown):[0-9]{1,4}")
CODE = re.compile(r"[0-9]{1,9}")
WHATSAPP_CODE = re.compile(r"[0-9]{1,9}|EX_[A-Z_]{1,60}")  # EX_RESTRICTED_BY_META was seen, its number was not
USUAL: dict[str, float] = {"20005": 90, "20006": 3, "23005": 3, "23010": 1, "23035": 2, "23050": 1}
MIXED: dict[str, float] = USUAL | {"20005": 70, "20006": 8, "23005": 6, "23010": 4, "23035": 4, "23040": 2, "23050": 2} | {
    "23082": 2, "24990": 2,
}  # fmt: skip
BUILT_IN = {
    "demo": Scenario(outcomes=USUAL, delay=(1.0, 12.0), latency=(0.02, 0.15)),
    "all-delivered": Scenario(),
    "mixed": Scenario(
        outcomes=MIXED, whatsapp_outcomes={"30003": 60, "30002": 25, "30001": 5, "30013": 5, "30018": 3, "30023": 2},
        geniq_outcomes={"delivered:0": 85, "undeliverable:8": 10, "rejected:6": 5}, doubled=0.05, early=0.02,
        intermediate=0.2,
    ),
    "silent": Scenario(lost=1.0),
}  # fmt: skip


def changed(scenario: Scenario, changes: object) -> Scenario:
    """The scenario with some fields replaced; ValueError names the field that cannot be played."""
    known = {item.name for item in fields(Scenario)}
    if not isinstance(changes, dict):
        raise ValueError("A scenario is a JSON object.")
    if unknown := set(changes) - known:
        raise ValueError(f"Unknown field {sorted(unknown)[0]}; known are {', '.join(sorted(known))}.")
    return replace(scenario, **{name: _checked(name, value) for name, value in changes.items()})


def as_json(scenario: Scenario) -> dict[str, Any]:
    return asdict(scenario)


def _checked(name: str, value: Any) -> Any:
    if name in CHOICES:
        given = str(value).lower() if isinstance(value, str | int) and value not in CHOICES[name] else value
        return _require(given in CHOICES[name], given, f"{name} must be one of {', '.join(CHOICES[name])}.")
    if name in FLAGS:
        return _require(isinstance(value, bool), value, f"{name} must be true or false.")
    kinds: dict[tuple[str, ...], Callable[[str, Any], Any]] = {
        PAIRS: _pair, SHARES: _share, NUMBERS: _amount, ("faults",): _faults, ("callback_retry_schedule",): _schedule,
    }  # fmt: skip
    return next((check for names, check in kinds.items() if name in names), _codes)(name, value)


def _pair(name: str, value: Any) -> tuple[float, float]:
    good = isinstance(value, list | tuple) and len(value) == 2 and all(map(_number, value)) and value[0] <= value[1]
    least, most = _require(good, value, f"{name} must be two numbers, the smaller first.")
    return least, most


def _share(name: str, value: Any) -> float:
    return float(_require(_number(value, most=1), value, f"{name} must be from 0 to 1."))


def _amount(name: str, value: Any) -> Any:
    return _require(_number(value), value, f"{name} must be a number from 0.")


def _faults(name: str, value: Any) -> tuple[Fault, ...]:
    return tuple(fault(one) for one in _require(isinstance(value, list | tuple), value, f"{name} must be a list."))


def _schedule(name: str, value: Any) -> tuple[float, ...]:
    good = isinstance(value, list | tuple) and len(value) <= 100 and all(map(_number, value))
    return tuple(_require(good, value, f"{name} must be a list of seconds."))


def _codes(name: str, value: Any) -> Any:
    """Weights of codes, or the code of each number."""
    _require(isinstance(value, dict), value, f"{name} must be an object.")
    legal = {"geniq": RECEIPT, "whatsapp": WHATSAPP_CODE}.get(name.partition("_")[0], CODE)
    if name.endswith("numbers"):
        _require(all(legal.fullmatch(str(code)) for code in value.values()), value, f"{name} must give each number a code.")
        return {str(number)[-10:]: str(code) for number, code in value.items()}
    good = all(legal.fullmatch(code) and _number(weight) for code, weight in value.items()) and sum(value.values()) > 0
    return _require(good, value, f"{name} must give codes a weight from 0, and at least one of them more.")


def _number(value: Any, most: float = 1e9) -> bool:
    return isinstance(value, int | float) and 0 <= value <= most


def _require(holds: bool, value: Any, sentence: str) -> Any:
    if not holds:
        raise ValueError(sentence)
    return value
