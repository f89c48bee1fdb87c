"""What an operator must know before launch: findings, how many messages and units, what it costs, when it will be done.

All of it comes from what the import counted row by row and from a few rows of settings, so it costs the same for ten
recipients and for a million.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from campaigns.exotel import BATCH
from campaigns.models import Account, Campaign, Import, Template
from campaigns.models.states import ImportState
from campaigns.sending import money, preflight_rows, refusals, terms
from campaigns.text import links, window
from campaigns.text.cost import cost, indian
from campaigns.text.dlt import Finding, Level
from campaigns.text.examples import shown
from campaigns.text.remedies import remedy

ROW_FINDINGS: dict[str, tuple[Level, str]] = {
    "VARIABLE_LONG": (
        "warning",
        "Rows with a value longer than 30 characters, which some operators refuse: {rows}.",
    ),
    "UNICODE": ("info", "Rows that need Unicode, with 70 characters to a unit instead of 160: {rows}."),
    "MANY_UNITS": (
        "warning",
        "Rows that need more than 3 units each: {rows}.",
    ),
}


@dataclass(frozen=True, slots=True)
class Preflight:
    findings: list[Finding]
    messages: int
    units: int
    cost: Decimal  # rupees
    seconds: float | None  # how long sending takes at the account's rate; None without a limit
    refused: list[Finding]  # the rows that are left out, a code each

    def blocks(self, warnings_accepted: bool) -> bool:
        levels = {finding.level for finding in self.findings}
        return "error" in levels or ("warning" in levels and not warnings_accepted)

    def as_dict(self, whole_numbers: bool = False) -> dict[str, Any]:
        return {
            "findings": [_as_dict(finding, whole_numbers) for finding in self.findings],
            "refused": [_as_dict(finding, whole_numbers) for finding in self.refused],
            "messages": self.messages,
            "units": self.units,
            "cost": str(self.cost),
        }


def _as_dict(finding: Finding, whole_numbers: bool) -> dict[str, Any]:
    return {
        **{name: getattr(finding, name) for name in ("level", "code", "message", "rows", "remedy")},
        "examples": [shown(placed, whole_numbers) for placed in finding.examples],
    }


def preflight(campaign: Campaign, user: object = None) -> Preflight:
    """What is found; of a person's spend limit too when it is said who would launch."""
    imports = list(campaign.imports.all())
    done = [item for item in imports if item.state == ImportState.DONE]
    messages, units = sum(item.accepted for item in done), sum(item.units for item in done)
    account, price = campaign.account, cost(units, campaign.rate)
    translations, changed = preflight_rows.translations(done)
    findings = [
        *_recipients(campaign, imports, messages, changed),
        *terms.findings(campaign, done),
        *money.findings(campaign, price, user),
        *_text(campaign, campaign.template),
        *(_of(template, finding) for template in translations for finding in _text(campaign, template)),
        *_sender(campaign),
        *_account(account),
        *_hours(campaign),
        *_links(campaign),
        *_rows(done),
        *preflight_rows.findings(campaign, done),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    findings = [replace(f, remedy=remedy(f.code), examples=refusals.first(done, f.code)) for f in findings]
    findings.sort(key=lambda finding: order[finding.level])
    rate = account.rate_per_minute
    seconds = -(-messages // BATCH) * 60 / rate if rate else None
    return Preflight(findings, messages, units, price, seconds, refusals.by_code(done))


def _text(campaign: Campaign, template: Template) -> Iterator[Finding]:
    """What is to be said of one of the campaign's texts."""
    yield from template.findings()
    yield from _registration(campaign, template)
    yield from _whitelist(campaign, template)


def _of(template: Template, finding: Finding) -> Finding:
    return replace(finding, message=f"“{template.name}”: {finding.message}")


def _recipients(campaign: Campaign, imports: list[Import], messages: int, changed: bool) -> Iterator[Finding]:
    if any(item.state in {ImportState.QUEUED, ImportState.RUNNING} for item in imports):
        yield Finding("error", "IMPORT_RUNNING", "The recipients file is still being read. Launch when it is done.")
    elif not messages:
        yield Finding(
            "error",
            "NO_RECIPIENTS",
            "There is nobody to send to yet: upload a file with at least one usable number.",
        )
    version = campaign.template.version
    if changed or any(item.state == ImportState.DONE and item.template_version != version for item in imports):
        yield Finding(
            "error",
            "TEMPLATE_CHANGED",
            "The template was changed after the recipients were read. Read the file again to check it.",
        )


def _registration(campaign: Campaign, template: Template) -> Iterator[Finding]:
    start = campaign.schedule_at or timezone.now()
    if template.status != Template.Status.APPROVED:
        status = template.get_status_display().lower()
        yield Finding(
            "error", "TEMPLATE_NOT_APPROVED",
            f"On DLT the template is {status}, so operators refuse every message. Choose another, or correct its status.",
        )  # fmt: skip
    day = start.astimezone(ZoneInfo(campaign.account.time_zone)).date()
    if template.valid_until and day > template.valid_until:
        yield Finding(
            "error", "TEMPLATE_EXPIRED",
            f"The template's registration ends on {template.valid_until:%-d %b %Y}, before the campaign starts.",
        )  # fmt: skip


def _whitelist(campaign: Campaign, template: Template) -> Iterator[Finding]:
    """The links of the fixed text; those in values were checked row by row."""
    account, found = campaign.account, links.links(template.body)
    allowed = links.entries(account.allowed_links)
    if found and not allowed:
        yield Finding(
            "info", "LINKS_UNCHECKED",
            f"The text has a link ({found[0][:60]}). Operators block links that are not whitelisted on DLT; list yours on "
            f"the page of {account.name} to have them checked.",
        )  # fmt: skip
    for link in dict.fromkeys(found):
        if allowed and not links.listed(link, allowed):
            yield Finding(
                "error", "LINK_NOT_WHITELISTED",
                f"The link {link[:60]} is not among those of {account.name} that are whitelisted on DLT.",
            )  # fmt: skip


def _sender(campaign: Campaign) -> Iterator[Finding]:
    if not campaign.sender:
        yield Finding("error", "NO_SENDER", "No header is set on the campaign, the template or the account.")
    elif campaign.sender != campaign.template.header:
        yield Finding(
            "warning", "HEADER_DIFFERS",
            f"The campaign sends as {campaign.sender}, but the template is registered for {campaign.template.header}.",
        )  # fmt: skip


def _account(account: Account) -> Iterator[Finding]:
    if not account.credentials:
        yield Finding(
            "error",
            "NO_CREDENTIALS",
            f"Account {account.name} has no API key and token. Enter them on its page.",
        )
    if account.stopped_at:
        yield Finding(
            "error", "ACCOUNT_STOPPED",
            f"Sending from {account.name} is stopped: {account.stop_reason} Lift the stop on the account's page once it is "
            f"mended, or by POST /accounts/{account.pk}/resume/.",
        )  # fmt: skip
    if account.rate_per_minute > 200:
        yield Finding(
            "info",
            "RATE_HIGH",
            "The account's rate is above the 200 requests a minute that Exotel documents.",
        )
    local = {"127.0.0.1", "localhost", "::1"}
    if urlsplit(settings.PUBLIC_URL).hostname in local and urlsplit(account.base_url).hostname not in local:
        yield Finding(
            "warning", "NO_CALLBACKS",
            "Exotel cannot reach this machine's callback address, so no status will come in. Set EXODASH_PUBLIC_URL.",
        )  # fmt: skip


def _hours(campaign: Campaign) -> Iterator[Finding]:
    account, now = campaign.account, timezone.now()
    start = campaign.schedule_at or now
    zone = ZoneInfo(account.time_zone)
    if campaign.schedule_at and (which := window.twice(campaign.schedule_at, zone)):
        local = campaign.schedule_at.astimezone(zone)
        yield Finding(
            "info", "START_TWICE",
            f"{local:%H:%M} comes twice on {local:%-d %b %Y} in {zone.key}: it starts at the {which} ({local:%H:%M %Z}).",
        )  # fmt: skip
    if campaign.schedule_at and campaign.schedule_at <= now:
        yield Finding("warning", "START_PASSED", "The planned start is in the past: launching now starts at once.")
    if campaign.template.category != "promotional":
        return
    if account.window_opens >= account.window_closes:
        yield Finding("error", "WINDOW_NEVER_OPENS", f"The promotional hours of {account.name} end before they begin.")
    elif not window.is_open(start, account.window_opens, account.window_closes, zone):
        opening = window.next_opening(start, account.window_opens, account.window_closes, zone)
        yield Finding(
            "warning", "OUTSIDE_WINDOW",
            f"Promotional SMS go out only from {account.window_opens:%H:%M} to {account.window_closes:%H:%M}: "
            f"sending begins {opening.astimezone(zone):%a %d %b, %H:%M %Z}.",
        )  # fmt: skip


def _links(campaign: Campaign) -> Iterator[Finding]:
    if not campaign.shorten_links:
        return
    if campaign.account.provider != Account.Provider.EXOTEL or campaign.channel != Campaign.Channel.SMS:
        yield Finding(
            "warning", "NOT_SHORTENED", "Only SMS over Exotel can have their links shortened: these are sent as they are."
        )
    elif "http" not in campaign.template.body.lower() and not campaign.template.variables:
        yield Finding("warning", "NO_LINK", "Links are to be shortened, but the text holds none.")
    else:
        yield Finding(
            "info", "LINKS_SHORTENED",
            f"Exotel shortens the links and charges for it. Register them on DLT with the header {campaign.sender}.",
        )  # fmt: skip


def _rows(imports: list[Import]) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for item in imports:
        counts.update(item.findings)
    for code, (level, sentence) in ROW_FINDINGS.items():
        if counts[code]:
            yield Finding(level, code, sentence.format(rows=indian(counts[code])), counts[code])
    refused = sum(item.rejected for item in imports)
    if refused:
        yield Finding("info", "ROWS_REFUSED", f"Rows that cannot be used and will not be sent: {indian(refused)}.", refused)
    suppressed = sum(item.suppressed - item.recent for item in imports)
    if suppressed:
        yield Finding(
            "info",
            "ROWS_SUPPRESSED",
            f"Suppressed numbers, which will not be sent to: {indian(suppressed)}.",
            suppressed,
        )
