import pytest

from tests.raw import Server


@pytest.fixture
def serve():
    servers = []

    def start(handler, **options):
        servers.append(Server(handler, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
