"""Every kind of fault over real sockets: what the client sees, and what the ledger knows was accepted."""

import contextlib
import email.utils
import gzip
import http.client
import json
import socket
import time

import pytest
import requests

from campaigns.exotel.simulator import faults, options, scenario
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.faults import KINDS, REFUSALS, STOPPED
from campaigns.exotel.simulator.spoiling import REARRANGED, SPOILT
from tests.simulated import KEY, SID, TOKEN, Simulator

ITEMS = [("9812345670", "One"), ("9812345671", "Two"), ("9812345672", "Three")]
ALL = len(ITEMS)


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    made = Simulator(tmp_path_factory.mktemp("simulator")).start()
    yield made
    made.stop()


@pytest.fixture
def simulator(process):
    assert requests.put(f"{process.url}/_sim/scenario", json={"base": "all-delivered"}, timeout=5).ok
    return process


def fields(**outer):
    made = {"From": "ACMEIN", **outer}
    for i, (to, body) in enumerate(ITEMS):
        made |= {f"Messages[{i}][To]": to, f"Messages[{i}][Body]": body}
    return made


def post(simulator, timeout=5, **options):
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/bulksend.json"
    return requests.post(url, data=fields(), auth=(KEY, TOKEN), timeout=timeout, allow_redirects=False, **options)


def raw(simulator, seconds=2.0):
    """All bytes that come back, as they come back."""
    body = requests.Request("POST", "http://x/", data=fields()).prepare().body.encode()
    authorization = requests.auth._basic_auth_str(KEY, TOKEN)
    head = (
        f"POST /v1/Accounts/{SID}/Sms/bulksend.json HTTP/1.1\r\nHost: x\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    got = b""
    with socket.create_connection(("127.0.0.1", simulator.port), seconds) as connection, contextlib.suppress(OSError):
        connection.sendall(head.encode() + body)
        while data := connection.recv(65536):
            got += data
    return got


def struck(simulator, kind, **more):
    """How many messages were accepted while a fault strikes every request: a function to ask afterwards."""
    simulator.scenario(faults=[{"kind": kind, "share": 1, **more}])
    before = simulator.stats()["messages"]
    return lambda: simulator.stats()["messages"] - before


def test_there_are_at_least_25_kinds_and_each_is_made_somewhere_and_documented():
    made = {*REFUSALS, *STOPPED, *REARRANGED, *SPOILT, "hang_before", "hang_after", "reset_before", "early_callback"}
    assert made == set(KINDS)
    assert len(KINDS) >= 25
    for kind, sentence in KINDS.items():
        assert f"  {kind} " in options.AFTERWORD and sentence in options.AFTERWORD


def test_a_run_with_every_kind_of_fault_leaves_the_simulator_alive_and_its_ledger_true(simulator):
    kinds = sorted(KINDS)
    play = [
        {"kind": kind, "at": [], "seconds": 0.1, "megabytes": 1} | ({"code": 40300} if kind == "error" else {})
        for kind in kinds
    ]
    simulator.scenario(faults=play)
    first = max((one["number"] for one in simulator.requests()), default=0) + 1
    for i, one in enumerate(play):
        one["at"] = [first + i]
    simulator.scenario(faults=play)
    before = simulator.stats()["messages"]
    for _ in kinds:
        with contextlib.suppress(requests.RequestException):
            post(simulator, timeout=2)
    rows = simulator.requests()[-len(kinds) :]
    assert [row["fault"] for row in rows] == kinds
    assert sum(row["messages"] for row in rows) == simulator.stats()["messages"] - before
    simulator.scenario(faults=[])
    assert len(post(simulator).json()) == ALL


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        ("throttle_date", lambda text: 0 < email.utils.parsedate_to_datetime(text).timestamp() - time.time() <= 5),
        ("throttle_float", lambda text: float(text) == 4.5 and "." in text),
        ("throttle_negative", lambda text: int(text) == -4),
        ("throttle_nonsense", lambda text: text and not (text.isdigit() and len(text) < 9)),
        ("throttle_absent", lambda text: text is None),
        ("throttle", lambda text: text == "4"),
    ],
)
def test_a_throttle_says_when_to_come_again_in_each_form(simulator, kind, good):
    accepted = struck(simulator, kind, retry_after=4)
    answer = post(simulator)
    assert (answer.status_code, answer.json()["RestException"]["Code"]) == (429, 40402)
    assert good(answer.headers.get("Retry-After"))
    assert accepted() == 0


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_machine_in_between_answers_without_exotel_or_after_it(simulator, status):
    accepted = struck(simulator, f"status{status}")
    assert (post(simulator).status_code, accepted()) == (status, 0)
    accepted = struck(simulator, f"status{status}", accepted=True)
    assert (post(simulator).status_code, accepted()) == (status, ALL)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_leads_to_the_same_address_and_accepts_nothing(simulator, status):
    accepted = struck(simulator, f"redirect{status}")
    answer = post(simulator)
    assert (answer.status_code, answer.headers["Location"]) == (status, f"/v1/Accounts/{SID}/Sms/bulksend.json")
    assert accepted() == 0


