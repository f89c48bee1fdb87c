"""Everything that is left to chance, decided by a seed.

A choice is a hash of the seed and of what it is about: a number, a number with its text, a request. It never hangs on the
order of events or on the clock, so a run replays however its requests interleave.
"""

from bisect import bisect_right
from hashlib import blake2b
from itertools import accumulate
from struct import unpack
from typing import NamedTuple

from campaigns.exotel.simulator.faults import Fault
from campaigns.exotel.simulator.scenario import Scenario

WHOLE = 2.0**64


class Fate(NamedTuple):
    """What happens to the reports on one message."""

    delay: float  # seconds
    lost: bool
    doubled: bool
    early: bool
    intermediate: bool
    reordered: bool
    late: float  # seconds between the outcome and the report on it


class Fates:
    """A scenario, played with a seed."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario, self._key = scenario, str(seed).encode()[:64]
        shares = (
            scenario.lost, scenario.doubled, scenario.early, scenario.intermediate, scenario.reordered, scenario.late,
        )  # fmt: skip
        self._thresholds = [share * WHOLE for share in shares]
        self._outcomes = {
            "sms": _table(scenario.numbers, scenario.outcomes),
            "whatsapp": _table(scenario.whatsapp_numbers, scenario.whatsapp_outcomes),
            "geniq": _table(scenario.geniq_numbers, scenario.geniq_outcomes),
        }

    def outcome(self, number10: str, channel: str = "sms") -> str:
        """The code that messages to a number end in: the same for every message to it."""
        numbers, codes, steps = self._outcomes[channel]
        if given := numbers.get(number10):
            return given
        return codes[bisect_right(steps, self.share(b"outcome", number10) * steps[-1])]

    def fate(self, number10: str, body: str) -> Fate:
        about = f"{number10}|{body}".encode("utf-8", "replace")
        drawn = unpack(">8Q", blake2b(about, key=self._key, person=b"fate", digest_size=64).digest())
        delay, lost, doubled, early, intermediate, reordered, late, late_by = drawn
        play, most = self.scenario, self._thresholds
        return Fate(
            between(play.delay, delay / WHOLE), lost < most[0], doubled < most[1], early < most[2], intermediate < most[3],
            reordered < most[4], between(play.late_by, late_by / WHOLE) if late < most[5] else 0.0,
        )  # fmt: skip

    def latency(self, number: int) -> float:
        """Seconds that the answer to a request waits."""
        return between(self.scenario.latency, self.share(b"latency", str(number))) if self.scenario.latency[1] else 0.0

    def fault(self, number: int) -> Fault | None:
        """What goes wrong with the send request of this number."""
        for i, fault in enumerate(self.scenario.faults):
            if fault.strikes(number, self.share(b"fault", f"{i}|{number}") if fault.share else 1.0):
                return fault
        return None

    def share(self, purpose: bytes, about: str) -> float:
        """A number in [0, 1) that is always the same for the same seed, purpose and matter."""
        digest = blake2b(about.encode("utf-8", "replace"), key=self._key, person=purpose, digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2**53  # a float holds 53 bits: with more the largest would be 1


def between(pair: tuple[float, float], point: float) -> float:
    """The point of a range, 0 being its least."""
    return pair[0] + (pair[1] - pair[0]) * point


def _table(numbers: dict[str, str], outcomes: dict[str, float]) -> tuple[dict[str, str], list[str], list[float]]:
    return numbers, list(outcomes), list(accumulate(outcomes.values()))
