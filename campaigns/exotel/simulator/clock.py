"""The provider's clock: the machine's, which a scenario can set ahead and a test can replace."""

import time
from collections.abc import Callable


class Clock:
    """Seconds since the epoch; ``ahead`` is how far the provider's clock runs before the machine's."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._source() + self.ahead
