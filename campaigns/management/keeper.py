"""Keeps one django-q2 cluster alive and its work moving: the process behind ``manage.py run_worker``.

A cluster can be dead and look alive: killing the idle worker that waits on its queue hangs all the others for ever
(django-q2 issues 23 and 339, measured). So the keeper runs the cluster as a child in a process group of its own, has it
answer, and restarts the whole group when no answer came for EXODASH_CLUSTER_TIMEOUT seconds. Recovery runs here and not in
the cluster, so that it works when the cluster does not.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from campaigns import jobs, leases
from campaigns.hooks import courier
from campaigns.models import Heartbeat, Owner
from campaigns.sending.recover import Observer, sweep

log = logging.getLogger(__name__)
ROUND = 15  # seconds between sweeps at the most: silence of 45 s is noticed and healed within 60 s
GRACE = 55  # seconds for requests in flight, which may take 45 s; all is over within 60 s
LOOK = 0.5  # seconds between looks at what ends
HOST = socket.gethostname()[:80]
AWAY = (OperationalError, InterfaceError)


class Keeper:
    def __init__(self) -> None:
        self._stopping = False
        self._cluster: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._observer = Observer()

    def run(self) -> None:
        """Work until SIGTERM or SIGINT, then let requests in flight finish and take nothing new."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        try:
            self._work()
        finally:
            self._stop_cluster()  # in a session of its own it would live on without us

    def _work(self) -> None:
        self._start_cluster()
        next_round = 0.0
        while not self._stopping:
            if time.monotonic() >= next_round:
                next_round = time.monotonic() + min(ROUND, settings.CLUSTER_TIMEOUT / 3)
                self._round()
            time.sleep(LOOK)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _round(self) -> None:
        try:
            if self._dead():
                log.error("The background cluster does not answer: restarting it. Nothing is lost.")
                self._kill_cluster()
                self._start_cluster()
            done = {what: number for what, number in sweep(self._observer).items() if number}
            if done:
                log.info("Recovery: %s", ", ".join(f"{what} {number}" for what, number in done.items()))
            jobs.enqueue(jobs.TICK)
            if not leases.held("drain"):
                jobs.enqueue(jobs.DRAIN)
            if courier.waiting():
                jobs.enqueue(jobs.HOOKS)
        except AWAY:
            log.exception("The database is away; trying again in %s s", ROUND)
            connection.close()

    def _dead(self) -> bool:
        if self._cluster is None or self._cluster.poll() is not None:
            return True
        answered = Heartbeat.objects.filter(name=_name("cluster", self._cluster.pid)).values_list("at", flat=True).first()
        silent = (timezone.now() - answered).total_seconds() if answered else time.monotonic() - self._started
        return min(silent, time.monotonic() - self._started) > settings.CLUSTER_TIMEOUT

    def _start_cluster(self) -> None:
        connection.close()
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"]
        self._cluster = subprocess.Popen(command, start_new_session=True)
        self._started = time.monotonic()

    def _stop_cluster(self) -> None:
        """Requests in flight finish; jobs that wait in the cluster's memory begin nothing any more."""
        if self._cluster is None or self._cluster.poll() is not None:
            return
        until = time.monotonic() + GRACE
        self._ask_to_stop(self._cluster.pid)
        self._cluster.terminate()
        while self._cluster.poll() is None and time.monotonic() < until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._cluster.wait(LOOK)
            self._ask_to_stop(self._cluster.pid)
        self._kill_cluster()

    @staticmethod
    def _ask_to_stop(group: int) -> None:
        """No new intent of this cluster's pumps begins, and no job of it. Asked again until all have ended."""
        with _as_far_as_the_database_goes():
            _beat(_name("stopping", group))
            for owner in Owner.objects.filter(ended=False, dead=False, stop=False, host=HOST):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    if os.getpgid(owner.pid) == group:
                        Owner.objects.filter(pk=owner.pk).update(stop=True)

    def _kill_cluster(self) -> None:
        """End whatever is left of the group: after a kill -9 of its main process workers live on as orphans."""
        if self._cluster is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._cluster.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._cluster.wait(5)
            with _as_far_as_the_database_goes():
                names = [_name(what, self._cluster.pid) for what in ("cluster", "stopping")]
                Heartbeat.objects.filter(name__in=names).delete()


@contextlib.contextmanager
def _as_far_as_the_database_goes() -> Iterator[None]:
    """A database that is away is no reason to give up; the next try begins with a fresh connection."""
    try:
        yield
    except AWAY:
        connection.close()


def _name(what: str, group: int) -> str:
    """A process group's own name: groups of two hosts, as of two containers, may have one number."""
    return f"{what}:{HOST[-40:]}:{group}"


def _beat(name: str) -> None:
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def answer() -> None:
    """Called inside the cluster: this process group is alive."""
    _beat(_name("cluster", os.getpgrp()))
    _beat("cluster")


@contextlib.contextmanager
def answering() -> Iterator[bool]:
    """Answer for as long as a job takes: all workers may be at jobs of 65 s, and then nobody is free for a tick.

    Gives False when this cluster is about to end: then the job is left to the next one, which is rung for it.
    """
    answer()
    done = threading.Event()
    thread = threading.Thread(target=_answer_until, args=[done], daemon=True)
    thread.start()
    try:
        yield not _stopping()
    finally:
        done.set()
        thread.join()


def _stopping() -> bool:
    """Whether this cluster was asked to stop just now; a row that is older is another's who had the number before."""
    asked = Heartbeat.objects.filter(name=_name("stopping", os.getpgrp()), at__gt=timezone.now() - timedelta(seconds=GRACE))
    return asked.exists()


def _answer_until(done: threading.Event) -> None:
    try:
        while not done.wait(settings.CLUSTER_TIMEOUT / 4):
            with _as_far_as_the_database_goes():
                answer()
    finally:
        connection.close()
