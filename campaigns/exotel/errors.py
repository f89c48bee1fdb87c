"""Why no usable answer came.

    ExotelError
    ├── NotSent    no byte of the request was written: name not found, refused, TLS or connect failure. Safe to send again
    └── Unknown    a byte may have been written: timeout, reset, answer too long, too slow or damaged. Must never be sent
                   again by a machine

``reason`` is a sentence for the operator and holds neither credentials nor numbers.
"""


class ExotelError(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(ExotelError):
    pass


class Unknown(ExotelError):
    pass
