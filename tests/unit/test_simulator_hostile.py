"""No request kills the simulator, and none gets a 500 that no fault asked for."""

import asyncio
import base64
import contextlib
import json
import socket

import pytest
import requests

from campaigns.exotel.simulator import control, notices, scenario
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.geniq import PREFIX
from campaigns.exotel.simulator.server import Request
from tests.simulated import KEY, SID, TOKEN, Simulator
from tests.unit.test_simulator_dlt import Desk

DEEP = 100_000
FORMS = {
    "nothing": b"",
    "separators": b"&&&&",
    "equal signs": b"====",
    "a lone percent": b"%",
    "half an escape": b"From=%4&To=%&Body=%4",
    "no hexadecimal": b"From=%zz&To=%GG&Body=%x0",
    "escaped nul": b"From=A&To=9812345670&Body=%00",
    "raw nul": b"From=A&To=9812345670&Body=\x00\x00",
    "nul in a name": b"Fr%00om=A&T\x00o=9812345670&Body=x",
    "no utf-8": b"From=A&To=9812345670&Body=\xff\xfe\xfd",
    "escaped no utf-8": b"From=A&To=9812345670&Body=%ff%fe",
    "half a surrogate pair": b"From=A&To=9812345670&Body=%ed%a0%80",
    "overlong slash": b"From=A&To=9812345670&Body=%c0%af",
    "utf-16": "From=A&To=9812345670&Body=x".encode("utf-16"),
    "controls": bytes(range(32)) + b"From=A&To=9812345670&Body=x",
    "all bytes": bytes(range(256)),
    "escaped brackets": b"Messages%5B0%5D%5BTo%5D=9812345670&Messages%5B0%5D%5BBody%5D=x&From=A",
    "brackets in brackets": b"Messages[[[]]]=1&From=A",
    "open bracket": b"Messages[0[To]=9812345670&From=A",
    "only brackets": b"[][]=x&[]=y",
    "messages as text": b"Messages=x&From=A",
    "messages one level": b"Messages[0]=x&From=A",
    "messages four levels": b"Messages[0][To][1][2]=x&From=A",
    "array in a field": b"Messages[0][To][]=9812345670&Messages[0][Body]=x&From=A",
    "negative index": b"Messages[-1][To]=9812345670&Messages[-1][Body]=x&From=A",
    "huge index": b"Messages[99999999999999999999999][To]=9812345670&Messages[99999999999999999999999][Body]=x&From=A",
    "text index": b"Messages[__proto__][To]=9812345670&Messages[__proto__][Body]=x&From=A",
    "huge number": b"From=A&Body=x&To=" + b"9" * 100_000,
    "number in other digits": "From=A&Body=x&To=٩٨١٢٣٤٥٦٧٠".encode(),
    "superscript digits": "From=²³&Body=x&To=9812345670&SmsType=promotional".encode(),
    "long name": b"a" * 500_000 + b"=x",
    "long value": b"From=A&To=9812345670&Body=" + b"x" * 500_000,
    "many fields": b"&".join(b"a%d=1" % i for i in range(50_000)),
    "many numbers": b"From=A&Body=x&" + b"&".join(b"To[%d]=9812345670" % i for i in range(5_000)),
    "the same number often": b"From=A&Body=x&" + b"&".join([b"To=9812345670"] * 5_000),
    "deep name": b"a" + b"[a]" * 50_000 + b"=x",
    "json": b'{"From": "A", "To": "9812345670", "Body": "x"}',
    "deep json": b"[" * DEEP,
    "xml": b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'x'>]><x>&a;</x>",
    "format fields": b"From=A&To={0}{value}&Body={__class__}&EncodingType={x}",
    "percent format": b"From=A&To=%25s%25n&Body=%25s&EncodingType=%25d",
    "line breaks": b"From=A%0d%0aX:1&To=9812345670%0d%0a&Body=x%0d%0a%0d%0a",
    "callback with line breaks": b"From=A&To=9812345670&Body=x&StatusCallback=http://127.0.0.1:9/%0d%0aX:1",
    "callback that is none": b"From=A&To=9812345670&Body=x&StatusCallback=http://[::1&StatusCallbackContentType=%00",
    "callback with a huge port": b"From=A&To=9812345670&Body=x&StatusCallback=http://127.0.0.1:99999999/",
    "short link that never ends": b"From=A&To=9812345670&ShortenUrl=true&Body=" + b"http://x" * 10_000,
    "short link without end": b"From=A&To=9812345670&Body=http://&ShortenUrl=true&ShortenUrlParams[CustomDomain]=%00%ff",
    "expiry beyond time": b"From=A&To=9812345670&Body=http://x/y&ShortenUrl=true&ShortenUrlParams[Tracking]=true"
    b"&ShortenUrlParams[TimeToExpiry]=99999999&ShortenUrlParams[ClickTrackingCallbackUrl]=http://127.0.0.1:9/",
    "expiry that is none": b"From=A&To=9812345670&Body=http://x/y&ShortenUrl=true&ShortenUrlParams[TimeToExpiry]=%C2%B2",
    "parameters of links as text": b"From=A&To=9812345670&Body=x&ShortenUrlParams=1&ShortenUrlParams[a][b]=2&ShortenUrl[]=true",
}  # fmt: skip
EDGE = b"multipart/form-data; boundary=edge"
MULTIPARTS = {
    "no boundary": (b"multipart/form-data", b"--edge\r\n\r\nx"),
    "empty boundary": (b'multipart/form-data; boundary=""', b"----"),
    "boundary not in the body": (EDGE, b"nothing of it"),
    "only the boundary": (EDGE, b"--edge"),
    "only the end": (EDGE, b"--edge--"),
    "no blank line": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="To"\r\n9812345670\r\n--edge--'),
    "no name": (EDGE, b"--edge\r\nContent-Disposition: form-data\r\n\r\nx\r\n--edge--"),
    "no disposition": (EDGE, b"--edge\r\nX: y\r\n\r\nx\r\n--edge--"),
    "never ends": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="Body"\r\n\r\nx'),
    "no utf-8": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\n\xff\r\n--edge--'),
    "a file": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="To"; filename="a.bin"\r\n\r\n\x00\x01\r\n--edge--'),
    "many parts": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="To[]"\r\n\r\n9812345670\r\n' * 20_000),
    "only boundaries": (EDGE, b"--edge\r\n" * 50_000),
    "quoted quotes": (EDGE, b'--edge\r\nContent-Disposition: form-data; name="\\"To\\"\r\n\r\nx\r\n--edge--'),
    "odd type": (b"multipart/form-data; boundary=\xff\x00", b"--\xff\x00\r\n\r\n"),
}
JSONS = {
    "nothing": b"",
    "a word": b"null",
    "a number": b"1e999",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"whatsapp":' * 20_000,
    "huge integer": b'{"whatsapp": ' + b"9" * 50_000 + b"}",
    "nan": b'{"whatsapp": {"messages": [NaN, Infinity, -Infinity]}}',
    "half a surrogate pair": b'{"whatsapp": {"messages": ["\\ud800"]}, "custom_data": "\\udfff"}',
    "surrogates everywhere": b'{"custom_data": "\\ud800", "whatsapp": {"messages": [{"from": "\\ud800", "to": "+919812345670",'
    b' "custom_data": "\\udc00", "content": {"type": "text", "text": {"body": "\\ud800"}}}]}}',
    "nul": b'{"whatsapp": {"messages": [{"from": "\\u0000", "to": "+919812345670", "content": {"type": "text", "text": {"body": "\\u0000"}}}]}}',
    "numbers for texts": b'{"whatsapp": {"messages": [{"from": 1, "to": 919812345670, "custom_data": 5, "status_callback": [1],'
    b' "content": {"type": "text", "text": {"body": "x"}}}]}}',
    "objects for texts": b'{"custom_data": {"a": [1]}, "whatsapp": {"messages": [{"from": {}, "to": [], "content": []}]}}',
    "infinite place": b'{"whatsapp": {"messages": [{"from": "1", "to": "+919812345670", "content": {"type": "location",'
    b' "location": {"latitude": 1e999, "longitude": NaN}}}]}}',
    "same key twice": b'{"whatsapp": 1, "whatsapp": {"messages": [1]}}',
    "trailing comma": b'{"whatsapp": {"messages": [1,]}}',
    "not utf-8": b'{"whatsapp": "\xff\xfe"}',
    "with a mark": b'\xef\xbb\xbf{"whatsapp": {}}',
    "utf-16": '{"whatsapp": {}}'.encode("utf-16"),
    "sections of everything": b'{"whatsapp": {"messages": [{"from": "1", "to": "+919812345670", "content": {"type": "interactive",'
    b' "interactive": {"type": "list", "action": {"sections": [1, null, {"rows": {}}, {"rows": 5}]}}}}]}}',
}
AUTHORIZATIONS = [
    "", "Basic", "Basic ", "Basic =", "Basic ////", "Basic \xe9\xe9\xe9", "Basic " + "A" * 20_000, "Bearer x", "Digest x",
    "Basic " + base64.b64encode(b"\xff\xff:\xff").decode(), "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"demokey").decode(), "Basic " + base64.b64encode("\u00b2:\u0661".encode()).decode(),
]  # fmt: skip
PATHS = [
    "//", "/v1", "/v1/", "/v1/Accounts", "/v1/Accounts/", "/v1/Accounts//Sms/send", "/v1/Accounts/%00/Sms/send", "/%ff%fe", "/..%2f..%2f",
    f"/v1/Accounts/{SID}/Sms/send.json.json", f"/v1/Accounts/{SID}/Sms/Messages/%00.json", f"/v1/Accounts/{SID}/Sms/Messages/{'f' * 5000}",
    f"/v1/Accounts/{SID}/Sms/Messages/{'0' * 20}-1", "/v2", f"/v2/accounts/{SID}", "/geniq", PREFIX, f"{PREFIX}/", f"{PREFIX}x/sms", "/.json",
    "/v1/Accounts/" + "x" * 10_000, f"/v1/Accounts/{SID}/Sms/send%0d%0aX:%20y", "/v1/Accounts/\u0661/Sms/send",
]  # fmt: skip


