"""A callback's bytes as fields: any bytes, bounded, the same from every content type."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks import parsing
from callbacks.parsing import fields

REPORT = {
    "SmsSid": "6dfb61b0d3dcdb3ba87ea6b4ae0b1bef", "To": "09800000001", "Status": "sent",
    "DetailedStatus": "DELIVERED_TO_HANDSET", "DetailedStatusCode": "20005", "DateSent": "2026-11-21 10:00:00",
    "SmsUnits": "1", "CustomField": "अ & ब = 100%",
}  # fmt: skip


def multipart(values, boundary="----x9", newline="\r\n"):
    parts = [f'--{boundary}{newline}Content-Disposition: form-data; name="{name}"{newline}{newline}{value}{newline}'
             for name, value in values.items()]  # fmt: skip
    return ("".join(parts) + f"--{boundary}--{newline}").encode()


@pytest.mark.parametrize(
    "raw",
    [
        urlencode(REPORT).encode(),
        ("\r\n " + urlencode(REPORT) + "\r\n").encode(),
        json.dumps(REPORT).encode(),
        json.dumps(REPORT, ensure_ascii=False).encode(),
        json.dumps(REPORT, indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps(REPORT).encode(),
        json.dumps([REPORT]).encode(),
        json.dumps({"SMSMessage": REPORT}).encode(),
        json.dumps([{"SMSMessage": REPORT}, {"SMSMessage": {"Status": "failed"}}]).encode(),
        multipart(REPORT),
        multipart(REPORT, newline="\n"),
    ],
)
def test_a_report_reads_the_same_however_it_is_written(raw):
    assert fields(raw) == REPORT


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        # Numbers stay as they were written.
        (b'{"DetailedStatusCode": 20005, "SmsUnits": 2}', {"DetailedStatusCode": "20005", "SmsUnits": "2"}),
        (b'{"a": 20005.0, "b": 1e9, "c": NaN, "d": -Infinity}', {"a": "20005.0", "b": "1e9", "c": "NaN", "d": "-Infinity"}),
        (b'{"Code": ' + b"9" * 40 + b"}", {"Code": "9" * 40}),
        (b'{"Code": ' + b"9" * 8_000 + b"}", {"Code": "9" * 512}),
        # What is no scalar is left out.
        (b'{"a": null, "b": true, "c": [1], "d": {"e": 1}, "f": "x"}', {"f": "x"}),
        # Of a repeated field the first value.
        (b"Status=sent&Status=failed", {"Status": "sent"}),
        (b'{"Status": "sent", "Status": "failed"}', {"Status": "sent"}),
        (b'{"SMSMessage": {"Status": "sent"}, "SMSMessage": {"Status": "failed"}}', {"Status": "sent"}),
        # NUL, halves of characters and bytes that are not UTF-8.
        (b"Sta\x00tus=se\x00nt", {"Status": "sent"}),
        (b"Status=se%00nt", {"Status": "sent"}),
        (b'{"Sta\x00tus": "sent"}', {"Status": "sent"}),
        (b'{"Status": "se\\u0000nt"}', {"Status": "sent"}),
        (b'{"Status": "se\\ud800nt"}', {"Status": "se?nt"}),
        (b'{"Status": "\\ud83d\\ude00"}', {"Status": "\U0001f600"}),
        (b"Status=%ff%fe", {"Status": "\ufffd\ufffd"}),
        (b"Status=\xff", {"Status": "\ufffd"}),
        (b"Status=\xed\xa0\x80", {"Status": "\ufffd\ufffd\ufffd"}),
        # Percent encoding that is none.
        (b"Status=%zz%", {"Status": "%zz%"}),
        (b"Status=100%25+sure", {"Status": "100% sure"}),
        (b"a=b=c&d", {"a": "b=c", "d": ""}),
        (b"&&Status=sent&", {"Status": "sent"}),
        # Nothing that could be a report.
        (b"", {}),
        (b"&&&", {}),
        (b"{", {}),
        (b"[", {}),
        (b"[]", {}),
        (b"{}", {}),
        (b"[[1]]", {}),
        (b"[null]", {}),
        (b"{'Status': 'sent'}", {}),
        (b'{"Status": "sent"} trailing', {}),
        (b"[" * 8_000, {}),
        (b'{"a":' * 3_000, {}),
        (b"--", {}),
        (b"--x\r\n\r\n\r\n--x--", {}),
        (b'--x\r\nContent-Disposition: form-data; name="Status"', {"Status": ""}),
        (b'--x\r\nContent-Disposition: form-data; filename="a"\r\n\r\nb\r\n--x--', {}),
        (b"<SMSMessage><Status>sent</Status></SMSMessage>", {"<SMSMessage><Status>sent</Status></SMSMessage>": ""}),
        ('{"Status": "sent"}'.encode("utf-16"), {'\ufffd\ufffd{"Status": "sent"}': ""}),
    ],
)  # fmt: skip
def test_odd_bytes_have_one_reading(raw, expected):
    assert fields(raw) == expected


def test_fields_names_and_values_are_bounded():
    many = fields("&".join(f"f{i}={i}" for i in range(1_000)).encode())
    assert list(many) == [f"f{i}" for i in range(parsing.MOST_FIELDS)]
    assert fields(json.dumps({f"f{i}": "x" for i in range(1_000)}).encode()) == {
        f"f{i}": "x" for i in range(parsing.MOST_FIELDS)
    }
    assert len(fields(multipart({f"f{i}": "x" for i in range(200)}))) == parsing.MOST_FIELDS
    assert fields(b"n" * 1_000 + b"=" + b"v" * 1_000) == {"n" * parsing.LONGEST_NAME: "v" * parsing.LONGEST_VALUE}


PIECES = st.sampled_from(
    [b"Status", b"=", b"&", b"%", b"%00", b"%ff", b"{", b"}", b"[", b"]", b'"', b":", b",", b"--", b"\r\n", b"\x00", b"\xed\xa0\x80",
     b"\\ud800", b'name="', b"sent", b"9" * 40, b"+", b"\xef\xbb\xbf", b"\xff"]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=600), st.lists(PIECES, max_size=60).map(b"".join)))
def test_no_bytes_break_it_and_what_comes_out_can_be_stored(raw):
    found = fields(raw)
    assert len(found) <= parsing.MOST_FIELDS
    for name, value in found.items():
        assert len(name) <= parsing.LONGEST_NAME
        assert len(value) <= parsing.LONGEST_VALUE
        assert "\x00" not in name + value
        (name + value).encode()


@given(st.dictionaries(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20),
                       st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=60), max_size=20))  # fmt: skip
def test_a_form_and_json_say_the_same(values):
    form, written = fields(urlencode(values).encode()), fields(json.dumps(values).encode())
    assert written == values
    assert form == values


ODD = ["&", "=", "a=", "&b=", "%", "%2", "%26", "%3d", "%3A", "%E2", "%E2%82%AC", "%ED%A0%80", "%00", "%0a", "%20", "+", " ", "é",
       "\x00", "\ufeff", "\u200b", "\n", "[", "{", "--", "a", "x" * 70, "SmsSid"]  # fmt: skip


@given(st.lists(st.sampled_from(ODD), max_size=14))
def test_a_form_taken_apart_whole_reads_as_piece_by_piece(pieces):
    raw = "".join(pieces).encode()
    found = fields(raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parsing, "_ordinary_form", lambda text: {})
        assert list(fields(raw).items()) == list(found.items())


def test_an_ordinary_callback_is_taken_apart_whole():
    ordinary = {**REPORT, "CustomField": "order 7"}
    assert parsing._ordinary_form(urlencode(ordinary)) == ordinary
