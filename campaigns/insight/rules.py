"""The alert rules: for each kind, what is measured, when that is too much, and the words in which it is told."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from campaigns.exotel.codes.stored import of_message
from campaigns.insight import measures
from campaigns.insight.measures import Measured
from campaigns.models import Account, AlertRule, Verification
from campaigns.models.states import HANDED_OVER
from campaigns.text.cost import indian

Kind = AlertRule.Kind
MOST_CODES = 3  # named in one alert


class Finding(NamedTuple):
    """Something that is too much."""

    rule: AlertRule
    about: Account | None
    text: str


Oldest = Callable[[], datetime | None]
_oldest: list[Oldest] = []


def watch_queue(oldest: Oldest) -> None:
    """Have the age of another room's queue watched: ``oldest`` gives when its oldest entry came, None when it is empty."""
    if oldest not in _oldest:
        _oldest.append(oldest)


def findings(rules: Sequence[AlertRule], found: Measured) -> Iterator[Finding]:
    """All that is too much now, by the rule that decides for each account."""
    for account in found.accounts.values():
        for kind, judge in JUDGES.items():
            rule = AlertRule.of(list(rules), kind, account.pk)
            if rule and rule.enabled and (text := judge(rule, account, found)):
                yield Finding(rule, account, text)
    rule = AlertRule.of(list(rules), Kind.CALLBACK_BACKLOG, None)
    if rule and rule.enabled and (text := _callback_backlog(rule, found.now)):
        yield Finding(rule, None, text)


def _failed_rate(rule: AlertRule, account: Account, found: Measured) -> str:
    rows = found.since(account.pk, rule.window)
    final, failed = sum(row.n for row in rows if row.final), sum(row.n for row in rows if row.failed)
    if final < max(rule.minimum, 1) or not _over(failed, final, rule):
        return ""
    return (
        f"{indian(failed)} of {indian(final)} messages with a final report failed ({_share(failed, final)}), of those sent "
        f"in the last {_span(rule.window)}. Most often: {_named(measures.by_code(rows, bool))}."
    )


def _auth_error(rule: AlertRule, account: Account, found: Measured) -> str:
    n = found.refused(account.pk, rule.window, "auth")
    return _requests(n, rule, "refused for their credentials", "Enter the API key and token again on the account's page.")


def _low_balance(rule: AlertRule, account: Account, found: Measured) -> str:
    n = found.refused(account.pk, rule.window, "balance")
    return _requests(n, rule, "refused because the balance is too low", "Recharge the account, then resume its campaigns.")


def _throttled(rule: AlertRule, account: Account, found: Measured) -> str:
    n = found.refused(account.pk, rule.window, "throttled")
    mend = "Nothing is lost. Lower the account's requests a minute, or ask Exotel for a higher allowance."
    return _requests(n, rule, "throttled by the provider", mend)


def _requests(n: int, rule: AlertRule, what: str, mend: str) -> str:
    if n <= rule.threshold:
        return ""
    were = "request was" if n == 1 else "requests were"
    return f"{indian(n)} {were} {what} in the last {_span(rule.window)}. {mend}"


def _template_error(rule: AlertRule, account: Account, found: Measured) -> str:
    codes = measures.by_code(found.since(account.pk, rule.window), measures.is_template)
    requests = found.refused(account.pk, rule.window, "template")
    if codes.total() + requests <= rule.threshold:
        return ""
    parts = [f"{indian(codes.total())} failed for their template or its DLT registration: {_named(codes)}."] if codes else []
    if requests:
        parts.append(f"{indian(requests)} refused as a whole for the header or template.")
    remedy = f" {of_message(codes.most_common(1)[0][0]).remedy}" if codes else ""
    return f"Messages or requests of the last {_span(rule.window)}: {' '.join(parts)}{remedy}"


