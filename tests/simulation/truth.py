"""What must hold when all is quiet: our tables against the provider's ledger and against each other."""

from campaigns.insight import recount
from campaigns.models import Campaign, Message
from campaigns.models.states import CampaignState, MessageState
from tests.simulation.provider import QUEUED, Breach

SETTLED = {
    MessageState.ACCEPTED, MessageState.REJECTED, MessageState.UNCONFIRMED, MessageState.SUPPRESSED, MessageState.CANCELLED,
}  # fmt: skip
# The order over reports, written down a second time: what a code proves, and what then stands on the message.
PROVES = {"21010": 1, "21020": 3, "20006": 4, "20005": 6}  # every other code is a failure
FAILURE = 5
GENERIC = {"23060", "24010", "24990"}
SHOWN = {1: "awaiting", 3: "awaiting", 4: "at_operator", 5: "failed", 6: "delivered"}


def check(world):
    messages = list(Message.objects.filter(campaign__in=world.campaigns).order_by("id"))
    cancelled = set(Campaign.objects.filter(state=CampaignState.CANCELLED).values_list("pk", flat=True))
    if {message.pk for message in messages} != set(world.messages):
        raise Breach("messages were lost or made")
    for message in messages:
        try:
            _check_message(world, message, cancelled)
        except Breach as breach:
            raise Breach(f"message {message.pk} ({message.state}, {message.sid}, {message.delivery}): {breach}") from None
    accepted = {message.pk for message in messages if message.state == MessageState.ACCEPTED}
    if parked := [callback.entry.sid for callback in world.provider.callbacks if callback.entry.message in accepted]:
        raise Breach(f"reports of known messages are still parked: {parked}")
    if found := list(recount.breaches()):
        raise Breach(f"check_invariants: {found}")


def _check_message(world, message, cancelled):
    entry = world.provider.ledger.get(message.pk)
    if message.state not in SETTLED:
        raise Breach("it is not settled")
    if message.state == MessageState.ACCEPTED:
        if entry is None or entry.sid != message.sid:
            raise Breach(f"the ledger has {entry and entry.sid}")
        return _check_delivery(message, entry)
    if (message.sid, message.delivery, message.standing) != (None, "", 0):
        raise Breach("it stands as if it had been accepted")
    if message.state == MessageState.UNCONFIRMED:
        return _check_doubt(world, message, entry)
    if entry:
        raise Breach("the ledger has it")
    if message.state == MessageState.REJECTED and world.provider.rejected.get(message.pk) != message.code:
        raise Breach("the provider did not refuse it so")
    if message.state == MessageState.SUPPRESSED and message.number not in world.permits.opted_out:
        raise Breach("nobody opted out")
    if message.state == MessageState.CANCELLED and message.campaign_id not in cancelled:
        raise Breach("its campaign was not cancelled")
    return None


def _check_doubt(world, message, entry):
    if entry and entry.told:
        raise Breach("a report of it has arrived")
    parcel = world.parcels.get(message.attempt_id)
    if parcel and f"{message.number % 10**10}" not in parcel.doubtful:
        raise Breach("nothing about its request was in doubt")


def _check_delivery(message, entry):
    """The message stands as the highest of all that was said of it."""
    ranked = sorted((_rank(told), told) for told in {*entry.told, QUEUED})
    highest = ranked[-1][1]
    if message.delivery != SHOWN[ranked[-1][0][0]]:
        raise Breach(f"the highest report was {highest}")
    if entry.told and message.code != highest.code:
        raise Breach(f"its code is {message.code}, and the highest report was {highest}")
    shown = {SHOWN[rank[0]] for rank, _ in ranked}
    if message.conflict != ({"failed", "delivered"} <= shown):
        raise Breach("its conflict flag is wrong")


def _rank(told):
    return PROVES.get(told.code, FAILURE), told.code not in GENERIC, told.second, told.code
