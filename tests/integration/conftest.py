"""Integration tests run on whatever database DATABASE_URL names; ``make test`` runs them on both."""

import pytest

from tests import builders
from tests.raw import Server
from tests.simulated import KEY, SID, TOKEN, Simulator


@pytest.fixture
def simulator(tmp_path):
    """A fresh simulator, its own process, in which every message is delivered unless the test says otherwise."""
    made = Simulator(tmp_path).start()
    yield made
    made.stop()


@pytest.fixture
def exotel_account(simulator):
    """An account whose Exotel is the simulator, with no limit."""
    made = builders.account(account_sid=SID, base_url=simulator.url, rate_per_minute=0, senders=3)
    made.set_credentials(KEY, TOKEN)
    made.save()
    return made


@pytest.fixture
def serve():
    """Starts servers of raw sockets, each with its own way of answering."""
    servers = []

    def start(handler, **options):
        servers.append(Server(handler, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
