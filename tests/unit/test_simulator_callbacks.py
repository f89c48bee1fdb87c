"""Status callbacks of the simulator, and the ledger that outlives its process."""

import http.server
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from itertools import pairwise

import pytest
import requests

from tests.machine import free_port
from tests.simulated import KEY, ROOT, SID, TOKEN, Simulator


class Sink:
    """A callback host that keeps every form it is sent and answers with ``statuses`` in turn, then with 200."""

    def __init__(self, port=0):
        self.forms, self.heads, self.statuses, self.times, self.path = [], [], [], [], None
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                sink.path = self.path
                sink.heads.append(dict(self.headers))
                as_json = self.headers["Content-Type"] == "application/json"
                sink.forms.append(json.loads(body) if as_json else dict(urllib.parse.parse_qsl(body, strict_parsing=True)))
                sink.times.append(time.monotonic())
                self.send_response(sink.statuses.pop(0) if sink.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256  # its usual 5 makes 64 connections at once wait seconds for a second try

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/callbacks/k1/token?x=1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def wait_until(condition, what):
    for _ in range(400):
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"Not within 20 s: {what}")


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def simulator(tmp_path):
    made = Simulator(tmp_path).start()
    made.scenario(delay=[0, 0.1], callback_retry_wait=0.1)
    yield made
    made.stop()


def post(simulator, count, callback, start=0, **outer):
    fields = {"From": "ACMEIN", "StatusCallback": callback, **outer}
    for i in range(start, start + count):
        fields |= {f"Messages[{i}][To]": f"98{i:08d}", f"Messages[{i}][Body]": f"Text {i}"}
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/bulksend.json"
    answer = requests.post(url, data=fields, auth=(KEY, TOKEN), timeout=20)
    assert answer.status_code == 200, answer.text
    return [item["SMSMessage"]["Sid"] for item in answer.json()]


def settled(simulator):
    """The callback totals, once nothing is waiting."""
    return wait_until(lambda: (found := simulator.stats()["callbacks"])["pending"] == 0 and found, "all callbacks are done")


def test_a_callback_has_the_documented_fields(simulator, sink):
    simulator.scenario(numbers={"9800000001": "23005"})
    sids = post(simulator, 2, sink.url, CustomField="batch 7")
    settled(simulator)
    forms = {form["SmsSid"]: form for form in sink.forms}
    first, second = (forms[sid] for sid in sids)
    assert list(first) == [
        "SmsSid", "To", "Status", "DetailedStatus", "DetailedStatusCode", "DateSent", "SmsUnits", "CustomField",
    ]  # fmt: skip
    assert (first["To"], first["Status"], first["DetailedStatus"]) == ("09800000000", "sent", "DELIVERED_TO_HANDSET")
    assert (first["DetailedStatusCode"], first["SmsUnits"], first["CustomField"]) == ("20005", "1", "batch 7")
    assert time.strptime(first["DateSent"], "%Y-%m-%d %H:%M:%S")
    assert (second["Status"], second["DetailedStatusCode"]) == ("failed-dnd", "23005")
    assert sink.path == "/callbacks/k1/token?x=1"
    assert sink.heads[0]["Content-Type"] == "application/x-www-form-urlencoded"


def test_custom_field_comes_back_only_when_it_was_set(simulator, sink):
    post(simulator, 1, sink.url)
    settled(simulator)
    assert "CustomField" not in sink.forms[0]


def test_a_thousand_callbacks_come_once_each_and_the_ledger_knows(simulator, sink):
    sids = [sid for start in range(0, 1000, 100) for sid in post(simulator, 100, sink.url, start)]
    totals = settled(simulator)
    assert Counter(form["SmsSid"] for form in sink.forms) == Counter(sids)
    assert (totals["sent"], totals["acknowledged"], totals["failed"]) == (1000, 1000, 0)
    entries = simulator.ledger()
    assert [entry["sid"] for entry in entries] == sids
    assert {(entry["callbacks_sent"], entry["callbacks_acknowledged"]) for entry in entries} == {(1, 1)}


