"""Jobs of the background cluster."""

from callbacks import ahead, inbox


def drain() -> int:
    return inbox.drain()


def assist() -> int:
    return inbox.assist()


def read_ahead(path: str) -> int:
    return ahead.read(path)
