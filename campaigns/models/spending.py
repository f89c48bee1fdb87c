"""What one person may spend, and what they have: rupees by calendar month, as launches commit them."""

from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models

RUPEES: dict[str, Any] = {
    "max_digits": 12, "decimal_places": 2, "null": True, "blank": True, "validators": [MinValueValidator(0)],
}  # fmt: skip


class SpendLimit(models.Model):
    """Rupees that a person may launch, by console or by token. Without a row, or with an empty field, any amount."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="spend_limit")
    per_campaign = models.DecimalField(**RUPEES)
    per_month = models.DecimalField(**RUPEES)


class Spent(models.Model):
    """Committed by the launches of one person in one month; its row is what launches of that person wait for."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    month = models.DateField()  # its first day, by the calendar of each campaign's account
    amount = models.DecimalField(max_digits=16, decimal_places=4)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "month"], name="one_row_per_month_of_person")]
