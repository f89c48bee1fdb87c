"""The simulator over real HTTP: shapes of answers, documented errors, faults, and what no request may do to it."""

import contextlib
import json
import socket
from xml.etree import ElementTree

import pytest
import requests

from tests.simulated import KEY, SID, TOKEN, Simulator

GOOD = {"To": "+919812345670", "Body": "Order 42 shipped"}
SEED_ORDER = [
    "Sid", "AccountSid", "From", "To", "DateCreated", "DateUpdated", "DateSent", "Body", "Direction", "Uri", "ApiVersion",
    "Price", "Status", "DetailedStatusCode", "DetailedStatus", "SmsUnits",
]  # fmt: skip


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    made = Simulator(tmp_path_factory.mktemp("simulator")).start()
    yield made
    made.stop()


@pytest.fixture
def simulator(process):
    """The module's simulator with the usual scenario and accounts as each test expects them."""
    answer = requests.put(f"{process.url}/_sim/scenario", json={"base": "all-delivered"}, timeout=5)
    assert answer.ok
    others = {
        "other1": {},
        "poor1": {"balance": 1},
        "idle1": {"active": False},
        "trial1": {"trial": True},
        "slow1": {"rate_per_minute": 2, "get_rate_per_minute": 1},
    }
    for sid, settings in others.items():
        credentials = {"key": f"{sid}key", "token": f"{sid}token"}
        assert requests.put(f"{process.url}/_sim/accounts/{sid}", json=credentials | settings, timeout=5).ok
    return process


def post(simulator, fields, path="Sms/send.json", sid=SID, auth=(KEY, TOKEN)):
    return requests.post(f"{simulator.url}/v1/Accounts/{sid}/{path}", data=fields, auth=auth, timeout=10)


def get(simulator, path, auth=(KEY, TOKEN)):
    return requests.get(f"{simulator.url}/v1/Accounts/{SID}/{path}", auth=auth, timeout=10)


def bulk(*items, **outer):
    fields = {"From": "ACMEIN"} | outer
    return fields | {f"Messages[{i}][{name}]": value for i, item in enumerate(items) for name, value in item.items()}


def send(**changes):
    return {"From": "ACMEIN", **GOOD, **changes}


def test_bulksend_answers_an_array_in_the_documented_shape(simulator):
    answer = post(simulator, bulk(GOOD, {"To": "9812345671", "Body": "Two"}), "Sms/bulksend.json")
    first, second = (item["SMSMessage"] for item in answer.json())
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert list(first) == SEED_ORDER
    assert (first["To"], second["To"]) == ("09812345670", "09812345671")
    assert first["Sid"] != second["Sid"] and len(first["Sid"]) == 32 and int(first["Sid"], 16)
    assert first["Uri"] == f"/v1/Accounts/{SID}/SMS/Messages/{first['Sid']}.json"
    assert (first["Status"], first["DetailedStatusCode"], first["DetailedStatus"]) == (
        "queued",
        21010,
        "PENDING_TO_OPERATOR",
    )
    assert first["From"] == "08047112233/ACMEIN"
    assert [first[name] for name in ("DateSent", "ApiVersion", "Price", "SmsUnits")] == [None] * 4


def test_without_the_suffix_the_same_is_xml(simulator):
    answer = post(simulator, bulk(GOOD, {"To": "9812345671", "Body": "a < b & c \x07"}), "Sms/bulksend")
    root = ElementTree.fromstring(answer.content)
    messages = root.findall("SMSMessage")
    assert (root.tag, len(messages)) == ("TwilioResponse", 2)
    assert [field.tag for field in messages[0]] == [*SEED_ORDER[:-1], "SMSUnits"]
    assert messages[1].findtext("Body") == "a < b & c "
    assert not messages[0].findtext("Uri").endswith(".json")
    assert b"<DateSent/>" in answer.content


