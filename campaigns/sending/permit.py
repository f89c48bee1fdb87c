"""Whether an account may begin a request at all: one look, under its lock, at everything that can forbid it."""

from typing import NamedTuple
from uuid import UUID

from django.db import connection

from campaigns import bulk
from campaigns.models import Account, Attempt
from campaigns.sending import pace

FENCED = "o.dead OR o.stop"


class Permit(NamedTuple):
    account: Account  # shared by all senders, so not to be changed
    throttled: bool  # Exotel has asked us to wait, and no answer has come since


_known: dict[int, tuple[tuple, Account]] = {}  # by id: the row as it was read, and what the ORM makes of it


def take(owner_id: UUID, account_id: int) -> Permit | None:
    """Hold the account, together with other intents, until the caller's transaction ends: nobody stops it meanwhile,
    and recovery does not declare the owner dead.

    None when it is stopped or has to wait, or when the owner is fenced or told to stop.
    """
    bulk.hold(("account", account_id), ("owner", owner_id.int), shared=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {FENCED}, {pace.blocked_sql()}, l.throttles, a.* FROM campaigns_account a "
            "JOIN campaigns_limiter l ON l.account_id = a.id JOIN campaigns_owner o ON o.id = %s WHERE a.id = %s",
            [*bulk.stored(Attempt, ("owner",), [owner_id]), account_id],
        )
        fenced, held, throttles, *row = cursor.fetchone() or (True, 0, 0)
    if fenced or pace.wait(held):
        return None
    account = _as_model(account_id, tuple(row))
    return None if account.stopped_at else Permit(account, throttles > 0)


def _as_model(account_id: int, row: tuple) -> Account:
    """The account, read by the ORM only when its row has changed: that takes as long as writing a whole request."""
    seen, account = _known.get(account_id, ((), None))
    if account is None or seen != row:
        account = Account.objects.get(pk=account_id)
        _known[account_id] = row, account
    return account
