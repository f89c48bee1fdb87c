"""One message to one person, the requests that carried it, and everything ever reported about it."""

from django.db import models

from campaigns.models.account import Account
from campaigns.models.audience import Recipient
from campaigns.models.campaign import Campaign
from campaigns.models.states import AttemptPhase, Delivery, MessageState

SET_ASIDE = ("rejected", "unconfirmed", "suppressed", "cancelled")
REFUSED_OUTCOMES = ("throttled", "stop_account", "stop_campaign")
LITERALLY_REFUSED = f"campaigns_attempt.outcome IN ({', '.join(map(repr, REFUSED_OUTCOMES))})"
# Conditions of partial indexes, for a query's WHERE clause. SQLite uses such an index only where the query says the same
# thing in the same words; a bound value, as the ORM writes it, is not enough.
LITERALLY = {
    "pending": "campaigns_message.state = 'pending'",
    "pending_by_hour": "campaigns_message.due > 0 AND campaigns_message.state = 'pending'",
    "set_aside": f"campaigns_message.state IN ({', '.join(repr(state) for state in SET_ASIDE)})",
    "delivery": "NOT (campaigns_message.delivery = '')",
    "code": "NOT (campaigns_message.code = '')",
    "conflict": "campaigns_message.conflict AND campaigns_message.conflict = true",
    "unconfirmed": "campaigns_message.state = 'unconfirmed'",
}


class Attempt(models.Model):
    """One POST to Exotel with at most 100 messages; written before the request, settled after it."""

    id = models.UUIDField(primary_key=True)  # 128 random bits: in the callback URL and in CustomField
    campaign = models.ForeignKey(Campaign, models.CASCADE)
    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    owner = models.ForeignKey("Owner", models.PROTECT, db_index=False)
    phase = models.CharField(max_length=8, choices=AttemptPhase, default=AttemptPhase.SENDING)
    size = models.PositiveSmallIntegerField()  # messages in the request
    outcome = models.CharField(max_length=14, blank=True)  # outcomes.Outcome.kind
    http_status = models.PositiveSmallIntegerField(null=True)
    app_code = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    strays = models.JSONField(default=list)  # items of the answer that belong to none of its messages, as received
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    # When Exotel is next asked about those of its messages that no final report has reached; empty when that is over.
    poll_at = models.DateTimeField(null=True)
    polls = models.PositiveSmallIntegerField(default=0)  # rounds of asking that are done
    poll_after = models.BigIntegerField(default=0)  # where asking goes on: messages up to this id had their turn

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(phase__in=AttemptPhase.values), name="attempt_phase_is_known"),
        ]
        indexes = [
            # used by recovery every 15 s; only requests on the wire are in it
            models.Index(fields=["owner"], name="attempts_being_sent", condition=models.Q(phase="sending")),
            # used for finding whose messages are due to be asked about
            models.Index(fields=["poll_at"], name="attempts_to_ask_about", condition=models.Q(poll_at__isnull=False)),
            # used by the alert rules every minute; few requests are throttled or refused as a whole
            models.Index(fields=["started_at"], name="attempts_refused", condition=models.Q(outcome__in=REFUSED_OUTCOMES)),
        ]


