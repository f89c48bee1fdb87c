"""The one door to the background cluster. A job says "there is work": losing or doubling one is harmless."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import transaction
from django_q.tasks import async_task

PUMP = "campaigns.tasks.pump"  # account id
IMPORT = "campaigns.tasks.run_import"  # import id
AUDIENCE = "campaigns.tasks.keep_audience"  # audience id
LAUNCH = "campaigns.tasks.write_messages"  # campaign id
WIND_UP = "campaigns.tasks.wind_up"  # campaign id
POLL = "campaigns.tasks.poll"  # account id
MAIL = "campaigns.tasks.mail_alerts"
TICK = "campaigns.tasks.tick"
HOOKS = "campaigns.tasks.deliver"
DRAIN = "callbacks.tasks.drain"
ASSIST = "callbacks.tasks.assist"
READ_AHEAD = "callbacks.tasks.read_ahead"  # path of a socket


def enqueue(job: str, *about: int | str) -> None:
    """Ring for a job once the running transaction commits.

    With the database as broker the job is a row of the same transaction; Redis must be told after the commit.
    """
    ring: Callable[[], object] = partial(async_task, job, *about)
    if settings.REDIS_URL:
        transaction.on_commit(ring)
    else:
        ring()
