"""What the APIs of the provider share: its customers, its ledger, chance, the clock, and how a message is taken."""

from dataclasses import replace

from campaigns.exotel.simulator.accounts import Account, Accounts
from campaigns.exotel.simulator.call import Call
from campaigns.exotel.simulator.callbacks import Sender
from campaigns.exotel.simulator.clock import Clock
from campaigns.exotel.simulator.connection import target
from campaigns.exotel.simulator.dlt import Template
from campaigns.exotel.simulator.errors import Refused
from campaigns.exotel.simulator.fates import Fate, Fates
from campaigns.exotel.simulator.ledger import Ledger
from campaigns.exotel.simulator.rows import Callback, Message
from campaigns.exotel.simulator.rows import Request as RequestRow
from campaigns.exotel.simulator.scenario import Scenario
from campaigns.exotel.simulator.server import Reply

TWICE_AFTER = 0.3  # seconds between the two copies of a doubled callback
Plan = list[tuple[str, float]]  # the code that is reported, and when


class Desk:
    """One for the whole process."""

    def __init__(self, ledger: Ledger, fates: Fates, sender: Sender, accounts: Accounts, clock: Clock) -> None:
        self.ledger, self.fates, self.sender, self.accounts, self.clock = ledger, fates, sender, accounts, clock
        self.templates: dict[str, Template] = {template.id: template for template in ledger.templates()}
        self.last_id = ledger.requests
        self.last_number = ledger.numbers

    @property
    def scenario(self) -> Scenario:
        return self.fates.scenario

    def play(self, fates: Fates) -> None:
        """Go on by another scenario; what was accepted keeps the outcome that it was given."""
        self.fates = self.sender.fates = fates
        self.clock.ahead = fates.scenario.clock_ahead
        self.sender.wake()

    def enter(self, asked: Call, sid: str, sids: set[str]) -> Account:
        """The account that may use the API now. Raises Refused."""
        asked.account = account = self.accounts.permitted(sid, sids)
        return account

    def throttle(self, asked: Call, account: Account) -> None:
        """Raise Refused when the account's minute is full."""
        at, method = asked.request.at, asked.request.method
        try:
            self.accounts.throttle(account, method, at, int(self.scenario.throttle))
        except Refused as refused:
            if self.scenario.throttle_retry_after == "seconds":
                refused.retry_after = 1 + int(self.accounts.window(account.sid, method).wait(at))
            raise

    def struck(self, asked: Call) -> bool:
        """Whether a fault ends this send request before anything of it is taken."""
        asked.fault = self.fates.fault(asked.number)
        return bool(asked.fault and asked.fault.takes_nothing)

    def refuse(self, asked: Call, messages: int) -> None:
        """Raise Refused when that is what the fault of this request asks for."""
        if asked.fault:
            asked.fault.refuse(messages, self.point(asked))

    def point(self, asked: Call) -> float:
        """The seeded chance of a request, for the details of its fault."""
        return self.fates.share(b"item", str(asked.number))

    def charge(self, asked: Call, account: Account, messages: int) -> None:
        """Take messages off the account's balance. Raises Refused."""
        if account.balance is not None:
            if account.balance < messages:
                raise Refused(40001, messages)
            asked.account, asked.paid = replace(account, balance=account.balance - messages), True

    def fate(self, asked: Call, number10: str, body: str) -> Fate:
        """What happens to the reports on a message, by chance or by the fault of its request."""
        fate = self.fates.fate(number10, body)
        return fate._replace(early=True) if asked.fault and asked.fault.kind == "early_callback" else fate

    def next_id(self, asked: Call) -> int:
        """The number that the next message of a request gets."""
        return self.ledger.messages + len(asked.messages) + 1

    def take(self, asked: Call, message: Message, plan: Plan, fate: Fate) -> None:
        """A message with the reports that there will be on it."""
        asked.messages.append(message)
        if message.status_callback:
            made = self.report(asked, message, plan, fate, message.status_callback)
            if fate.early:
                asked.early.append(made[0])

    def report(self, asked: Call, message: Message, plan: Plan, fate: Fate, url: str) -> list[Callback]:
        """Plan callbacks of a message to an address."""
        state = "lost" if fate.lost else "waiting" if target(url, self.sender.allowed) else "refused"
        first = self.ledger.callbacks + len(asked.callbacks) + 1
        made = [Callback(first + i, message.id, code, at, state) for i, (code, at) in enumerate(plan)]
        asked.callbacks += made
        return made

    def record(self, asked: Call, reply: Reply) -> None:
        """The request and all it brought about, on disk before it is answered."""
        fault, request = asked.fault, asked.request
        self.last_id += 1
        row = RequestRow(
            self.last_id, asked.number, request.at, asked.account.sid if asked.account else "", request.method,
            request.path[:500], len(asked.messages), 0 if fault and fault.silent else reply.status,
            fault.kind if fault else "",
        )  # fmt: skip
        self.ledger.record(row, asked.messages, asked.callbacks, asked.account if asked.paid else None)
        if asked.account and asked.paid:
            self.accounts.put(asked.account)
        early = {one.id for one in asked.early}
        self.sender.add([one for one in asked.callbacks if one.id not in early])


def planned(steps: Plan, fate: Fate, accepted_at: float) -> Plan:
    """Reports in time, the last one being the outcome's, as fate has them: early, late, turned round, doubled."""
    if fate.early:
        steps = [(steps[-1][0], accepted_at)]
    elif fate.late:
        steps = [(code, at + fate.late) for code, at in steps]
    if fate.reordered and len(steps) > 1:
        steps = [(code, at) for (code, _), (_, at) in zip(steps[::-1], steps, strict=True)]
    return [*steps, (steps[-1][0], steps[-1][1] + TWICE_AFTER)] if fate.doubled else steps
