"""The provider itself: which of its APIs a request is for, and what every answer has in common."""

import asyncio
from typing import Protocol

from campaigns.exotel.simulator.call import Call, call
from campaigns.exotel.simulator.desk import Desk
from campaigns.exotel.simulator.errors import Refused
from campaigns.exotel.simulator.faults import HANGS, NO_ANSWER
from campaigns.exotel.simulator.geniq import PREFIX, GeniqApi
from campaigns.exotel.simulator.server import Reply, Request
from campaigns.exotel.simulator.sms_api import SmsApi
from campaigns.exotel.simulator.whatsapp import WhatsappApi


class Api(Protocol):
    def serve(self, asked: Call) -> Reply:
        """The answer. Raises Refused."""

    def error(self, refused: Refused, asked: Call) -> Reply:
        """The answer when the request is refused."""


class Exotel:
    """Answers every API of the provider. Whatever it takes is in the ledger before the answer leaves."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._sms, self._whatsapp, self._geniq = SmsApi(desk), WhatsappApi(desk), GeniqApi(desk)

    async def answer(self, request: Request) -> Reply:
        """Take a request, write down what came of it, and answer it: late, early or wrongly if a fault says so."""
        asked, desk = call(request), self.desk
        if request.method == "POST":
            desk.last_number += 1
            asked.number = desk.last_number
        api = self._api(asked)
        try:
            reply = api.serve(asked)
        except Refused as refused:
            reply = api.error(refused, asked)
        if asked.fault:
            reply = asked.fault.spoilt(reply, request.target)
        desk.record(asked, reply)
        await desk.sender.overtake(asked.early)
        await self._delay(asked)
        return reply if not (asked.fault and asked.fault.kind in HANGS) else NO_ANSWER

    def _api(self, asked: Call) -> Api:
        if asked.request.path.lower().startswith(PREFIX):
            return self._geniq
        return self._whatsapp if asked.version == "v2" else self._sms

    async def _delay(self, asked: Call) -> None:
        if asked.fault and asked.fault.kind in HANGS:
            await asyncio.sleep(asked.fault.seconds)
        elif asked.number and (seconds := self.desk.fates.latency(asked.number)):
            await asyncio.sleep(seconds)
