"""The client against raw sockets: what a server sees, how often, and whether the caller is told the truth about it."""

import base64
import datetime
import gzip
import ipaddress
import os
import socket
import ssl
import threading
import time
import tomllib
import tracemalloc
import zlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.exotel import line
from campaigns.exotel.bodies import Batch, Item
from campaigns.exotel.client import Client
from campaigns.exotel.errors import ExotelError, NotSent, Unknown
from campaigns.exotel.line import Answer
from tests.raw import answering, closing, reset

KEY, TOKEN = "canarykey7", "canarytoken9"
BATCH = Batch("ACMEIN", [Item("+919812345670", "Hello नमस्ते")])
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


def client_of(server, scheme="http", **options):
    options = {"connect_timeout": 2, "read_timeout": 2, "total_timeout": 5} | options
    return Client(f"{scheme}://127.0.0.1:{server.port}", "acme1", KEY, TOKEN, **options)


# What is sent


def test_a_request_carries_its_credentials_in_a_header_and_names_the_product(serve):
    server = serve(answering(OK))
    with client_of(server) as client:
        answer = client.bulksend(BATCH)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "POST /v1/Accounts/acme1/Sms/bulksend.json HTTP/1.1"
    assert f"Authorization: Basic {base64.b64encode(f'{KEY}:{TOKEN}'.encode()).decode()}" in headers
    assert "Content-Type: application/x-www-form-urlencoded" in headers
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert f"User-Agent: exodash/{version}" in headers
    assert body.startswith(b"From=ACMEIN&Messages%5B0%5D%5BTo%5D=%2B919812345670&")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"[]", "2")


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda client: client.send(BATCH), b"POST /v1/Accounts/acme1/Sms/send.json HTTP/1.1"),
        (lambda client: client.details("9f0c"), b"GET /v1/Accounts/acme1/SMS/Messages/9f0c.json HTTP/1.1"),
        (lambda client: client.details("../x?y=1"), b"GET /v1/Accounts/acme1/SMS/Messages/..%2Fx%3Fy%3D1.json HTTP/1.1"),
    ],
)
def test_each_call_has_its_address(serve, call, line):
    server = serve(answering(OK))
    with client_of(server) as client:
        call(client)
    assert server.requests[0].split(b"\r\n")[0] == line


def test_proxies_and_netrc_of_the_machine_are_ignored(serve, monkeypatch, tmp_path):
    server, proxy = serve(answering(OK)), serve(answering(OK))
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    with client_of(server) as client:
        client.bulksend(BATCH)
    assert (len(server.requests), proxy.connections) == (1, 0)
    assert base64.b64encode(f"{KEY}:{TOKEN}".encode()) in server.requests[0]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(serve, status):
    other = serve(answering(OK))
    head = f"HTTP/1.1 {status} Moved\r\nLocation: http://127.0.0.1:{other.port}/\r\nContent-Length: 0\r\n\r\n"
    server = serve(answering(head.encode()))
    with client_of(server) as client:
        assert client.bulksend(BATCH).status == status
    assert (len(server.requests), other.connections) == (1, 0)


def test_a_redirect_to_nonsense_is_an_answer_too(serve):
    server = serve(answering(b"HTTP/1.1 302 Found\r\nLocation: http://[half\r\nContent-Length: 0\r\n\r\n"))
    with client_of(server) as client:
        assert client.bulksend(BATCH).status == 302


# At most once


def test_connections_are_kept_and_used_again(serve):
    server = serve(answering(OK))
    with client_of(server) as client:
        for _ in range(3):
            client.bulksend(BATCH)
    assert (server.connections, len(server.requests)) == (1, 3)


def test_each_request_of_a_line_carries_its_own_body_and_the_credentials_of_its_moment(serve):
    server = serve(answering(OK))
    texts = ["Hello", "A longer text", "Hi"]
    with client_of(server) as client:
        for i, text in enumerate(texts):
            client.authorize(f"Bearer {i}")
            client.bulksend(Batch("ACMEIN", [Item("+919812345670", text)]))
    for i, (request, text) in enumerate(zip(server.requests, texts, strict=True)):
        head, _, body = request.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}\r\n".encode() in head + b"\r\n"
        assert f"Authorization: Bearer {i}".encode() in head
        assert body.endswith(text.replace(" ", "+").encode())


def test_a_connection_closed_while_idle_gives_a_clean_first_send_on_a_new_one(serve):
    closed = threading.Event()

    def handler(connection, server):
        server.read(connection)
        connection.sendall(OK)
        connection.close()
        closed.set()

    server = serve(handler)
    with client_of(server) as client:
        client.bulksend(BATCH)
        closed.wait()
        assert client.bulksend(BATCH).status == 200
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_kept_connection_that_breaks_under_the_request_is_not_replayed(serve):
    def handler(connection, server):
        server.read(connection)
        connection.sendall(OK)
        server.read(connection)

    server = serve(handler)
    with client_of(server) as client:
        client.bulksend(BATCH)
        with pytest.raises(Unknown):
            client.bulksend(BATCH)
        assert (server.connections, len(server.requests)) == (1, 2)
        assert client.bulksend(BATCH).status == 200, "the next request begins afresh"


