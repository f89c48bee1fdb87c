"""Where a webhook may lead: a table of addresses and URLs that attackers try, and those that must work."""

import socket

import pytest

from campaigns.hooks import addresses
from campaigns.hooks.addresses import Forbidden, check, is_public, resolve


@pytest.fixture(autouse=True)
def nothing_listed(settings):
    settings.WEBHOOK_HOSTS = []


PUBLIC = [
    "8.8.8.8", "1.1.1.1", "52.95.110.1", "172.15.255.255", "172.32.0.1", "192.167.255.255", "11.0.0.1", "100.63.255.255",
    "100.128.0.1", "169.253.255.255", "223.255.255.254", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450::1",
    "2400:cb00::1", "64:ff9b::808:808", "::ffff:8.8.8.8",
]  # fmt: skip
INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.100.100.200", "192.0.0.1",
    "192.0.0.192", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "198.19.255.255", "192.88.99.1", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
    "::", "::1", "::7f00:1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2001:10::1", "3fff::1", "100::1", "5f00::1", "4000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address):
    assert is_public(address)


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_may_not(address):
    assert not is_public(address)


GOOD = [
    ("https://hooks.example.in", ("hooks.example.in", 443, "/", "hooks.example.in")),
    ("https://hooks.example.in/", ("hooks.example.in", 443, "/", "hooks.example.in")),
    ("HTTPS://Hooks.Example.IN/a?b=c", ("hooks.example.in", 443, "/a?b=c", "hooks.example.in")),
    ("https://hooks.example.in?token=x", ("hooks.example.in", 443, "/?token=x", "hooks.example.in")),
    ("https://hooks.example.in:443/x", ("hooks.example.in", 443, "/x", "hooks.example.in")),
    ("https://hooks.example.in:8443/x", ("hooks.example.in", 8443, "/x", "hooks.example.in:8443")),
    ("https://hooks.example.in:50443/x", ("hooks.example.in", 50443, "/x", "hooks.example.in:50443")),
    ("https://xn--hksbar-6ya.example/x", ("xn--hksbar-6ya.example", 443, "/x", "xn--hksbar-6ya.example")),
    ("https://8.8.8.8/x", ("8.8.8.8", 443, "/x", "8.8.8.8")),
    ("https://[2606:4700:4700::1111]:8443/x", ("2606:4700:4700::1111", 8443, "/x", "[2606:4700:4700::1111]:8443")),
]


@pytest.mark.parametrize(("url", "parts"), GOOD)
def test_a_public_https_address_is_taken_apart(url, parts):
    target = check(url)
    assert (target.host, target.port, target.path, target.netloc) == parts
    assert target.tls and not target.listed


