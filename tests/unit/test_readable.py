"""What a callback held, as the page of what was set aside shows it: bounded, masked, harmless."""

import pytest

from callbacks.console.readable import LONGEST, UNREADABLE, readable


def test_fields_stand_one_a_line():
    assert readable(b"Status=sent&To=09812345670&SmsSid=a1", True) == "Status: sent\nTo: 09812345670\nSmsSid: a1"


@pytest.mark.parametrize(
    "raw",
    [
        b"To=09812345670", b"To=%2B91+98123+45670", b"To=98123-45670", b"x=call+me+on+(981)+234.5670", b'{"To": "09812345670"}', b"9812345670",
        b'{"whatsapp": {"messages": [{"to": "+919812345670"}]}}', b'{"To": "\\u0039812345670"}', b"To=%39%38%31%32%33%34%35%36%37%30",
        "To=९८१२३४५६७०".encode(), b'--x\r\nContent-Disposition: form-data; name="To"\r\n\r\n9812345670\r\n--x--', b"[[9812345670]]",
        b"\xff\xfe9812345670", b'{"a": {"b": 9812345670}}',
    ],
)  # fmt: skip
def test_no_number_is_whole_without_permission(raw):
    shown = readable(raw, False).replace(" ", "").replace("-", "").replace(".", "")
    assert "812345" not in shown and "८१२३४५" not in shown


def test_dates_stay_readable_without_permission():
    assert "2026-11-21 10:00:05" in readable(b"DateSent=2026-11-21+10%3A00%3A05&To=09812345670", False)


def test_the_visitors_ip_address_is_shown_to_nobody():
    assert readable(b"sid=a&IP=198.51.100.7", True) == "sid: a\nIP: not shown"


def test_what_is_not_made_of_fields_is_shown_only_with_permission():
    assert readable(b"{]" + b"9812345670", False) == UNREADABLE
    assert "9812345670" in readable(b"{]" + b"9812345670", True)
    assert readable(b"", True) == readable(b"", False) == "Nothing: it was empty."


@pytest.mark.parametrize(
    "raw", [b"\x00\x01\x02", bytes(range(256)) * 60, "a=\u202e\u2066x".encode(), b"[" * 16_000, b'{"a":' * 3_000]
)
@pytest.mark.parametrize("whole", [True, False])
def test_nothing_hostile_gets_through_or_breaks_it(raw, whole):
    shown = readable(raw, whole)
    assert len(shown) <= LONGEST + 2
    assert all(char.isprintable() or char == "\n" for char in shown)
