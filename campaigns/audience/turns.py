"""A turn at long work: for about TASK_BUDGET seconds, while its lease is renewed in time."""

import time
from collections.abc import Callable

from django.conf import settings

from campaigns import leases

RENEW = leases.SECONDS / 3


class Turn:
    def __init__(self, renew: Callable[[], bool]) -> None:
        self._renew = renew
        self._until, self._renewal = time.monotonic() + settings.TASK_BUDGET, time.monotonic() + RENEW
        self.lost = False

    def held(self) -> bool:
        """Whether the turn is still ours, however long it takes; renewed when it is due."""
        if not self.lost and time.monotonic() > self._renewal:
            self._renewal = time.monotonic() + RENEW
            self.lost = not self._renew()
        return not self.lost

    def goes_on(self) -> bool:
        return self.held() and time.monotonic() < self._until
