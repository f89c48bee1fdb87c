"""``make run`` as a newcomer meets it: one command up, Ctrl-C down, a second start with everything still there."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from tests.acceptance.conftest import ROOT, wait_until
from tests.machine import free_port


class Run:
    def __init__(self, folder, **environment):
        self.port, self.simulator_port = free_port(), free_port()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("EXODASH_", "EXOTEL_", "DJANGO_", "DATABASE"))
        }
        self.environment = kept | {
            "EXODASH_DATA_DIR": str(folder), "PORT": str(self.port), "SIMULATOR_PORT": str(self.simulator_port),
        } | environment  # fmt: skip
        self.log = folder.parent / f"{folder.name}.log"
        self.process = None

    def start(self):
        self.log.write_text("")
        command = [sys.executable, "-m", "exodash.run"]
        with self.log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        return self

    def ready(self):
        wait_until(lambda: "Exodash is ready" in self.log.read_text(), "make run is ready", 90)
        return self.log.read_text()

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(90)


def processes_with(text):
    """Command lines of running processes that hold a text."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if text.encode() in file.read() and int(pid) != os.getpid():
                    found.append(pid)
        except OSError:
            continue
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run") / "var"


def test_the_first_start_makes_everything_and_the_second_keeps_it(folder):
    run = Run(folder).start()
    said = run.ready()
    password = re.search(r"password (\S+)", said).group(1)
    assert f"http://127.0.0.1:{run.port}/" in said and "sample-recipients.csv" in said
    assert len((folder / "sample-recipients.csv").read_text().splitlines()) == 1001
    assert (folder / "secrets.env").stat().st_mode & 0o077 == 0
    wait_until(
        lambda: requests.get(f"http://127.0.0.1:{run.port}/healthz", timeout=5).status_code == 200, "the worker beats"
    )
    assert requests.get(f"http://127.0.0.1:{run.simulator_port}/_sim/health", timeout=5).ok
    assert run.interrupt() == 0
    secrets, database = (folder / "secrets.env").read_text(), (folder / "exodash.sqlite3").stat().st_ino

    again = Run(folder, EXODASH_RUN="again").start()
    said = again.ready()
    assert password not in said and "admin-password.txt" in said
    assert (folder / "admin-password.txt").read_text().strip() == password
    assert (secrets, database) == ((folder / "secrets.env").read_text(), (folder / "exodash.sqlite3").stat().st_ino)
    again.interrupt()
    time.sleep(0.5)
    assert processes_with(str(folder)) == []


def test_a_taken_port_gets_a_sentence_that_names_the_way_out(folder):
    run = Run(folder)
    with socket.socket() as other:
        other.bind(("127.0.0.1", run.port))
        other.listen()
        assert run.start().process.wait(60) == 1
    assert f"Port {run.port}" in run.log.read_text() and "make run PORT=" in run.log.read_text()


@pytest.mark.parametrize(
    ("ports", "sentence"),
    [
        ({"PORT": "abc"}, "PORT is 'abc': write a whole number from 1 to 65535."),
        ({"PORT": "70000"}, "PORT is '70000': write a whole number from 1 to 65535."),
        ({"SIMULATOR_PORT": "0"}, "SIMULATOR_PORT is '0': write a whole number from 1 to 65535."),
        ({"PORT": "8123", "SIMULATOR_PORT": "8123"},
         "PORT and SIMULATOR_PORT are both 8123. Choose two different ports: make run SIMULATOR_PORT=8124"),
        ({"PORT": "65535", "SIMULATOR_PORT": "65535"},
         "PORT and SIMULATOR_PORT are both 65535. Choose two different ports: make run SIMULATOR_PORT=65534"),
    ],
)  # fmt: skip
def test_ports_that_cannot_be_are_one_sentence(tmp_path, ports, sentence):
    run = Run(tmp_path / "var", **ports)
    assert run.start().process.wait(60) == 1
    assert run.log.read_text().splitlines() == [sentence]
    assert not (tmp_path / "var").exists()


def test_a_process_that_dies_ends_the_others_with_a_sentence(folder):
    run = Run(folder, EXODASH_RUN="dies").start()
    run.ready()
    children = subprocess.run(
        ["ps", "--ppid", str(run.process.pid), "-o", "pid=,args="], capture_output=True, text=True
    ).stdout
    simulator = next(line.split()[0] for line in children.splitlines() if "simulator" in line)
    os.kill(int(simulator), signal.SIGKILL)
    assert run.process.wait(90) == 1
    assert "The simulator process ended by itself" in run.log.read_text()
    assert processes_with(str(folder)) == []
