"""``python -m campaigns.exotel.simulator``: see --help."""

import argparse
import asyncio
import logging
import signal
import sys
import time
from dataclasses import replace

import uvloop

from campaigns.exotel.simulator import options
from campaigns.exotel.simulator.accounts import MINUTE, Accounts
from campaigns.exotel.simulator.callbacks import Sender
from campaigns.exotel.simulator.clock import Clock
from campaigns.exotel.simulator.control import Control
from campaigns.exotel.simulator.desk import Desk
from campaigns.exotel.simulator.exotel import Exotel
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.ledger import Ledger, Unusable
from campaigns.exotel.simulator.server import Reply, Request, Server


def provider(given: argparse.Namespace, ledger: Ledger, clock: Clock | None = None) -> Exotel:
    """The provider with the accounts of the ledger, of the command line and for the demo, and their last minute."""
    fates, accounts, clock = Fates(given.scenario, given.seed), Accounts(), clock or Clock()
    desk = Desk(ledger, fates, Sender(ledger, fates, accounts, clock, given.callback_host), accounts, clock)
    desk.play(fates)
    for account in ledger.accounts():
        accounts.put(account)
    if not given.no_demo_account:
        demo = accounts.get(options.DEMO.sid) or options.DEMO
        accounts.put(replace(demo, rate_per_minute=given.rate or demo.rate_per_minute))
    for account in given.accounts:
        kept = accounts.get(account.sid) or account
        accounts.put(replace(kept, key=account.key, token=account.token))
    for sid, method, at in ledger.admitted(time.time() - MINUTE):
        accounts.window(sid, method).add(at)
    return Exotel(desk)


async def serve(given: argparse.Namespace, ledger: Ledger) -> int:
    """Until SIGTERM or SIGINT; the exit code."""
    exotel = provider(given, ledger)
    control, sender = Control(exotel.desk, given.seed), exotel.desk.sender

    async def handle(request: Request) -> Reply:
        ours = request.path == "/" or request.path.startswith("/_sim/")
        return control.handle(request) if ours else await exotel.answer(request)

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = Server(handle)
    try:
        port = await server.start(given.host, given.port)
    except OSError as error:
        print(f"The simulator cannot listen on {given.host}:{given.port}: {error.strerror}.", file=sys.stderr)
        return 1
    sender.start()
    print(f"Exotel simulator on http://{given.host}:{port} (nothing sent here reaches a phone)", flush=True)
    await stopped.wait()
    await server.close()
    await sender.close()
    return 0


def main() -> int:
    logging.basicConfig(level=logging.WARNING, format="simulator: %(message)s")
    given = options.read()
    try:
        ledger = Ledger(given.ledger)
    except Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 1
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(serve(given, ledger))
    finally:
        ledger.close()


if __name__ == "__main__":
    sys.exit(main())