def test_a_ledger_line_has_all_that_was_received(simulator, sink):
    fields = {
        "From": "ACMEIN", "StatusCallback": sink.url, "CustomField": "c", "DltEntityId": "15", "Messages[0][To]": "+91 98123-45670",
        "Messages[0][Body]": "नमस्ते", "Messages[0][SmsType]": "transactional", "Messages[0][DltTemplateId]": "1507",
    }  # fmt: skip
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/bulksend.json"
    assert requests.post(url, data=fields, auth=(KEY, TOKEN), timeout=5).ok
    settled(simulator)
    (entry,) = simulator.ledger()
    assert entry["accepted_at"] <= entry["due_at"]
    known = {
        "id": 1, "request_id": 1, "account": SID, "to": "+91 98123-45670", "number10": "9812345670", "body": "नमस्ते",
        "from": "ACMEIN", "sms_type": "transactional", "dlt_entity_id": "15", "dlt_template_id": "1507", "custom_field": "c",
        "status_callback": sink.url, "status": "sent", "code": "20005", "name": "DELIVERED_TO_HANDSET", "units": 1,
        "callbacks_sent": 1, "callbacks_acknowledged": 1,
    }  # fmt: skip
    assert {name: entry[name] for name in known} == known
    (request,) = simulator.requests()
    assert (request["messages"], request["http_status"], request["fault"], request["account"]) == (1, 200, "", SID)


def test_pages_of_the_ledger_go_on_after_an_id(simulator):
    post(simulator, 7, "")
    url = f"{simulator.url}/_sim/ledger.ndjson"
    first = requests.get(url, params={"limit": 5}, timeout=5).text.splitlines()
    rest = requests.get(url, params={"after": json.loads(first[-1])["id"]}, timeout=5).text.splitlines()
    assert (len(first), len(rest)) == (5, 2)


@pytest.mark.parametrize(("share", "each"), [({"lost": 1}, 0), ({"doubled": 1}, 2), ({"intermediate": True}, 2)])
def test_callbacks_are_lost_doubled_or_preceded_as_the_scenario_says(simulator, sink, share, each):
    simulator.scenario(**share)
    sids = post(simulator, 20, sink.url)
    totals = settled(simulator)
    assert Counter(form["SmsSid"] for form in sink.forms) == Counter(sids * each)
    assert totals["lost"] == (20 if "lost" in share else 0)
    statuses = {form["Status"] for form in sink.forms}
    assert statuses == ({"sent", "submitted"} if "intermediate" in share else {"sent"} if each else set())


def test_early_callbacks_overtake_the_answer(simulator, sink):
    simulator.scenario(early=1, delay=[30, 30])
    sids = post(simulator, 20, sink.url)
    assert {form["SmsSid"] for form in sink.forms} == set(sids), "all were there when the answer came"
    assert settled(simulator)["acknowledged"] == 20


def test_a_callback_that_is_not_taken_is_sent_again_and_then_given_up(simulator, sink):
    sink.statuses = [500, 302]
    post(simulator, 1, sink.url)
    assert settled(simulator) == {"sent": 3, "pending": 0, "acknowledged": 1, "failed": 0, "lost": 0, "refused": 0}
    sink.statuses = [500] * 9
    post(simulator, 1, sink.url, 1)
    assert settled(simulator)["failed"] == 1
    assert len(sink.forms) == 6, "twice again, not more"
    row = json.loads(requests.get(f"{simulator.url}/_sim/callbacks.ndjson?after=1", timeout=5).text)
    assert (row["state"], row["tries"], row["http_status"]) == ("failed", 3, 500)


def test_the_waits_between_tries_can_be_given_one_by_one(simulator, sink):
    simulator.scenario(callback_retry_schedule=[0.1, 0.8])
    sink.statuses = [500] * 9
    post(simulator, 1, sink.url)
    assert settled(simulator)["failed"] == 1
    first, second = (later - sooner for sooner, later in pairwise(sink.times))
    assert first < 0.7 <= second


def test_late_callbacks_come_days_after_by_the_clock_that_the_scenario_sets(simulator, sink):
    simulator.scenario(late=1, late_by=[2 * 86_400, 3 * 86_400])
    sids = post(simulator, 5, sink.url)
    simulator.scenario(clock_ahead=86_400)
    time.sleep(0.4)
    assert not sink.forms
    simulator.scenario(clock_ahead=4 * 86_400)
    settled(simulator)
    assert {form["SmsSid"] for form in sink.forms} == set(sids)


def test_reports_of_a_message_may_come_in_the_wrong_order(simulator, sink):
    simulator.scenario(reordered=1, intermediate=1, delay=[0.5, 0.5])
    post(simulator, 1, sink.url)
    settled(simulator)
    assert [form["Status"] for form in sink.forms] == ["sent", "submitted"]


def test_a_callback_is_json_when_the_request_asked_for_it(simulator, sink):
    (sid,) = post(simulator, 1, sink.url, StatusCallbackContentType="application/json")
    settled(simulator)
    assert (sink.heads[0]["Content-Type"], sink.forms[0]["SmsSid"]) == ("application/json", sid)


def test_a_callback_is_signed_when_the_scenario_says_so(simulator, sink):
    post(simulator, 1, sink.url)
    settled(simulator)
    simulator.scenario(signature="sha256")
    post(simulator, 1, sink.url, 1)
    settled(simulator)
    assert ["X-Exotel-Signature" in head for head in sink.heads] == [False, True]