def _session_expired(rule: AlertRule, account: Account, found: Measured) -> str:
    rows = [row for row in found.since(account.pk, rule.window) if row.channel == measures.WHATSAPP]
    sent = sum(row.n for row in rows if row.state in HANDED_OVER)
    expired = measures.by_code(rows, lambda code: code.rpartition(":")[2] in measures.SESSION_CODES).total()
    if sent < max(rule.minimum, 1) or not _over(expired, sent, rule):
        return ""
    return (
        f"{indian(expired)} of {indian(sent)} WhatsApp messages of the last {_span(rule.window)} failed because the last "
        f"message of the person is more than 24 hours old ({_share(expired, sent)}). Use a template message instead."
    )


def _callbacks_silent(rule: AlertRule, account: Account, found: Measured) -> str:
    rows = found.since(account.pk, rule.window)
    # A quarter counts once it has been over for so long: its last message may be from its end.
    until = measures.quarter(found.now - timedelta(minutes=float(rule.threshold)))
    waiting = measures.unreported(rows, until)
    if waiting < max(rule.minimum, 1):
        return ""
    return (
        f"No status report has come in for {indian(waiting)} messages accepted more than {_span(int(rule.threshold))} ago. "
        "The messages are on their way, and Exotel will be asked about them. Check that EXODASH_PUBLIC_URL can be reached "
        "from outside over https, that proxy and firewall let /callbacks/ through, that EXODASH_CALLBACK_NETWORKS does not "
        "shut Exotel out, and that the web process runs."
    )


def _disagreement(rule: AlertRule, account: Account, found: Measured) -> str:
    results = found.checked(account.pk, rule.window)
    differed = results[Verification.Result.DIFFERED]
    checked = differed + results[Verification.Result.AGREED]
    if checked < max(rule.minimum, 1) or not _over(differed, checked, rule):
        return ""
    return (
        f"Of {indian(checked)} statuses checked with Exotel in the last {_span(rule.window)}, {indian(differed)} were not "
        f"what its callbacks had said ({_share(differed, checked)}). What Exotel answered counts as evidence too. Look at "
        "the conflicts under Set aside and show some of these Sids to Exotel."
    )


def _sending_backlog(rule: AlertRule, account: Account, found: Measured) -> str:
    waiting, since = measures.stuck(account, found.now)
    if since is None or found.now - since <= timedelta(minutes=float(rule.threshold)):
        return ""
    return (
        f"{indian(waiting)} messages of running campaigns wait, and none was handed over for "
        f"{_span(int((found.now - since).total_seconds() // 60))}. Nothing is lost. Check that the worker runs "
        "(manage.py run_worker) and that the provider can be reached."
    )


def _callback_backlog(rule: AlertRule, now: datetime) -> str:
    since = min(filter(None, (oldest() for oldest in _oldest)), default=None)
    if since is None or now - since <= timedelta(minutes=float(rule.threshold)):
        return ""
    return (
        f"A callback has waited to be applied for {_span(int((now - since).total_seconds() // 60))}, so statuses on the "
        "pages are behind. Nothing is lost. Check that the worker runs (manage.py run_worker) and the database is not full."
    )


JUDGES: dict[str, Callable[[AlertRule, Account, Measured], str]] = {
    Kind.FAILED_RATE: _failed_rate,
    Kind.AUTH_ERROR: _auth_error,
    Kind.TEMPLATE_ERROR: _template_error,
    Kind.THROTTLED: _throttled,
    Kind.SESSION_EXPIRED: _session_expired,
    Kind.CALLBACKS_SILENT: _callbacks_silent,
    Kind.LOW_BALANCE: _low_balance,
    Kind.DISAGREEMENT: _disagreement,
    Kind.SENDING_BACKLOG: _sending_backlog,
}


def _over(part: int, whole: int, rule: AlertRule) -> bool:
    return 100 * part > rule.threshold * whole


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{minutes} minutes"
    return f"{hours} h {rest} min" if rest else "hour" if hours == 1 else f"{hours} hours"


def _named(codes: Counter[str]) -> str:
    return ", ".join(f"{of_message(code).title} ({code}): {indian(n)}" for code, n in codes.most_common(MOST_CODES))
