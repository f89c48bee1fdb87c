"""Something that an operator should look at, raised by the machine and acknowledged by a person."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from campaigns.models.account import Account
from campaigns.models.campaign import Campaign
from campaigns.models.webhook import Event, Telling, Webhook, WebhookDelivery, stamp

Subject = Account | Campaign | Webhook

RAISED, CLOSED = "raised", "closed"  # as webhooks are told
STOPPED = "stopped"  # the kind of what control raises when it holds a campaign or account; all others are rules'


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
    mailed_at = models.DateTimeField(null=True)  # the last e-mail about it was handed over, or is being just now
    mail_tries = models.PositiveSmallIntegerField(default=0)  # in a row that failed
    mail_next_at = models.DateTimeField(null=True)  # not before that, after a failure
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["matter"], name="one_open_alert_per_matter", condition=models.Q(closed_at=None)),
        ]
        indexes = [
            models.Index(fields=["-raised_at"], name="alerts_latest_first"),  # used for the list
            models.Index(fields=["matter", "-raised_at"], name="alerts_of_matter"),  # used for not repeating itself
        ]

    def __str__(self) -> str:
        return self.text

    @classmethod
    def notice(cls, kind: str, about: Subject | None, text: str, level: str = Level.ERROR, *, again: bool = True) -> bool:
        """Raise an alert, or notice its matter once more while it is open; whether it was raised.

        Without ``again`` it is a look at what goes on and not another occurrence, and is not counted as one.
        """
        now, matter = timezone.now(), matter_of(kind, about)
        values = {"text": text[:500], "level": level, "noticed_at": now}
        more = {"times": models.F("times") + 1} if again else {}
        if cls.objects.filter(matter=matter, closed_at=None).update(**more, **values):
            return False
        of = {f"{type(about).__name__.lower()}_id": about.pk} if about else {}
        try:
            with transaction.atomic():
                raised = cls.objects.create(kind=kind, matter=matter, raised_at=now, **values, **of)
                raised._tell(RAISED)
        except IntegrityError:  # another process has noticed it this moment
            return False
        return True

    def acknowledge(self, user: Any) -> bool:
        """Closed by a person; False when it was closed before. The matter raises another when it comes up again."""
        return self._close(timezone.now(), user)

    @classmethod
    def close(cls, kind: str = STOPPED, **about: Subject) -> None:
        """The matter of that kind of an account, campaign or webhook is over."""
        for alert in cls.objects.filter(closed_at=None, kind=kind, **about):
            alert.over()

    def over(self) -> bool:
        """Closed by the machine, because what it is about is over."""
        return self._close(timezone.now(), None)

    def _close(self, at: datetime, by: Any) -> bool:
        with transaction.atomic():
            done = bool(Alert.objects.filter(pk=self.pk, closed_at=None).update(closed_at=at, closed_by=by))
            if done:
                self.closed_at, self.closed_by = at, by
                self._tell(CLOSED)
        return done

    def _tell(self, change: str) -> None:
        """Lay the change down for the webhooks that want it, in the transaction of the change.

        E-mail is another matter: insight/mailing looks for open alerts that nobody was written about.
        """
        hooks = Webhook.wanting(Event.ALERT)
        if not hooks:
            return
        data = {
            "id": self.pk, "change": change, "kind": self.kind, "level": self.level, "text": self.text,
            "account": self.account_id, "campaign": self.campaign_id, "webhook": self.webhook_id,
            "raised_at": stamp(self.raised_at), "closed_at": stamp(self.closed_at),
            "closed_by": self.closed_by.get_username() if self.closed_by else None,
        }  # fmt: skip
        account, about = self._account(), f"{change.capitalize()}: {self.text}"
        WebhookDelivery.lay_down(Telling(hook, Event.ALERT, data, about) for hook in hooks if hook.concerns(account))

    def _account(self) -> int | None:
        """The account that it is about, itself or through its campaign or webhook."""
        about = self.campaign or self.webhook
        return about.account_id if about else self.account_id


def matter_of(kind: str, about: Subject | None) -> str:
    return f"{kind}:{type(about).__name__.lower()}:{about.pk}" if about else f"{kind}:all"