def test_the_corpus_has_at_least_60_bodies():
    assert len(FORMS) + len(MULTIPARTS) + len(JSONS) >= 60


def statuses(desk, path, body, **headers):
    """The statuses for a body, sent to a path with and without scrubbing and its friends."""
    found = []
    for play in ({}, {"last_to_wins": True, "untyped_sms": "looked_up", "number_form": "as_sent", "code_type": "text"}):
        usual = scenario.Scenario(clicks=1)
        desk.exotel.desk.play(Fates(scenario.changed(usual, play), 1))
        reply = desk.ask("POST", path, body, headers)
        reply.encoded(keep_alive=True)
        found.append(reply.status)
    return set(found)


@pytest.fixture(scope="module")
def desk():
    made = Desk()
    made.put("templates/1507", body="{#var#}")
    return made


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("action", ["send.json", "bulksend.json", "bulksend"])
def test_no_form_is_answered_with_a_server_error(desk, name, action):
    assert statuses(desk, f"/v1/Accounts/{SID}/Sms/{action}", FORMS[name]) <= {200, 207, 400, 403}


@pytest.mark.parametrize("name", MULTIPARTS)
@pytest.mark.parametrize("action", ["send.json", "bulksend.json"])
def test_no_multipart_body_is_answered_with_a_server_error(desk, name, action):
    content_type, body = MULTIPARTS[name]
    found = statuses(desk, f"/v1/Accounts/{SID}/Sms/{action}", body, **{"content-type": content_type.decode("latin-1")})
    assert found <= {200, 207, 400, 403}


