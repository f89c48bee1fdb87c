"""Something that an operator should look at, raised by the machine and acknowledged by a person."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from campaigns.models.account import Account
from campaigns.models.campaign import Campaign


class Alert(models.Model):
    """One matter, however often it is noticed again: it has one open alert."""

    class Level(models.TextChoices):
        ERROR = "error", "Error"
        WARNING = "warning", "Warning"

    kind = models.CharField(max_length=40)
    matter = models.CharField(max_length=100)  # the kind and what it is about
    level = models.CharField(max_length=7, choices=Level, default=Level.ERROR)
    account = models.ForeignKey(Account, models.CASCADE, null=True)
    campaign = models.ForeignKey(Campaign, models.CASCADE, null=True)
    text = models.CharField(max_length=500)  # what happened and what to do
    times = models.PositiveIntegerField(default=1)  # noticed so often
    raised_at = models.DateTimeField()
    noticed_at = models.DateTimeField()  # the last time
    closed_at = models.DateTimeField(null=True)  # acknowledged, or over by itself
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["matter"], name="one_open_alert_per_matter", condition=models.Q(closed_at=None)),
        ]
        indexes = [models.Index(fields=["-raised_at"], name="alerts_latest_first")]  # used for the list

    def __str__(self) -> str:
        return self.text

    @classmethod
    def notice(cls, kind: str, about: Account | Campaign, text: str, level: str = Level.ERROR) -> None:
        """Raise an alert, or notice its matter once more while it is open."""
        now, name = timezone.now(), type(about).__name__.lower()
        matter = f"{kind}:{name}:{about.pk}"
        values = {"text": text[:500], "level": level, "noticed_at": now}
        if cls.objects.filter(matter=matter, closed_at=None).update(times=models.F("times") + 1, **values):
            return
        raised = Alert(kind=kind, matter=matter, raised_at=now, **values, **{name: about})
        Alert.objects.bulk_create([raised], ignore_conflicts=True)  # another process may have noticed it this moment

    def acknowledge(self, user: Any) -> bool:
        """Closed by a person; False when it was closed before. The matter raises another when it comes up again."""
        values = {"closed_at": timezone.now(), "closed_by": user}
        return bool(Alert.objects.filter(pk=self.pk, closed_at=None).update(**values))

    @classmethod
    def close(cls, **about: Account | Campaign) -> None:
        """The matters of an account or campaign are over."""
        cls.objects.filter(closed_at=None, **about).update(closed_at=timezone.now())