def test_a_mixed_request_is_answered_207_and_only_the_good_items_are_accepted(simulator):
    before = simulator.stats()["messages"]
    items = [{"To": "9812345670", "Body": ""}, GOOD, {"To": "12345", "Body": "x"}]
    answer = post(simulator, bulk(*items), "Sms/bulksend.json")
    missing, good, invalid = (item["SMSMessage"] for item in answer.json())
    assert answer.status_code == 207
    filled = {name: value for name, value in missing.items() if value is not None}
    assert list(missing) == SEED_ORDER
    assert filled == {
        "AccountSid": SID, "To": "09812345670", "Body": "", "Status": "failed", "DetailedStatusCode": 23000,
        "DetailedStatus": "FAILED_MISSING_BODY",
    }  # fmt: skip
    assert (invalid["To"], invalid["DetailedStatusCode"]) == ("12345", 23010)
    assert good["Status"] == "queued"
    assert simulator.stats()["messages"] == before + 1


def test_a_mixed_request_in_xml_has_empty_elements_for_null_and_text_for_empty(simulator):
    answer = post(simulator, bulk({"To": "9812345670", "Body": ""}, GOOD), "Sms/bulksend")
    assert answer.status_code == 207
    assert b"<Sid/>" in answer.content and b"<Body></Body>" in answer.content and b"<SmsUnits/>" in answer.content


def test_send_to_one_number_answers_one_object_and_to_a_list_an_array(simulator):
    assert list(post(simulator, send()).json()) == ["SMSMessage"]
    listed = {"From": "ACMEIN", "Body": "x", "To[0]": "9812345670", "To[1]": "9812345671"}
    assert [item["SMSMessage"]["To"] for item in post(simulator, listed).json()] == ["09812345670", "09812345671"]
    repeated = [("From", "ACMEIN"), ("Body", "x"), ("To", "9812345670"), ("To", "9812345671")]
    assert len(post(simulator, repeated).json()) == 2
    simulator.scenario(last_to_wins=True)
    assert post(simulator, repeated).json()["SMSMessage"]["To"] == "09812345671"


def test_to_may_be_a_list_in_every_known_spelling(simulator):
    numbers = ["9812345670", "9812345671"]
    for spelling in ("To[]", "To[0] To[1]", "To[5] To[2]", "To"):
        names = spelling.split() * (1 if " " in spelling else 2)
        fields = [("From", "ACMEIN"), ("Body", "x"), *zip(names, numbers, strict=True)]
        assert [item["SMSMessage"]["To"] for item in post(simulator, fields).json()] == [f"0{ten}" for ten in numbers]
    one = post(simulator, {"From": "ACMEIN", "Body": "x", "To[]": "9812345670"}).json()
    assert isinstance(one, list), "a list of one is still a list"


def test_a_form_may_be_multipart(simulator):
    before = simulator.stats()["messages"]
    fields = {name: (None, value) for name, value in bulk(GOOD, {"To": "9812345671", "Body": "नमस्ते\r\n& = %41"}).items()}
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/bulksend.json"
    answer = requests.post(url, files=fields, auth=(KEY, TOKEN), timeout=5)
    assert [item["SMSMessage"]["Body"] for item in answer.json()] == [GOOD["Body"], "नमस्ते\r\n& = %41"]
    assert simulator.stats()["messages"] == before + 2


def test_a_form_may_be_in_the_address(simulator):
    for action, fields in (("send", send()), ("bulksend", bulk(GOOD))):
        url = f"{simulator.url}/v1/Accounts/{SID}/Sms/{action}.json"
        assert requests.post(url, params=fields, auth=(KEY, TOKEN), timeout=5).status_code == 200


def test_path_words_may_be_in_any_case(simulator):
    for path in ("SMS/Send.JSON", "sms/SEND", "Sms/bulkSend.json"):
        fields = bulk(GOOD) if "bulk" in path else send()
        answer = requests.post(f"{simulator.url}/V1/accounts/{SID}/{path}", data=fields, auth=(KEY, TOKEN), timeout=10)
        assert answer.status_code == 200


