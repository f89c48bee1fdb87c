"""An operator's decision to send doubtful messages again, knowing that they may arrive twice.

Each becomes a new message that names the one it repeats. A person is written to again only while nobody knows of any of
their messages in the campaign: as soon as one is waiting, on the wire, accepted or refused, the others are left alone.
All is decided under the account's lock, so that two presses make one resend.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from campaigns.models import Campaign, Message
from campaigns.models.states import HELD, CampaignState, MessageState
from campaigns.sending import control, spending
from campaigns.sending.counting import Deltas, place

MOST = 1_000  # messages in one decision
OPEN_TO = frozenset({CampaignState.RUNNING, CampaignState.FINISHED, *HELD})
UNKNOWN = "This campaign has no such message."
SETTLED = "It is {state} by now, so nothing is in doubt any more."
REPEATED = "It was sent again as message {id}, which is {state}."
ARRIVED = "The earlier message {id} to this person is {state}."
TWICE = "Message {id} to the same person is sent again already."


class LeftOut(NamedTuple):
    """A message that is not sent again, and a sentence why."""

    id: int
    why: str


@dataclass(frozen=True, slots=True)
class Resent:
    new: list[int]  # ids of the new messages, in the order of those they repeat
    of: list[int]
    left_out: list[LeftOut]

    def for_audit(self) -> dict[str, Any]:
        return {"messages": len(self.new), "of": runs(self.of), "new": runs(self.new), "left_out": len(self.left_out)}


def runs(ids: Iterable[int]) -> str:
    """Ascending ids in short: 4-6, 9"""
    found: list[list[int]] = []
    for pk in ids:
        if found and found[-1][-1] == pk - 1:
            found[-1][1:] = [pk]
        else:
            found.append([pk])
    return ", ".join("-".join(map(str, run)) for run in found)


def resend(campaign: Campaign, ids: Sequence[int]) -> Resent:
    """Send unconfirmed messages of a campaign again. Raises control.Refused when none of them can be."""
    with control.account_lock(campaign.account_id) as account:
        _check_open(campaign)
        fit, left_out = sort_out(campaign.pk, ids, lock=True)
        if not fit:
            why = " ".join(dict.fromkeys(one.why for one in left_out[:3]))
            raise control.Refused("nothing_to_resend", f"Nothing was sent again. {why}".strip())
        new = _insert(fit)
        control.reopen(account, campaign.pk)
    return Resent(new, [message.pk for message in fit], left_out)


def _check_open(campaign: Campaign) -> None:
    now = Campaign.objects.only("state", "purged_at").get(pk=campaign.pk)
    if now.purged_at:
        raise control.Refused("purged", "The messages of this campaign were purged, so nothing of it can be sent again.")
    state = CampaignState(now.state)
    if state not in OPEN_TO:
        raise control.Refused(
            "wrong_state", f"This campaign is {state.label.lower()}, so nothing of it is sent again. Nothing was changed."
        )


def sort_out(campaign_id: int, ids: Iterable[int], lock: bool = False) -> tuple[list[Message], list[LeftOut]]:
    """Those that may be sent again, in their order, and those that may not: for good when ``lock`` holds them."""
    wanted = sorted(set(ids), reverse=True)  # of several to one person the newest
    numbers = Message.objects.filter(campaign=campaign_id, pk__in=wanted).values_list("number", flat=True)
    families = _families(campaign_id, set(numbers), lock)
    found = {message.pk: message for family in families.values() for message in family}
    fit: dict[int, Message] = {}
    left_out: list[LeftOut] = []
    for pk in wanted:
        message = found.get(pk)
        why = _obstacle(message, families[message.number]) if message else UNKNOWN
        if message and message.number in fit:
            why = why or TWICE.format(id=fit[message.number].pk)
        if message and not why:
            fit[message.number] = message
        else:
            left_out.append(LeftOut(pk, why))
    return list(fit.values())[::-1], left_out[::-1]


def _families(campaign_id: int, numbers: Iterable[int], lock: bool) -> dict[int, list[Message]]:
    """All messages of the campaign to each of these numbers: the first one and its resends, oldest first."""
    families: dict[int, list[Message]] = defaultdict(list)
    of_campaign = Message.objects.filter(number__in=list(numbers), campaign=campaign_id).order_by("pk")
    for message in of_campaign.select_for_update() if lock else of_campaign:
        families[message.number].append(message)
    return families


def _obstacle(message: Message, family: Iterable[Message]) -> str:
    """Why a message is not sent again; empty when it may be."""
    if message.state != MessageState.UNCONFIRMED:
        return SETTLED.format(state=_word(message))
    for other in family:
        if other.state != MessageState.UNCONFIRMED:
            return (REPEATED if other.pk > message.pk else ARRIVED).format(id=other.pk, state=_word(other))
    return ""


def _word(message: Message) -> str:
    return MessageState(message.state).label.lower()


def _insert(repeated: Sequence[Message]) -> list[int]:
    """New pending messages, one for each, with their counters."""
    now = timezone.now()
    made = Message.objects.bulk_create(
        Message(
            campaign_id=old.campaign_id, account_id=old.account_id, recipient_id=old.recipient_id, resend_of=old,
            number=old.number, units=old.units, created_at=now, due=min(old.due, 1), sender_no=old.sender_no,
        )
        for old in repeated
    )  # fmt: skip
    deltas = Deltas()
    pending = place(repeated[0].campaign_id, None, MessageState.PENDING)
    deltas.add(pending, len(made), sum(message.units for message in made))
    deltas.write()
    spending.charge(repeated[0].campaign_id, sum(message.units for message in made))
    return [message.pk for message in made]
