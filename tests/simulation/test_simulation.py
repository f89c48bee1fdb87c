"""Seeds of the simulation: every history must keep every promise. See the package for what it is and how to replay one."""

import os

import pytest
from django.db import connection

from tests.simulation.runs import SHAPES, histories

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="thousands of histories: on SQLite alone"),
]
SEEDS = int(os.environ.get("EXODASH_SOAK_SEEDS", "1000"))


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_every_history_keeps_the_promises(shape):
    for world in histories(range(shape, SEEDS, len(SHAPES)), shape):
        assert world.trace


if "EXODASH_REPLAY_SEED" in os.environ:

    def test_replay(capsys):
        seed = int(os.environ["EXODASH_REPLAY_SEED"])
        (world,) = histories([seed], seed % len(SHAPES))
        with capsys.disabled():
            print("\n" + "\n".join(world.trace))


def test_one_seed_is_one_history_whatever_ran_before():
    eighth, eighteenth = (world.trace for world in histories([8, 18], 8))
    assert eighth != eighteenth
    assert [world.trace for world in histories([18], 8)] == [eighteenth]
