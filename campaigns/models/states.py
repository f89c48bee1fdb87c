"""Every status word of the product, its meaning, the edges between them and the groups that code asks for.

Nothing else in the product lists these words again: ask ``state in SENT`` rather than naming five states.
"""

from django.db.models import TextChoices


class CampaignState(TextChoices):
    DRAFT = "draft", "Draft"  # being prepared; nothing is sent
    SCHEDULED = "scheduled", "Scheduled"  # launched, waits for its hour
    LAUNCHING = "launching", "Launching"  # launched, its messages are being written
    RUNNING = "running", "Running"  # messages may be handed over
    PAUSED = "paused", "Paused"  # an operator holds it
    STOPPED = "stopped", "Stopped"  # the machine holds it; state_reason says why and how to go on
    CANCELLED = "cancelled", "Cancelled"  # nothing more will be sent
    FINISHED = "finished", "Finished"  # nothing pending or in flight; delivery may still be awaited


class MessageState(TextChoices):
    PENDING = "pending", "Waiting"  # not handed over yet
    IN_FLIGHT = "in_flight", "Being sent"  # an intent is committed; its request may be on the wire
    ACCEPTED = "accepted", "Accepted"  # Exotel gave a Sid
    REJECTED = "rejected", "Rejected"  # Exotel refused this message with a code
    UNCONFIRMED = "unconfirmed", "Unconfirmed"  # handed over, answer unknown: never sent again by a machine
    SUPPRESSED = "suppressed", "Suppressed"  # the number is on a suppression list
    CANCELLED = "cancelled", "Cancelled"  # its campaign was cancelled before it was handed over


class Delivery(TextChoices):
    NONE = "", "Not sent"  # nothing known yet
    AWAITING = "awaiting", "Awaiting"  # queued, sending or submitted: no final report
    AT_OPERATOR = (
        "at_operator",
        "At operator",
    )  # 20006: the operator has it, this route may report nothing more
    FAILED = "failed", "Failed"
    DELIVERED = "delivered", "Delivered"
    READ = "read", "Read"


class AttemptPhase(TextChoices):
    SENDING = "sending", "Sending"  # the intent is committed
    DONE = "done", "Done"  # the answer is stored
    UNKNOWN = "unknown", "Unknown"  # no answer, or one that cannot be read


class ImportState(TextChoices):
    UPLOADED = "uploaded", "Waiting for its columns"
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


# Edges: target state -> the states it may be entered from. Every UPDATE names them in its WHERE clause.
CAMPAIGN_EDGES: dict[str, tuple[str, ...]] = {
    CampaignState.SCHEDULED: (CampaignState.DRAFT,),
    CampaignState.LAUNCHING: (CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.STOPPED),
    # from finished: only to send doubtful messages again, see control.reopen
    CampaignState.RUNNING: (
        CampaignState.LAUNCHING, CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.FINISHED,
    ),
    CampaignState.PAUSED: (CampaignState.RUNNING,),
    CampaignState.STOPPED: (CampaignState.RUNNING, CampaignState.SCHEDULED),  # scheduled: its start was missed
    CampaignState.CANCELLED: (
        CampaignState.SCHEDULED, CampaignState.LAUNCHING, CampaignState.RUNNING,
        CampaignState.PAUSED, CampaignState.STOPPED,
    ),
    CampaignState.FINISHED: (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.STOPPED),
}  # fmt: skip
MESSAGE_EDGES: dict[str, tuple[str, ...]] = {
    MessageState.IN_FLIGHT: (MessageState.PENDING,),
    MessageState.ACCEPTED: (
        MessageState.IN_FLIGHT,
        MessageState.UNCONFIRMED,
    ),  # from unconfirmed: on evidence
    MessageState.REJECTED: (MessageState.IN_FLIGHT, MessageState.UNCONFIRMED),
    MessageState.UNCONFIRMED: (MessageState.IN_FLIGHT,),
    MessageState.PENDING: (MessageState.IN_FLIGHT,),  # only on proof that nothing was accepted
    MessageState.SUPPRESSED: (MessageState.PENDING,),
    MessageState.CANCELLED: (MessageState.PENDING,),
}

EDITABLE = frozenset({CampaignState.DRAFT})
LIVE = frozenset({CampaignState.LAUNCHING, CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.STOPPED})
HELD = frozenset({CampaignState.PAUSED, CampaignState.STOPPED})
ENDED = frozenset({CampaignState.CANCELLED, CampaignState.FINISHED})
HANDED_OVER = frozenset({MessageState.IN_FLIGHT, MessageState.ACCEPTED, MessageState.REJECTED, MessageState.UNCONFIRMED})
MAY_ARRIVE = frozenset({MessageState.IN_FLIGHT, MessageState.ACCEPTED, MessageState.UNCONFIRMED})
UNSETTLED = frozenset({MessageState.PENDING, MessageState.IN_FLIGHT})
BILLABLE = frozenset({MessageState.ACCEPTED, MessageState.UNCONFIRMED})
FINAL_DELIVERY = frozenset({Delivery.AT_OPERATOR, Delivery.FAILED, Delivery.DELIVERED, Delivery.READ})
ARRIVED = frozenset({Delivery.DELIVERED, Delivery.READ})

# Reported states in the order of what they prove (design: statuses.md, "Applying"). The highest one ever seen wins,
# whatever the order in which reports arrive: a handset receipt is proof, a failure is only absence of proof.
RANK = {"queued": 1, "sending": 2, "submitted": 3, "at_operator": 4, "failed": 5, "delivered": 6, "read": 7}
DELIVERY_OF = {
    "queued": Delivery.AWAITING,
    "sending": Delivery.AWAITING,
    "submitted": Delivery.AWAITING,
    "at_operator": Delivery.AT_OPERATOR,
    "failed": Delivery.FAILED,
    "delivered": Delivery.DELIVERED,
    "read": Delivery.READ,
}