def test_a_connection_that_was_idle_for_long_is_not_used_again(serve, monkeypatch):
    server = serve(answering(OK))
    with client_of(server) as client:
        client.bulksend(BATCH)
        monkeypatch.setattr(line, "IDLE", 0)
        client.bulksend(BATCH)
    assert server.connections == 2


BREAKS = {
    "closes without an answer": closing(),
    "closes inside the status line": closing(b"HTTP/1.1 20"),
    "closes inside the headers": closing(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closes inside the body": closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"),
    "closes inside a chunk": closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[]"),
    "closes before the last chunk": closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n"),
    "sends a chunk of no size": closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n0\r\n\r\n"),
    "says two lengths": closing(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
    "speaks another protocol": closing(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "says gzip and sends none": closing(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]"),
    "resets after the request": lambda connection, server: (server.read(connection), reset(connection)),
    "never answers": lambda connection, server: (server.read(connection), connection.recv(1)),
}


@pytest.mark.parametrize("handler", BREAKS.values(), ids=BREAKS)
def test_whatever_breaks_after_the_request_is_unknown_and_tried_once(serve, handler):
    server = serve(handler)
    with client_of(server, read_timeout=0.3) as client, pytest.raises(Unknown):
        client.bulksend(BATCH)
    assert (server.connections, len(server.requests)) == (1, 1)


@pytest.mark.parametrize("wanted", [1, 20_000, 40_000])
def test_a_reset_inside_the_request_is_unknown_and_not_repeated(serve, wanted):
    def handler(connection, server):
        # A reset before the first byte can fail the connect itself, which is rightly NotSent.
        while len(connection.recv(wanted, socket.MSG_PEEK)) < wanted:
            pass
        reset(connection)

    server = serve(handler)
    big = Batch("ACMEIN", [Item("+919812345670", "x" * 2_000)] * 100)
    with client_of(server) as client, pytest.raises(Unknown):
        client.bulksend(big)
    assert server.connections == 1


def test_retry_after_does_not_make_the_client_wait_and_repeat(serve):
    server = serve(answering(b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"))
    with client_of(server) as client:
        assert client.bulksend(BATCH).status == 503
        assert client.details("9f0c").status == 503
    assert len(server.requests) == 2


# Limits


def dripping(head, body, step=0.02):
    """A handler that sends its answer byte by byte: too slow for the deadline, never too slow for a read timeout."""

    def handler(connection, server):
        server.read(connection)
        connection.sendall(head)
        for byte in body:
            time.sleep(step)
            connection.sendall(bytes([byte]))

    return handler


BODY = b" " * 98 + b"[]"
SLOW = {
    "body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", BODY),
    "chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n", BODY + b"\r\n0\r\n\r\n"),
    "headers": dripping(b"HTTP/1.1 200 OK\r\n", b"X-Slow: " + b"y" * 80 + b"\r\nContent-Length: 0\r\n\r\n"),
    "status lines": dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 4 + OK),
}


@pytest.mark.parametrize("handler", SLOW.values(), ids=SLOW)
def test_the_deadline_holds_against_a_server_that_drips(serve, handler):
    # Dripping in full takes 2 s, and would give an answer and no error.
    with client_of(serve(handler), total_timeout=0.5) as client, pytest.raises(Unknown, match="in time"):
        client.bulksend(BATCH)


def compressed(data, encoding=b"gzip"):
    head = b"HTTP/1.1 %s OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n%s\r\n"
    return lambda status=b"200", more=b"": head % (status, encoding, len(data), more) + data


BOMB = gzip.compress(b" " * 50_000_000)
TOO_LONG = {
    "plain": b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + b" " * 3_000_000,
    "without a length": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b" " * 3_000_000,
    "gzip": compressed(BOMB)(),
    "deflate": compressed(zlib.compress(b" " * 50_000_000), b"deflate")(),
    "gzip in gzip": compressed(gzip.compress(BOMB), b"gzip, gzip")(),
    "an error's body": compressed(BOMB)(b"500"),
    "a redirect's body": compressed(BOMB)(b"302", b"Location: /\r\n"),
}


@pytest.mark.parametrize("answer", TOO_LONG.values(), ids=TOO_LONG)
def test_an_answer_beyond_the_limit_is_given_up_and_not_held_in_memory(serve, answer):
    server = serve(closing(answer))
    tracemalloc.start()
    try:
        with client_of(server) as client, pytest.raises(Unknown, match="too long"):
            client.bulksend(BATCH)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_after_an_answer_was_given_up_its_rest_is_not_taken_for_the_next_answer(serve):
    server = serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + OK * 60_000))
    with client_of(server) as client:
        with pytest.raises(Unknown):
            client.bulksend(BATCH)
        with pytest.raises(Unknown):
            client.bulksend(BATCH)
    assert server.connections == 2


def test_a_compressed_answer_within_the_limit_is_read(serve):
    server = serve(answering(compressed(gzip.compress(b"[1, 2]"))()))
    with client_of(server) as client:
        assert client.bulksend(BATCH).body == b"[1, 2]"