def test_a_click_is_told_after_the_delivery(simulator, sink):
    simulator.scenario(clicks=1, click_delay=[0.2, 0.2])
    links = {
        f"ShortenUrlParams[{name}]": value
        for name, value in {"Tracking": "true", "ClickTrackingCallbackUrl": sink.url}.items()
    }
    fields = {
        "From": "A",
        "To": "9812345670",
        "Body": "See http://shop.example/1",
        "ShortenUrl": "true",
        "StatusCallback": sink.url,
    }
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/send.json"
    sent = requests.post(url, data=fields | links, auth=(KEY, TOKEN), timeout=5).json()["SMSMessage"]
    settled(simulator)
    assert sink.forms[0]["SmsSid"] == sent["Sid"]
    assert {form["Sms_sid"] for form in sink.forms[1:]} == {sent["Sid"]}
    assert sink.forms[1]["Postal code"]


def test_whatsapp_reports_are_posted_as_json(simulator, sink):
    simulator.scenario(whatsapp_replies=1, delay=[1.5, 1.5])
    item = {"from": "+918047112233", "to": "+919812345670", "content": {"type": "text", "text": {"body": "x"}}}
    body = {"status_callback": sink.url, "whatsapp": {"messages": [item]}}
    assert (
        requests.post(f"{simulator.url}/v2/accounts/{SID}/messages", json=body, auth=(KEY, TOKEN), timeout=5).status_code
        == 202
    )
    settled(simulator)
    told = [one for form in sink.forms for one in form["whatsapp"]["messages"]]
    assert [one["callback_type"] for one in told] == ["dlr", "dlr", "dlr", "incoming_message"]
    assert [(row["channel"], row["status"], row["name"]) for row in simulator.ledger()] == [
        ("whatsapp", "seen", "EX_MESSAGE_SEEN")
    ]


def test_a_receipt_of_geniq_is_repeated_until_200(simulator, sink):
    simulator.account(receipt_url=sink.url)
    simulator.scenario(callback_retry_schedule=[0.05])
    sink.statuses = [500, 204, 302, 500, 503]
    base = f"{simulator.url}/rest/v1"
    token = requests.post(f"{base}/token", auth=(KEY, TOKEN), timeout=5).json()["token"]
    fields = {"message": "x", "recipient": "919812345670", "originator": "ACME"}
    answer = requests.post(f"{base}/sms", data=fields, headers={"Authorization": f"Bearer {token}"}, timeout=5).json()
    assert settled(simulator)["acknowledged"] == 1
    assert [form["messageId"] for form in sink.forms] == answer["messageIds"] * 6


