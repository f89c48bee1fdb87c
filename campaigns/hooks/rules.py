"""When a delivery is tried again, and when a webhook is held or given up. Pure: no clock, no database."""

from datetime import timedelta

# After the first try, the second and so on: the schedule that Standard Webhooks recommends, 75 hours and a half in all.
WAITS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # fmt: skip
TRIES = len(WAITS) + 1
JITTER = 0.1  # of a wait, more or less: what failed together need not come again together
PATIENCE = timedelta(days=5)  # without anything arriving, until a webhook is switched off
HOLD_AFTER = 3  # failures in a row
LONGEST_HOLD = 300.0  # seconds
MOST = 50  # webhooks of an installation, so that each always finds a thread
PARALLEL = 4  # requests to one webhook at once, while it answers


def wait(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many tries have failed; None when there is no other. ``chance`` is from 0 to 1."""
    if tries >= TRIES:
        return None
    return WAITS[tries - 1] * (1 + JITTER * (2 * chance - 1))


def hold(failures: int) -> float:
    """Seconds that a webhook is left alone after so many failures in a row, whatever waits for it.

    So ten thousand deliveries to a dead address are not ten thousand requests an hour: one at a time tries its luck.
    """
    return min(5.0 * 2.0 ** min(failures - HOLD_AFTER, 10), LONGEST_HOLD) if failures >= HOLD_AFTER else 0.0


def parallel(failures: int) -> int:
    return 1 if failures else PARALLEL
