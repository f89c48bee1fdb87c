"""A mail server for tests: real SMTP on a free port, keeping what it is given, refusing or going away when told to."""

import time
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller

from tests.machine import free_port


class Mailbox:
    def __init__(self):
        self.mails, self.refuse, self.delay, self.tries = [], "", 0.0, 0
        self.port = free_port()
        self._controller = None

    def start(self):
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()
        return self

    def stop(self):
        if self._controller:
            self._controller.stop()
            self._controller = None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.tries += 1
        time.sleep(self.delay)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 Taken"
