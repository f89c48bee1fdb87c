"""Connections that know two things ``requests`` cannot tell: whether a byte of a request can have left, and when to give up.

A connection stands before the first byte is written. So NotSent is raised here, where connecting fails, and whatever goes
wrong later is Unknown; reading it out of the exception afterwards does not work, because TLS errors of the handshake and
of a request half answered arrive as one type.

The deadline is held at every read of the socket. A read timeout alone begins anew with each byte, so a server that drips
its headers or body could hold a sender for ever.
"""

import io
import socket
import ssl
import time
from contextvars import ContextVar
from http.client import HTTPResponse, IncompleteRead
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError
from urllib3.util.retry import Retry

from campaigns.exotel.errors import NotSent

deadline: ContextVar[float] = ContextVar("deadline")  # of the request under way in this thread, on the monotonic clock


class Session(requests.Session):
    """One that keeps to itself: no proxies or .netrc of the machine, no repeats, no redirects."""

    def __init__(self, kept: int) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", _Adapter(kept))
        self.mount("https://", _Adapter(kept))

    def once(self, prepared: requests.PreparedRequest, timeouts: tuple[float, float]) -> requests.Response:
        """The answer to one request, whose body is still to be read.

        Not by ``send``: that would look for cookies, and read the whole body of a redirect, whatever its size.
        """
        return self.get_adapter(str(prepared.url)).send(prepared, stream=True, timeout=timeouts, verify=self.verify or True)


class _Adapter(HTTPAdapter):
    def __init__(self, kept: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=kept, max_retries=Retry(total=False))

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _Reader(io.RawIOBase):
    """A socket's bytes; each wait ends at the read timeout or at the deadline, whichever is sooner."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock, self._patience, self._until = sock, sock.gettimeout(), deadline.get()
        self._raw = sock.makefile("rb", buffering=0)
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("The request's time is over.")
        self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        count = self._raw.readinto(buffer)
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self._reader = _Reader(sock)
        self.fp = io.BufferedReader(self._reader)

    def begin(self) -> None:
        super().begin()
        if self._reader.ended:
            raise IncompleteRead(b"")  # inside the headers, which http.client takes for their end


class _Connection(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            raise NotSent(_why(error)) from error


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def _why(error: Exception) -> str:
    if isinstance(error, NameResolutionError):
        return "Exotel's host name was not found. Nothing was sent. Check the account's Exotel address and the network."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Exotel's certificate was not accepted ({error.verify_message}). Nothing was sent. Check its address."
    if isinstance(error, ssl.SSLError):
        return "The encrypted connection to Exotel could not be set up. Nothing was sent; it is tried again by itself."
    return "Exotel could not be reached. Nothing was sent; it is tried again by itself."
