"""Runs of seeds: a shape of account and campaigns is built once, and every history of it is rolled back."""

import gc
import logging
from contextlib import contextmanager

from django.db import transaction

from campaigns.models import Message
from campaigns.models.states import MessageState
from campaigns.sending.counting import Deltas, place
from campaigns.text.moments import Planned
from tests import builders
from tests.simulation.world import NOON, World

# Recipients of each campaign of the account; seed n has shape n % 10. Two campaigns share their numbers.
SHAPES = ((3,), (5,), (7,), (6,), (8,), (10,), (12,), (4, 3), (5, 5), (6,))
TWINS = frozenset({3, 9})  # shapes in which one message is a resend, so that one number stands twice
BY_HOUR = frozenset({4})  # shapes whose rows have headers and hours of their own
HOURS = (0, NOON - 600, NOON + 20, NOON + 300, NOON + 5000)  # of rows in turn; the first is at once
PROMOTIONAL = frozenset({2, 7})  # shapes whose messages may go out from 10:00 to 21:00


@contextmanager
def undisturbed():
    """Without the warnings that every history gives by the dozen, and without collecting garbage in the middle of one."""
    logging.disable(logging.CRITICAL)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        logging.disable(logging.NOTSET)


@contextmanager
def rolled_back():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def histories(seeds, shape):
    """Run the seeds of one shape; the world of each. Raises Breach at the first that breaks a promise."""
    with undisturbed(), rolled_back():
        account = build(shape)
        for seed in seeds:
            with rolled_back():
                world = World(seed, account)
                with world:
                    world.run()
            gc.collect(0)
            yield world


def build(shape):
    account = builders.account()
    text = {"category": "promotional", "header": "612345"} if shape in PROMOTIONAL else {}
    for size in SHAPES[shape]:
        campaign = builders.campaign(account=account, recipients=size, template=builders.template(**text))
        if shape in BY_HOUR:
            _give_hours(campaign)
        campaign = builders.launch_written(campaign)
        if shape in TWINS:
            _add_twin(campaign)
    return account


def _give_hours(campaign):
    """Every second row has a header of its own, and most have an hour; as if a file had said so."""
    planned = Planned()
    for i, recipient in enumerate(campaign.recipients.order_by("id")):
        due = int(HOURS[i % len(HOURS)])
        campaign.recipients.filter(pk=recipient.pk).update(sender_no=i % 2, due=due)
        if due:
            planned.add(due)
    campaign.imports.update(rowwise={"senders": ["ACMEBK"], "planned": planned.stored()})


def _add_twin(campaign):
    """A resend of the first message, waiting together with it."""
    first = Message.objects.filter(campaign=campaign).order_by("id").first()
    Message.objects.create(
        campaign=campaign, account=campaign.account, recipient_id=first.recipient_id, resend_of=first,
        number=first.number, units=first.units, created_at=first.created_at,
    )  # fmt: skip
    deltas = Deltas()
    deltas.add(place(campaign.pk, None, MessageState.PENDING), 1, first.units)
    deltas.write()
