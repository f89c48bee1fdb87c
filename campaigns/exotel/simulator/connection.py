"""A kept-alive HTTP/1.1 connection to a callback host, over which forms are posted one at a time."""

import asyncio
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import httptools

MOST_CONNECTIONS = 64  # to one host


@dataclass(frozen=True, slots=True)
class Target:
    """A callback URL taken apart: where to connect, and the head of the request up to the kind of its content."""

    host: str
    port: int
    head: str


@lru_cache(maxsize=4096)
def target(url: str, allowed: frozenset[str]) -> Target | None:
    """Where a callback goes, or None when the URL is not plain http to loopback or to an allowed host."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    safe = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme != "http" or not safe or not (_loopback(host) or host in allowed):
        return None
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\nUser-Agent: Exotel Servers\r\n"
    return Target(host, port, head)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class Connection(asyncio.Protocol):
    """Opened by the first post, opened anew when the other side has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._parser: httptools.HttpResponseParser

    async def post(self, head: str, body: bytes, timeout: float) -> int:
        """The HTTP status of the answer, or 0 when none came within ``timeout`` seconds."""
        request = f"{head}{len(body)}\r\n\r\n".encode("ascii") + body
        try:
            async with asyncio.timeout(timeout):
                if self._transport is not None:
                    try:
                        return await self._exchange(request)
                    except OSError:
                        pass  # the other side had closed it while it was idle, as servers do: once more on a fresh one
                await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)
                return await self._exchange(request)
        except (OSError, TimeoutError, httptools.HttpParserError):
            self.close()
            return 0

    async def _exchange(self, request: bytes) -> int:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, AttributeError) as error:  # AttributeError: it speaks before it is spoken to
            self._end(error if isinstance(error, httptools.HttpParserError) else None)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # 100 Continue and its like: the answer is still to come
            return
        if self._answer and not self._answer.done():
            self._answer.set_result(status)
        if not self._parser.should_keep_alive():
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)

    def _end(self, error: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError())
        self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
