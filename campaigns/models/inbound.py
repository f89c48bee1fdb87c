"""What people wrote to our accounts."""

from django.db import models

from campaigns.models.account import Account


class InboundMessage(models.Model):
    """A message that a person wrote to one of our accounts, and whether it asks to opt out or in again."""

    class Channel(models.TextChoices):
        SMS = "sms", "SMS"
        WHATSAPP = "whatsapp", "WhatsApp"

    class Wish(models.TextChoices):
        NONE = "", "Message"
        STOP = "stop", "Opted out"
        START = "start", "Opted in again"

    account = models.ForeignKey(Account, models.CASCADE, db_index=False)
    channel = models.CharField(max_length=8, choices=Channel)
    digest = models.BinaryField(max_length=16)  # of the Sid: the same message twice is one row
    number = models.BigIntegerField()  # 0 for a sender that is no mobile number
    text = models.CharField(max_length=500, blank=True)
    wish = models.CharField(max_length=5, choices=Wish, blank=True)
    at = models.DateTimeField()  # when it was written

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="one_row_per_inbound")]
        indexes = [
            # used for the last wish of a person
            models.Index(fields=["account", "number", "at"], name="wishes_of_number"),
        ]