def test_details_say_where_a_message_is_with_its_code_as_text(simulator):
    simulator.scenario(delay=[600, 600])
    waiting = post(simulator, send()).json()["SMSMessage"]["Sid"]
    simulator.scenario(delay=[0, 0], numbers={"9812345679": "23005"})
    failed = post(simulator, send(To="9812345679")).json()["SMSMessage"]["Sid"]
    first = get(simulator, f"SMS/Messages/{waiting}.json").json()["SMSMessage"]
    assert list(first) == SEED_ORDER
    assert (first["Status"], first["DetailedStatusCode"], first["SmsUnits"]) == ("queued", "21010", 1)
    assert first["DateSent"] == "1970-01-01 05:30:00"
    second = get(simulator, f"Sms/Messages/{failed}.json").json()["SMSMessage"]
    assert (second["Status"], second["DetailedStatusCode"], second["DetailedStatus"]) == (
        "failed-dnd", "23005", "FAILED_REJECTED_DND",
    )  # fmt: skip
    root = ElementTree.fromstring(get(simulator, f"SMS/Messages/{failed}").content)
    assert root.findtext("SMSMessage/DetailedStatusCode") == "23005"


@pytest.mark.parametrize("sid", ["nope", "0" * 32, "f" * 32, "g" * 32, "0" * 20 + "f" * 40])
def test_details_of_an_unknown_message_are_200_and_a_text(simulator, sid):
    answer = get(simulator, f"SMS/Messages/{sid}.json")
    assert (answer.status_code, answer.text) == (200, "No matching results")


def test_details_of_another_accounts_message_are_not_shown(simulator):
    sid = post(simulator, send(), sid="other1", auth=("other1key", "other1token")).json()["SMSMessage"]["Sid"]
    assert get(simulator, f"SMS/Messages/{sid}.json").text == "No matching results"


def test_head_is_answered_as_get_without_a_body(simulator):
    simulator.scenario(delay=[600, 600])
    sid = post(simulator, send()).json()["SMSMessage"]["Sid"]
    session = requests.Session()
    for path in (f"SMS/Messages/{sid}.json", "Sms/inbox.json"):
        url, auth = f"{simulator.url}/v1/Accounts/{SID}/{path}", (KEY, TOKEN)
        head, whole = session.head(url, auth=auth, timeout=5), session.get(url, auth=auth, timeout=5)
        assert (head.status_code, head.content) == (whole.status_code, b"")
        same = ("Content-Type", "Content-Length")
        assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]


REQUEST_ERRORS = {
    40200: [("send", send(Body=""), 400, "Message body cannot be empty.")],
    40201: [
        ("bulksend", {"From": "ACMEIN"}, 400, "Invalid parameters: Messages is a mandatory field"),
        ("bulksend", bulk({"To": "9812345670", "Body": ""}, {"To": "9812345671"}), 400, "Messages is a mandatory"),
        ("bulksend", {"From": "ACMEIN", "Message[0][To]": "9812345670", "Message[0][Body]": "x"}, 400, "Messages is a mandatory"),
    ],
    40202: [
        ("send", {"From": "ACMEIN", "To": "9812345670", "Body[0]": "x"}, 400, "Message body is invalid."),
        ("bulksend", {"From": "ACMEIN", "Messages[0][Body][a]": "x"}, 400, "Message body is invalid."),
    ],
    40203: [("send", send(To="12345"), 400, "All the destination numbers are invalid: 12345")],
    40003: [("send", send(To="+14155550123"), 403, "Your account is not configured to send SMSes to this country.")],
    40204: [("send", send(SmsType="urgent"), 400, "Invalid parameters: SmsType is not set correctly")],
    40205: [("send", send(From=""), 400, "Empty From field in the request")],
    40206: [("send", send(SmsType="promotional"), 400, "Invalid parameters: From format is not matching with the SmsType")],
    40207: [("send", {**GOOD, "From[0]": "ACMEIN"}, 400, "Array passed as Value in params. Expecting String")],
    40208: [("bulksend", {"From": "ACMEIN", "Messages": "x"}, 400, "Invalid parameters: Messages has to be an array")],
    40209: [("send", send(EncodingType="ebcdic"), 400, "Please check the encoding type again before sending the request for Msg=[Order 42 shipped]")],
    40210: [("send", GOOD, 400, "Invalid parameters: From is a mandatory field")],
    40400: [("bulksend", bulk(*[GOOD] * 101), 400, "Not more than 100 SMSs are allowed in one API request.")],
    40406: [("send", send() | {f"To[{i}]": "9812345670" for i in range(101)}, 400, "Not more than 100 SMSs are allowed in one API request.")],
    40500: [("", {}, 400, "Invalid Parameters")],
    40502: [("sendsoon", send(), 405, "This method is not supported")],
}  # fmt: skip