@pytest.mark.parametrize("name", [*JSONS, *FORMS])
def test_no_json_is_answered_with_a_server_error(desk, name):
    body = JSONS.get(name, FORMS.get(name))
    assert statuses(desk, f"/v2/accounts/{SID}/messages", body) <= {202, 400}


@pytest.mark.parametrize("name", FORMS)
def test_no_form_gets_a_system_error_of_geniq(desk, name):
    token = json.loads(desk.ask("POST", f"{PREFIX}/token").body)["token"]
    for action in ("sms", "batch_sms"):
        reply = desk.ask("POST", f"{PREFIX}/{action}", FORMS[name], {"authorization": f"Bearer {token}"})
        assert reply.status < 500


@pytest.mark.parametrize("authorization", AUTHORIZATIONS)
def test_no_credentials_are_a_server_error(desk, authorization):
    for path in (f"/v1/Accounts/{SID}/Sms/send.json", f"/v2/accounts/{SID}/messages", f"{PREFIX}/token", f"{PREFIX}/sms"):
        assert desk.ask("POST", path, b"", {"authorization": authorization}).status in {400, 401}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "HEAD"])
def test_no_address_is_a_server_error(desk, path, method):
    assert desk.ask(method, path, b"").status < 500


@pytest.mark.parametrize("name", [*JSONS, "json"])
@pytest.mark.parametrize("path", ["scenario", "accounts/exodemo2", "templates/1"])
def test_no_control_body_is_a_server_error(desk, name, path):
    body = JSONS.get(name, FORMS.get(name))
    reply = desk.control.handle(Request("PUT", f"/_sim/{path}", "", {}, body, 0.0))
    assert reply.status == 400


