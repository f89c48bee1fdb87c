"""Lays down, for the webhooks that want to be told, what has just happened: in the same transaction, a set at a time.

Nothing is asked of the database but whether any webhook wants it, and that once for a batch. A million messages must not
become a million requests, so one delivery tells of up to BATCH messages.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from campaigns import bulk
from campaigns.exotel.codes.stored import of_message
from campaigns.models import Campaign, Event, Message, Recipient, Webhook, WebhookDelivery
from campaigns.models.webhook import Telling, stamp
from campaigns.text.phone import e164, mask

BATCH = 100  # messages in one delivery
READ = 1000  # messages read at once
COLUMNS = (
    "id", "campaign_id", "account_id", "number", "state", "delivery", "code", "standing", "sid", "units", "conflict",
    "sent_at", "settled_at", "final_at", "recipient_id",
)  # fmt: skip


def final(ids: Collection[int]) -> None:
    """These messages have reached a final outcome, or a higher one than before. After it was written."""
    hooks = Webhook.wanting(Event.MESSAGE_FINAL) if ids else []
    if not hooks:
        return
    for some in bulk.chunks(sorted(ids), READ):
        by_account: dict[int, list[dict[str, Any]]] = defaultdict(list)
        rows = Message.objects.filter(pk__in=some).order_by("pk").values(*COLUMNS)
        people = Recipient.objects.filter(pk__in=[row["recipient_id"] for row in rows])
        references = dict(people.values_list("pk", "reference"))
        for row in rows:
            told = {**row, "reference": references.get(row["recipient_id"], "")}
            by_account[row["account_id"]].append(told)
        WebhookDelivery.lay_down(_tellings(hooks, by_account))


def _tellings(hooks: Collection[Webhook], by_account: Mapping[int, list[dict[str, Any]]]) -> Iterator[Telling]:
    for hook in hooks:
        told = [_message(row, hook) for account, rows in by_account.items() if hook.concerns(account) for row in rows]
        for some in bulk.chunks(told, BATCH):
            yield Telling(hook, Event.MESSAGE_FINAL, {"messages": some}, items=len(some))


def _message(row: Mapping[str, Any], hook: Webhook) -> dict[str, Any]:
    """A message as the REST API shows it. ``order`` compares as text: of two tellings of a message the greater holds."""
    return {
        "id": row["id"],
        "campaign": row["campaign_id"],
        "account": row["account_id"],
        "reference": row["reference"],
        "number": e164(row["number"]) if hook.full_numbers else mask(row["number"]),
        "state": row["state"],
        "delivery": row["delivery"],
        "code": row["code"],
        "name": of_message(row["code"]).name if row["code"] else "",
        "sid": row["sid"],
        "units": row["units"],
        "conflict": bool(row["conflict"]),
        "sent_at": stamp(row["sent_at"]),
        "final_at": stamp(row["final_at"] or row["settled_at"]),
        "order": f"{row['standing']:018d}",
    }


def campaign_state(campaign_id: int) -> None:
    """A campaign has just entered the state that is stored."""
    hooks = Webhook.wanting(Event.CAMPAIGN_STATE)
    if not hooks:
        return
    row = Campaign.objects.get(pk=campaign_id)
    data = {
        "id": row.pk, "name": row.name, "account": row.account_id, "state": row.state, "reason": row.state_reason,
        "retry_of": row.retry_of_id, "schedule_at": stamp(row.schedule_at), "launched_at": stamp(row.launched_at),
        "finished_at": stamp(row.finished_at),
    }  # fmt: skip
    about = f"{row.name}: {row.get_state_display().lower()}"
    tellings = (Telling(hook, Event.CAMPAIGN_STATE, data, about) for hook in hooks if hook.concerns(row.account_id))
    WebhookDelivery.lay_down(tellings)
