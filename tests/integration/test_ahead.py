"""A backlog on SQLite is read by a second process while the first applies it; on PostgreSQL the second applies as well."""

import threading

import pytest
from django.db import connection

from callbacks import ahead, inbox, tasks
from callbacks.models import CallbackEvent
from campaigns import bulk, jobs
from campaigns.models import DeliveryEvent
from campaigns.sending import evidence
from tests.integration.test_inbox import Sent, report, results

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ("21010", "21020", "20006", "23050", "20005")


@pytest.fixture
def sent(transactional_db, monkeypatch):
    monkeypatch.setattr(inbox, "LINGER", 0.05)
    monkeypatch.setattr(inbox, "PAUSE", 0.01)
    monkeypatch.setattr(evidence, "chunk", lambda: 10)
    sent = Sent(recipients=60)
    sent.store(*[report(i, code) for code in CODES for i in range(60)])
    return sent


class Readers:
    """Threads in the place of worker processes: each takes up one ring for a reader."""

    def __init__(self, monkeypatch):
        self.handed, self._threads = [], []
        monkeypatch.setattr(jobs, "enqueue", self.ring)

    def ring(self, job, *about):
        if job == jobs.READ_AHEAD:
            self._threads.append(threading.Thread(target=self._read, args=about))
            self._threads[-1].start()

    def _read(self, path):
        self.handed.append(tasks.read_ahead(path))
        connection.close()

    def end(self):
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def readers(monkeypatch):
    readers = Readers(monkeypatch)
    yield readers
    readers.end()


def all_is_applied_once(sent):
    tries = set(CallbackEvent.objects.values_list("tries", flat=True))
    return (
        set(results()) == {"applied"} and tries == {1} and DeliveryEvent.objects.count() == 300 and sent.counters_are_true()
    )


def test_what_was_read_ahead_is_applied_once(sent, readers, monkeypatch):
    first = ahead.Ahead._admit

    def admit(self):
        while self._reader is None:
            first(self)

    monkeypatch.setattr(ahead.Ahead, "_admit", admit)
    assert inbox.drain() == 300
    readers.end()
    assert readers.handed == ([] if bulk.is_postgres() else [290])  # all but the first batch, in which the reader came
    assert all_is_applied_once(sent)


def test_a_reader_that_breaks_off_leaves_nothing_behind(sent, readers, monkeypatch):
    read, batches = ahead.reading.after, []

    def breaking(last, lock=""):
        if threading.current_thread() is not threading.main_thread():
            batches.append(last)
            if len(batches) == 3:
                raise EOFError
        return read(last, lock)

    monkeypatch.setattr(ahead.reading, "after", breaking)
    assert inbox.drain() == 300
    assert all_is_applied_once(sent)


def test_a_reader_that_never_answers_is_not_waited_for(sent, monkeypatch, readers):
    monkeypatch.setattr(ahead, "PATIENCE", 0.1)
    monkeypatch.setattr(ahead.Connection, "send", lambda *_: None)
    assert inbox.drain() == 300
    assert all_is_applied_once(sent)


def test_where_nothing_can_be_written_there_is_no_reader(sent, readers, monkeypatch, tmp_path):
    monkeypatch.setattr(ahead, "TemporaryDirectory", lambda **_: (tmp_path / "none").rmdir())
    assert inbox.drain() == 300
    assert readers.handed == []
    assert all_is_applied_once(sent)


def test_what_another_hand_applied_meanwhile_is_not_applied_again(sent, readers):
    found = ahead.Ahead()
    while found._reader is None:
        found._admit()
    found.ask(0)
    assert inbox.apply_next() == 10
    assert inbox.apply_next(found) in {0, 10}  # what was read before and is done; PostgreSQL asks for nothing
    while inbox.apply_next(found):
        pass
    found.close()
    assert all_is_applied_once(sent)


def test_a_reader_that_comes_too_late_ends_at_once(tmp_path):
    assert tasks.read_ahead(str(tmp_path / "gone")) == 0


def test_nobody_else_may_open_the_door(sent, readers):
    found = ahead.Ahead()
    folder = ahead.Path(found._folder.name)
    assert folder.stat().st_mode & 0o077 == 0
    found.close()
    assert not folder.exists()
