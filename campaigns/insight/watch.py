"""Holds the rules against the counters, at most once a minute and by one worker at a time, and raises or closes alerts."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Max
from django.utils import timezone

from campaigns import jobs, leases
from campaigns.insight import mailing, measures, rules
from campaigns.insight.rules import Finding
from campaigns.models import Alert, AlertRule, Heartbeat
from campaigns.models.alert import STOPPED, matter_of

log = logging.getLogger(__name__)
NAME = "alert-rules"  # of the lease and of the heartbeat
EVERY = timedelta(minutes=1)
CALM = timedelta(minutes=5)  # for which a matter must be over before its alert closes: else it would flap


def safely() -> None:
    """What the tick does for alerts: a defect in a rule must cost nothing else."""
    try:
        watch()
        if mailing.waiting():
            jobs.enqueue(jobs.MAIL)
    except Exception:
        log.exception("The alert rules could not be looked at")


def watch() -> bool:
    """One round; False when it is not time yet or another worker is at it."""
    owner = uuid4()
    if not _due() or not leases.take(NAME, owner):
        return False
    try:
        if not _due():
            return False
        Heartbeat.objects.update_or_create(name=NAME, defaults={"at": timezone.now()})
        look()
    finally:
        leases.give_back(NAME, owner)
    return True


def _due() -> bool:
    return not Heartbeat.objects.filter(name=NAME, at__gt=timezone.now() - EVERY).exists()


def look() -> None:
    """Raise what is too much now and close what is no longer."""
    chosen = list(AlertRule.objects.exclude(kind=STOPPED).select_related("account"))
    longest = max((rule.window for rule in chosen if rule.enabled), default=0)
    found = list(rules.findings(chosen, measures.measure(longest))) if longest else []
    _raise(found)
    _close({matter_of(one.rule.kind, one.about) for one in found})


def _raise(found: Sequence[Finding]) -> None:
    """An alert for each; not again so soon for what somebody has acknowledged."""
    settled = _acknowledged([matter_of(one.rule.kind, one.about) for one in found])
    now = timezone.now()
    for rule, about, text in found:
        at = settled.get(matter_of(rule.kind, about))
        if at is not None and now - at < timedelta(minutes=rule.repeat_after):
            continue
        if Alert.notice(rule.kind, about, text, rule.level, again=False):
            log.warning("Alert (%s): %s", rule.kind, text)


def _acknowledged(matters: Sequence[str]) -> dict[str, datetime]:
    """When these matters were last acknowledged by a person."""
    by_person = Alert.objects.filter(matter__in=matters, closed_by__isnull=False)
    return dict(by_person.values_list("matter").annotate(at=Max("closed_at")).order_by())


def _close(present: set[str]) -> None:
    """Those that have been over for a while; all of a kind whose rule is off or gone."""
    calm = timezone.now() - CALM
    raised = Alert.objects.filter(closed_at=None, kind__in=[*rules.JUDGES, AlertRule.Kind.CALLBACK_BACKLOG])
    for alert in raised:
        if alert.matter not in present and alert.noticed_at <= calm:
            alert.over()
