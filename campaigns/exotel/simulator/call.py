"""One request on its way through the provider."""

from dataclasses import dataclass, field

from campaigns.exotel.simulator.accounts import Account
from campaigns.exotel.simulator.faults import Fault
from campaigns.exotel.simulator.rows import Callback, Message
from campaigns.exotel.simulator.server import Request


@dataclass(slots=True)
class Call:
    """Its address taken apart, and what comes of it."""

    request: Request
    as_json: bool
    version: str
    accounts: str  # must be the word Accounts
    sid: str
    resource: str
    action: str
    of: str  # the message asked for
    number: int = 0
    fault: Fault | None = None
    account: Account | None = None
    paid: bool = False
    messages: list[Message] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    early: list[Callback] = field(default_factory=list)


def call(request: Request) -> Call:
    path = request.path.strip("/")
    as_json = path.lower().endswith(".json")
    parts = (path[: -len(".json")] if as_json else path).split("/")
    version, accounts, sid, resource, action, of = (parts + [""] * 6)[:6]
    known = len(parts) <= 6
    return Call(
        request, as_json, version.lower(), accounts.lower(), sid, resource.lower() if known else "", action.lower(), of
    )
