"""Status callbacks: each is sent when it is due, over a few connections to its host, and again when it is not taken."""

import asyncio
import heapq
import logging
import sqlite3
from collections.abc import Collection, Coroutine

from campaigns.exotel.simulator import notices
from campaigns.exotel.simulator.accounts import Accounts
from campaigns.exotel.simulator.clock import Clock
from campaigns.exotel.simulator.connection import MOST_CONNECTIONS, Connection, Target, target
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.ledger import Ledger
from campaigns.exotel.simulator.rows import Callback, Message

AT_ONCE = 2_000  # callbacks fetched from the ledger in one go
MOST_QUEUED = 20_000  # fetched and not yet sent
TICK = 0.01  # seconds that callbacks falling due are gathered
FLUSH = 0.1  # seconds between two commits of results; a kill -9 sends the callbacks of that time again
EARLY_WAIT = 3.0  # seconds that an answer waits at most for callbacks that shall overtake it
log = logging.getLogger(__name__)
Due = tuple[Target, Callback, Message]


class Sender:
    """Sends what the ledger holds as waiting, and writes down what came of it."""

    def __init__(
        self, ledger: Ledger, fates: Fates, accounts: Accounts, clock: Clock, allowed: Collection[str] = ()
    ) -> None:
        self.fates, self.allowed = fates, frozenset(allowed)
        self._ledger, self._accounts, self._now = ledger, accounts, clock
        self._due: list[tuple[float, int]] = []
        self._sooner = asyncio.Event()
        self._queues: dict[tuple[str, int], asyncio.Queue[Due]] = {}
        self._queued = 0
        self._results: list[Callback] = []
        self._early: dict[int, asyncio.Future[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to send, first of all what an earlier run still owed."""
        self._due = list(self._ledger.waiting())
        heapq.heapify(self._due)
        self._tasks = [self._run(self._clock()), self._run(self._flushes())]

    def _run(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        return asyncio.get_running_loop().create_task(_loudly(work))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.flush()

    def wake(self) -> None:
        """Look at the clock again: it may have been set."""
        self._sooner.set()

    def add(self, callbacks: Collection[Callback]) -> None:
        """Send callbacks that have just been written to the ledger, when they are due."""
        for one in callbacks:
            if one.state == "waiting":
                heapq.heappush(self._due, (one.due_at, one.id))
        self._sooner.set()

    async def overtake(self, callbacks: Collection[Callback]) -> None:
        """Send callbacks now and wait until they were tried once: reports that overtake the answer to their request."""
        tried = {one.id: asyncio.get_running_loop().create_future() for one in callbacks if one.state == "waiting"}
        if tried:
            self._early |= tried
            self._fetch(list(tried))
            await asyncio.wait(tried.values(), timeout=EARLY_WAIT)

    async def _clock(self) -> None:
        while True:
            now = self._now()
            ids: list[int] = []
            while self._due and self._due[0][0] <= now and len(ids) < AT_ONCE and self._queued < MOST_QUEUED:
                ids.append(heapq.heappop(self._due)[1])
            if ids:
                self._fetch(ids)
            await asyncio.sleep(TICK)
            if not self._due or self._due[0][0] > self._now() + TICK:
                await self._wait_for_next()

    async def _wait_for_next(self) -> None:
        self._sooner.clear()
        seconds = min(self._due[0][0] - self._now(), 1.0) if self._due else None
        try:
            async with asyncio.timeout(seconds):
                await self._sooner.wait()
        except TimeoutError:
            return

    def _fetch(self, ids: list[int]) -> None:
        """Hand callbacks to the connections of their hosts."""
        for callback, message in self._ledger.due(ids):
            to = target(notices.url(callback, message), self.allowed)
            if to is None:  # allowed when it was planned, and not any more since a restart
                self._results.append(callback._replace(state="refused"))
                continue
            self._queued += 1
            self._queue(to).put_nowait((to, callback, message))

    def _queue(self, to: Target) -> "asyncio.Queue[Due]":
        host = (to.host, to.port)
        if host not in self._queues:
            self._queues[host] = asyncio.Queue()
            self._tasks += [self._run(self._work(*host, self._queues[host])) for _ in range(MOST_CONNECTIONS)]
        return self._queues[host]

    async def _work(self, host: str, port: int, queue: "asyncio.Queue[Due]") -> None:
        connection = Connection(host, port)
        try:
            while True:
                due = await queue.get()
                self._queued -= 1
                await self._attempt(connection, *due)
        finally:
            connection.close()

    async def _attempt(self, connection: Connection, to: Target, callback: Callback, message: Message) -> None:
        try:
            await self._send(connection, to, callback, message)
        except Exception:  # a callback that cannot be written must not stop those behind it
            log.exception("Callback %s could not be made.", callback.id)
            self._results.append(callback._replace(tries=callback.tries + 1, state="failed"))

    async def _send(self, connection: Connection, to: Target, callback: Callback, message: Message) -> None:
        notice, scenario = notices.notice(callback, message, self.fates), self.fates.scenario
        head = f"{to.head}Content-Type: {notice.content_type}\r\n"
        if scenario.signature != "none" and (account := self._accounts.get(message.account)):
            head += notices.signature(notice, scenario.signature, account.token)
        sent_at = self._now()
        status = await connection.post(f"{head}Content-Length: ", notice.body, scenario.callback_timeout)
        done = callback._replace(tries=callback.tries + 1, http_status=status, sent_at=sent_at, state="acknowledged")
        self._results.append(done if _taken(message, status) else self._again(done, message))
        if (waiter := self._early.pop(callback.id, None)) and not waiter.done():
            waiter.set_result(None)

    def _again(self, tried: Callback, message: Message) -> Callback:
        """A callback that was not taken: to be sent once more, or given up."""
        play = self.fates.scenario
        waits = play.callback_retry_schedule or (play.callback_retry_wait,) * int(play.callback_retries)
        if tried.tries > len(waits) and not (waits and message.channel == "geniq"):  # GENIQ repeats until it is taken
            return tried._replace(state="failed")
        return tried._replace(state="waiting", due_at=self._now() + waits[min(tried.tries, len(waits)) - 1])

    async def _flushes(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            try:
                self.flush()
            except sqlite3.Error:  # a full disk: the results are kept for the next time
                log.exception("The results of callbacks could not be written.")

    def flush(self) -> None:
        """Write down what came of callbacks, and plan anew those that are to be tried again."""
        if self._results:
            self._ledger.settle(self._results)
            results, self._results = self._results, []
            self.add(results)


async def _loudly(work: Coroutine[object, object, None]) -> None:
    """Nobody waits for these tasks, so that their errors would go unseen."""
    try:
        await work
    except Exception:
        log.exception("Callbacks have stopped being sent; restart the simulator to go on with them.")


def _taken(message: Message, status: int) -> bool:
    return status == 200 if message.channel == "geniq" else 200 <= status < 300
