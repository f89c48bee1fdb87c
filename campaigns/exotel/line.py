"""One provider's host, over which each request is sent exactly once: no retries, no redirects, no silent replays."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import requests
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import HTTPError

from campaigns.exotel import transport
from campaigns.exotel.errors import ExotelError, NotSent, Unknown

VERSION = "0.1.0"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
CHUNK = 64 * 1024
# Seconds after which an idle connection is not used again: common servers close theirs after 5, and a request that meets
# the closing one is in doubt with all its messages.
IDLE = 4.0
DOUBT = "The messages may have been accepted: they are not sent again by themselves, and their status reports settle it."


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever it was. Header names are in lower case; ``elapsed`` is in seconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed: float


class Line:
    """Meant for one thread, with one request at a time.

    Times are seconds, ``max_body`` is bytes after decompression, ``pool`` the connections kept open. ``total_timeout``
    covers everything but the look-up of the host's name, which the system bounds by itself.
    """

    def __init__(
        self,
        root: str,
        *,
        connect_timeout: float = 5,
        read_timeout: float = 30,
        total_timeout: float = 45,
        max_body: int = 2 * 1024 * 1024,
        pool: int = 4,
    ) -> None:
        self._root = root.rstrip("/")
        self._timeouts, self._total, self._max_body = (connect_timeout, read_timeout), total_timeout, max_body
        self._session = transport.Session(pool)
        self._session.headers["User-Agent"] = f"exodash/{VERSION}"
        self._prepared: dict[str, requests.PreparedRequest] = {}
        self._used = time.monotonic()

    def authorize(self, authorization: str) -> None:
        """Credentials go in a header and never in the URL, where proxies and logs would keep them."""
        self._session.headers["Authorization"] = authorization
        self._prepared.clear()

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str = FORM) -> Answer:
        """One request and its answer. Raises NotSent or Unknown."""
        started = time.monotonic()
        if started - self._used > IDLE:
            self._session.close()
        transport.deadline.set(started + self._total)
        try:
            prepared = self._filled(path, body, content_type) if body else self._prepare(method, path)
            with self._session.once(prepared, self._timeouts) as response:
                content = self._read(response)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise _explained(error, late=time.monotonic() - started >= self._total) from None
        finally:
            self._used = time.monotonic()
        received = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, received, content, self._used - started)

    def _prepare(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> requests.PreparedRequest:
        return self._session.prepare_request(requests.Request(method, self._root + path, headers))

    def _filled(self, path: str, body: bytes, content_type: str) -> requests.PreparedRequest:
        """A POST. Those to one path differ in nothing but their bodies, and preparing one takes longer than sending it."""
        if path not in self._prepared:
            self._prepared[path] = self._prepare("POST", path, {"Content-Type": content_type})
        prepared = self._prepared[path]
        prepared.body = body
        prepared.headers["Content-Length"] = str(len(body))
        return prepared

    def _read(self, response: requests.Response) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(CHUNK):
            content += chunk
            if len(content) > self._max_body:
                raise Unknown(f"The answer was far too long and was not read. {DOUBT}")
        return bytes(content)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _explained(error: Exception, late: bool) -> ExotelError:
    """The sentence for a failure that is not one of connecting (those come as NotSent by themselves)."""
    if isinstance(error, InvalidURL | InvalidSchema | MissingSchema):
        return NotSent("The account's Exotel address is not valid. Nothing was sent. Correct it on the account's page.")
    if late or isinstance(error, requests.Timeout):
        return Unknown(f"No complete answer came from Exotel in time. {DOUBT}")
    return Unknown(f"The connection to Exotel broke, or its answer was damaged on the way. {DOUBT}")