def test_a_200_may_hold_an_exception(simulator):
    accepted = struck(simulator, "exception_200")
    answer = post(simulator)
    assert (answer.status_code, list(answer.json()), accepted()) == (200, ["RestException"], 0)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [
        ("short_answer", lambda items: len(items) == ALL - 1),
        ("reordered", lambda items: [item["SMSMessage"]["Body"] for item in items] == ["Three", "Two", "One"]),
        ("doubled_items", lambda items: len({item["SMSMessage"]["Sid"] for item in items}) == ALL < len(items)),
        ("foreign_items", lambda items: len(items) == ALL + 1 and items[-1]["SMSMessage"]["To"] == "09000000000"),
        ("null_item", lambda items: items.count(None) == 1),
        ("text_item", lambda items: items.count("queued") == 1),
        ("missing_sid", lambda items: sum("Sid" not in item["SMSMessage"] for item in items) == 1),
        ("number_sid", lambda items: sum(isinstance(item["SMSMessage"]["Sid"], int) for item in items) == 1),
    ],
)
def test_items_of_an_answer_are_not_what_was_asked_for(simulator, kind, holds):
    accepted = struck(simulator, kind)
    answer = post(simulator)
    assert answer.status_code == 200
    assert holds(answer.json())
    assert accepted() == ALL


@pytest.mark.parametrize("kind", sorted(REARRANGED))
def test_a_send_to_one_number_can_be_rearranged_too_in_both_formats(simulator, kind):
    struck(simulator, kind)
    for suffix in (".json", ""):
        url = f"{simulator.url}/v1/Accounts/{SID}/Sms/send{suffix}"
        sent = {"From": "A", "To": "9812345670", "Body": "x"}
        assert requests.post(url, data=sent, auth=(KEY, TOKEN), timeout=5).status_code == 200


def test_an_empty_body_and_a_wrong_type_and_half_the_json_follow_acceptance(simulator):
    accepted = struck(simulator, "empty_body")
    assert (post(simulator).content, accepted()) == (b"", ALL)
    accepted = struck(simulator, "wrong_type")
    answer = post(simulator)
    assert (answer.headers["Content-Type"], len(answer.json()), accepted()) == ("text/html; charset=utf-8", ALL, ALL)
    accepted = struck(simulator, "bad_json")
    with pytest.raises(ValueError):
        post(simulator).json()
    assert accepted() == ALL


def test_a_gzip_bomb_is_small_on_the_wire_and_large_unpacked(simulator):
    accepted = struck(simulator, "gzip_bomb", megabytes=8)
    answer = post(simulator, stream=True)
    packed = answer.raw.read(decode_content=False)
    assert (answer.headers["Content-Encoding"], accepted()) == ("gzip", ALL)
    assert len(packed) < 100_000 and len(gzip.decompress(packed)) > 8_000_000


def test_what_is_called_gzip_may_be_none(simulator):
    struck(simulator, "not_gzip")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        post(simulator)


def test_a_huge_body_is_as_large_as_asked(simulator):
    struck(simulator, "huge_body", megabytes=3)
    answer = post(simulator)
    assert len(answer.content) > 3_000_000 and len(answer.json()) == ALL


def test_a_connection_ends_within_the_headers_or_the_body(simulator):
    accepted = struck(simulator, "closed_mid_headers")
    got = raw(simulator)
    assert got.startswith(b"HTTP/1.1 200") and b"\r\n\r\n" not in got
    assert (accepted(), simulator.requests()[-1]["http_status"]) == (ALL, 0)
    accepted = struck(simulator, "closed_mid_body")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(simulator)
    assert accepted() == ALL