@pytest.mark.parametrize(("code", "case"), [(code, case) for code, cases in REQUEST_ERRORS.items() for case in cases])
def test_a_wrong_request_gets_the_documented_error_in_both_formats_and_nothing_is_accepted(simulator, code, case):
    action, fields, status, words = case
    before = simulator.stats()["messages"]
    answer = post(simulator, fields, f"Sms/{action}".rstrip("/") + ".json")
    fault = answer.json()["RestException"]
    assert (answer.status_code, fault["Status"], fault["Code"]) == (status, status, code)
    assert words in fault["Message"]
    root = ElementTree.fromstring(post(simulator, fields, f"Sms/{action}").content)
    assert (root.findtext("RestException/Status"), root.findtext("RestException/Code")) == (str(status), str(code))
    assert simulator.stats()["messages"] == before


def test_bulksend_may_leave_out_from_unless_the_scenario_requires_it(simulator):
    first, second = {**GOOD, "From": "ACMEIN"}, {"To": "9812345671", "Body": "Two"}
    fields = {name: value for name, value in bulk(first, second).items() if name != "From"}
    shown = [item["SMSMessage"]["From"] for item in post(simulator, fields, "Sms/bulksend.json").json()]
    assert shown == ["08047112233/ACMEIN", "08047112233/EXODMO"], "without one, the account's own header"
    simulator.scenario(require_from=True)
    refused = post(simulator, fields, "Sms/bulksend.json")
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (400, 40210)


@pytest.mark.parametrize(
    ("path", "auth", "status", "code"),
    [
        (f"/v1/Accounts/{SID}/Sms/send.json", (KEY, "wrong"), 401, 34010),
        (f"/v1/Accounts/{SID}/Sms/send.json", (KEY, "demo-token"), 400, 34001),
        ("/v1/Accounts/other1/Sms/send.json", (KEY, TOKEN), 403, 34009),
        ("/v1/Accounts/nobody/Sms/send.json", (KEY, TOKEN), 403, 34009),
        ("/v1/Accounts/.json", (KEY, TOKEN), 403, 34009),
        (f"/v1/Accounts/{SID}/Faxes.json", (KEY, TOKEN), 403, 34009),
        ("/v1/Accounts/idle1/Sms/send.json", ("idle1key", "idle1token"), 403, 40002),
        (f"/v9/Accounts/{SID}/Sms/send.json", (KEY, TOKEN), 400, None),
        (f"/v1/Customers/{SID}/Sms/send.json", (KEY, TOKEN), 400, None),
    ],
)
def test_who_may_not_send_is_told_why(simulator, path, auth, status, code):
    answer = requests.post(simulator.url + path, data=send(), auth=auth, timeout=10)
    assert (answer.status_code, answer.json()["RestException"].get("Code")) == (status, code)