BAD = [
    ("", "at most 500"), ("https://" + "a" * 500 + ".in", "at most 500"), ("hooks.example.in", "begins with https://"),
    ("//hooks.example.in", "begins with https://"), ("https://", "begins with https://"), ("https:///x", "begins with"),
    ("ftp://hooks.example.in", "begins with"), ("file:///etc/passwd", "begins with"), ("gopher://x.in:70/_", "begins with"),
    ("javascript:alert(1)", "begins with"), ("http://hooks.example.in", "Use https"), ("http://127.0.0.1:6379/", "Use https"),
    ("https://user@hooks.example.in", "user name"), ("https://user:pw@hooks.example.in", "user name"),
    ("https://hooks.example.in@127.0.0.1/", "user name"), ("https://127.0.0.1#@hooks.example.in/", "after #"),
    ("https://hooks.example.in/x#y", "after #"), ("https://hooks.example.in/a b", "percent-encoded"),
    ("https://hooks.example.in/\r\nX: y", "percent-encoded"), ("https://hooks.example.in/\x00", "percent-encoded"),
    ("https://hooks.example.in\\@127.0.0.1/", "percent-encoded"), ("https://hööks.example.in/", "percent-encoded"),
    ("https://①②⑦.0.0.1/", "percent-encoded"), ("https://hooks.example.in/é", "percent-encoded"),
    ("https://hooks.example.in:x/", "cannot be read"), ("https://hooks.example.in:99999/", "cannot be read"),
    ("https://[::1/", "cannot be read"), ("https://[zz]/", "cannot be read"),
    ("https://hooks.example.in:22/", "Port 22"), ("https://hooks.example.in:25/", "Port 25"),
    ("https://hooks.example.in:80/", "Port 80"), ("https://hooks.example.in:0/", "Port 0"),
    ("https://hooks.example.in:1024/", "Port 1024"), ("https://127.0.0.1/", "not on the public internet"),
    ("https://[::1]/", "not on the public internet"), ("https://[::ffff:169.254.169.254]/", "not on the public internet"),
    ("https://[fe80::1%25eth0]/", "not on the public internet"), ("https://169.254.169.254/latest/", "not on the public"),
    ("https://10.1.2.3/", "not on the public"), ("https://localhost/", "not on the public"),
    ("https://LOCALHOST./", "not on the public"), ("https://db.internal/", "not on the public"),
    ("https://metadata.google.internal/", "not on the public"), ("https://printer.local/", "not on the public"),
    ("https://x.localhost/", "not on the public"), ("https://2130706433/", "unusual spelling"),
    ("https://0x7f000001/", "unusual spelling"), ("https://0x7f.1/", "unusual spelling"), ("https://127.1/", "unusual"),
    ("https://0177.0.0.1/", "unusual spelling"), ("https://127.0.0.1./", "unusual spelling"),
    ("https://017700000001/", "unusual spelling"), ("https://intranet/", "not on the public"), ("https://server/", "full name of a server"),
    ("https://-x.example.in/", "full name"), ("https://a..example.in/", "full name"), ("https://a_b.example.in/", "full name"),
    ("https://" + "a" * 64 + ".in/", "full name"), ("https://ex%61mple.in/", "full name"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "sentence"), BAD)
def test_any_other_address_is_refused_with_its_reason(url, sentence):
    with pytest.raises(Forbidden, match="(?s)" + sentence):
        check(url)


@pytest.mark.parametrize(
    ("listed", "url", "taken"),
    [
        ("127.0.0.1", "http://127.0.0.1:9999/x", True),
        ("127.0.0.1:9999", "http://127.0.0.1:9999/x", True),
        ("127.0.0.1:9999", "http://127.0.0.1:9998/x", False),
        ("localhost", "http://localhost:80/x", True),
        ("127.0.0.1", "http://127.0.0.2:9999/x", False),
        ("127.0.0.1", "http://user@127.0.0.1/x", False),
        ("127.0.0.1", "ftp://127.0.0.1/x", False),
    ],
)
def test_only_a_listed_host_may_be_inside_and_without_tls(settings, listed, url, taken):
    settings.WEBHOOK_HOSTS = [listed]
    if taken:
        assert check(url).listed
    else:
        with pytest.raises(Forbidden):
            check(url)


def answers(*found):
    """What the resolver says; only its answer is made up, because no test may depend on somebody's name server."""
    return lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        (["8.8.8.8"], True),
        (["8.8.8.8", "2606:4700:4700::1111"], True),
        (["8.8.8.8", "8.8.8.8"], True),
        (["127.0.0.1"], False),
        (["8.8.8.8", "10.0.0.1"], False),
        (["8.8.8.8", "::1"], False),
        (["8.8.8.8", "::ffff:169.254.169.254"], False),
        (["fe80::1%2"], False),
        ([], False),
    ],
)
def test_every_address_of_a_name_must_be_public(monkeypatch, found, taken):
    monkeypatch.setattr(addresses.socket, "getaddrinfo", answers(*found))
    target = check("https://hooks.example.in/")
    if taken:
        assert resolve(target) == list(dict.fromkeys(found))
    else:
        with pytest.raises(Forbidden, match=r"hooks\.example\.in is not on the public internet"):
            resolve(target)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), OSError()])
def test_a_name_that_is_not_found_is_said_so(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(addresses.socket, "getaddrinfo", fail)
    with pytest.raises(Forbidden, match="was not found"):
        resolve(check("https://hooks.example.in/"))
