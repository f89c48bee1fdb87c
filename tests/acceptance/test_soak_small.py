"""The soak in a small size: see tests/soak. Kills and faults on real processes, judged by the simulator's ledger."""

import os
import random

import pytest

from tests.soak import faults, kills
from tests.soak.ground import Bound, Ground

SEED = int(os.environ.get("SOAK_SEED") or 20_005)
SECONDS = 240


@pytest.fixture(scope="module")
def place(tmp_path_factory, database_url):
    made = Ground(tmp_path_factory.mktemp("soak"), database_url, SEED)
    try:
        yield made.up()
    finally:
        made.down()


def test_25_kinds_of_fault_lose_double_and_misclassify_nothing(place):
    """Nearly every request meets one: 2,400 messages are 24 requests and as many more as are refused."""
    chance = random.Random(SEED)
    kinds = faults.some_kinds(chance, 25)
    line = faults.run(place, Bound(SECONDS), chance, 2_400, share=0.9, variants=kinds)
    print(line)
    assert line["holds"], line


def test_six_kills_lose_and_double_nothing(place):
    line = kills.run(place, Bound(SECONDS), random.Random(SEED), 3_000, 6, first=1_000_000)
    print(line)
    assert line["holds"], line
