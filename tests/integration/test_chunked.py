"""Bodies whose length nobody said, on the server as it is deployed: refused in words, not taken for empty ones."""

import contextlib
import http.client
import json
import threading
import time

import pytest
import uvicorn

from campaigns.sending import callback_urls
from exodash import asgi

MEGABYTE = b"x" * 1024 * 1024


@pytest.fixture(scope="module")
def port():
    server = uvicorn.Server(uvicorn.Config(asgi.application, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(30)


def send(port, path, pieces):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.request("POST", path, iter(pieces), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        answer = client.getresponse()
        answer.text = answer.read()
        return answer


@pytest.mark.parametrize("pieces", [[b"{", b"}"], [MEGABYTE] * 30], ids=["small", "large"])
def test_a_chunked_body_is_told_to_say_its_length(port, pieces):
    answer = send(port, "/api/v1/campaigns/1/recipients/", pieces)
    told = json.loads(answer.text)
    assert (answer.status, answer.headers["Content-Type"]) == (411, "application/problem+json")
    assert (told["status"], told["code"]) == (411, "length_required")
    assert "Content-Length" in told["detail"]


def test_elsewhere_it_is_a_plain_sentence(port):
    answer = send(port, "/login/", [b"username=asha"])
    assert (answer.status, answer.headers["Content-Type"]) == (411, "text/plain; charset=utf-8")
    assert b"Content-Length" in answer.text


def test_callbacks_may_still_come_in_chunks(port):
    assert send(port, f"{callback_urls.PREFIX}forged", [b"a=b"]).status == 404


def test_a_caller_that_never_ends_does_not_hold_the_server(port, monkeypatch):
    monkeypatch.setattr(asgi, "DRAIN_SECONDS", 0.2)
    began = time.monotonic()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
        client.putrequest("POST", "/api/v1/campaigns/")
        client.putheader("Transfer-Encoding", "chunked")
        client.endheaders(b"5\r\n{\r\n")
        answer = client.getresponse()
        assert answer.status == 411 and answer.read()
        assert client.sock is None or client.sock.recv(1) == b""
    assert time.monotonic() - began < 5
