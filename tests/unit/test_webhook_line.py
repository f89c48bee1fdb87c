"""The connection of a webhook: to the judged address alone, with a certificate for the name, and never anywhere else."""

import datetime as dt
import socket
import ssl
import time
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from campaigns.hooks import addresses, line
from tests.raw import closing

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def certificate(folder, *names, days=1):
    """A certificate that signs itself, for these names; the files of it and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = dt.datetime.now(dt.UTC)
    alternatives = [x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names]
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days)).add_extension(x509.SubjectAlternativeName(alternatives), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True).sign(key, hashes.SHA256())
    )  # fmt: skip
    cert, private = folder / "cert.pem", folder / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return cert, private


@pytest.fixture
def tls(tmp_path, serve, settings, monkeypatch):
    """Starts a TLS server whose certificate is for these names and is trusted; the names it was asked for."""

    def start(*names, trusted=True, days=1):
        cert, key = certificate(tmp_path, *names, days=days)
        context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
        context.load_cert_chain(cert, key)
        context.sni_callback = lambda _sock, name, _context: asked.append(name)
        server = serve(closing(OK), wrap=lambda connection: context.wrap_socket(connection, server_side=True))
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        line._context.cache_clear()
        return server, asked

    # Every name means this machine, which is not public: so the names are listed.
    settings.WEBHOOK_HOSTS = ["hooks.example.in", "127.0.0.1"]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: found)
    yield start
    line._context.cache_clear()


def post(server, host="hooks.example.in"):
    return line.post(f"https://{host}:{server.port}/x?y=z", b'{"a": 1}', {"webhook-id": "msg_1"}, 5)


def test_the_address_is_pinned_and_the_certificate_is_checked_for_the_name(tls):
    server, asked = tls("hooks.example.in")
    assert post(server) == line.Result(200, "", "ok")
    assert asked == ["hooks.example.in"]
    (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /x?y=z HTTP/1.1" and body == b'{"a": 1}'
    assert {f"Host: hooks.example.in:{server.port}", "webhook-id: msg_1", "Connection: close"} <= set(lines)


@pytest.mark.parametrize(
    ("names", "options", "sentence"),
    [
        (["other.example.in"], {}, "was not accepted: Hostname mismatch"),
        (["127.0.0.1"], {}, "was not accepted: Hostname mismatch"),
        (["hooks.example.in"], {"trusted": False}, "was not accepted: self-signed certificate"),
        (["hooks.example.in"], {"days": -1}, "was not accepted: certificate has expired"),
    ],
)
def test_another_certificate_is_refused_and_nothing_is_sent(tls, names, options, sentence):
    server, _ = tls(*names, **options)
    result = post(server)
    assert result.status is None and sentence in result.sentence and not server.requests


def test_a_server_that_speaks_no_tls_is_said_so(tls, serve):
    tls("hooks.example.in")
    server = serve(lambda connection, _: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    assert "No encrypted connection" in post(server).sentence


def test_a_name_that_changes_its_meaning_after_it_was_judged_gains_nothing(serve, settings, monkeypatch):
    """DNS rebinding: the first answer is public, each later one is inside. It is asked once, and the first is called."""
    settings.WEBHOOK_HOSTS = []
    inside = serve(closing(OK))
    answers = iter([("203.0.113.9",), ("127.0.0.1",), ("127.0.0.1",)])
    asked, called = [], []

    def lookup(host, port, *_, **__):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    def dial(address, port, seconds):
        called.append((address, port))
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(addresses.socket, "getaddrinfo", lookup)
    monkeypatch.setattr(addresses, "is_public", lambda address: address != "127.0.0.1")
    monkeypatch.setattr(line, "_dial", dial)
    result = line.post(f"https://rebound.example.in:{inside.port}/", b"{}", {}, 5)
    assert (asked, called) == (["rebound.example.in"], [("203.0.113.9", inside.port)])
    assert "could not be reached" in result.sentence
    again = line.post(f"https://rebound.example.in:{inside.port}/", b"{}", {}, 5)
    assert "not on the public internet" in again.sentence and len(called) == 1 and not inside.requests


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://[::1]:{port}/", "https://localhost:{port}/",
            "https://2130706433:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://0:{port}/", "file:///etc/passwd"]
)  # fmt: skip
def test_nothing_inside_is_ever_connected_to(serve, settings, url):
    settings.WEBHOOK_HOSTS = []
    server = serve(closing(OK))
    result = line.post(url.format(port=server.port), b"{}", {}, 5)
    assert result.status is None and result.sentence and server.connections == 0


def test_the_second_address_of_a_name_is_called_when_the_first_is_away(serve, settings, monkeypatch):
    settings.WEBHOOK_HOSTS = ["hooks.example.in"]
    server = serve(closing(OK))
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *_, **__: found)
    assert line.post(f"http://hooks.example.in:{server.port}/", b"{}", {}, 5).arrived


def test_a_receiver_that_reads_nothing_ends_by_time(serve, settings):
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    server = serve(lambda connection, _: time.sleep(3))
    result = line.post(f"http://127.0.0.1:{server.port}/", b"x" * 20_000_000, {}, 1)
    assert result.sentence == "No answer came within 1 s."