# Not sent


def test_a_closed_port_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Client(f"http://127.0.0.1:{port}", "acme1", KEY, TOKEN) as client, pytest.raises(NotSent, match="reached"):
        client.bulksend(BATCH)


def test_a_connection_that_nobody_takes_is_not_sent():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]  # fill the queue: the kernel ignores whoever comes next
        for other in waiting:
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, "acme1", KEY, TOKEN, connect_timeout=0.3) as client, pytest.raises(NotSent, match="reached"):
            client.bulksend(BATCH)
        for other in waiting:
            other.close()


def test_an_unknown_host_name_is_not_sent(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with Client("https://api.exotel.invalid", "acme1", KEY, TOKEN) as client, pytest.raises(NotSent, match="host name"):
        client.bulksend(BATCH)


@pytest.mark.parametrize(
    "url",
    ["", "api.exotel.com", "ftp://127.0.0.1", "http://", "http://[::1", "http://127.0.0.1:99999", "http://a..b", "http://*"],
)
def test_an_address_that_is_none_is_not_sent(url):
    with Client(url, "acme1", KEY, TOKEN) as client, pytest.raises(NotSent):
        client.bulksend(BATCH)


# TLS: before the handshake is done nothing was sent, after it anything may have been


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    signed = builder.add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return lambda connection: context.wrap_socket(connection, server_side=True)


def trusting(client, certificate):
    client._session.verify = str(certificate)  # there is no such setting in the product: Exotel's certificates are public
    return client


def test_an_encrypted_request_works(serve, tls, certificate):
    server = serve(answering(OK), wrap=tls)
    with trusting(client_of(server, "https"), certificate) as client:
        assert [client.bulksend(BATCH).status for _ in range(2)] == [200, 200]
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_certificate_that_is_not_trusted_is_not_sent_and_says_why(serve, tls):
    server = serve(answering(OK), wrap=tls)
    with client_of(server, "https") as client, pytest.raises(NotSent, match="self-signed certificate"):
        client.bulksend(BATCH)
    assert server.requests == []


HANDSHAKES = {
    "speaks plain HTTP": lambda connection, server: connection.sendall(OK),
    "closes": lambda connection, server: connection.recv(10),
    "resets": lambda connection, server: reset(connection),
    "is silent": lambda connection, server: [None for _ in iter(lambda: connection.recv(1000), b"")],
}


@pytest.mark.parametrize("handler", HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_handshake_that_fails_is_not_sent(serve, handler):
    with client_of(serve(handler), "https", connect_timeout=0.3) as client, pytest.raises(NotSent):
        client.bulksend(BATCH)


def garbage_under_tls(connection, server):
    server.read(connection)
    os.write(connection.fileno(), b"HTTP/1.1 502 Bad Gateway\r\n\r\n")


def closed_under_tls(connection, server):
    server.read(connection)
    socket.socket(fileno=connection.detach()).close()


@pytest.mark.parametrize("handler", [garbage_under_tls, closed_under_tls])
def test_a_tls_error_after_the_request_is_unknown(serve, tls, certificate, handler):
    server = serve(handler, wrap=tls)
    with trusting(client_of(server, "https"), certificate) as client, pytest.raises(Unknown):
        client.bulksend(BATCH)
    assert (server.connections, len(server.requests)) == (1, 1)


def test_the_deadline_holds_under_tls(serve, tls, certificate):
    server = serve(SLOW["body"], wrap=tls)
    with trusting(client_of(server, "https", total_timeout=0.5), certificate) as client, pytest.raises(Unknown):
        client.bulksend(BATCH)


# Secrets, and no stray exceptions


def test_credentials_appear_in_no_repr_and_no_error(serve):
    server = serve(closing(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"))
    secret = base64.b64encode(f"{KEY}:{TOKEN}".encode()).decode()
    with client_of(server) as client:
        with pytest.raises(ExotelError) as caught:
            client.bulksend(BATCH)
        texts = [repr(client), repr(caught.value), str(caught.value), caught.value.reason]
    assert not [text for text in texts for word in (KEY, TOKEN, secret, "9812345670") if word in text]
    assert KEY.encode() not in server.requests[0].split(b"\r\n")[0]


HEADS = [
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 404 \r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: ",
    b"",
]
PIECES = [
    b"Content-Length: 5\r\n", b"Content-Length: -1\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: deflate\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Set-Cookie: a=b; Expires=x\r\n", b"\r\n", b"5\r\nhello\r\n", b"ffffffffffffffff\r\n",
    b": \r\n", b"0\r\n\r\n", b"\xff\xfe", b"\x00", b"//[", b"Location: http://[\r\n",
]  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(HEADS), st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=8))
def test_any_bytes_at_all_give_an_answer_or_unknown(garbage_server, head, pieces):
    garbage_server.answer = head + b"".join(pieces)
    with client_of(garbage_server) as client:
        try:
            assert isinstance(client.bulksend(BATCH), Answer)
        except Unknown:
            pass


@pytest.fixture
def garbage_server(serve):
    return serve(lambda connection, server: (server.read(connection), connection.sendall(server.answer)))