class Message(models.Model):
    campaign = models.ForeignKey(Campaign, models.CASCADE, db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    # Not checked by the database: without an index of its own, each recipient deleted would read all messages.
    recipient = models.ForeignKey(Recipient, models.PROTECT, db_index=False, db_constraint=False)
    resend_of = models.ForeignKey("self", models.PROTECT, null=True, db_index=False)  # an operator's decision, audited
    number = models.BigIntegerField()
    units = models.PositiveSmallIntegerField(default=1)  # estimate; Exotel's own count once it is reported
    state = models.CharField(max_length=11, default=MessageState.PENDING)
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, db_index=False)
    sid = models.CharField(max_length=64, null=True)  # set once
    delivery = models.CharField(max_length=11, default=Delivery.NONE, blank=True)
    code = models.CharField(max_length=32, blank=True, default="")  # of the report that decided, or of the rejection
    standing = models.BigIntegerField(default=0)  # the deciding report's place in the total order; only ever grows
    conflict = models.BooleanField(default=False)  # reported both failed and delivered
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)  # intent committed
    settled_at = models.DateTimeField(null=True)  # accepted, rejected or unconfirmed
    final_at = models.DateTimeField(null=True)  # the deciding final report came in
    # Only in a campaign whose rows have headers or hours of their own; there a message that may go at once has due 1. So the
    # others pay nothing for its index, and each of its ranges begins and ends with what may be sent.
    due = models.BigIntegerField(db_default=0)  # seconds since 1970: not to be sent before
    sender_no = models.PositiveSmallIntegerField(db_default=0)  # place in the snapshot's senders; 0 is the campaign's own

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "number"],
                name="message_number_unique_in_campaign",
                condition=models.Q(resend_of=None),
            ),
            models.UniqueConstraint(
                fields=["account", "sid"], name="sid_unique_in_account", condition=models.Q(sid__isnull=False)
            ),
            models.CheckConstraint(condition=models.Q(state__in=MessageState.values), name="message_state_is_known"),
            models.CheckConstraint(condition=models.Q(delivery__in=Delivery.values), name="message_delivery_is_known"),
            models.CheckConstraint(
                condition=~models.Q(state="accepted") | models.Q(sid__isnull=False),
                name="no_accepted_message_without_sid",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="in_flight") | models.Q(attempt__isnull=False),
                name="no_in_flight_message_without_attempt",
            ),
        ]
        indexes = [
            # used for picking the next batch; shrinks to nothing as a campaign is sent
            # (with the state in it, or SQLite would as soon take messages_of_campaign and walk past all that was sent)
            models.Index(fields=["campaign", "state", "id"], name="pending_messages", condition=models.Q(state="pending")),
            # used for picking the next batch where rows have headers or hours of their own: one header, what is due first
            models.Index(
                fields=["campaign", "state", "sender_no", "due", "id"],
                name="pending_messages_by_hour",
                condition=models.Q(state="pending", due__gt=0),
            ),
            # used for settling a request and for callbacks that name the attempt
            models.Index(fields=["attempt"], name="messages_of_attempt", condition=models.Q(attempt__isnull=False)),
            # used for the message list of a campaign: all of it, by state, by delivery, by code; deep pages by id
            models.Index(fields=["campaign", "id"], name="messages_of_campaign"),
            # Each but the first holds only rows that the ordinary path of a message passes by: see LITERALLY.
            models.Index(
                fields=["campaign", "state", "id"], name="messages_set_aside", condition=models.Q(state__in=SET_ASIDE)
            ),
            models.Index(
                fields=["campaign", "delivery", "id"], name="messages_by_delivery", condition=~models.Q(delivery="")
            ),
            models.Index(fields=["campaign", "code", "id"], name="failed_messages_by_code", condition=~models.Q(code="")),
            models.Index(
                fields=["campaign", "conflict", "id"], name="messages_in_conflict", condition=models.Q(conflict=True)
            ),
            # used for the search by number over all campaigns, and for all that was sent to one person of a campaign
            models.Index(fields=["number"], name="messages_to_number"),
            # used by the database itself for each message that is deleted, and else for nothing
            models.Index(fields=["resend_of"], name="messages_sent_again", condition=models.Q(resend_of__isnull=False)),
            # used for the list of reports that disagree over all campaigns
            models.Index(fields=["-id"], name="conflicting_messages", condition=models.Q(conflict=True)),
            # used for the list of doubts over all campaigns; holds only what nobody knows
            models.Index(fields=["-id"], name="unconfirmed_messages", condition=models.Q(state="unconfirmed")),
        ]


class Transition(models.Model):
    """One change of a message's send state. Reports about delivery are DeliveryEvent rows."""

    message = models.ForeignKey(Message, models.CASCADE)
    state = models.CharField(max_length=11)  # the new one
    attempt = models.UUIDField(null=True)
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()


class DeliveryEvent(models.Model):
    """One status report as it was received, whatever it changed: a message's delivery is the maximum over these."""

    message = models.ForeignKey(Message, models.CASCADE, db_index=False)
    digest = models.BinaryField(max_length=16)  # of Sid, word, code and DateSent: the same report twice is one row
    source = models.CharField(max_length=8)  # callback, poll or answer
    word = models.CharField(max_length=32)
    code = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=11, blank=True)
    date_sent = models.DateTimeField(null=True)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "digest"], name="one_row_per_report")]
