"""Writes about open alerts: one mail for each list of recipients, and never two about one matter within ``repeat_after``.

An alert is claimed before its mail is handed over, so a process that dies in between costs a mail and never doubles one; the
reminder makes it good. A server that does not answer costs a background job some seconds, ever less often.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F, Max, Q
from django.utils import timezone

from campaigns.models import Alert, AlertRule

log = logging.getLogger(__name__)
MOST = 50  # alerts told of in one mail; the others are counted
WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)  # after failures: doubles
FAULTS = (SMTPException, OSError)  # refused, not reached, or in the middle of it


class Due(NamedTuple):
    """An open alert that somebody is to be written to about."""

    alert: Alert
    rule: AlertRule
    before: datetime | None  # when that was done last


def configured() -> bool:
    return bool(settings.EMAIL_HOST)


def waiting() -> bool:
    """Whether there is anything to be mailed now."""
    return bool(configured() and due())


def due() -> list[Due]:
    """Open alerts whose rule names recipients, of whose matter nothing was sent for as long as the rule says."""
    rules = list(AlertRule.objects.all())
    if not any(rule.enabled and rule.recipients for rule in rules):
        return []
    now = timezone.now()
    ready = Q(mail_next_at=None) | Q(mail_next_at__lte=now)
    found = Alert.objects.filter(ready, closed_at=None, kind__in={rule.kind for rule in rules})
    alerts = list(
        found.select_related("account", "campaign__account").order_by(F("mailed_at").asc(nulls_first=True), "raised_at")[
            :500
        ]
    )
    told = Alert.objects.filter(matter__in=[alert.matter for alert in alerts], mailed_at__isnull=False)
    last = dict(told.values_list("matter").annotate(at=Max("mailed_at")).order_by())
    chosen = []
    for alert in alerts:
        account = alert.account_id or (alert.campaign.account_id if alert.campaign else None)
        rule, before = AlertRule.of(rules, alert.kind, account), last.get(alert.matter)
        if not (rule and rule.enabled and rule.addresses):
            continue
        if before is None or now - before >= timedelta(minutes=rule.repeat_after):
            chosen.append(Due(alert, rule, before))
    return chosen


def send() -> dict[str, int]:
    """Write to everybody who is to be written to; how many mails went out and how many did not."""
    if not configured():
        return {"sent": 0, "failed": 0}
    groups: dict[tuple[str, ...], list[Due]] = defaultdict(list)
    for one in due():
        groups[tuple(one.rule.addresses)].append(one)
    sent = failed = 0
    for addresses, wanted in groups.items():
        mine = [one for one in wanted if _claim(one)]
        if not mine:
            continue
        try:
            compose(addresses, [one.alert for one in mine]).send()
        except FAULTS as fault:
            log.warning("A mail about %s alerts was not sent: %s", len(mine), explain(fault))
            _give_back(mine)
            failed += 1
        else:
            Alert.objects.filter(pk__in=[one.alert.pk for one in mine]).update(mail_tries=0, mail_next_at=None)
            sent += 1
    return {"sent": sent, "failed": failed}


def _claim(one: Due) -> bool:
    """Mark as told of; False when another process has done so meanwhile, or it was closed."""
    same = Alert.objects.filter(pk=one.alert.pk, closed_at=None, mailed_at=one.alert.mailed_at)
    return bool(same.update(mailed_at=timezone.now()))


def _give_back(claimed: Iterable[Due]) -> None:
    for one in claimed:
        wait = min(WAIT * 2 ** min(one.alert.mail_tries, 10), LONGEST_WAIT)
        again = {"mail_tries": F("mail_tries") + 1, "mail_next_at": timezone.now() + wait}
        Alert.objects.filter(pk=one.alert.pk).update(mailed_at=one.alert.mailed_at, **again)


def compose(addresses: Iterable[str], alerts: list[Alert]) -> EmailMessage:
    """One mail about these alerts, in plain text."""
    first = f"{_about(alerts[0])}: {alerts[0].text}"
    what = first if len(alerts) == 1 else f"{len(alerts)} alerts, the first: {first}"
    lines = [
        f"{alert.get_level_display()}: {_about(alert)}\n{alert.text}\nSince {_when(alert.raised_at)}\n" for alert in alerts
    ]
    more = [f"... and {len(alerts) - MOST} more.\n"] if len(alerts) > MOST else []
    body = "\n".join([*lines[:MOST], *more, f"Look at them, acknowledge them: {settings.PUBLIC_URL}/alerts/\n"])
    return EmailMessage(" ".join(f"[Exodash] {what}".split())[:160], body, None, list(addresses))


def _about(alert: Alert) -> str:
    return f"Campaign {alert.campaign.name}" if alert.campaign else alert.account.name if alert.account else "All accounts"


def _when(at: datetime) -> str:
    return f"{timezone.localtime(at, timezone.get_default_timezone()):%-d %b %Y, %H:%M %Z}"


def test(rule: AlertRule) -> str:
    """Send a test mail to a rule's recipients; a sentence why it could not be sent, or nothing."""
    if not configured():
        return "No mail server is set: see EXODASH_EMAIL_URL in docs/configuration.md."
    if not rule.addresses:
        return "The rule has no recipients: write an address and save it first."
    body = f"This is a test. Alerts of the rule “{rule}” would come to you like this.\n{settings.PUBLIC_URL}/alerts/\n"
    try:
        EmailMessage(f"[Exodash] Test: {rule}", body, None, rule.addresses).send()
    except FAULTS as fault:
        return explain(fault)
    return ""


def explain(fault: Exception) -> str:
    """What went wrong with the mail server, in a sentence without its own words, which may quote an address."""
    if isinstance(fault, SMTPAuthenticationError):
        return f"The mail server refused user or password ({fault.smtp_code})."
    if isinstance(fault, SMTPRecipientsRefused):
        codes = ", ".join(sorted({str(code) for code, _ in fault.recipients.values()}))
        return f"The mail server refused the recipients ({codes})."
    if isinstance(fault, SMTPResponseException):
        return f"The mail server refused the mail ({fault.smtp_code})."
    return f"The mail server could not be reached or broke off ({type(fault).__name__})."
