"""Statuses that are checked with Exotel: which messages are asked about once more, and what came of it."""

from django.db import models

from campaigns.models.account import Account
from campaigns.models.message import Message


class Verification(models.Model):
    """One question about a message that has a final status; asked once, answered or not."""

    class Why(models.TextChoices):
        CONFLICT = "conflict", "Reports contradict each other"
        SAMPLE = "sample", "Sample"

    class Result(models.TextChoices):
        WAITING = "", "Not asked yet"
        AGREED = "agreed", "Exotel says the same"
        DIFFERED = "differed", "Exotel says otherwise"
        UNKNOWN = "unknown", "Exotel gave no final status"

    message = models.ForeignKey(Message, models.CASCADE, db_index=False)
    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    why = models.CharField(max_length=8, choices=Why)
    due_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)  # questions that got no usable answer
    result = models.CharField(max_length=8, choices=Result, default=Result.WAITING, blank=True)
    stood = models.CharField(max_length=11, blank=True)  # the delivery that was held to be true when it was asked
    told = models.CharField(max_length=11, blank=True)  # the delivery that Exotel's answer names
    asked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "why"], name="one_check_of_a_kind")]
        indexes = [
            # used for finding what is to be asked next; only what was not asked yet is in it
            models.Index(fields=["account", "due_at"], name="checks_to_ask", condition=models.Q(result="")),
        ]


class CheckCount(models.Model):
    """How many checks of an account ended how, by the quarter of an hour in which Exotel was asked."""

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    quarter = models.BigIntegerField()  # epoch // 900
    result = models.CharField(max_length=8)
    n = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "quarter", "result"], name="one_count_of_checks")]
