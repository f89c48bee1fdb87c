"""What an operator must know of rows with a header, an hour or a language of their own, before they are launched."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

from campaigns.models import Campaign, Import, Template
from campaigns.models import rowwise as chosen
from campaigns.text import languages, window
from campaigns.text.cost import indian
from campaigns.text.dlt import Finding
from campaigns.text.moments import Planned

HEADER_DIFFERS = "ROW_HEADER_DIFFERS"
SHOWN = 5  # headers that are named


def translations(imports: Iterable[Import]) -> tuple[list[Template], bool]:
    """The templates that rows of these files chose, and whether any was changed since they were read."""
    held = {pk: version for item in imports for _, pk, version in item.rowwise.get("languages", [])}
    found = Template.objects.in_bulk(list(held))
    changed = any(pk not in found or found[pk].version != version for pk, version in held.items())
    return list(found.values()), changed


def findings(campaign: Campaign, imports: Sequence[Import]) -> Iterator[Finding]:
    own = [item for item in imports if item.rowwise]
    if own:
        yield from _headers(campaign, own)
        if planned := chosen.planned(own):
            yield from _hours(campaign, planned)


def _headers(campaign: Campaign, imports: Sequence[Import]) -> Iterator[Finding]:
    rows = sum(item.findings.get(HEADER_DIFFERS, 0) for item in imports)
    if rows:
        every = dict.fromkeys(sender for item in imports for sender in item.rowwise.get("senders", []))
        # Where only a translation is registered for another header, none of the others stands out.
        named = [sender for sender in every if sender != campaign.template.header] or list(every)
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        yield Finding(
            "warning", HEADER_DIFFERS,
            f"Rows that name a header which their template is not registered for: {indian(rows)}. "
            f"The rows name {', '.join(named[:SHOWN])}{more}.",
            rows,
        )  # fmt: skip
    for template in translations(imports)[0]:
        if template.header != campaign.sender:
            yield Finding(
                "warning", "HEADER_DIFFERS",
                f"The campaign sends as {campaign.sender}, but its text in {languages.name(template.language)}, "
                f"“{template.name}”, is registered for {template.header}.",
            )  # fmt: skip


def _hours(campaign: Campaign, planned: Planned) -> Iterator[Finding]:
    zone, now = ZoneInfo(campaign.account.time_zone), timezone.now()
    start = max(campaign.schedule_at or now, now)
    later = planned.after(start.timestamp())
    if past := planned.total - later:
        yield Finding(
            "warning", "ROWS_PAST_HOUR",
            f"Rows whose own hour is over when the campaign starts: {indian(past)}. They go at once.",
            past,
        )  # fmt: skip
    if later:
        last = datetime.fromtimestamp(planned.last, zone)
        yield Finding(
            "info", "ROWS_BY_HOUR",
            f"Rows that wait for their own hour: {indian(later)}, the last until {last:%a %-d %b %Y, %H:%M %Z}.",
            later,
        )  # fmt: skip
    if held := _outside(campaign, planned, start, zone):
        opens, closes = campaign.account.window_opens, campaign.account.window_closes
        yield Finding(
            "warning", "ROWS_OUTSIDE_WINDOW",
            f"Rows whose own hour is outside {opens:%H:%M} to {closes:%H:%M}, when promotional SMS may go out: "
            f"{indian(held)}. They wait until it opens.",
            held,
        )  # fmt: skip


def _outside(campaign: Campaign, planned: Planned, start: datetime, zone: ZoneInfo) -> int:
    """Rows planned for hours at which promotional SMS may not go out."""
    account = campaign.account
    if campaign.template.category != Template.Category.PROMOTIONAL or account.window_opens >= account.window_closes:
        return 0
    found = 0
    for at, rows in planned.rows.items():
        moment = datetime.fromtimestamp(at * planned.step, zone)
        if moment > start and not window.is_open(moment, account.window_opens, account.window_closes, zone):
            found += rows
    return found
