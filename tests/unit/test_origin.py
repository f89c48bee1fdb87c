"""Whose callbacks are taken: each kind of caller, proxy and header, and what stops the start."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from callbacks import origin
from exodash import checks, env

NETWORKS = "203.0.113.0/24,198.51.100.7,2001:db8::/32"


def scope(peer, *forwarded):
    headers = [(b"host", b"x"), *((b"x-forwarded-for", line.encode("latin-1")) for line in forwarded)]
    return {"client": peer and (peer, 40000), "headers": headers}


CASES = [
    # proxies, peer, X-Forwarded-For lines, allowed
    (0, "203.0.113.9", (), True),
    (0, "203.0.114.9", (), False),
    (0, "198.51.100.7", (), True),
    (0, "198.51.100.8", (), False),
    (0, "2001:db8::1", (), True),
    (0, "2001:db9::1", (), False),
    (0, "::ffff:203.0.113.9", (), True),  # an IPv4 caller of a server that listens on both
    (0, "::ffff:203.0.114.9", (), False),
    (0, None, (), False),  # a Unix socket has no address
    (0, "", (), False),
    (0, "unix:", (), False),
    (0, "10.0.0.1", ("203.0.113.9",), False),  # no proxy is trusted: whoever writes the header proves nothing
    (0, "203.0.113.9", ("10.0.0.1",), True),
    (0, "203.0.113.9", ("nonsense",), True),
    (1, "10.0.0.1", ("203.0.113.9",), True),
    (1, "10.0.0.1", ("192.0.2.1",), False),
    (1, "203.0.113.9", (), False),  # the proxy's own address is not the caller's
    (1, "203.0.113.9", ("",), False),
    (1, "10.0.0.1", ("203.0.113.9, 192.0.2.1",), False),  # the first was written by the caller
    (1, "10.0.0.1", ("192.0.2.1, 203.0.113.9",), True),
    (1, "10.0.0.1", ("<script>, 203.0.113.9",), True),  # whatever a stranger wrote further left
    (1, "10.0.0.1", ("192.0.2.1", "203.0.113.9"), True),  # two lines are one list
    (1, "10.0.0.1", ("203.0.113.9", "192.0.2.1"), False),
    (1, "10.0.0.1", ("203.0.113.9:51234",), True),
    (1, "10.0.0.1", ("[2001:db8::7]:51234",), True),
    (1, "10.0.0.1", ("[2001:db8::7]",), True),
    (1, "10.0.0.1", ("2001:db8::7",), True),
    (1, "10.0.0.1", ("[2001:db8::7",), False),
    (1, "10.0.0.1", ("[203.0.113.9]",), False),
    (1, "10.0.0.1", ("203.0.113.9:port",), False),
    (1, "10.0.0.1", ("203.0.113.9:",), False),
    (1, "10.0.0.1", ("203.0.113.009",), False),
    (1, "10.0.0.1", ("203.0.113",), False),
    (1, "10.0.0.1", ("2001:db8::7%eth0",), False),
    (1, "10.0.0.1", ("unknown",), False),
    (1, "10.0.0.1", ("203.0.113.9,",), False),  # ends with an empty entry
    (1, "10.0.0.1", ("203.0.113.9" + "0" * 5000,), False),
    (1, "10.0.0.1", ("203.0.113.9\xa0",), False),
    (2, "10.0.0.1", ("203.0.113.9, 10.0.0.2",), True),
    (2, "10.0.0.1", ("192.0.2.1, 203.0.113.9, 10.0.0.2",), True),
    (2, "10.0.0.1", ("203.0.113.9, 192.0.2.1, 10.0.0.2",), False),
    (2, "10.0.0.1", ("203.0.113.9",), False),  # came past the outer proxy
    (2, "10.0.0.1", ("203.0.113.9, nonsense",), False),
    (3, "10.0.0.1", ("203.0.113.9, 10.0.0.3", "10.0.0.2"), True),
    (10, "10.0.0.1", ("203.0.113.9",), False),
]


@pytest.mark.parametrize(("proxies", "peer", "forwarded", "allowed"), CASES)
def test_only_callers_of_the_networks_are_taken(settings, monkeypatch, proxies, peer, forwarded, allowed):
    monkeypatch.setenv("EXODASH_TRIED", NETWORKS)
    settings.CALLBACK_NETWORKS, settings.TRUSTED_PROXIES = env.networks("EXODASH_TRIED"), proxies
    assert origin.allowed(scope(peer, *forwarded)) is allowed


@pytest.mark.parametrize("proxies", [0, 1, 2])
@pytest.mark.parametrize("forwarded", [(), ("nonsense",), ("192.0.2.1",)])
def test_without_networks_everybody_is_taken(settings, proxies, forwarded):
    settings.CALLBACK_NETWORKS, settings.TRUSTED_PROXIES = [], proxies
    assert origin.allowed(scope(None, *forwarded))


@pytest.mark.parametrize("value", ["203.0.113.9/24", "exotel.com", "203.0.113.0/33", "203.0.113.0-9", "1.2.3.4;5.6.7.8"])
def test_a_network_that_is_none_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("EXODASH_TRIED", f"198.51.100.7,{value}")
    with pytest.raises(ImproperlyConfigured, match="EXODASH_TRIED") as refused:
        env.networks("EXODASH_TRIED")
    assert repr(value) in str(refused.value)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"CALLBACK_NETWORKS": ["x"]}, []),
        ({"CALLBACK_NETWORKS": ["x"], "SECURE_PROXY_SSL_HEADER": ("a", "b")}, ["exodash.W003"]),
        ({"CALLBACK_NETWORKS": ["x"], "SECURE_PROXY_SSL_HEADER": ("a", "b"), "TRUSTED_PROXIES": 1}, []),
        ({"SECURE_PROXY_SSL_HEADER": ("a", "b")}, []),
    ],
)
def test_networks_behind_a_proxy_that_nobody_counted_are_pointed_out(settings, change, found):
    for name, value in change.items():
        setattr(settings, name, value)
    assert [message.id for message in checks.callback_networks()] == found