@pytest.mark.parametrize("suffix", ["", ".json"])
@pytest.mark.parametrize("auth", [None, (KEY, ""), ("", TOKEN), ("", "")], ids=["none", "no token", "no key", "neither"])
def test_missing_credentials_are_answered_in_plain_text(simulator, suffix, auth):
    answer = requests.post(f"{simulator.url}/v1/Accounts/{SID}/Sms/send{suffix}", data=send(), auth=auth, timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert (answer.status_code, answer.text) == (401, "Authentication is required to view this page.")


def test_an_unknown_get_below_sms_is_40501_and_sms_alone_40500(simulator):
    assert get(simulator, "Sms/inbox.json").json()["RestException"]["Code"] == 40501
    assert get(simulator, "Sms/send.json").json()["RestException"]["Code"] == 40501
    assert get(simulator, "Sms.json").json()["RestException"]["Code"] == 40500


def test_the_balance_is_counted_in_messages_and_an_empty_one_refuses(simulator):
    poor = {"sid": "poor1", "auth": ("poor1key", "poor1token")}
    refused = post(simulator, bulk(GOOD, GOOD), "Sms/bulksend.json", **poor)
    assert (refused.status_code, refused.json()["RestException"]["Code"]) == (403, 40001)
    assert "to send 2 sms" in refused.json()["RestException"]["Message"]
    assert post(simulator, send(), **poor).status_code == 200
    assert post(simulator, send(), **poor).status_code == 403


def test_a_trial_account_sends_ten_and_nothing_promotional(simulator):
    trial = {"sid": "trial1", "auth": ("trial1key", "trial1token")}
    promotional = post(simulator, send(From="612345", SmsType="promotional"), **trial)
    assert (promotional.status_code, promotional.json()["RestException"]["Code"]) == (403, 40000)
    assert post(simulator, bulk(*[GOOD] * 10), "Sms/bulksend.json", **trial).status_code == 200
    eleventh = post(simulator, send(), **trial)
    assert (eleventh.status_code, eleventh.json()["RestException"]["Code"]) == (429, 40404)


def test_a_full_minute_is_answered_429_for_posts_and_for_gets(simulator):
    auth = ("slow1key", "slow1token")
    codes = [post(simulator, send(), sid="slow1", auth=auth).status_code for _ in range(3)]
    third = post(simulator, send(), sid="slow1", auth=auth)
    assert codes == [200, 200, 429]
    assert third.json()["RestException"] == {"Status": 429, "Message": "Too many POST requests.", "Code": 40402}
    url = f"{simulator.url}/v1/Accounts/slow1/SMS/Messages/x.json"
    assert requests.get(url, auth=auth, timeout=5).status_code == 200
    assert requests.get(url, auth=auth, timeout=5).json()["RestException"]["Code"] == 40403
    assert simulator.stats()["accounts"]["slow1"]["max_requests_in_60s"] == 4, "throttled ones are counted"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "throttle", "retry_after": 7}, 429, 40402),
        ({"kind": "throttle503"}, 503, 40405),
        ({"kind": "error503_35006"}, 503, 35006),
        ({"kind": "error500"}, 500, 35000),
        ({"kind": "wrong_credentials"}, 401, 34010),
        ({"kind": "no_balance"}, 403, 40001),
        ({"kind": "error", "code": 40300}, 400, 40300),
        ({"kind": "error", "code": 340030}, 403, 340030),
        ({"kind": "error", "code": 40100}, 500, 40100),
    ],
)
def test_a_refusing_fault_answers_as_documented_and_accepts_nothing(simulator, fault, status, code):
    simulator.scenario(faults=[{"share": 1, **fault}])
    before = simulator.stats()["messages"]
    answer = post(simulator, send())
    assert (answer.status_code, answer.json()["RestException"]["Code"]) == (status, code)
    assert answer.headers.get("Retry-After") == (str(fault["retry_after"]) if "retry_after" in fault else None)
    assert simulator.stats()["messages"] == before


@pytest.mark.parametrize(
    ("fault", "accepted"),
    [
        ({"kind": "hang_before", "seconds": 0.2}, 0),
        ({"kind": "hang_after", "seconds": 0.2}, 2),
        ({"kind": "reset_before"}, 0),
        ({"kind": "reset_after"}, 2),
        ({"kind": "reset_after", "leaves": 200}, 2),
    ],
)
def test_a_silent_fault_breaks_the_connection_and_the_ledger_knows_what_was_accepted(simulator, fault, accepted):
    simulator.scenario(faults=[{"share": 1, **fault}])
    before = simulator.stats()["messages"]
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        post(simulator, bulk(GOOD, GOOD), "Sms/bulksend.json")
    assert simulator.stats()["messages"] == before + accepted
    last = simulator.requests()[-1]
    assert (last["http_status"], last["fault"], last["messages"]) == (0, fault["kind"], accepted)


@pytest.mark.parametrize("kind", ["short_answer", "reordered", "bad_json", "html", "error503"])
def test_a_spoilt_answer_follows_a_true_acceptance(simulator, kind):
    simulator.scenario(faults=[{"kind": kind, "share": 1}])
    before = simulator.stats()["messages"]
    answer = post(simulator, bulk(GOOD, {"To": "9812345671", "Body": "x"}), "Sms/bulksend.json")
    assert simulator.stats()["messages"] == before + 2
    if kind in {"bad_json", "html", "error503"}:
        assert answer.status_code == (503 if kind == "error503" else 200)
        with pytest.raises(ValueError):
            answer.json()
    else:
        numbers = ["09812345670"] if kind == "short_answer" else ["09812345671", "09812345670"]
        assert [item["SMSMessage"]["To"] for item in answer.json()] == numbers


