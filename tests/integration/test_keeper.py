"""The watchdog's part inside the cluster: long jobs answer, and a cluster that ends begins no more of them."""

import os
import time

import pytest

from campaigns import tasks
from campaigns.management import keeper
from campaigns.models import Heartbeat, Message
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def beat():
    return Heartbeat.objects.get(name=keeper._name("cluster", os.getpgrp())).at


def test_a_long_job_answers_while_it_works(settings):
    settings.CLUSTER_TIMEOUT = 0.4
    with keeper.answering():
        first = beat()
        time.sleep(0.5)
        assert beat() > first


def test_a_cluster_that_ends_begins_no_job_and_loses_none(exotel_account, simulator):
    campaign = builders.launched(account=exotel_account, recipients=3)
    keeper._beat(keeper._name("stopping", os.getpgrp()))
    assert tasks.pump(exotel_account.pk) == {"requests": 0}
    assert tasks.write_messages(campaign.pk) and tasks.run_import(campaign.imports.get().pk)
    assert Message.objects.filter(campaign=campaign, state="pending").count() == 3
    Heartbeat.objects.all().delete()
    assert tasks.pump(exotel_account.pk) == {"requests": 1}


def test_a_row_left_by_an_earlier_cluster_stops_nothing(settings):
    keeper._beat(keeper._name("stopping", os.getpgrp()))
    stale = Heartbeat.objects.get().at - keeper.timedelta(seconds=keeper.GRACE + 1)
    Heartbeat.objects.update(at=stale)
    with keeper.answering() as wanted:
        assert wanted


def test_process_groups_of_two_hosts_are_two_clusters(monkeypatch):
    here = keeper._name("cluster", 7)
    monkeypatch.setattr(keeper, "HOST", "a-container-of-the-same-image")
    assert keeper._name("cluster", 7) != here
    monkeypatch.setattr(keeper, "HOST", "h" * 80)
    assert len(keeper._name("stopping", 2**22)) <= Heartbeat._meta.get_field("name").max_length
