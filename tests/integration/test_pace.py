"""The account's rate: slots evenly spaced whoever takes them, waits honoured by all, clocks that jump harmless."""

import threading
import time

import pytest
from django.db import connection

from campaigns.models import Limiter
from campaigns.sending import pace
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def test_slots_are_one_interval_apart():
    account = builders.account(rate_per_minute=600)
    waits = [pace.take(account) for _ in range(5)]
    assert waits[0] == 0
    gaps = [later - earlier for earlier, later in zip(waits, waits[1:], strict=False)]
    assert all(0.05 < gap <= 0.102 for gap in gaps[1:])


def test_senders_on_several_threads_share_one_allowance():
    account = builders.account(rate_per_minute=1200)
    starts, lock = [], threading.Lock()

    def sender():
        for _ in range(8):
            begun = time.time() + pace.take(account)
            with lock:
                starts.append(begun)
        connection.close()

    threads = [threading.Thread(target=sender) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    starts.sort()
    assert starts[-1] - starts[0] >= 31 * 0.0505 - 0.05


def test_a_wait_holds_everybody_and_a_longer_one_is_not_shortened():
    account = builders.account(rate_per_minute=600)
    assert pace.push_back(account.pk, 120.0) == 120
    pace.push_back(account.pk, 5.0)
    assert 115 < pace.blocked(account.pk) <= 120
    assert 115 < pace.take(account) <= 120


@pytest.mark.parametrize(("asked", "waited"), [(0.0, 1.0), (-5.0, 1.0), (10.0**9, 900.0)])
def test_a_wait_stays_within_its_bounds(asked, waited):
    account = builders.account()
    assert pace.push_back(account.pk, asked or -1.0) == waited


def test_without_retry_after_waits_double_and_begin_small_again():
    account = builders.account()
    waits = [pace.push_back(account.pk, None) for _ in range(6)]
    assert waits[0] < 1.3 and 24 <= waits[5] <= 40
    pace.all_clear(account.pk)
    assert pace.push_back(account.pk, None) < 1.3


@pytest.mark.parametrize("hours", [-24, 24 * 365])
def test_a_clock_that_jumped_neither_stalls_nor_bursts(hours):
    account = builders.account(rate_per_minute=600)
    odd = int(time.time() * 1e6 + hours * 3600e6)
    Limiter.objects.filter(account=account).update(next_slot=odd, blocked_until=odd)
    assert pace.take(account) <= 1
    assert 0 < pace.take(account) <= 0.11
    assert pace.blocked(account.pk) == 0
