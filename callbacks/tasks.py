"""Jobs of the background cluster."""

from callbacks import inbox


def drain() -> int:
    return inbox.drain()


def assist() -> int:
    return inbox.assist()
