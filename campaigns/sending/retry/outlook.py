"""What "retry failed" would do, and the sentence when it can do nothing."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings

from campaigns.models import Campaign
from campaigns.models.states import ENDED, HELD, CampaignState
from campaigns.sending.retry.pool import Pool, hopeless, pool, rivals, sort
from campaigns.sending.retry.rules import Limits
from campaigns.text.cost import indian

CHEAP = 5_000  # failures to look up in other tries, on a page that asks again every few seconds
ALLOWED = ENDED | HELD  # while messages are handed over, what fails is not settled
HOPELESS = {
    "list": "with a number that takes no such message (Do Not Disturb, opted out or not in service)",
    "dlt": "blocked until the DLT registration is mended",
    "content": "with a text that must be mended first",
    "unknown": "with a code that nobody can explain",
}
ELSE = "with a code that another try does not help"
AGAINST = {
    "open": "reached or still under way in another try",
    "tries": "after {tries} tries, which is the limit",
    "suppressed": "on the suppression list now",
}


@dataclass(frozen=True, slots=True)
class Outlook:
    failed: int
    may: int  # people that another try can be made for
    code: str  # of the refusal, when there is none
    why: str  # the sentence on those who are left out
    counted: bool = True  # False: counting would have taken long, so nothing is said


def limits(cost: Decimal | None = None) -> Limits:
    return Limits(settings.MOST_TRIES, cost)


def outlook(campaign: Campaign, most: int | None = None) -> Outlook | None:
    """How many failures can be sent again just now; None while the campaign's state does not allow to ask.

    From the counters alone, unless there are other tries of the same people: then up to ``most`` are looked up.
    """
    if campaign.state not in ALLOWED or campaign.purged_at:
        return None
    found = pool(campaign, limits())
    alone = len(found.members) == 1 and not found.resends and found.limits.tries > 1
    if most is not None and not alone and found.candidates > most:
        return Outlook(found.failures.total(), 0, "", "", counted=False)
    return judge(found, Counter(may=found.candidates) if alone else sort(found))


def judge(found: Pool, verdicts: Counter[str]) -> Outlook:
    failed, may, taken = found.failures.total(), verdicts["may"], verdicts["taken"]
    if not failed:
        return Outlook(0, 0, "nothing_failed", "Nothing of this campaign has failed, so there is nothing to send again.")
    left_out = _left_out(found, verdicts)
    if may:
        return Outlook(failed, may, "", f"Left out of {_count(failed)}: {left_out}." if left_out else "")
    lead = "The one failure cannot be sent again" if failed == 1 else f"None of the {_count(failed)} can be sent again"
    code = "already_retried" if taken and verdicts.total() == taken else "nothing_to_retry"
    return Outlook(failed, 0, code, f"{lead}: {left_out}." if left_out else f"{lead}.")


def _left_out(found: Pool, verdicts: Counter[str]) -> str:
    """How many are left out and why, the most first."""
    reasons: Counter[str] = Counter()
    for kind, n in hopeless(found).items():
        reasons[HOPELESS.get(kind, ELSE)] += n
    reasons[f"in {_names(found)} already"] = verdicts["taken"]
    for key, words in AGAINST.items():
        reasons[words.format(tries=found.limits.tries)] = verdicts[key]
    ordered = sorted(reasons.items(), key=lambda reason: (-reason[1], reason[0]))
    return "; ".join(f"{indian(n)} {words}" for words, n in ordered if n)


def _count(failed: int) -> str:
    return f"{indian(failed)} failure{'' if failed == 1 else 's'}"


def _names(found: Pool) -> str:
    """The tries that hold the taken ones, by name; the newest two when there are more."""
    others = set(rivals(found))
    names = [f"“{member.name}”" for member in found.members if member.pk in others]
    return " and ".join(names[-2:])


def not_now(campaign: Campaign) -> str:
    """Why a campaign's state does not allow a retry."""
    if campaign.state == CampaignState.DRAFT:
        return "This campaign is a draft: nothing of it was sent, so nothing can be sent again."
    now = CampaignState(campaign.state).label.lower()
    return f"This campaign is {now}: its failures can be sent again once it is finished, or while it is paused."
