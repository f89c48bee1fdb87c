"""Who holds which Sid: Exotel's ids of messages are unique in an account."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from campaigns import bulk
from campaigns.models import Message


def holders(account_id: int, sids: Sequence[str]) -> dict[str, int]:
    """The messages of an account that hold one of these Sids."""
    return {sid: pk for sid, pk, _, _ in _rows(account_id, sids)}


def of_accounts(pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], bulk.Row]:
    """Id, request and number of the messages that hold one of these (account, Sid)."""
    by_account: dict[int, list[str]] = defaultdict(list)
    for account_id, sid in pairs:
        by_account[account_id].append(sid)
    return {(account_id, sid): rest for account_id, sids in by_account.items() for sid, *rest in _rows(account_id, sids)}


def _rows(account_id: int, sids: Sequence[str]) -> list[bulk.Row]:
    here = "t.account_id = %s AND t.sid = v.sid"
    rows = bulk.of_values(Message, "sid", sids, "t.sid, t.id, t.attempt_id, t.number", here, [account_id])
    return bulk.loaded(Message, ("sid", "id", "attempt", "number"), rows)