MALFORMED = {
    "not http": b"hello\r\n\r\n",
    "bad length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "endless head": b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000,
    "binary": bytes(range(256)),
    "huge length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
    "odd address": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_http_ends_its_connection_and_nothing_else(simulator, name):
    with socket.create_connection(("127.0.0.1", simulator.port), 5) as raw:
        raw.sendall(MALFORMED[name])
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionResetError):  # an endless head is cut off while we are still sending
            assert b" 200 " not in raw.recv(200)
    assert post(simulator, send()).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"", b"&&&", b"====", b"%", b"%zz=%zz&Messages[0][To]=%ff", b"\xff\xfe\x00", b"Messages[[[]]]=1", b"Messages[0]=x",
        b"Messages[0][To][1][2]=x", b'{"Messages": []}', b"From=A&Messages[0][To]=9812345670&Messages[0][Body]=%00%ed%a0%80",
        b"From=A&Messages[-1][To]=" + b"9" * 5000 + b"&Messages[-1][Body]=x", b"a" * 1_000_000,
    ],
)  # fmt: skip
def test_a_malformed_form_gets_an_answer_and_the_simulator_goes_on(simulator, body):
    for action in ("send", "bulksend"):
        answer = post(simulator, body, f"Sms/{action}.json")
        assert answer.status_code in {200, 207, 400}
        assert answer.json()
    assert all(json.dumps(entry) for entry in simulator.ledger())


def test_a_body_beyond_the_limit_is_refused(simulator):
    with socket.create_connection(("127.0.0.1", simulator.port), 5) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it hangs up while we are still sending
            for _ in range(20):
                raw.sendall(b"x" * 1_000_000)
            assert raw.recv(100).startswith(b"HTTP/1.1 413")
    assert requests.get(f"{simulator.url}/_sim/health", timeout=5).json()["ok"]


def test_requests_sent_in_one_breath_are_answered_in_order(simulator):
    with socket.create_connection(("127.0.0.1", simulator.port), 5) as raw:
        raw.sendall(b"GET /_sim/health HTTP/1.1\r\nHost: x\r\n\r\n" + b"GET /_sim/nothing HTTP/1.0\r\n\r\n")
        answers = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answers.index(b" 200 ") < answers.index(b" 404 ")


def test_an_offer_of_another_protocol_is_refused_with_a_sentence(simulator):
    before = simulator.stats()["messages"]
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQ"}
    url = f"{simulator.url}/v1/Accounts/{SID}/Sms/send.json"
    answer = requests.post(url, data=send(), auth=(KEY, TOKEN), headers=offer, timeout=5)
    assert (answer.status_code, "HTTP/1.1" in answer.text) == (400, True)
    assert simulator.stats()["messages"] == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "scenario", b"not json", 400),
        ("POST", "scenario", b"[]", 400),
        ("POST", "scenario", b'{"weather": 1}', 400),
        ("POST", "scenario", b'{"base": "sunny"}', 400),
        ("PUT", "accounts/new1", b'{"key": "k"}', 400),
        ("PUT", "accounts/exodemo1", b'{"rate_per_minute": "many"}', 400),
        ("PUT", "accounts/exodemo1", b'{"rate_per_minute": -1}', 400),
        ("PUT", "accounts/", b'{"key": "k", "token": "t"}', 400),
        ("PUT", "templates/1", b"{}", 400),
        ("GET", "ledger.ndjson?after=x", b"", 400),
        ("DELETE", "ledger.ndjson", b"", 405),
        ("GET", "nothing", b"", 404),
    ],
)
def test_wrong_control_gets_a_sentence(simulator, method, path, body, status):
    answer = requests.request(method, f"{simulator.url}/_sim/{path}", data=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"].endswith(".")


def test_the_page_for_people_shows_totals_and_escapes_texts(simulator):
    post(simulator, send(Body="<script>alert(1)</script>"))
    answer = requests.get(simulator.url, timeout=5)
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "&lt;script&gt;" in answer.text and "<script>" not in answer.text
    assert "Totals" in answer.text


def test_tokens_are_not_shown(simulator):
    assert TOKEN not in requests.get(f"{simulator.url}/_sim/accounts", timeout=5).text
