"""What people do with webhooks, from the console or by REST: try them, replay, rotate, switch on; and what time removes."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from campaigns.hooks import rules
from campaigns.models import Alert, Webhook, WebhookDelivery
from campaigns.models.webhook import TEST, Event, Telling

KEEP_HOURS = (0, 1, 24, 168)  # for which a rotated secret may go on signing
REPLAYED = 1000  # failed deliveries at once
REMOVED = 2000  # old deliveries at once
State = WebhookDelivery.State


class Impossible(Exception):
    """It cannot be done as things are; the text says why. The code is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def test(hook: Webhook) -> WebhookDelivery:
    """Lay down a delivery that tells of nothing."""
    if not hook.enabled:
        raise Impossible("switched_off", "This webhook is switched off: switch it on, then test it.")
    data = {"text": f"A test of the webhook “{hook.name}”.", "events": hook.events}
    WebhookDelivery.lay_down([Telling(hook, TEST, data)])
    # The hold is for what failed; whoever presses Test wants to know now.
    Webhook.objects.filter(pk=hook.pk).update(held_until=None)
    WebhookDelivery.ring()
    return WebhookDelivery.objects.filter(webhook=hook, type=TEST).latest("pk")


def replay(delivery: WebhookDelivery) -> None:
    """Send one delivery again, with the id and body that it had."""
    Webhook.objects.filter(pk=delivery.webhook_id).update(held_until=None)
    WebhookDelivery.again([delivery.pk])


def replay_failed(hook: Webhook, since: datetime | None = None) -> int:
    """Send again what failed for good, made at that time or later: the oldest first, at most REPLAYED at once; how many."""
    failed = WebhookDelivery.objects.filter(webhook=hook, state=State.FAILED)
    if since:
        failed = failed.filter(created_at__gte=since)
    return WebhookDelivery.again(list(failed.order_by("pk").values_list("pk", flat=True)[:REPLAYED]))


def rotate(hook: Webhook, hours: int) -> str:
    """A new signing secret, which is returned; the old one signs beside it for so many hours."""
    text = hook.renew_secret(timedelta(hours=hours) if hours else None)
    hook.save(update_fields=["secret", "previous", "previous_until"])
    return text


def create(hook: Webhook) -> str:
    """Store a new webhook; its signing secret, which is not shown again."""
    if Webhook.objects.count() >= rules.MOST:
        raise Impossible("too_many", f"There are {rules.MOST} webhooks already, which is the limit. Delete one first.")
    text = hook.renew_secret()
    hook.save()
    return text


def change(hook: Webhook, fields: Collection[str]) -> None:
    """Store what was changed. With a new address, or switched on, earlier failures are forgotten and what waits goes on."""
    names = set(fields)
    if hook.enabled and {"url", "enabled"} & names:
        hook.failures, hook.failing_since, hook.held_until = 0, None, None
        hook.disabled_at, hook.disabled_reason = None, ""
        names |= {"failures", "failing_since", "held_until", "disabled_at", "disabled_reason"}
    hook.save(update_fields=names)
    if "failures" in names:
        Alert.close("webhook_off", webhook=hook)
        WebhookDelivery.ring()


def wanted(events: list[str]) -> list[str]:
    """The events in their own order, each once."""
    return [event.value for event in Event if event.value in events]


def remove_old() -> int:
    """Remove some of the deliveries that are older than EXODASH_WEBHOOK_DAYS, and secrets that sign no longer; how many."""
    now = timezone.now()
    Webhook.objects.filter(previous_until__lt=now).update(previous=b"", previous_until=None)
    old = WebhookDelivery.objects.filter(created_at__lt=now - timedelta(days=settings.WEBHOOK_DAYS)).order_by("created_at")
    return WebhookDelivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:REMOVED])).delete()[0]