def test_what_the_corpus_left_in_the_ledger_can_be_read_and_reported(desk):
    ledger = desk.exotel.desk.ledger
    assert json.dumps(control.message_lines(ledger, 0, 10_000), ensure_ascii=False).encode("utf-8", "replace")
    for row in ledger.page("callback", 0, 10_000):
        for pair in ledger.due([row["id"]]):
            assert notices.notice(*pair, desk.exotel.desk.fates).body
    assert asyncio.run(_page(desk)).status == 200


async def _page(desk):
    return desk.control.handle(Request("GET", "/", "", {}, b"", 0.0))


RAW = {
    "negative length": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nhello",
    "length with a sign": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "length in other digits": "POST /v1/ HTTP/1.1\r\nHost: x\r\nContent-Length: ٥\r\n\r\nhello".encode(),
    "length and chunks": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
    "negative chunk": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n",
    "huge chunk": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx\r\n",
    "no version": b"POST /v1/\r\n\r\n",
    "old version": b"GET / HTTP/0.9\r\n\r\n",
    "nul in the address": b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "nul in a header": b"GET / HTTP/1.1\r\nHost: \x00\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    "http/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "smuggled": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\nGET /_sim/stats HTTP/1.1\r\n\r\n",
    "star": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "expects the unexpected": b"POST /v1/ HTTP/1.1\r\nHost: x\r\nExpect: 200-maybe\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    made = Simulator(tmp_path_factory.mktemp("simulator")).start()
    yield made
    made.stop()


@pytest.mark.parametrize("name", RAW)
def test_no_bytes_end_the_process_or_get_a_server_error(process, name):
    with (
        socket.create_connection(("127.0.0.1", process.port), 5) as raw,
        contextlib.suppress(ConnectionResetError, BrokenPipeError),
    ):
        raw.sendall(RAW[name])
        raw.shutdown(socket.SHUT_WR)
        assert b" 500 " not in raw.recv(200)
    assert requests.get(f"{process.url}/_sim/health", timeout=5).json()["ok"]


def test_the_whole_corpus_over_a_socket_leaves_a_working_simulator(process):
    with requests.Session() as session:
        session.auth = (KEY, TOKEN)
        for body in FORMS.values():
            for action in ("send.json", "bulksend"):
                answer = session.post(f"{process.url}/v1/Accounts/{SID}/Sms/{action}", data=body, timeout=20)
                assert answer.status_code < 500
        for body in JSONS.values():
            assert session.post(f"{process.url}/v2/accounts/{SID}/messages", data=body, timeout=20).status_code < 500
        good = {"From": "ACMEIN", "To": "9812345670", "Body": "x"}
        assert session.post(f"{process.url}/v1/Accounts/{SID}/Sms/send.json", data=good, timeout=5).status_code == 200
    assert process.process.poll() is None
