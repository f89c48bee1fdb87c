"""The delivering process is killed at the worst moments: what was told arrives all the same, under the same id."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from django.utils import timezone

from campaigns import jobs
from campaigns.hooks import courier
from campaigns.management.keeper import Keeper
from campaigns.models import Lease, WebhookDelivery
from tests.integration.test_webhook_courier import lay, webhook
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


def deliver(failpoint):
    """A process of its own that delivers, on the database of this test."""
    name = str(connection.settings_dict["NAME"])
    url = urlsplit(os.environ["DATABASE_URL"])
    here = f"sqlite:///{name}" if url.scheme == "sqlite" else urlunsplit(url._replace(path=f"/{name}"))
    environment = os.environ | {
        "DATABASE_URL": here, "EXODASH_DEBUG": "1", "EXODASH_FAILPOINTS": failpoint, "DJANGO_SETTINGS_MODULE": "exodash.settings",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "shell", "-c", "from campaigns.hooks import courier; courier.run()"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("point", "arrived"), [("hook.taken", 0), ("hook.answered", 1)])
def test_a_killed_delivery_is_made_again_with_the_same_id(receiver, point, arrived):
    hook = webhook(receiver.url)
    (delivery,) = lay(hook)
    done = deliver(f"{point}:kill")
    assert done.returncode == -9, done.stderr
    assert len(receiver.got) == arrived
    assert WebhookDelivery.objects.get().state == "waiting"
    assert not courier.waiting(), "its turn is not over yet"
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert courier.waiting(), "the next sweep rings"
    assert courier.run()["delivered"] == 1
    assert receiver.ids() == [delivery.event_id] * (arrived + 1)
    assert receiver.verified(hook.whsec)["type"] == "alert"
    assert len({body for _, _, body in receiver.got}) == 1
    assert WebhookDelivery.objects.get().state == "delivered"


def test_the_keeper_rings_for_what_nobody_delivers(receiver, monkeypatch):
    rung = []
    monkeypatch.setattr(jobs, "enqueue", lambda job, *_: rung.append(job))
    keeper = Keeper()
    monkeypatch.setattr(keeper, "_dead", lambda: False)
    keeper._round()
    assert jobs.HOOKS not in rung
    lay(webhook(receiver.url))
    rung.clear()
    keeper._round()
    assert rung.count(jobs.HOOKS) == 1
