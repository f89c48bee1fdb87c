"""HTTP/1.1 on asyncio and httptools: by hand, because faults need the socket itself, for half an answer or a reset."""

import asyncio
import logging
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import quote, unquote

import httptools

LONGEST_HEAD = 64 * 1024  # bytes
LONGEST_BODY = 8 * 1024 * 1024
PHRASES = {status.value: status.phrase for status in HTTPStatus}
GRACE = 1.0  # seconds that requests in progress have when the server closes
PARTLY = 0.05  # seconds for the first bytes of an answer to leave before the reset, which discards what has not left
RESET = struct.pack("ii", 1, 0)  # SO_LINGER on with no time: closing sends RST instead of FIN
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float  # seconds since the epoch, when the last byte was in

    @property
    def target(self) -> str:
        """The address as a request line or a header may hold it."""
        return quote(self.path) + (f"?{self.query}" if self.query.isprintable() and self.query else "")


@dataclass(frozen=True, slots=True)
class Script:
    """Bytes as they leave, with a pause after each part but the last, and how the connection ends."""

    parts: tuple[bytes, ...] = ()
    pause: float = 0.0  # seconds
    ending: str = "reset"  # or close, or keep


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()
    script: Script | None = None  # what leaves instead of the answer

    def encoded(self, keep_alive: bool, length: int | None = None) -> bytes:
        """The bytes of the answer; a ``length`` other than the true one is a lie that a fault tells."""
        phrase = PHRASES.get(self.status, "")
        lines = [
            f"HTTP/1.1 {self.status} {phrase}", f"Date: {formatdate(usegmt=True)}", f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body) if length is None else length}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]  # fmt: skip
        if not keep_alive:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1", "replace") + self.body


Handler = Callable[[Request], Awaitable[Reply]]


def plain(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8")


class Connection(asyncio.Protocol):
    """One client connection; its requests are answered one after the other."""

    def __init__(self, handler: Handler, everyone: "set[Connection]") -> None:
        self._handler, self._everyone = handler, everyone
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bool, bool]] = deque()
        self._transport: asyncio.Transport
        self.task: asyncio.Task[None] | None = None
        self._begin()

    def _begin(self) -> None:
        self._url, self._body = b"", bytearray()
        self._headers: dict[str, str] = {}
        self._head, self._in_head = 0, True  # bytes of the head so far

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._everyone.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        # A request being worked on is not given up: the real Exotel would not notice either.
        self._everyone.discard(self)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # the parser takes what follows for another protocol and drops the body
            self._refuse(400, "Upgrades to another protocol are not offered: ask for HTTP/1.1 alone.")
        except httptools.HttpParserError:
            self._refuse(400, "This is not HTTP.")
        self._head += len(data) if self._in_head else 0
        if self._head > LONGEST_HEAD:
            self._refuse(431, "The headers are too long.")

    def on_message_begin(self) -> None:
        self._begin()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if len(self._body) + len(body) > LONGEST_BODY:
            self._refuse(413, "The body is too long.")
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._transport.is_closing() or self._parser.should_upgrade():
            return
        try:
            url = httptools.parse_url(self._url)
        except httptools.HttpParserInvalidURLError:
            self._refuse(400, "The address is not valid.")
            return
        method = self._parser.get_method().decode("latin-1")
        bodiless = method == "HEAD"  # worked on as the GET that it is, body apart
        path, query = unquote((url.path or b"/").decode("latin-1")), (url.query or b"").decode("latin-1")
        request = Request("GET" if bodiless else method, path, query, self._headers, bytes(self._body), time.time())
        self._waiting.append((request, self._parser.should_keep_alive(), bodiless))
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._answer_waiting())

    def _refuse(self, status: int, text: str) -> None:
        if not self._transport.is_closing():
            self._transport.write(plain(status, text).encoded(keep_alive=False))
            self._transport.close()

    async def _answer_waiting(self) -> None:
        while self._waiting:
            request, keep_alive, bodiless = self._waiting.popleft()
            await self._write(await self._safely(request), keep_alive, bodiless)
        self.task = None

    async def _safely(self, request: Request) -> Reply:
        try:
            return await self._handler(request)
        except Exception:  # one request must never end the process, whatever is wrong with it or with us
            log.exception("%s %s failed", request.method, request.path)
            return plain(500, "The simulator itself failed. Its standard error says why.")

    async def _write(self, reply: Reply, keep_alive: bool, bodiless: bool) -> None:
        if self._transport.is_closing():
            return
        if reply.script:
            await self._perform(reply.script)
            return
        whole = reply.encoded(keep_alive)
        self._transport.write(whole[: len(whole) - len(reply.body)] if bodiless else whole)
        if not keep_alive:
            self._transport.close()

    async def _perform(self, script: Script) -> None:
        for i, part in enumerate(script.parts):
            if i:
                await asyncio.sleep(script.pause)
            if self._transport.is_closing():
                return
            self._transport.write(part)
        if script.ending == "close":
            self._transport.close()
        elif script.ending == "reset":
            await asyncio.sleep(PARTLY if script.parts else 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    def close(self) -> None:
        if self.task:
            self.task.cancel()
        self._transport.close()


class Server:
    """Listens until closed; ``handler`` answers every request."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._connections: set[Connection] = set()
        self._listening: asyncio.Server

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; the port that is used (for port 0). Raises OSError when it is taken."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Connection(self._handler, self._connections), host, port)
        return int(self._listening.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening, let requests in progress end within GRACE, drop the rest."""
        self._listening.close()
        tasks = [connection.task for connection in self._connections if connection.task]
        if tasks:
            await asyncio.wait(tasks, timeout=GRACE)
        for connection in list(self._connections):
            connection.close()
