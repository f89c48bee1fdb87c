"""A second process for a backlog on SQLite: it reads and parses the callbacks that come next while others are applied.

SQLite has one writer, so that two which apply only wait for each other; reading needs no turn, and with the parsing it is a
quarter of the work. The two talk over a socket. Whatever becomes of the reader, the one that applies goes on alone.
"""

import socket
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from callbacks import reading
from callbacks.reading import Item
from campaigns import jobs

PATIENCE = 5.0  # seconds for a batch, which takes 20 ms


class Ahead:
    """The side that applies: it rings for a reader and takes what that has read."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="exodash-")  # this user's alone: what comes out of it is unpickled
        path = str(Path(self._folder.name) / "ahead")
        self._door = socket.socket(socket.AF_UNIX)
        self._door.bind(path)
        self._door.listen(1)
        self._door.setblocking(False)
        self._reader: Connection | None = None
        self._asked = False
        jobs.enqueue(jobs.READ_AHEAD, path)

    def take(self) -> list[Item]:
        """What was asked for; empty when that is nothing, or while there is no reader."""
        if self._reader is None:
            self._admit()
        if self._reader is None or not self._asked:
            return []
        self._asked = False
        try:
            if self._reader.poll(PATIENCE):
                return self._reader.recv()
        except (EOFError, OSError):
            pass
        self.close()
        return []

    def ask(self, last: int) -> None:
        """Have the callbacks read that came after this one."""
        if self._reader:
            try:
                self._reader.send(last)
                self._asked = True
            except OSError:
                self.close()

    def _admit(self) -> None:
        try:
            peer, _ = self._door.accept()
        except OSError:  # nobody yet, or closed
            return
        peer.setblocking(True)
        self._reader = Connection(peer.detach())

    def close(self) -> None:
        self._door.close()
        self._folder.cleanup()
        if self._reader:
            self._reader.close()
            self._reader = None


def read(path: str) -> int:
    """The side that reads, until the other has enough; how many callbacks were handed over."""
    door = socket.socket(socket.AF_UNIX)
    try:
        door.connect(path)
    except OSError:  # it has finished without us
        door.close()
        return 0
    handed = 0
    with Connection(door.detach()) as applier:
        try:
            while applier.poll(settings.TASK_BUDGET):
                items = reading.after(applier.recv())
                applier.send(items)
                handed += len(items)
        except (EOFError, OSError):
            pass
    return handed
