"""When a webhook is tried again and what it signs: tables, and the example of the Standard Webhooks specification."""

import re
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import pytest

from campaigns.hooks import rules, signing

DOCS = Path(__file__).resolve().parents[2] / "docs/api.md"

WAITS = [
    (1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18000), (6, 36000), (7, 50400), (8, 72000), (9, 86400), (10, None), (11, None),
]  # fmt: skip


@pytest.mark.parametrize(("tries", "seconds"), WAITS)
@pytest.mark.parametrize(("chance", "factor"), [(0.0, 0.9), (0.5, 1.0), (1.0, 1.1)])
def test_the_waits_grow_by_the_schedule_with_a_tenth_of_jitter(tries, seconds, chance, factor):
    wait = rules.wait(tries, chance)
    assert wait == (None if seconds is None else timedelta(seconds=seconds) * factor)


def test_all_tries_end_before_a_webhook_is_given_up_and_after_three_days():
    assert timedelta(days=3) < sum(rules.WAITS, timedelta()) < rules.PATIENCE and rules.TRIES == 10


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 0), (2, 0), (3, 5), (4, 10), (5, 20), (8, 160), (9, 300), (10, 300), (10**6, 300)]
)
def test_a_webhook_that_keeps_failing_is_left_alone_for_longer_and_longer(failures, seconds):
    assert rules.hold(failures) == seconds


@pytest.mark.parametrize(("failures", "at_once"), [(0, rules.PARALLEL), (1, 1), (99, 1)])
def test_one_that_fails_is_tried_by_one_request_at_a_time(failures, at_once):
    assert rules.parallel(failures) == at_once


def test_the_signature_is_that_of_the_specifications_example():
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    made = signing.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, [secret])["webhook-signature"]
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_each_secret_signs_by_itself():
    secrets = ["whsec_" + "A" * 32, "whsec_" + "B" * 32]
    headers = signing.headers("msg_1", 1, b"{}", secrets)
    alone = [signing.headers("msg_1", 1, b"{}", [secret])["webhook-signature"] for secret in secrets]
    assert headers["webhook-signature"].split() == alone
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "1")


@pytest.mark.parametrize(
    ("spoil", "ours"),
    [
        ({}, True),
        ({"body": b'{"a": 2}'}, False),
        ({"webhook-id": "msg_2"}, False),
        ({"webhook-timestamp": "1"}, False),
        ({"webhook-signature": "v1,AAAA v1a,BBBB"}, False),
    ],
)
def test_the_documented_check_by_hand_takes_our_requests_and_no_others(spoil, ours):
    (code,) = re.findall(r"    import base64.*?split\(\)\)\n", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    room = {}
    exec(textwrap.dedent(code), room)
    old, new = "whsec_" + "A" * 32, "whsec_" + "B" * 32
    headers = signing.headers("msg_1", int(time.time()), b'{"a": 1}', [new, old])
    body = spoil.pop("body", b'{"a": 1}')
    assert room["is_ours"](old, headers | spoil, body) is room["is_ours"](new, headers | spoil, body) is ours