def test_a_host_that_does_not_answer_is_given_up(simulator):
    simulator.scenario(callback_timeout=0.2, callback_retries=1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        post(simulator, 3, f"http://127.0.0.1:{silent.getsockname()[1]}/x")
        assert settled(simulator)["failed"] == 3
    post(simulator, 3, f"http://127.0.0.1:{free_port()}/x", 3)
    assert settled(simulator)["failed"] == 6


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"])
def test_a_host_that_talks_nonsense_is_given_up(simulator, answer):
    simulator.scenario(callback_retries=0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk():
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(answer)

        threading.Thread(target=talk, daemon=True).start()
        post(simulator, 1, f"http://127.0.0.1:{server.getsockname()[1]}/x")
        assert settled(simulator)["failed"] == 1


def test_a_connection_closed_while_idle_costs_no_callback(simulator):
    simulator.scenario(callback_retries=0)
    first = Sink()
    post(simulator, 100, first.url)
    settled(simulator)
    first.close()
    second = Sink(first.port)
    post(simulator, 100, second.url, 100)
    assert settled(simulator)["acknowledged"] == 200
    second.close()


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/x", "http://example.com/x", "https://127.0.0.1/x", "ftp://127.0.0.1/x", "http://[::bad/x", "x"]
)
def test_only_loopback_is_called_back_unless_a_host_is_listed(simulator, url):
    post(simulator, 2, url)
    totals = settled(simulator)
    assert (totals["refused"], totals["sent"]) == (2, 0)
    assert {entry["callbacks_sent"] for entry in simulator.ledger()} == {0}


def test_a_text_that_is_not_the_registered_template_fails_later(simulator, sink):
    template = {"body": "Text {#var#}"}
    assert requests.put(f"{simulator.url}/_sim/templates/1507", json=template, timeout=5).ok
    fields = {f"Messages[{i}][DltTemplateId]": "1507" for i in range(3)} | {"Messages[1][DltTemplateId]": "1508"}
    post(simulator, 3, sink.url, **fields)
    assert requests.put(f"{simulator.url}/_sim/templates/1507", json={"body": "Sale {#var#}"}, timeout=5).ok
    post(simulator, 3, sink.url, **fields)
    settled(simulator)
    codes = [entry["code"] for entry in simulator.ledger()]
    assert codes[:3] == ["20005"] * 3
    assert codes[4] == "20005", "a template that is not registered is not looked at"
    assert {codes[3], codes[5]} <= {"23082", "23185"}
    assert Counter(form["DetailedStatusCode"] for form in sink.forms) == Counter(codes)


def test_what_was_answered_outlives_a_kill_and_owed_callbacks_are_sent_after_it(simulator, sink):
    simulator.account(balance=100)
    simulator.scenario(delay=[2, 2])
    sids = post(simulator, 10, sink.url)
    simulator.process.kill()
    simulator.process.wait(10)
    assert not sink.forms
    simulator.start()
    assert [entry["sid"] for entry in simulator.ledger()] == sids
    assert settled(simulator)["acknowledged"] == 10
    assert Counter(form["SmsSid"] for form in sink.forms) == Counter(sids)
    more = post(simulator, 5, sink.url, 10)
    assert not set(more) & set(sids)
    stats = simulator.stats()
    assert (stats["requests"], stats["messages"], stats["by_code"]) == (2, 15, {"20005": 15})
    accounts = requests.get(f"{simulator.url}/_sim/accounts", timeout=5).json()
    assert {one["sid"]: one["balance"] for one in accounts}[SID] == 85


def test_a_callback_that_was_acknowledged_is_not_sent_again_after_a_restart(simulator, sink):
    post(simulator, 10, sink.url)
    settled(simulator)
    simulator.stop()
    simulator.start()
    post(simulator, 1, sink.url, 10)
    settled(simulator)
    assert len(sink.forms) == 11


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_with_requests_hanging(simulator, sink, number):
    simulator.scenario(faults=[{"kind": "hang_after", "share": 1, "seconds": 600}])
    with pytest.raises(requests.Timeout):
        url = f"{simulator.url}/v1/Accounts/{SID}/Sms/send.json"
        fields = {"From": "A", "To": "9812345670", "Body": "x", "StatusCallback": sink.url}
        requests.post(url, data=fields, auth=(KEY, TOKEN), timeout=0.5)
    simulator.process.send_signal(number)
    assert simulator.process.wait(2) == 0
    with sqlite3.connect(simulator.folder / "ledger.sqlite3") as ledger:
        assert ledger.execute("SELECT count(*) FROM message").fetchone() == (1,)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--scenario", "sunny"], 2, "neither a file nor one of"),
        (["--account", "only-a-sid"], 2, "SID:KEY:TOKEN"),
        (["--port", "70000"], 2, "not a port"),
        (["--ledger", "{folder}/text"], 1, "not a database"),
        (["--ledger", "{folder}/other"], 1, "another version"),
        (["--ledger", "{folder}/ledger.sqlite3"], 1, "another simulator"),
        (["--port", "{port}"], 1, "cannot listen"),
        (["--help"], 0, "/_sim/stats"),
    ],
)
def test_a_start_that_cannot_be_says_why(simulator, tmp_path, options, code, words):
    (tmp_path / "text").write_text("not a ledger " * 100)
    with sqlite3.connect(tmp_path / "other") as other:
        other.execute("CREATE TABLE message (id)")
    options = [option.format(folder=tmp_path, port=simulator.port) for option in options]
    command = [sys.executable, "-m", "campaigns.exotel.simulator", "--port", "0", *options]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert (ended.returncode, words in ended.stdout + ended.stderr) == (code, True)
    assert "Traceback" not in ended.stderr


def test_accounts_and_scenario_come_from_the_command_line(tmp_path):
    (tmp_path / "play.json").write_text(json.dumps({"numbers": {"9812345670": "23010"}, "delay": [0, 0]}))
    made = Simulator(
        tmp_path, "--scenario", str(tmp_path / "play.json"), "--no-demo-account", "--account", "acme1:k1:t1"
    ).start()
    try:
        fields = {"From": "A", "To": "9812345670", "Body": "x"}
        demo = requests.post(f"{made.url}/v1/Accounts/{SID}/Sms/send.json", data=fields, auth=(KEY, TOKEN), timeout=5)
        ours = requests.post(f"{made.url}/v1/Accounts/acme1/Sms/send.json", data=fields, auth=("k1", "t1"), timeout=5)
        assert (demo.status_code, ours.status_code) == (401, 200)
        assert made.ledger()[0]["code"] == "23010"
    finally:
        made.stop()
