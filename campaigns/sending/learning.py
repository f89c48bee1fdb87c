"""Numbers that reports show to be in vain: suppressed by themselves, after as many such reports as the account says."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from django.utils import timezone

from campaigns import audit, bulk
from campaigns.models import Account, Message, Suppression

# The codes of SMS reports that speak of the number itself, by what they say of it.
SPEAK = {
    "23005": Suppression.Reason.DND,
    "23010": Suppression.Reason.INVALID,
    "23040": Suppression.Reason.INVALID,
    "23020": Suppression.Reason.BLACKLIST,
}
NEEDED = {  # the account's setting
    Suppression.Reason.DND: "suppress_dnd_after",
    Suppression.Reason.INVALID: "suppress_invalid_after",
    Suppression.Reason.BLACKLIST: "suppress_blacklist_after",
}
INVALID_FOR = timedelta(days=180)  # operators give numbers that fell free to new people
COLUMNS = ("account", "number", "reason", "note", "own_wish", "expires_at", "created_at")


def learn(failed: Sequence[tuple[int, int, str]]) -> int:
    """Take in messages whose failure was just stored, as ``(account, message, code)``; how many numbers were suppressed.

    Runs in the transaction of the reports, so that a campaign which claims afterwards leaves the numbers out.
    """
    by_matter: dict[tuple[int, Suppression.Reason], list[int]] = defaultdict(list)
    for account_id, message_id, code in failed:
        if code in SPEAK:
            by_matter[account_id, SPEAK[code]].append(message_id)
    return sum(_suppress(account_id, reason, ids) for (account_id, reason), ids in by_matter.items())


def _suppress(account_id: int, reason: Suppression.Reason, message_ids: Sequence[int]) -> int:
    needed: int = Account.objects.values_list(NEEDED[reason], flat=True).get(pk=account_id)
    numbers = _often(account_id, reason, message_ids, needed) if needed else []
    if not numbers:
        return 0
    now = timezone.now()
    until = now + INVALID_FOR if reason == Suppression.Reason.INVALID else None
    note = f"Learnt from {needed} status report{'s' if needed > 1 else ''}"
    rows = [(account_id, number, reason.value, note, False, until, now) for number in numbers]
    Suppression.objects.filter(account=account_id, number__in=numbers, expires_at__lte=now).delete()
    new = len(bulk.insert_new(Suppression, COLUMNS, rows, ("id",)))
    if new:
        audit.record("suppression.learn", f"account:{account_id}", reason=reason.value, numbers=new)
    return new


def _often(account_id: int, reason: Suppression.Reason, message_ids: Sequence[int], needed: int) -> list[int]:
    """The numbers of these messages that have failed so, in this account, often enough."""
    codes = [code for code, what in SPEAK.items() if what == reason]
    # The numbers are asked apart and the rest is only counted, so that PostgreSQL looks at these numbers' messages: where a
    # burst of reports has overtaken its statistics, it took the indexes of codes for empty and read all that failed.
    numbers = sorted(set(Message.objects.filter(pk__in=message_ids).values_list("number", flat=True)))
    grouped = (
        "GROUP BY t.number HAVING count(*) FILTER (WHERE t.account_id = %s AND t.delivery = 'failed' "
        f"AND t.code IN ({bulk.marks(codes)})) >= %s ORDER BY t.number"
    )
    rows = bulk.of_values(
        Message, "number", numbers, "t.number", "t.number = v.number", [account_id, *codes, needed], grouped
    )
    return [row[0] for row in rows]
