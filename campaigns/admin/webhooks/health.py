"""How a webhook and each of its deliveries stand, in words."""

import json
import re
from dataclasses import dataclass

from campaigns.admin.registers.base import when
from campaigns.admin.words import count
from campaigns.models import Event, Webhook, WebhookDelivery
from campaigns.models.webhook import TEST
from campaigns.text.cost import indian
from campaigns.text.phone import mask

TYPES = {**dict(Event.choices), TEST: "Test"}
DIGITS = re.compile(r"\d{10,13}")
State = WebhookDelivery.State
KEYS = {State.WAITING: "awaiting", State.DELIVERED: "delivered", State.FAILED: "failed"}


@dataclass(frozen=True)
class Health:
    key: str  # the class of its colour
    word: str
    text: str


def of(hook: Webhook) -> Health:
    if not hook.enabled and hook.disabled_at:
        return Health("stopped", "Switched off by itself", hook.disabled_reason)
    if not hook.enabled:
        return Health("", "Off", "Nothing is told while it is off; what waits is kept.")
    if hook.failures:
        tries = "One try has" if hook.failures == 1 else f"{indian(hook.failures)} tries in a row have"
        return Health("warning", "Failing", f"{tries} not arrived, since {when(hook.failing_since)}.")
    if hook.delivered_at:
        return Health("delivered", "Working", f"The last one arrived {when(hook.delivered_at)}.")
    return Health("info", "New", "Nothing has been sent there yet.")


@dataclass(frozen=True)
class Row:
    delivery: WebhookDelivery
    name: str
    key: str
    word: str
    outcome: str  # of the last try
    took: str


def row(delivery: WebhookDelivery) -> Row:
    name = delivery.about or TYPES.get(delivery.type, delivery.type)
    if delivery.type == Event.MESSAGE_FINAL:
        name = f"{count(delivery.items, 'message')} with a final outcome"
    outcome = delivery.sentence or (f"Answered {delivery.status}" if delivery.status else "Not tried yet")
    took = "–" if delivery.duration is None else f"{delivery.duration} ms"
    word = "Trying again" if delivery.state == State.WAITING and delivery.tries else delivery.get_state_display()
    key = "warning" if delivery.state == State.WAITING and delivery.tries else KEYS[State(delivery.state)]
    return Row(delivery, name, key, word, outcome, took)


def shown_body(body: str, whole: bool) -> str:
    """What was sent, one thing a line; numbers masked for those who may not see them."""
    text = json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    return text if whole else _masked(text)


def shown_answer(answer: str, whole: bool) -> str:
    return answer if whole else DIGITS.sub(lambda found: mask(int(found[0])), answer)


def _masked(text: str) -> str:
    return re.sub(r'("number": ")\+(\d{5,15})"', lambda found: f'{found[1]}{mask(int(found[2]))}"', text)
