"""The simulation judged: it must find out every mistake that is made on purpose, within a few histories."""

import re

import pytest
from django.db import connection

from tests.simulation.planted import PLANTED
from tests.simulation.provider import Breach
from tests.simulation.runs import SHAPES, histories

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="thousands of histories: on SQLite alone"),
]
MOST_SEEDS = 300


def caught(name):
    """The number of histories until the first breach, and what it says; None when there is none."""
    with PLANTED[name]():
        for seed in range(MOST_SEEDS):
            try:
                list(histories([seed], seed % len(SHAPES)))
            except Breach as breach:
                return seed + 1, str(breach).split("\n")[0]
    return None


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_caught(name):
    found = caught(name)
    assert found, f"{MOST_SEEDS} histories did not show it"
    assert not re.search("(Type|Attribute|Value)Error", found[1]), "the change does not fit the code any more"
    print(f"{name}: {found[0]} histories, then: {found[1]}")
