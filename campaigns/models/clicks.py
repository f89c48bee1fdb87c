"""Clicks on short links as they were told, and counters of them. The visitor's IP address is never among them."""

from django.db import models

from campaigns.models.campaign import Campaign
from campaigns.models.message import Message


class Click(models.Model):
    """One click. ``link`` is the address without its query, which may be the person's own."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, db_index=False)
    attempt = models.UUIDField()  # the request that carried the link
    # Empty when neither number nor Sid nor text tells whose link it was.
    message = models.ForeignKey(Message, models.CASCADE, null=True, db_index=False)
    digest = models.BinaryField(max_length=16)  # of the link's Sid and the time: the same click twice is one row
    link = models.CharField(max_length=200, blank=True)
    device = models.CharField(max_length=80, blank=True)
    os = models.CharField(max_length=80, blank=True)
    city = models.CharField(max_length=80, blank=True)
    region = models.CharField(max_length=80, blank=True)
    country = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "digest"], name="one_row_per_click")]
        indexes = [
            # used for a message's history
            models.Index(fields=["message"], name="clicks_of_message", condition=models.Q(message__isnull=False)),
        ]


class Clicker(models.Model):
    """That somebody has clicked at all (``link`` 0) or on one link: whoever clicks again is not counted again."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, db_index=False)
    visitor = models.BigIntegerField()  # the message, or below zero a hash of the link where the message is not known
    link = models.BigIntegerField(default=0)  # a hash

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "visitor", "link"], name="one_row_per_clicker")]


class ClickCount(models.Model):
    """Signed deltas like Count: add up over the rows of one kind and value. A campaign has at most some hundred values."""

    class Kind(models.TextChoices):
        ALL = "all", "All"
        LINK = "link", "Link"
        DEVICE = "device", "Device"
        CITY = "city", "City"
        QUARTER = "quarter", "Quarter of an hour"  # epoch // 900

    campaign = models.ForeignKey(Campaign, models.CASCADE, db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    value = models.CharField(max_length=200, blank=True)
    clicks = models.IntegerField()
    people = models.IntegerField()  # of a link: who clicked on it; else: whose first click it was

    class Meta:
        indexes = [models.Index(fields=["campaign", "kind", "value"], name="click_counts_of_campaign")]
