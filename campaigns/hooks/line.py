"""One POST to a webhook: to the address that was judged, within one span of time, reading no more than is kept.

No library's session is used: redirects, proxies of the environment and repeats are things that this cannot do. The deadline
is held at every read and write, because a timeout alone begins anew with each byte that a slow server drips.
"""

import io
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from typing import Any

import certifi

from campaigns.hooks.addresses import Forbidden, Target, check, resolve

TOTAL = 15.0  # seconds for all of a request, the answer included
CONNECT = 5.0  # for each of the addresses of a name
READ = 8192  # bytes of the answer's body that are read
KEPT = 1000  # characters of them that are stored
UNPRINTABLE = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request. Without a status, ``sentence`` says why no answer came."""

    status: int | None
    sentence: str = ""
    answer: str = ""  # its beginning, printable

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Broken(Exception):
    """No answer came; the text says why."""


def post(url: str, body: bytes, headers: Mapping[str, str], total: float = TOTAL) -> Result:
    """Send one request; never raises."""
    until = time.monotonic() + total
    try:
        target = check(url)
        with _connect(target, until) as sock:
            _send(sock, _request(target, body, headers), until)
            return _answer(sock, until)
    except (Forbidden, Broken) as why:
        return Result(None, str(why))
    except TimeoutError:
        return Result(None, f"No answer came within {total:.0f} s.")
    except (OSError, HTTPException, ValueError) as error:
        return Result(None, f"The connection broke before an answer came ({type(error).__name__}).")


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    fields = {
        "Host": target.netloc,
        "User-Agent": "Exodash-Webhooks/1",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(target: Target, until: float) -> socket.socket:
    """A connection to one of the addresses that were judged just now; the certificate must be for the name."""
    why = "The name has no address."
    for address in resolve(target):
        try:
            sock = _dial(address, target.port, min(_left(until), CONNECT))
        except TimeoutError:
            why = f"{target.netloc} did not take the connection within {CONNECT:.0f} s."
            _left(until)
            continue
        except OSError as error:
            why = f"{target.netloc} could not be reached ({error.strerror or type(error).__name__})."
            continue
        return _secured(sock, target, until) if target.tls else sock
    raise Broken(why)


def _dial(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to an address. Nothing is looked up, as socket.create_connection does once more even for a number."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((address, port))
    except BaseException:
        sock.close()
        raise
    return sock


def _secured(sock: socket.socket, target: Target, until: float) -> socket.socket:
    try:
        sock.settimeout(_left(until))
        return _context().wrap_socket(sock, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise Broken(f"The certificate of {target.netloc} was not accepted: {error.verify_message}.") from None
    except ssl.SSLError:
        sock.close()
        raise Broken(f"No encrypted connection to {target.netloc} could be set up.") from None
    except BaseException:
        sock.close()
        raise


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    """The machine's certificate authorities, or SSL_CERT_FILE, and those that come with the product."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _send(sock: socket.socket, data: bytes, until: float) -> None:
    view = memoryview(data)
    while view:
        sock.settimeout(_left(until))
        view = view[sock.send(view) :]


def _answer(sock: socket.socket, until: float) -> Result:
    """The status decides; of the body only the beginning is read, and one that does not end changes nothing."""
    reader = _Reader(sock, until)
    response = HTTPResponse(_Readable(reader), method="POST")  # type: ignore[arg-type]
    response.begin()
    if reader.ended:  # inside the headers, which http.client takes for their end
        raise Broken("The connection broke before an answer came.")
    text = b""
    try:
        while len(text) < READ and (more := response.read1(READ - len(text))):
            text += more
    except (OSError, HTTPException, ValueError):
        pass
    sentence = "" if 200 <= response.status < 300 else _why(response.status)
    return Result(response.status, sentence, _printable(text))


def _why(status: int) -> str:
    if 300 <= status < 400:
        return f"It answered with a redirect ({status}), which is not followed: write the address it leads to."
    if status == 410:
        return "It answered 410 Gone: nobody wants these any more."
    return f"It answered {status}; anything from 200 to 299 means that it arrived."


def _printable(text: bytes) -> str:
    """Without what a database cannot store or a page cannot show."""
    return UNPRINTABLE.sub(" ", text.decode("utf-8", "replace")).strip()[:KEPT]


class _Readable:
    """What http.client takes for a socket."""

    def __init__(self, reader: "_Reader") -> None:
        self._reader = reader

    def makefile(self, *_: Any) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _Reader(io.RawIOBase):
    """A socket's bytes; each wait ends when the request's time is over."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock, self._until = sock, until
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._until))
        count = self._sock.recv_into(buffer)
        self.ended = count == 0
        return count
