"""Something that an operator should look at, raised by the machine and acknowledged by a person."""

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from campaigns.models.account import Account
from campaigns.models.campaign import Campaign
from campaigns.models.webhook import Event, Telling, Webhook, WebhookDelivery, stamp


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
    webhook = models.ForeignKey(Webhook, models.CASCADE, null=True)
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
    def notice(cls, kind: str, about: Account | Campaign | Webhook, text: str, level: str = Level.ERROR) -> None:
        """Raise an alert, or notice its matter once more while it is open."""
        now, name = timezone.now(), type(about).__name__.lower()
        matter = f"{kind}:{name}:{about.pk}"
        values = {"text": text[:500], "level": level, "noticed_at": now}
        if cls.objects.filter(matter=matter, closed_at=None).update(times=models.F("times") + 1, **values):
            return
        raised = Alert(kind=kind, matter=matter, raised_at=now, **values, **{f"{name}_id": about.pk})
        with transaction.atomic():
            Alert.objects.bulk_create([raised], ignore_conflicts=True)  # another process may have noticed it this moment
            for alert in cls.objects.filter(matter=matter, closed_at=None, raised_at=now):
                alert.tell("raised")

    def acknowledge(self, user: Any) -> bool:
        """Closed by a person; False when it was closed before. The matter raises another when it comes up again."""
        return self._end(user)

    @classmethod
    def close(cls, **about: Account | Campaign | Webhook) -> None:
        """The matters of an account, campaign or webhook are over."""
        for alert in cls.objects.filter(closed_at=None, **about):
            alert._end(None)

    def _end(self, user: Any) -> bool:
        now = timezone.now()
        with transaction.atomic():
            if not Alert.objects.filter(pk=self.pk, closed_at=None).update(closed_at=now, closed_by=user):
                return False
            self.closed_at = now
            self.tell("closed", user)
        return True

    def tell(self, change: str, user: Any = None) -> None:
        """Lay the change down for the webhooks that want it."""
        hooks = Webhook.wanting(Event.ALERT)
        if not hooks:
            return
        data = {
            "id": self.pk, "change": change, "kind": self.kind, "level": self.level, "text": self.text,
            "account": self.account_id, "campaign": self.campaign_id, "webhook": self.webhook_id,
            "raised_at": stamp(self.raised_at), "closed_at": stamp(self.closed_at),
            "closed_by": user.get_username() if user else None,
        }  # fmt: skip
        account = self._account()
        about = f"{change.capitalize()}: {self.text}"
        WebhookDelivery.lay_down(Telling(hook, Event.ALERT, data, about) for hook in hooks if hook.concerns(account))

    def _account(self) -> int | None:
        """The account that it is about, itself or through its campaign or webhook."""
        about = self.campaign or self.webhook
        return about.account_id if about else self.account_id
