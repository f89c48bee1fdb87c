"""The ingest on a real server and a real database: 200 means stored, nonsense harms nothing, forgeries cost nothing."""

import concurrent.futures
import contextlib
import http.client
import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest
import uvicorn
from django.db import IntegrityError, connection

from callbacks import ingest
from callbacks.models import CallbackEvent
from campaigns import bulk, jobs
from campaigns.sending import callback_urls
from tests.elsewhere import elsewhere
from tests.machine import free_port

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
ATTEMPT = uuid.UUID("0123456789abcdef0123456789abcdef")
BODY = urlencode({"SmsSid": "abc", "To": "09812345678", "Status": "sent", "DetailedStatusCode": "20005"}).encode()


class Server:
    """uvicorn in a thread, with the ingest in front of an application that answers 418 to everything."""

    def __init__(self):
        self.app = ingest.Ingest(teapot)
        options = {"host": "127.0.0.1", "port": 0, "lifespan": "on", "log_config": None, "access_log": True}
        self.server = uvicorn.Server(uvicorn.Config(self.app, **options))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def start(self):
        self.thread.start()
        wait_until(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def stop(self):
        self.server.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()

    def post(self, body=BODY, path=None, method="POST", **headers):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(client):
            client.request(method, path or signed(), body, headers)
            answer = client.getresponse()
            answer.text = answer.read()
            return answer

    def raw(self, *pieces, pause=0.0):
        """What comes back for bytes written as they are; nothing when the server closed before all was written."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as sock:
            answer = b""
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    sock.sendall(piece)
                    time.sleep(pause)
            with contextlib.suppress(ConnectionError):
                while piece := sock.recv(65536):
                    answer += piece
            return answer


async def teapot(scope, receive, send):
    await send({"type": "http.response.start", "status": 418, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


def signed(attempt=ATTEMPT):
    return urlsplit(callback_urls.sign(attempt)).path


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "It did not come to pass."
        time.sleep(0.01)
    return found


@pytest.fixture
def server(transactional_db, monkeypatch):
    """No doorbell into the queue of the cluster; its own tests put one back."""
    monkeypatch.setattr(jobs, "enqueue", lambda *_: None)
    made = Server().start()
    yield made
    made.stop()


@contextlib.contextmanager
def nobody_else_may_write():
    """Holds the inbox's table from another connection, as a long writer would."""

    def hold():
        if bulk.is_postgres():
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE callbacks_callbackevent IN ACCESS EXCLUSIVE MODE")

    with elsewhere(hold):
        yield


def stored():
    return [bytes(raw) for raw in CallbackEvent.objects.order_by("id").values_list("raw", flat=True)]


# Taken --------------------------------------------------------------------------------------------------------------


def test_an_acknowledged_callback_is_stored_as_it_came(server):
    answer = server.post(**{"Content-Type": "application/x-www-form-urlencoded; charset=x"})
    assert (answer.status, answer.text, answer.getheader("Content-Length")) == (200, b"", "0")
    event = CallbackEvent.objects.get()
    assert (event.attempt, bytes(event.raw), event.result, event.tries) == (ATTEMPT, BODY, "", 0)
    assert event.content_type == "application/x-www-form-urlencoded; charset=x"
    assert event.received_at.tzinfo is not None
    assert event.applied_at is event.next_try_at is event.message_id is None


def test_a_repeated_callback_is_acknowledged_again(server):
    assert [server.post().status for _ in range(3)] == [200, 200, 200]
    assert len(stored()) == 3


def test_many_callbacks_on_one_connection_are_each_answered(server):
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    with contextlib.closing(client):
        for i in range(50):
            client.request("POST", signed(), f"Status={i}")
            assert client.getresponse().read() == b""
    assert stored() == [f"Status={i}".encode() for i in range(50)]


def test_an_address_under_an_old_key_is_taken(server, settings):
    path = signed()
    settings.CALLBACK_KEYS = {"k9": b"\x99" * 32, **settings.CALLBACK_KEYS}
    assert server.post(path=path).status == 200
    settings.CALLBACK_KEYS = {"k9": b"\x99" * 32}
    assert server.post(path=path).status == 404


def test_whatever_is_no_callback_goes_to_django(server):
    for path in ("/", "/callbacks/v1", "/callbacks/v2/x", "//callbacks/v1/x", "/Callbacks/v1/x", "/callbacks/"):
        assert server.post(path=path).status == 418


HOSTILE = [
    b"", b"\x00", b"\x00" * 16_384, b" ", b"\r\n\r\n", b"%", b"%%%", b"%zz=%", b"%00=%00", b"a=%ff%fe", b"=", b"=&=&=", b"&" * 16_384,
    b"=" * 16_384, b"%" * 16_384, b"+" * 16_384, b"a&" * 8_192, b"Status", b"Status=", b"Status=&Status=sent", b"Status=sent&" * 1_000,
    b"status=SENT&to=09812345678", b"STATUS=sent&TO=09812345678&SMSSID=x", b"Status=sent;To=09812345678",
    b"Status=sent\x00&To=0981\x002345678", b"Status=\xff\xfe\xfd", b"Status=\xed\xa0\x80", "Status=प्रेषित".encode(),
    "Status=प्रेषित".encode("utf-16"), "Status=sént".encode("cp1252"), b"\xef\xbb\xbfStatus=sent", b"\xff\xfe\x00\x01", bytes(range(256)) * 64,
    b"DetailedStatusCode=" + b"9" * 40 + b"&Status=failed&To=09812345678&SmsSid=a", b"DetailedStatusCode=-1&Status=failed",
    b"DetailedStatusCode=1e400&Status=failed", b"DetailedStatusCode=%D9%A1&Status=failed", b"DetailedStatusCode=" + b"9" * 16_000,
    b"SmsUnits=-1&Status=sent", b"SmsUnits=99999999999999999999&Status=sent&To=09812345678", b"SmsSid=" + b"x" * 16_000 + b"&Status=sent",
    b"To=" + b"9" * 16_000, b"To=+91+98123+45678&Status=sent", b"To=%00%00%00&Status=sent", b"DateSent=9999-99-99&Status=sent",
    b"DateSent=0001-01-01 00:00:00&Status=sent&To=09812345678&SmsSid=a", b"DateSent=9999-12-31 23:59:59&Status=sent&To=09812345678&SmsSid=b",
    b"Status=';DROP TABLE callbacks_callbackevent;--&To=\"", b"Status=<script>alert(1)</script>", b"Status={{7*7}}",
    b"&".join(b"f%d=%d" % (i, i) for i in range(1_500)),
    b"[", b"{", b"]", b"}", b"[]", b"{}", b"[[]]", b"[{}]", b"null", b"true", b"0", b'"x"', b"{]", b'{"Status":', b'{"Status": null}', b'{"Status": {"a": 1}}',
    b'{"Status": ["sent"]}', b'{"Status": true}', b'{"Status": 1e999}', b'{"Status": NaN}', b'{"Status": ' + b"9" * 5_000 + b"}",
    b'{"Status":"\\ud800","To":"09812345678"}', b'{"Status":"\\u0000"}', b'{"\\ud800":"sent"}', b'{"Status":"sent","Status":"failed"}',
    b"[" * 16_384, b'{"a":' * 3_200, b"[" * 8_000 + b"]" * 8_000, b'{"SMSMessage": null}', b'{"SMSMessage": [1]}', b'[1, {"Status": "sent"}]',
    b'{"Status": "sent"} {"Status": "sent"}', b"{'Status': 'sent'}", b"--", b"--x", b"--x\r\n\r\n--x--", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
    b'--x\r\nContent-Disposition: form-data; name="Status"\r\n\r\nsent\r\n--x--', b"-" * 16_384, b'--x\r\nname="' * 1_000, b"<xml/>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"PK\x03\x04" + b"\x00" * 100, b"\x1f\x8b\x08" + b"\x00" * 100, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]  # fmt: skip


def test_any_body_under_a_proven_address_is_stored_byte_by_byte(server):
    assert len(HOSTILE) >= 60
    kinds = ["", "application/json", "multipart/form-data", "text/plain; charset=utf-7", "\xff", "x" * 5_000]
    statuses = [server.post(body, **{"Content-Type": kinds[i % len(kinds)]}).status for i, body in enumerate(HOSTILE)]
    assert [(body, status) for body, status in zip(HOSTILE, statuses, strict=True) if status != 200] == []
    assert stored() == HOSTILE


# Refused ------------------------------------------------------------------------------------------------------------


def test_a_forged_address_gets_one_fixed_answer_and_no_database(server, django_db_blocker):
    source, good = random.Random(7), signed()
    forgeries = {good + "/", good[:-1], good + "0", good.upper().replace("/CALLBACKS/V1/", "/callbacks/v1/"), "/callbacks/v1/",
                 "/callbacks/v1/k2", "/callbacks/v1/k2/" + "a" * 5_000, good.replace("/k2/", "/k1/"), good.replace("/k2/", "/k7/"),
                 good + "%00"}  # fmt: skip
    while len(forgeries) < 400:
        i = source.randrange(len("/callbacks/v1/"), len(good))
        forgeries.add(good[:i] + source.choice("0123456789abcdef".replace(good[i], "")) + good[i + 1 :])
    with django_db_blocker.block():
        answers = {(answer.status, answer.text) for answer in (server.post(path=path) for path in forgeries)}
    assert answers == {(404, b"Not found.\n")}
    assert stored() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("change", ["", "/", "0"])
def test_only_posts_are_taken_and_nothing_is_redirected(server, method, change):
    answer = server.post(path=signed() + change, method=method)
    assert (answer.status, answer.getheader("Allow"), answer.getheader("Location")) == (405, "POST", None)
    assert stored() == []


def test_a_caller_from_elsewhere_is_refused_before_address_body_and_database(server, settings, log, django_db_blocker):
    settings.CALLBACK_NETWORKS, settings.TRUSTED_PROXIES = [ip_network("203.0.113.0/24")], 1
    inbound = callback_urls.sign(ATTEMPT, callback_urls.INBOUND).removeprefix(settings.PUBLIC_URL)
    with django_db_blocker.block():
        refused = [
            server.post(**{"X-Forwarded-For": "203.0.113.1, 192.0.2.1"}),
            server.post(path="/callbacks/v1/forged"),
            server.post(body=None, path=f"{inbound}?From=09812345678&Body=STOP", method="GET"),
        ]
        head_only = server.raw(head("Content-Length: 50"))
    assert [(answer.status, answer.text) for answer in refused] == [(403, b"Not from here.\n")] * 3
    assert head_only.startswith(b"HTTP/1.1 403 ")  # its body was not waited for
    assert server.post(**{"X-Forwarded-For": "192.0.2.1, 203.0.113.1"}).status == 200
    assert stored() == [BODY]
    server.stop()
    assert "GET /callbacks/inbound/ HTTP" in log.text
    assert ATTEMPT.hex not in log.text and "9812345678" not in log.text


def test_a_body_is_taken_up_to_16_kib_and_not_a_byte_more(server):
    assert server.post(b"x" * 16_384).status == 200
    assert server.post(b"x" * 16_385).status == 413
    assert stored() == [b"x" * 16_384]


def head(*lines):
    return "\r\n".join([f"POST {signed()} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def chunk(body):
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


def test_a_body_without_a_length_is_bounded_too(server):
    close, chunked = "Connection: close", "Transfer-Encoding: chunked"
    taken = server.raw(head(chunked, close), *[chunk(b"y" * 1_024)] * 16, b"0\r\n\r\n")
    refused = server.raw(head(chunked, close), *[chunk(b"y" * 1_024)] * 17, b"0\r\n\r\n")
    endless = server.raw(head(chunked), *[chunk(b"y" * 65_536)] * 200)
    assert taken.startswith(b"HTTP/1.1 200 ")
    assert {refused[9:12], endless[9:12]} <= {b"413", b""}
    assert server.raw(head(close)).startswith(b"HTTP/1.1 200 ")
    assert stored() == [b"y" * 16_384, b""]


@pytest.mark.parametrize("length", ["16385", "9" * 10, "9" * 5_000, "-1", "1e3", "x", "0x10", ""])
def test_a_length_that_is_too_large_or_none_is_refused_before_the_body(server, length):
    answer = server.raw(head(f"Content-Length: {length}", "Connection: close"))
    assert answer[9:12] in {b"400", b"413"}
    assert stored() == []


def test_a_body_that_drips_in_is_given_up(server, monkeypatch):
    monkeypatch.setattr(ingest, "BODY_SECONDS", 0.2)
    answer = server.raw(head("Content-Length: 1000"), *[b"x"] * 5, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert server.post().status == 200
    assert stored() == [BODY]


def test_a_caller_who_hangs_up_early_leaves_nothing(server):
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        sock.sendall(head("Content-Length: 1000") + b"half")
    assert server.post().status == 200
    assert stored() == [BODY]


# Not stored ---------------------------------------------------------------------------------------------------------


def rename(old, new):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {old} RENAME TO {new}")


def test_without_its_table_it_asks_to_come_again_and_recovers(server):
    rename("callbacks_callbackevent", "elsewhere")
    try:
        answers = [server.post() for _ in range(3)]
    finally:
        rename("elsewhere", "callbacks_callbackevent")
    assert {(answer.status, answer.getheader("Retry-After")) for answer in answers} == {(503, "5")}
    assert server.post().status == 200
    assert len(stored()) == 1


def test_a_locked_database_never_gives_a_200_without_a_commit(server, monkeypatch):
    with monkeypatch.context() as patch, nobody_else_may_write():
        patch.setattr(ingest, "STORE_SECONDS", 0.3)
        answer = server.post()
    assert (answer.status, answer.getheader("Retry-After")) == (503, "5")
    assert server.post().status == 200
    assert len(stored()) == 2  # what was late is stored all the same: a harmless repetition


def test_more_than_memory_should_hold_is_asked_to_come_again(server, monkeypatch):
    monkeypatch.setattr(ingest, "WAITING", 5)
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        with nobody_else_may_write():
            posts = [pool.submit(server.post) for _ in range(40)]
            wait_until(lambda: sum(post.done() for post in posts) >= 20)
        statuses = [post.result().status for post in posts]
    assert set(statuses) == {200, 503}
    assert len(stored()) == statuses.count(200)


def test_a_row_that_cannot_be_stored_spoils_no_other(server, monkeypatch):
    real = bulk.commit_rows

    def commit_rows(model, columns, rows):
        if any(b"poison" in row for row in rows):
            raise IntegrityError
        real(model, columns, rows)

    monkeypatch.setattr(bulk, "commit_rows", commit_rows)
    bodies = [b"poison" if i == 13 else b"%d" % i for i in range(40)]
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        with nobody_else_may_write():
            posts = [pool.submit(server.post, body) for body in bodies[:1]]  # the writer takes it and stands still
            wait_until(lambda: server.app._writer._thread and server.app._writer._queue.empty())
            posts += [pool.submit(server.post, body) for body in bodies[1:]]
            wait_until(lambda: server.app._writer._queue.qsize() == 39)
        statuses = [post.result().status for post in posts]
    assert [body for body, status in zip(bodies, statuses, strict=True) if status != 200] == [b"poison"]
    assert sorted(stored()) == sorted(body for body in bodies if body != b"poison")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server that could restart")
def test_a_restart_of_the_database_costs_no_callback(server):
    assert server.post().status == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    assert server.post().status == 200
    assert len(stored()) == 2


# Company ------------------------------------------------------------------------------------------------------------


def test_whatever_waits_is_stored_with_one_commit(server, monkeypatch):
    """The first commit is held until all 60 have arrived: the rest then goes in with the second."""
    sizes, real, go_on = [], bulk.commit_rows, threading.Event()

    def commit_rows(model, columns, rows):
        sizes.append(len(rows))
        go_on.wait(30)
        real(model, columns, rows)

    monkeypatch.setattr(bulk, "commit_rows", commit_rows)
    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        posts = [pool.submit(server.post) for _ in range(60)]
        wait_until(lambda: server.app._writer._queue.qsize() + sum(sizes) >= 60)
        go_on.set()
        assert {post.result().status for post in posts} == {200}
    assert sum(sizes) == len(stored()) == 60
    assert len(sizes) <= 2


def test_every_acknowledged_callback_of_a_crowd_is_stored_once(server):
    def crowd(caller):
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        with contextlib.closing(client):
            for i in range(25):
                client.request("POST", signed(), f"caller={caller}&i={i}")
                answer = client.getresponse()
                answer.read()
                assert answer.status == 200

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(crowd, range(16)))
    assert sorted(stored()) == sorted(f"caller={c}&i={i}".encode() for c in range(16) for i in range(25))


def test_a_shutdown_stores_and_answers_what_waits(server):
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        with nobody_else_may_write():
            posts = [pool.submit(server.post) for _ in range(5)]
            wait_until(lambda: len(server.server.server_state.tasks) >= 5)
            server.server.should_exit = True
        assert [post.result().status for post in posts] == [200] * 5
    server.stop()
    assert len(stored()) == 5


def test_the_writer_does_not_end_before_all_is_stored(server):
    closed = threading.Event()
    thread = threading.Thread(target=lambda: (server.app._writer.close(), closed.set()))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with nobody_else_may_write():
            post = pool.submit(server.post)
            wait_until(lambda: server.server.server_state.tasks)
            wait_until(lambda: server.app._writer._thread)
            thread.start()
            assert not closed.wait(0.2)
        assert post.result().status == 200
    thread.join(30)
    assert closed.is_set()
    assert len(stored()) == 1


def test_after_the_shutdown_nothing_is_taken(server):
    server.stop()
    assert server.app._writer.put(ingest.Waiting((), None)) is False


def test_a_burst_wakes_the_inbox_and_not_once_a_callback(server, monkeypatch):
    rings = []
    monkeypatch.setattr(jobs, "enqueue", lambda *job: rings.append(job))
    for _ in range(30):
        assert server.post().status == 200
    server.stop()
    assert set(rings) == {(jobs.DRAIN,)}
    assert len(rings) < 10


def test_a_callback_that_comes_right_after_a_ring_is_rung_for_too(server, monkeypatch):
    monkeypatch.setattr(ingest, "RING_EVERY", 0.3)
    rings = []
    monkeypatch.setattr(jobs, "enqueue", lambda *_: rings.append(len(stored_here())))
    server.post()
    wait_until(lambda: rings)
    server.post()
    wait_until(lambda: 2 in rings)


def stored_here():
    """Counted by a thread that is not the test's."""
    try:
        return stored()
    finally:
        connection.close()


@pytest.mark.parametrize("fault", ["fails", "hangs"])
def test_a_doorbell_that_does_not_work_costs_no_acknowledgement(server, monkeypatch, fault):
    release = threading.Event()

    def ring(*_):
        if fault == "hangs":
            release.wait(30)
        raise ConnectionError("the broker is away")

    monkeypatch.setattr(jobs, "enqueue", ring)
    try:
        assert [server.post().status for _ in range(5)] == [200] * 5
    finally:
        release.set()
    assert len(stored()) == 5


class Lines(logging.Handler):
    """What a logger is told, before any filter of ours."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record):
        self.text += self.format(record) + "\n"


@pytest.fixture
def log():
    lines = Lines()
    loggers = [logging.getLogger(name) for name in ("uvicorn.access", "uvicorn.error", "callbacks")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(lines)
        logger.setLevel(logging.DEBUG)
    yield lines
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(lines)
        logger.setLevel(level)


def test_no_address_body_or_number_reaches_a_log(server, log, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", lambda *_: 1 / 0)
    server.post()
    server.post(path=signed()[:-4] + "beef")
    server.post(method="GET")
    rename("callbacks_callbackevent", "elsewhere")
    try:
        server.post()
    finally:
        rename("elsewhere", "callbacks_callbackevent")
    server.stop()
    assert "POST /callbacks/v1/" in log.text
    assert "could not be stored" in log.text
    assert "could not be woken" in log.text
    for secret in (ATTEMPT.hex, signed().split(".")[1], "beef", "09812345678", "9812345678", "SmsSid"):
        assert secret not in log.text


# The whole web process ----------------------------------------------------------------------------------------------


@pytest.fixture
def web_process(transactional_db, tmp_path):
    """``exodash.asgi`` as it is deployed, on the test's database."""
    name, port = connection.settings_dict["NAME"], free_port()
    if bulk.is_postgres():
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    else:
        url = f"sqlite:///{name}"
    command = [sys.executable, "-m", "uvicorn", "exodash.asgi:application", "--port", str(port), "--log-level", "warning"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "exodash.settings"}
    )
    try:
        wait_until(lambda: process.poll() is not None or not _refused(port), 60)
        assert process.poll() is None
        yield process, port
    finally:
        process.kill()
        process.wait(10)


def _refused(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return False
    return True


def test_every_acknowledged_callback_survives_a_kill(web_process):
    process, port = web_process
    acknowledged, enough = [], threading.Event()

    def caller(number):
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(client):
            for i in range(100_000):
                body = f"caller={number}&i={i}".encode()
                client.request("POST", signed(), body)
                answer = client.getresponse()
                answer.read()
                if answer.status == 200:
                    acknowledged.append(body)
                if len(acknowledged) > 400:
                    enough.set()

    callers = [threading.Thread(target=caller, args=(n,)) for n in range(16)]
    for thread in callers:
        thread.start()
    assert enough.wait(60)
    process.send_signal(signal.SIGKILL)
    for thread in callers:
        thread.join(60)
    process.wait(10)
    assert set(acknowledged) <= set(stored())


def test_django_and_the_ingest_answer_side_by_side_and_end_in_good_order(web_process):
    process, port = web_process
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("POST", signed(), json.dumps({"Status": "sent"}))
    assert client.getresponse().read() == b""
    client.request("GET", "/login/")
    page = client.getresponse()
    assert (page.status, b"<form" in page.read()) == (200, True)
    client.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) in {0, -signal.SIGTERM}
    assert stored() == [b'{"Status": "sent"}']
