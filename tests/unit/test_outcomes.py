"""What each answer means, case by case: status, headers and body in, the fate of every message out."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel.codes import every
from campaigns.exotel.errors import NotSent, Unknown
from campaigns.exotel.line import Answer
from campaigns.sending.outcomes import Kind, retry_after
from campaigns.sending.outcomes.sms import classify

A, B, C = "9812345670", "9812345671", "9812345672"
THREE = [A, B, C]
LETTERS = {Kind.ACCEPTED: "a", Kind.REJECTED: "r", Kind.PENDING: "p", Kind.UNCONFIRMED: "u"}


def answer(status, body=b"", headers=None):
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, headers or {}, body, 0.1)


def fates(outcome):
    """One letter for each message: accepted, rejected, pending, unconfirmed."""
    assert [item.index for item in outcome.items] == list(range(len(outcome.items)))
    return "".join(LETTERS[item.state] for item in outcome.items)


def error(status, code=None, message="Some words"):
    fault = {"Status": status, "Message": message} | ({} if code is None else {"Code": code})
    return {"RestException": fault}


def xml_error(status, code):
    inner = f"<Status>{status}</Status><Message>No</Message><Code>{code}</Code>"
    return f'<?xml version="1.0"?><TwilioResponse><RestException>{inner}</RestException></TwilioResponse>'


HTML = "<html><body><h1>Bad gateway</h1></body></html>"
# status, body > kind of the outcome, fates of a batch of three, fate of a batch of one
REFUSALS = [
    # credentials, balance, permission, address: nothing was accepted, the account stops
    (401, "Authentication is required to view this page.", "stop_account", "ppp", "p"),
    (401, error(401, 34010), "stop_account", "ppp", "p"),
    (401, error(401, "34010"), "stop_account", "ppp", "p"),
    (401, error(401), "stop_account", "ppp", "p"),
    (401, xml_error(401, 34010), "stop_account", "ppp", "p"),
    (401, "", "stop_account", "ppp", "p"),
    (402, error(402, 40001), "stop_account", "ppp", "p"),
    (402, "", "stop_account", "ppp", "p"),
    (403, error(403, 34009), "stop_account", "ppp", "p"),
    (403, error(403, 40001), "stop_account", "ppp", "p"),
    (403, error(403, 40002), "stop_account", "ppp", "p"),
    (403, error(403, 340030), "stop_account", "ppp", "p"),
    (403, error(403, 40000), "stop_campaign", "ppp", "p"),
    (403, error(403, 40003), "stop_campaign", "ppp", "p"),
    (403, error(403, 99999), "stop_account", "ppp", "p"),
    (403, HTML, "stop_account", "ppp", "p"),
    (404, "", "stop_account", "ppp", "p"),
    (404, HTML, "stop_account", "ppp", "p"),
    (405, error(405, 40502), "stop_account", "ppp", "p"),
    (405, "", "stop_account", "ppp", "p"),
    (300, "", "stop_account", "ppp", "p"),
    (301, "", "stop_account", "ppp", "p"),
    (302, HTML, "stop_account", "ppp", "p"),
    (304, "", "stop_account", "ppp", "p"),
    (307, "", "stop_account", "ppp", "p"),
    (308, "", "stop_account", "ppp", "p"),
    # 400: of the account, of the campaign, or of one message
    (400, error(400, 34001), "stop_account", "ppp", "p"),
    (400, error(400, 40500), "stop_account", "ppp", "p"),
    (400, error(400, 40201), "stop_campaign", "ppp", "p"),
    (400, error(400, 40204), "stop_campaign", "ppp", "p"),
    (400, error(400, 40205), "stop_campaign", "ppp", "p"),
    (400, error(400, "40206"), "stop_campaign", "ppp", "p"),
    (400, error(400, 40207), "stop_campaign", "ppp", "p"),
    (400, error(400, 40208), "stop_campaign", "ppp", "p"),
    (400, error(400, 40209), "stop_campaign", "ppp", "p"),
    (400, error(400, 40210), "stop_campaign", "ppp", "p"),
    (400, error(400, 40300), "stop_campaign", "ppp", "p"),
    (400, error(400, 40301), "stop_campaign", "ppp", "p"),
    (400, xml_error(400, 40210), "stop_campaign", "ppp", "p"),
    (400, error(400, 40200), "split", "ppp", "r"),
    (400, error(400, 40202), "split", "ppp", "r"),
    (400, error(400, 40203), "split", "ppp", "r"),
    (400, error(400, 40400), "split", "ppp", "r"),
    (400, error(400, 99999), "split", "ppp", "r"),
    (400, error(400), "split", "ppp", "r"),
    (400, error(400, {"a": 1}), "split", "ppp", "r"),
    (400, error(400, "9" * 40), "split", "ppp", "r"),
    (400, "Bad or missing parameters", "split", "ppp", "r"),
    (400, HTML, "split", "ppp", "r"),
    (400, "", "split", "ppp", "r"),
    (400, error(400, 40402), "throttled", "ppp", "p"),
    # throttles
    (429, error(429, 40402), "throttled", "ppp", "p"),
    (429, error(429, 40403), "throttled", "ppp", "p"),
    (429, error(429), "throttled", "ppp", "p"),
    (429, HTML, "throttled", "ppp", "p"),
    (429, "", "throttled", "ppp", "p"),
    (429, error(429, 40404), "stop_account", "ppp", "p"),
    (503, error(503, 40405), "throttled", "ppp", "p"),
    (503, error(503, "35006"), "throttled", "ppp", "p"),
    (503, xml_error(503, 40405), "throttled", "ppp", "p"),
    # anything else may have been accepted
    (503, error(503), "unknown", "uuu", "u"),
    (503, error(503, 40001), "unknown", "uuu", "u"),
    (503, "Service Unavailable", "unknown", "uuu", "u"),
    (503, "40405", "unknown", "uuu", "u"),
    (500, error(500, 35000), "unknown", "uuu", "u"),
    (500, error(500, 40100), "unknown", "uuu", "u"),
    (500, error(500, 40405), "unknown", "uuu", "u"),
    (500, "", "unknown", "uuu", "u"),
    (400, error(400, 40100), "unknown", "uuu", "u"),
    (429, error(429, 35000), "unknown", "uuu", "u"),
    (501, "", "unknown", "uuu", "u"),
    (502, HTML, "unknown", "uuu", "u"),
    (504, HTML, "unknown", "uuu", "u"),
    (520, "", "unknown", "uuu", "u"),
    (408, "", "unknown", "uuu", "u"),
    (409, error(409), "unknown", "uuu", "u"),
    (410, "", "unknown", "uuu", "u"),
    (413, HTML, "unknown", "uuu", "u"),
    (418, "", "unknown", "uuu", "u"),
    (422, error(422), "unknown", "uuu", "u"),
    (499, "", "unknown", "uuu", "u"),
    (101, "", "unknown", "uuu", "u"),
    (103, "", "unknown", "uuu", "u"),
    (999, "", "unknown", "uuu", "u"),
]


@pytest.mark.parametrize(("status", "body", "kind", "three", "one"), REFUSALS)
def test_an_answer_that_is_no_success(status, body, kind, three, one):
    outcome = classify(answer(status, body), THREE)
    assert (outcome.kind, fates(outcome), outcome.http_status) == (kind, three, status)
    alone = classify(answer(status, body), [A])
    assert (alone.kind, fates(alone)) == ("answered" if one == "r" else kind, one)
    assert not outcome.strays and outcome.reason and outcome.reason.rstrip().endswith(".")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (error(400, 40202), "40202"),
        (error(400, "40202"), "40202"),
        (error(400), "400"),
        ("", "400"),
        (error(400, 99999), "99999"),
    ],
)
def test_a_400_to_one_message_rejects_it_with_its_code(body, code):
    [item] = classify(answer(400, body), [A]).items
    assert (item.state, item.code, item.sid) == (Kind.REJECTED, code, "")


def message(number, sid="", status="queued", code=21010, **fields):
    return {
        "SMSMessage": {"Sid": sid or None, "To": number and f"0{number}", "Status": status, "DetailedStatusCode": code}
        | fields
    }


def bad(number, code=23000, **fields):
    return message(number, status="failed", code=code, **fields)


GOOD = [message(A, "s1"), message(B, "s2"), message(C, "s3")]
BROKEN = """[ { "SMSMessage": { "Sid": null, "To": "09812345670", "Status": "failed", "DetailedStatusCode": 23000,
    "DetailedStatus": "FAILED_MISSING_BODY" "SmsUnits": null } },
  { "SMSMessage": { "Sid": "s2", "To": "9812345671", "Status": "queued", "DetailedStatusCode": 21010 } } ]"""
# body of a success > fates of a batch of three, its Sids, number of strays
ANSWERS = {
    "all accepted": (GOOD, "aaa", ["s1", "s2", "s3"], 0),
    "in another order": (GOOD[::-1], "aaa", ["s1", "s2", "s3"], 0),
    "numbers in other forms": (
        [message(A, "s1", To=f"+91{A}"), message(B, "s2", To=B), message(C, "s3", To=int(C))], "aaa", ["s1", "s2", "s3"], 0),
    "one rejected": ([bad(A), *GOOD[1:]], "raa", ["", "s2", "s3"], 0),
    "all rejected": ([bad(A), bad(B), bad(C)], "rrr", ["", "", ""], 0),
    "rejected with another word": ([bad(A), message(B, status="failed-dnd", code=23005), bad(C)], "rrr", ["", "", ""], 0),
    "one missing": (GOOD[:2], "aau", ["s1", "s2", ""], 0),
    "only the last": (GOOD[2:], "uua", ["", "", "s3"], 0),
    "one too many": ([*GOOD, message("9898989898", "s4")], "aaa", ["s1", "s2", "s3"], 1),
    "a wrong number instead": ([message("9898989898", "s1"), *GOOD[1:]], "uaa", ["", "s2", "s3"], 1),
    "a number twice": ([GOOD[0], message(A, "s9"), *GOOD[1:]], "aaa", ["s1", "s2", "s3"], 1),
    "a number twice, first without a Sid": ([bad(A), *GOOD], "aaa", ["s1", "s2", "s3"], 1),
    "a number twice, then without a Sid": ([*GOOD, bad(A)], "aaa", ["s1", "s2", "s3"], 1),
    "a Sid twice": ([GOOD[0], message(B, "s1"), GOOD[2]], "aua", ["s1", "", "s3"], 1),
    "a Sid twice, first for a stranger": ([message("9898989898", "s1"), *GOOD], "uaa", ["", "s2", "s3"], 2),
    "a Sid and failed": ([message(A, "s1", "failed", 23010), *GOOD[1:]], "aaa", ["s1", "s2", "s3"], 0),
    "a Sid and nothing else": ([{"SMSMessage": {"Sid": "s1", "To": A}}, *GOOD[1:]], "aaa", ["s1", "s2", "s3"], 0),
    "a Sid and strange words": ([message(A, "s1", "odd", "x" * 99), *GOOD[1:]], "aaa", ["s1", "s2", "s3"], 0),
    "a number for a Sid among texts": ([message(A, 7), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "numbers for Sids": ([message(A, 7), message(B, 8), message(C, 9)], "aaa", ["7", "8", "9"], 0),
    "a number for a Sid beside none": ([message(A, 7), bad(B), bad(C)], "arr", ["7", "", ""], 0),
    "Sids of digits": ([message(A, "7"), *GOOD[1:]], "aaa", ["7", "s2", "s3"], 0),
    "no Sid but queued": ([message(A), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "no Sid, queued with a failure's code": ([message(A, code=23000), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "no Sid, failed with a success's code": ([bad(A, 20005), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "no Sid, failed with an unknown code": ([bad(A, 99999), *GOOD[1:]], "raa", ["", "s2", "s3"], 0),
    "no Sid, failed without a code": ([bad(A, None), *GOOD[1:]], "raa", ["", "s2", "s3"], 0),
    "no Sid, no status": ([{"SMSMessage": {"Sid": None, "To": A}}, *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "a Sid too long to be one, failed": ([bad(A, Sid="x" * 65), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "a Sid that is a list, failed": ([bad(A, Sid=["s1"]), *GOOD[1:]], "uaa", ["", "s2", "s3"], 0),
    "no number in one item": ([GOOD[0], message(None, "s2"), GOOD[2]], "aaa", ["s1", "s2", "s3"], 0),
    "masked numbers": ([message(A, f"s{i}", To="XXXXX45670") for i in (1, 2, 3)], "aaa", ["s1", "s2", "s3"], 0),
    "no number, and another order": ([GOOD[2], message(None, "s2"), GOOD[0]], "aua", ["s1", "", "s3"], 1),
    "no number, and one missing": ([GOOD[0], message(None, "s2")], "auu", ["s1", "", ""], 1),
    "no number, and one foreign": ([GOOD[0], message(None, "s2"), message("9898989898", "s3")], "auu", ["s1", "", ""], 2),
    "one item unreadable": ([GOOD[0], {"Oops": 1}, GOOD[2]], "aua", ["s1", "", "s3"], 0),
    "one item an error": ([GOOD[0], error(400, 40203), GOOD[2]], "aua", ["s1", "", "s3"], 0),
    "the document's own sample, a comma missing": (BROKEN, "rau", ["", "s2", ""], 0),
    "one object, not a list": (GOOD[1], "uau", ["", "s2", ""], 0),
    "XML": ("<TwilioResponse>" + "".join(f"<SMSMessage><Sid>{s}</Sid><To>0{n}</To><Status>queued</Status></SMSMessage>"
            for s, n in (("s1", A), ("s2", B))) + f"<SMSMessage><Sid/><To>0{C}</To><Status>failed</Status>"
            "<DetailedStatusCode>23000</DetailedStatusCode></SMSMessage></TwilioResponse>", "aar", ["s1", "s2", ""], 0),
}  # fmt: skip


@pytest.mark.parametrize("status", [200, 201, 202, 207])
@pytest.mark.parametrize(("body", "expected", "sids", "strays"), ANSWERS.values(), ids=ANSWERS)
def test_a_success_is_read_message_by_message(status, body, expected, sids, strays):
    outcome = classify(answer(status, body), THREE)
    assert (outcome.kind, fates(outcome)) == ("answered", expected)
    assert [item.sid for item in outcome.items] == sids
    assert len(outcome.strays) == strays


# Successes that settle nothing are no better than no answer: body > number of strays
EMPTY = {
    "nothing": ("", 0),
    "spaces": ("  ", 0),
    "an empty list": ("[]", 0),
    "null": ("null", 0),
    "HTML": (HTML, 0),
    "text": ("No matching results", 0),
    "an error with a success's status": (error(401, 34010), 0),
    "cut short": (json.dumps(GOOD)[:-1], 0),
    "commas missing without end": (BROKEN.replace("[ {", "[ " + '{"a": 1 "b": 2}, ' * 101 + "{"), 0),
    "a missing bracket": (BROKEN.replace("} },", "},"), 0),
    "not UTF-8": (json.dumps(GOOD).encode("utf-16"), 0),
    "nested without end": (b"[" * 100_000, 0),
    "only strangers": ([message("9898989898", "s1")], 1),
    "only doubts": ([message(A), message(B), message(C)], 0),
    "only fields we do not know": ([{"SMSMessage": {"Foo": 1}}], 1),
    "a wrapper of another API": ({"SMSMessages": [GOOD[0]["SMSMessage"]]}, 0),
}


@pytest.mark.parametrize("status", [200, 204, 207])
@pytest.mark.parametrize(("body", "strays"), EMPTY.values(), ids=EMPTY)
def test_a_success_that_settles_nothing_is_unknown(status, body, strays):
    outcome = classify(answer(status, body), THREE)
    assert (outcome.kind, fates(outcome), len(outcome.strays)) == ("unknown", "uuu", strays)
    assert "status reports" in outcome.reason


@pytest.mark.parametrize(
    ("body", "one"), [(GOOD[0], "a"), (message(None, "s1"), "a"), (bad(None), "r"), (message(B, "s1"), "u"), ([], "u")]
)
def test_a_batch_of_one_matches_the_only_item_unless_it_names_another_number(body, one):
    assert fates(classify(answer(200, body), [A])) == one


def test_an_accepted_message_carries_what_the_answer_said_of_it():
    report = classify(answer(200, GOOD), THREE).items[0].report
    assert (report.source, report.sid, report.state, report.number10) == ("answer", "s1", "queued", A)


def test_a_rejected_message_carries_the_code_of_its_item():
    items = classify(answer(207, [bad(A, "23010"), bad(B, None), GOOD[2]]), THREE).items
    assert [item.code for item in items] == ["23010", "failed", "21010"]


@pytest.mark.parametrize(
    ("raised", "kind", "expected"), [(NotSent("Refused."), "not_sent", "ppp"), (Unknown("Timed out."), "unknown", "uuu")]
)
def test_no_answer_is_pending_only_when_nothing_was_written(raised, kind, expected):
    outcome = classify(raised, THREE)
    assert (outcome.kind, fates(outcome), outcome.reason) == (kind, expected, raised.reason)
    assert (outcome.http_status, outcome.retry_after) == (None, None)


# What the operator reads


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, error(401, 34010), "API key and token"),
        (402, "", "Recharge"),
        (403, error(403, 40001), "Recharge"),
        (301, "", "leads on to another one"),
        (400, error(400, 40210), "header"),
        (400, error(400, 99999), "code 99999"),
        (504, HTML, "HTTP 504"),
        (500, "", "may have been accepted"),
    ],
)
def test_the_reason_says_what_happened_and_what_to_do(status, body, words):
    assert words in classify(answer(status, body), THREE).reason


def test_words_of_the_answer_are_not_repeated_to_the_operator():
    hostile = error(403, 40001, "<script>alert(1)</script> key=canary")
    reason = classify(answer(403, hostile), THREE).reason
    assert "script" not in reason and "canary" not in reason


@pytest.mark.parametrize("code", [row.code for row in every("exotel", "sms", "request")])
def test_every_code_of_the_table_leads_where_its_row_says(code):
    effect = next(row for row in every("exotel", "sms", "request") if row.code == code).effect
    expected = {"throttle": "throttled"}.get(effect, effect)
    assert classify(answer(400, error(400, int(code))), THREE).kind == expected


# Retry-After

NOW = datetime(2026, 1, 5, 6, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", None), ("soon", None), ("-5", None), ("5 s", None), ("1e3", None), ("inf", None), ("nan", None), ("²", None),
        ("0x10", None), ("5, 10", None), ("٣", 3), ("0", 1), ("0.2", 1), ("1", 1), ("7", 7), (" 7 ", 7), ("2.5", 2.5), ("900", 900),
        ("901", 900), ("315360000", 900), ("9" * 400, 900),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 1),
        (format_datetime(NOW + timedelta(days=3650), usegmt=True), 900),
        ("Mon, 05 Jan 2026 11:31:00 +0530", 60), ("Mon, 05 Jan 2026 06:01:00", None), ("Mon, 99 Jan 2026 06:01:00 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_read_as_seconds_or_date_and_clamped(value, seconds):
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "code", "wait"),
    [(429, 40402, 7.0), (503, 40405, 7.0), (503, None, None), (401, 34010, None), (500, None, None)],
)
def test_only_a_throttle_names_a_wait(status, code, wait):
    assert classify(answer(status, error(status, code), {"retry-after": "7"}), THREE).retry_after == wait


def test_a_throttle_without_a_usable_header_names_no_wait():
    assert classify(answer(429, "", {"retry-after": "tomorrow"}), THREE).retry_after is None


# Whatever comes


@given(st.data())
def test_items_in_any_order_with_any_missing_settle_the_same_messages(data):
    """Each message's fate depends on its own item alone: accepted or rejected when it is there, unconfirmed when not."""
    size = data.draw(st.integers(1, 12))
    numbers = [f"98123456{i:02d}" for i in range(size)]
    fate = data.draw(st.lists(st.sampled_from("aru"), min_size=size, max_size=size))
    shown = {"a": lambda i: message(numbers[i], f"s{i}"), "r": lambda i: bad(numbers[i])}
    entries = [shown[fate[i]](i) for i in range(size) if fate[i] != "u"]
    foreign = [message(f"97{i:08d}", f"x{i}") for i in range(data.draw(st.integers(0, 3)))]
    shuffled = data.draw(st.permutations(entries + foreign))
    outcome = classify(answer(207, shuffled), numbers)
    assert fates(outcome) == "".join(fate)
    assert [item.sid for item in outcome.items] == [f"s{i}" if fate[i] == "a" else "" for i in range(size)]
    assert len(outcome.strays) == len(foreign)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=12)
    | st.sampled_from(["s1", f"0{A}", "failed", "queued", 23000]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["SMSMessage", "RestException", "Sid", "To", "Status", "DetailedStatusCode", "Code"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
HEADERS = st.dictionaries(st.just("retry-after"), st.text(max_size=12) | st.integers().map(str))


@given(st.integers(100, 599), HEADERS, JSON | st.binary(max_size=60), st.integers(1, 3))
def test_any_answer_has_an_outcome_and_every_message_a_fate(status, headers, value, size):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    outcome = classify(answer(status, body, headers), THREE[:size])
    assert len(fates(outcome)) == size
    sids = [item.sid for item in outcome.items if item.sid]
    assert len(sids) == len(set(sids))
    assert all(bool(item.sid) == (item.state == Kind.ACCEPTED) for item in outcome.items)
    assert outcome.retry_after is None or 1 <= outcome.retry_after <= 900
    if outcome.kind not in {"answered", "unknown"}:
        assert set(fates(outcome)) == {"p"}, "nothing is accepted, and nothing in doubt, when nothing was sent"


def test_the_table_is_as_long_as_it_is_meant_to_be():
    kinds = {row[2] for row in REFUSALS} | {"answered", "not_sent"}
    assert kinds == {"answered", "not_sent", "throttled", "stop_account", "stop_campaign", "split", "unknown"}
    assert len(REFUSALS) + len(ANSWERS) + len(EMPTY) >= 80