def test_a_slow_answer_comes_in_drops_and_complete(simulator):
    struck(simulator, "slow_drip", seconds=0.6)
    began = time.monotonic()
    assert len(post(simulator).json()) == ALL
    assert time.monotonic() - began > 0.4


def test_a_wrong_length_is_too_long_too_short_or_below_zero(simulator):
    accepted = struck(simulator, "length_too_long")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(simulator)
    assert accepted() == ALL
    struck(simulator, "length_too_short")
    with pytest.raises(ValueError):
        post(simulator).json()
    struck(simulator, "length_negative")
    assert b"Content-Length: -" in raw(simulator)


def test_noise_comes_before_the_answer(simulator):
    struck(simulator, "noise_100")
    assert raw(simulator, 0.5).startswith(b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 200")
    assert len(post(simulator).json()) == ALL


def test_an_answer_comes_twice_over(simulator):
    accepted = struck(simulator, "double_answer")
    assert raw(simulator, 0.5).count(b"HTTP/1.1 200 OK") == 2
    assert accepted() == ALL


def test_a_reset_leaves_as_many_bytes_as_asked(simulator):
    struck(simulator, "reset_after", leaves=30)
    assert len(raw(simulator)) == 30
    struck(simulator, "reset_after")
    assert raw(simulator) == b""


def test_an_early_callback_overtakes_the_answer(simulator):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        struck(simulator, "early_callback")
        simulator.scenario(delay=[600, 600], callback_timeout=0.3, callback_retries=0)
        client = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
        form = requests.Request(
            "POST", "http://x/", data=fields(StatusCallback=f"http://127.0.0.1:{server.getsockname()[1]}/x")
        )
        prepared = form.prepare()
        headers = dict(prepared.headers) | {"Authorization": requests.auth._basic_auth_str(KEY, TOKEN)}
        client.request("POST", f"/v1/Accounts/{SID}/Sms/bulksend.json", prepared.body, headers)
        callback, _ = server.accept()
        with callback:
            assert b"POST /x" in callback.recv(65536), "it is there while the answer is awaited"
        assert client.getresponse().status == 200


def test_faults_of_one_seed_are_the_same_again_to_the_last_byte():
    play = scenario.changed(
        scenario.Scenario(), {"faults": [{"kind": kind, "share": 0.05, "code": 40300} for kind in sorted(KINDS)]}
    )
    runs = [[getattr(Fates(play, seed).fault(n), "kind", "") for n in range(2000)] for seed in (5, 5, 6)]
    assert runs[0] == runs[1] != runs[2]
    assert len(set(runs[0])) > 15


@pytest.mark.parametrize(
    "given",
    [{"kind": "slow_drip", "seconds": -1}, {"kind": "slow_drip", "seconds": float("inf")}, {"kind": "html", "every": -1},
     {"kind": "gzip_bomb", "megabytes": 10_000}, {"kind": "html", "share": float("nan")}, {"kind": "throttle", "code": 1},
     {"kind": "reset_after", "leaves": "7"}, {"kind": "status500", "accepted": 1}, {"kind": []}, "html"],
)  # fmt: skip
def test_a_fault_that_cannot_be_played_is_refused_with_a_sentence(given):
    with pytest.raises(ValueError, match=r"^faults: .*\.$"):
        faults.fault(given)


def test_a_fault_strikes_every_api(simulator):
    simulator.scenario(faults=[{"kind": "missing_sid", "share": 1}])
    item = {"from": "+918047112233", "to": "+919812345670", "content": {"type": "text", "text": {"body": "x"}}}
    url = f"{simulator.url}/v2/accounts/{SID}/messages"
    answer = requests.post(url, json={"whatsapp": {"messages": [item]}}, auth=(KEY, TOKEN), timeout=5)
    assert answer.json()["response"]["whatsapp"]["messages"][0]["data"] == {}
    simulator.scenario(faults=[{"kind": "throttle_date", "share": 1}])
    answer = requests.post(url, json={"whatsapp": {"messages": [item]}}, auth=(KEY, TOKEN), timeout=5)
    assert (answer.status_code, json.loads(answer.text)["response"]["error_data"]["code"]) == (429, 40402)
    assert answer.headers["Retry-After"].endswith("GMT")
