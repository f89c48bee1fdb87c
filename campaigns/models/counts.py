"""Counters as signed deltas: inserted with the change they count, summed on reading, squashed now and then."""

from django.db import models

from campaigns.models.campaign import Campaign

QUARTER = 900  # seconds. Offsets of all time zones are whole quarters of an hour (India +5:30, Nepal +5:45)


class Count(models.Model):
    """How many messages of a campaign stand at one place: add up ``n`` over the rows of a group."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, db_index=False)
    quarter = models.BigIntegerField()  # sent_at as epoch // 900; 0 while not handed over
    state = models.CharField(max_length=11)
    delivery = models.CharField(max_length=11, blank=True)
    code = models.CharField(max_length=32, blank=True)  # of a failure or rejection, else empty
    conflict = models.BooleanField(default=False)
    n = models.IntegerField()
    units = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(
                fields=["campaign", "quarter"], name="counts_of_campaign"
            ),  # used for the campaign page and the squash
            models.Index(fields=["quarter"], name="counts_by_time"),  # used for the dashboard
        ]
