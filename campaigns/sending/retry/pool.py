"""Which failures of a campaign may be sent again, as one condition that the database applies to all of them.

The condition is made from ``rules.decide``: the codes and places in it are those for which that says yes. What is left
to the database is what one message does not tell: how the same person fared in the other tries of the family.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, Sum

from campaigns.exotel.codes import failure_class
from campaigns.exotel.codes.rows import unknown
from campaigns.exotel.codes.stored import of_message
from campaigns.models import Campaign, Count
from campaigns.models.family import ancestors, family, has_resends
from campaigns.models.states import CampaignState, Delivery, MessageState
from campaigns.sending.retry.rules import Limits, decide

ONCE = Limits(tries=2)
UNSENT = "('suppressed', 'cancelled')"  # nothing was handed over, so it is no try


class Pool(NamedTuple):
    """The failures of a campaign and what is needed to choose among them."""

    campaign: Campaign
    members: list[Campaign]  # of its family
    limits: Limits
    failures: Counter[str]  # by code
    codes: list[str]  # those that another try can help, in this or another campaign of the family
    resends: bool

    @property
    def candidates(self) -> int:
        """Failures whose code allows another try; what the person got in other tries is not looked at."""
        return sum(self.failures[code] for code in self.codes)


def pool(campaign: Campaign, limits: Limits) -> Pool:
    members = family(campaign.pk)
    ids = [member.pk for member in members]
    failed = Count.objects.filter(Q(state=MessageState.REJECTED) | Q(delivery=Delivery.FAILED), campaign__in=ids)
    sums = failed.filter(conflict=False).values_list("campaign_id", "code").annotate(Sum("n")).order_by()
    counted = [(campaign_id, code, n) for campaign_id, code, n in sums if n]
    failures = Counter({code: n for campaign_id, code, n in counted if campaign_id == campaign.pk})
    codes = sorted({code for _, code, _ in counted if _helps(code)})
    return Pool(campaign, members, limits, failures, codes, has_resends(ids))


def _helps(code: str) -> bool:
    return decide(of_message(code), MessageState.ACCEPTED, Delivery.FAILED, 1, ONCE).may


def hopeless(found: Pool) -> Counter[str]:
    """Failures that no other try can help, by class of failure."""
    classes: Counter[str] = Counter()
    for code, n in found.failures.items():
        if code not in found.codes:
            classes[failure_class(of_message(code))] += n
    return classes


def sort(found: Pool) -> Counter[str]:
    """How many candidates go where: ``may``, or the first reason against (see ``_verdict``)."""
    if not found.codes:
        return Counter()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT verdict, count(*) FROM (SELECT {_verdict(found)} AS verdict FROM campaigns_message m "
            f"WHERE {_candidate(found)}) AS judged GROUP BY verdict",
            parameters(found),
        )
        return Counter(dict(cursor.fetchall()))


def chosen(found: Pool) -> str:
    """The condition for messages ``m`` that may be sent again."""
    return f"{_candidate(found)} AND {_verdict(found)} = 'may'"


def parameters(found: Pool) -> dict[str, Any]:
    return {f"code{i}": code for i, code in enumerate(found.codes)}


def _candidate(found: Pool) -> str:
    # The index on failures holds rows with NOT (code = ''), and SQLite wants to read just that.
    return f"m.campaign_id = {found.campaign.pk} AND m.resend_of_id IS NULL AND NOT (m.code = '') AND {_failed('m', found)}"


def _failed(alias: str, found: Pool) -> str:
    """The message ``alias`` failed with a code that another try can help."""
    codes = ", ".join(f"%(code{i})s" for i in range(len(found.codes)))
    places = " OR ".join(f"({alias}.state = '{state}' AND {alias}.delivery = '{told}')" for state, told in _places())
    return f"({alias}.code IN ({codes}) AND NOT {alias}.conflict AND ({places}))"


@cache
def _places() -> list[tuple[str, str]]:
    """Where a message with a code that another try can help stands as a failure."""
    helped = replace(unknown("", "", "", "", "", ""), known=True, retryable=True)
    return [
        (state.value, told.value) for state in MessageState for told in Delivery if decide(helped, state, told, 1, ONCE).may
    ]


def _verdict(found: Pool) -> str:
    """``taken`` into another try, ``open`` or reached in one, out of ``tries``, ``suppressed``, or ``may``."""
    account = found.campaign.account_id
    listed = (
        "EXISTS (SELECT 1 FROM campaigns_suppression s WHERE s.number = m.number AND "
        f"(s.account_id = {account} OR s.account_id IS NULL) AND (s.expires_at IS NULL OR s.expires_at > CURRENT_TIMESTAMP))"
    )
    return (
        f"CASE WHEN {_taken(found)} THEN 'taken' WHEN {_open(found)} THEN 'open' "
        f"WHEN {_tries(found)} >= {found.limits.tries} THEN 'tries' WHEN {listed} THEN 'suppressed' ELSE 'may' END"
    )


def rivals(found: Pool) -> list[int]:
    """Tries in which these people already are: all that are not cancelled, but for those this campaign came from."""
    own = {found.campaign.pk, *ancestors(found.campaign, found.members)}
    return [one.pk for one in found.members if one.pk not in own and one.state != CampaignState.CANCELLED]


def _taken(found: Pool) -> str:
    others = rivals(found)
    if not others:
        return "1 = 0"
    where = f"t.campaign_id IN ({listing(others)})"
    return f"EXISTS (SELECT 1 FROM campaigns_recipient t WHERE {where} AND t.number = m.number)"


def _open(found: Pool) -> str:
    """Another message to the same person is anything but such a failure: it arrived, waits or is in doubt."""
    return " OR ".join(f"EXISTS (SELECT 1 {part} AND NOT {_failed('o', found)})" for part in _others(found)) or "1 = 0"


def _tries(found: Pool) -> str:
    return " + ".join(["1", *(f"(SELECT count(*) {part})" for part in _others(found))])


def _others(found: Pool) -> list[str]:
    """Where the other messages to the person of ``m`` are found. Each part is read by an index of its own."""
    ids = [member.pk for member in found.members]
    others = [pk for pk in ids if pk != found.campaign.pk]
    parts = [(others, "o.resend_of_id IS NULL")] if others else []
    parts += [(ids, "o.resend_of_id IS NOT NULL")] if found.resends else []
    return [
        f"FROM campaigns_message o WHERE o.campaign_id IN ({listing(among)}) AND {which} AND o.number = m.number "
        f"AND o.state NOT IN {UNSENT}"
        for among, which in parts
    ]


def listing(ids: Iterable[int]) -> str:
    return ", ".join(str(int(pk)) for pk in ids)
