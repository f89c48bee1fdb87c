"""Who is told what happens here, and every telling: what was sent, how often it was tried and what was answered."""

import base64
import json
import secrets as random
import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import models
from django.utils import timezone

from campaigns import jobs
from campaigns.models import secrets
from campaigns.models.account import Account
from campaigns.models.workers import Lease

LEASE = "webhooks"  # of the one job that delivers
KEY = 32  # random bytes of a secret
UNREADABLE = (
    "The stored signing secret cannot be read with the keys in EXODASH_SECRETS_KEYS: restore the old key there, or rotate "
    "the secret."
)


class Event(models.TextChoices):
    """What a webhook can want to be told."""

    MESSAGE_FINAL = "message.final", "Message outcomes"
    CAMPAIGN_STATE = "campaign.state", "Campaign states"
    ALERT = "alert", "Alerts"


TEST = "webhook.test"  # sent on request, whatever is wanted


class Webhook(models.Model):
    name = models.CharField(max_length=80, unique=True)
    url = models.CharField("address", max_length=500)
    events = models.JSONField(default=list)  # of Event
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True)  # empty: what happens on all accounts
    full_numbers = models.BooleanField("whole phone numbers", default=False)
    enabled = models.BooleanField("switched on", default=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # what its secrets are sealed to
    # AES-GCM under EXODASH_SECRETS_KEYS. Both sign until previous_until, so that a receiver can change over in its own time.
    secret = models.BinaryField(editable=False, default=b"")
    previous = models.BinaryField(editable=False, default=b"")
    previous_until = models.DateTimeField(null=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)  # tries in a row that did not arrive
    failing_since = models.DateTimeField(null=True, editable=False)
    held_until = models.DateTimeField(null=True, editable=False)  # it keeps failing: nothing is tried before
    delivered_at = models.DateTimeField(null=True, editable=False)  # the last one that arrived
    disabled_at = models.DateTimeField(null=True, editable=False)  # switched off by the machine, for the reason
    disabled_reason = models.CharField(max_length=300, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def renew_secret(self, keep: timedelta | None = None) -> str:
        """Give it a new signing secret, which is returned and never shown again; for ``keep`` the old one signs too."""
        text = "whsec_" + base64.b64encode(random.token_bytes(KEY)).decode()
        self.previous, self.previous_until = b"", None
        if keep and self.secret:
            self.previous, self.previous_until = self.secret, timezone.now() + keep
        self.secret = secrets.seal(text, self._owner)
        return text

    def signing_secrets(self, now: datetime) -> list[str]:
        """What it signs with at this moment, the newest first; raises secrets.Unreadable with a sentence."""
        sealed = [self.secret]
        if self.previous and self.previous_until and self.previous_until > now:
            sealed.append(self.previous)
        try:
            return [secrets.open_sealed(bytes(one), self._owner) for one in sealed]
        except secrets.Unreadable:
            raise secrets.Unreadable(UNREADABLE) from None

    @property
    def _owner(self) -> str:
        return f"webhook:{self.uid}"

    @classmethod
    def wanting(cls, event: str) -> list["Webhook"]:
        """Those that are switched on and want to be told of such events: one small query, nearly always with no row."""
        return [hook for hook in cls.objects.filter(enabled=True) if event in hook.events]

    def concerns(self, account_id: int | None) -> bool:
        return self.account_id is None or self.account_id == account_id


class Telling(NamedTuple):
    """What one webhook is to be told."""

    webhook: Webhook
    type: str  # Event or TEST
    data: Mapping[str, Any]
    about: str = ""  # the same in a few words, for the log
    items: int = 1


class WebhookDelivery(models.Model):
    """One request to one webhook, repeated until it arrives: always with the same id and the same body."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    # Not checked by the database: a webhook deleted this moment must not undo the sending that would have told it.
    webhook = models.ForeignKey(Webhook, models.CASCADE, db_index=False, db_constraint=False)
    event_id = models.CharField(max_length=40, unique=True)  # the header webhook-id, by which receivers know a repetition
    type = models.CharField(max_length=20)  # Event or TEST
    body = models.TextField()  # to the byte what is signed and sent, at each try
    about = models.CharField(max_length=200, blank=True)  # in a few words, without any number
    items = models.PositiveSmallIntegerField(default=1)  # messages that it tells of
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)  # since it was made, or last replayed
    next_at = models.DateTimeField(null=True)  # empty when it does not wait
    status = models.PositiveSmallIntegerField(null=True)  # HTTP, of the last try
    sentence = models.CharField(max_length=300, blank=True)  # why the last try failed
    answer = models.CharField(max_length=1000, blank=True)  # the beginning of the last answer
    duration = models.PositiveIntegerField(null=True)  # milliseconds of the last try
    tried_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            # used for what is due, and for what failed
            models.Index(fields=["webhook", "state", "next_at"], name="webhook_deliveries_due"),
            models.Index(fields=["webhook", "-id"], name="webhook_deliveries_latest"),  # used for the log
            models.Index(fields=["created_at"], name="webhook_deliveries_old"),  # used for removing what is old
        ]

    def __str__(self) -> str:
        return self.event_id

    @staticmethod
    def lay_down(tellings: Iterable[Telling]) -> None:
        """Store these in the transaction of what they tell of, and ring for whoever delivers."""
        now = timezone.now()
        rows = [
            WebhookDelivery(
                webhook=one.webhook, event_id=f"msg_{random.token_hex(14)}", type=one.type, about=one.about[:200],
                items=one.items, body=_body(one.type, now, one.data), next_at=now, created_at=now,
            )
            for one in tellings
        ]  # fmt: skip
        if rows:
            # Who has something due already was rung for: else each batch of a busy hour would leave a job behind.
            unheard = not all(WebhookDelivery.due(pk, now).exists() for pk in {row.webhook_id for row in rows})
            WebhookDelivery.objects.bulk_create(rows, batch_size=100)
            if unheard:
                WebhookDelivery.ring()

    @classmethod
    def due(cls, webhook_id: int, now: datetime) -> models.QuerySet["WebhookDelivery"]:
        """What waits for its next try, the longest waiting first."""
        rows = cls.objects.filter(webhook=webhook_id, state=cls.State.WAITING, next_at__lte=now)
        return rows.order_by("next_at")

    @staticmethod
    def ring() -> None:
        """Wake the job that delivers, unless it is at work: then it finds what is new, or the next sweep does."""
        if not Lease.objects.filter(name=LEASE, expires_at__gt=timezone.now()).exists():
            jobs.enqueue(jobs.HOOKS)

    @classmethod
    def again(cls, deliveries: Collection[int]) -> int:
        """Send these once more, as if they had never been tried; how many. Same id, same body."""
        rows = cls.objects.filter(pk__in=deliveries)
        again = rows.update(state=cls.State.WAITING, tries=0, next_at=timezone.now())
        if again:
            cls.ring()
        return again


def _body(kind: str, at: datetime, data: Mapping[str, Any]) -> str:
    told = {"type": kind, "timestamp": stamp(at), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def stamp(at: datetime | None) -> str | None:
    """2026-11-21T04:30:00.123456Z"""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
