"""How messages of one provider and channel leave: a client, the call that posts a batch, and what its answer means."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from campaigns.exotel import BATCH
from campaigns.exotel.bodies import Batch
from campaigns.exotel.client import Client
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.geniq import Geniq
from campaigns.exotel.line import Answer, Line
from campaigns.models import Account, rowwise
from campaigns.sending.outcomes import Outcome, geniq, sms


class Wire(NamedTuple):
    open: Callable[..., Line]  # base URL, account Sid, key, token
    post: Callable[[Any, Batch], Answer]
    classify: Callable[[Answer | ExotelError, Sequence[str]], Outcome]
    one_text: bool  # a request carries one text for all its numbers
    ask: Callable[[Any, str], Answer] | None = None  # what the provider knows of one message, by Sid


WIRES: dict[str, Wire] = {
    Account.Provider.EXOTEL: Wire(Client, Client.bulksend, sms.classify, one_text=False, ask=Client.details),
    Account.Provider.GENIQ: Wire(Geniq, Geniq.bulksend, geniq.classify, one_text=True),
}


def most(account: Account, snapshot: Mapping[str, Any]) -> int:
    """Messages that one request may carry: one, where texts differ and the provider takes one text a request."""
    own_texts = any(snapshot["columns"].values()) or len(rowwise.templates(snapshot)) > 1
    return 1 if WIRES[account.provider].one_text and own_texts else BATCH
