"""The inbox: every callback as it arrived, before anything is made of it."""

from django.db import models

SET_ASIDE = ("quarantined", "parked", "nonsense")
# The condition of the index in its own words, without which SQLite does not use it.
LITERALLY_SET_ASIDE = f"callbacks_callbackevent.result IN ({', '.join(map(repr, SET_ASIDE))})"


class CallbackEvent(models.Model):
    """One callback, durable before it is answered. ``applied_at`` and the effect are committed together."""

    class Kind(models.TextChoices):
        STATUS = "status", "Status report"
        CLICK = "click", "Click"
        INBOUND = "inbound", "Incoming SMS"

    class Result(models.TextChoices):
        WAITING = "", "Waiting"
        APPLIED = "applied", "Applied"
        DUPLICATE = "duplicate", "Received before"
        QUARANTINED = (
            "quarantined",
            "Quarantined",
        )  # contradicts what was sent: a number outside the batch, another Sid
        PARKED = "parked", "Parked"  # names an attempt we do not know (yet)
        PURGED = "purged", "Too late"  # what it is about was purged
        NONSENSE = "nonsense", "Not a status report"

    received_at = models.DateTimeField()
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.STATUS)
    # Proven by the URL's signature; not a foreign key: a restored backup may lack it. Of an incoming SMS, the callback
    # id of its account.
    attempt = models.UUIDField()
    content_type = models.CharField(max_length=100, blank=True)
    raw = models.BinaryField(max_length=16_384)  # emptied once a click is applied: it holds the visitor's IP address
    result = models.CharField(max_length=12, choices=Result, default=Result.WAITING, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    message_id = models.BigIntegerField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # used by the inbox for its next batch; empty when all is applied
            models.Index(fields=["id"], name="callbacks_waiting", condition=models.Q(result="")),
            models.Index(fields=["next_try_at"], name="callbacks_parked", condition=models.Q(result="parked")),
            # used for the page of what was set aside
            models.Index(fields=["result", "id"], name="callbacks_set_aside", condition=models.Q(result__in=SET_ASIDE)),
        ]


class LateCount(models.Model):
    """How many callbacks of a day came for messages that had been purged."""

    day = models.BigIntegerField(unique=True)  # epoch // 86400
    n = models.PositiveIntegerField(default=0)
