"""Something that an operator should look at, raised by the machine and acknowledged by a person."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from campaigns.models.account import Account
from campaigns.models.campaign import Campaign

RAISED, CLOSED = "raised", "closed"
STOPPED = "stopped"  # the kind of what control raises when it holds a campaign or account; all others are rules'
Listener = Callable[["Alert", str], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have ``listener(alert, event)`` called for every alert that is raised or closed: see ``passed``."""
    if listener not in _listeners:
        _listeners.append(listener)


def passed(alert: "Alert", event: str) -> None:
    """The one door for alerts to the outside: each passes here once when it is RAISED and once when it is CLOSED.

    Inside the transaction of the change, which may hold an account's lock: a listener may write rows and ring for jobs, but
    must not wait for anybody. E-mail is no listener: insight/mailing looks for open alerts that nobody was written about.
    """
    for listener in _listeners:
        listener(alert, event)


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
    def notice(
        cls, kind: str, about: Account | Campaign | None, text: str, level: str = Level.ERROR, *, again: bool = True
    ) -> bool:
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
                passed(raised, RAISED)
        except IntegrityError:  # another process has noticed it this moment
            return False
        return True

    def acknowledge(self, user: Any) -> bool:
        """Closed by a person; False when it was closed before. The matter raises another when it comes up again."""
        return self._close(timezone.now(), user)

    @classmethod
    def close(cls, kind: str = STOPPED, **about: Account | Campaign) -> None:
        """The matter of that kind of an account or campaign is over."""
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
                passed(self, CLOSED)
        return done


def matter_of(kind: str, about: Account | Campaign | None) -> str:
    return f"{kind}:{type(about).__name__.lower()}:{about.pk}" if about else f"{kind}:all"
