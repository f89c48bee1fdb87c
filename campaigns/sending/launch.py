"""From a draft to messages that may be sent: one launch, one immutable snapshot, one message for each recipient."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from campaigns import failpoints, jobs
from campaigns.models import Campaign, Import, Template
from campaigns.models.states import CampaignState, ImportState, MessageState
from campaigns.sending import control, rowwise, spending
from campaigns.sending.counting import Deltas, place
from campaigns.sending.preflight import Preflight, preflight
from campaigns.text.cost import cost

READING = (ImportState.QUEUED, ImportState.RUNNING)
KEY_LENGTH = 80  # of an Idempotency-Key as it is stored
CHUNK = 5_000  # recipients a transaction: about 50 ms on SQLite


class Blocked(Exception):
    """Preflight found errors, or warnings that nobody has accepted yet."""

    def __init__(self, report: Preflight) -> None:
        super().__init__("The checks before launch found something to mend first.")
        self.report = report

    @property
    def over_limit(self) -> bool:
        """Whether it passes what the person may spend."""
        return any(finding.code == "SPEND_LIMIT" for finding in self.report.findings)


def launch(campaign: Campaign, user: Any, *, accept_warnings: bool = False, key: str = "") -> bool:
    """Launch a draft, now or at its hour; True when this call did it, False when a call with the same key did before.

    Raises Blocked with the findings, or control.Refused when the campaign is no draft any more.
    """
    key = short_key(key)
    if _launched_by(campaign, key):
        return False
    report = preflight(campaign, user)
    if report.blocks(accept_warnings):
        raise Blocked(report)
    now = timezone.now()
    state = CampaignState.SCHEDULED if campaign.schedule_at and campaign.schedule_at > now else CampaignState.LAUNCHING
    with control.account_lock(campaign.account_id):
        if control.enter(campaign.pk, state, launched_by=user, launch_key=key, launched_at=now):
            month = spending.month_of(campaign.account, campaign)
            if over := spending.commit(user, _seal(campaign, month), month):
                raise Blocked(replace(report, findings=[over, *report.findings]))
            jobs.enqueue(jobs.LAUNCH, campaign.pk)
            return True
    if _launched_by(campaign, key):
        return False
    raise control.Refused("already_launched", "This campaign was launched before. It was not launched again.")


def short_key(key: str) -> str:
    """A key of any length as one that can be stored; two that begin alike stay two."""
    return key if len(key) <= KEY_LENGTH else sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _seal(campaign: Campaign, month: date) -> Decimal:
    """Take the snapshot, now that no file can be read into the campaign any more: each chunk of a reading holds its row.

    A reading that began after preflight looked rolls the launch back. Returns what it all may cost.
    """
    if Import.objects.filter(campaign=campaign, state__in=READING).exists():
        raise control.Refused("import_running", "A recipients file is still being read. Launch when it is done.")
    values = {"snapshot": snapshot(campaign), "priority": priority(campaign), "unit_cost": campaign.rate}
    Campaign.objects.filter(pk=campaign.pk).update(spend_month=month, **values)
    done = Import.objects.filter(campaign=campaign, state=ImportState.DONE)
    return cost(sum(done.values_list("units", flat=True)), campaign.rate)


def priority(campaign: Campaign) -> int:
    """Single messages go before campaigns, since somebody waits for each; one-time passwords before all other campaigns."""
    if campaign.single:
        return 2
    return int(campaign.template.category == Template.Category.TRANSACTIONAL)


def _launched_by(campaign: Campaign, key: str) -> bool:
    return bool(key) and Campaign.objects.filter(pk=campaign.pk, launch_key=key).exclude(state=CampaignState.DRAFT).exists()


def snapshot(campaign: Campaign) -> dict[str, Any]:
    """All that a message is made of, as it stands now. Later edits of template or account change nothing."""
    template = campaign.template
    imports = Import.objects.filter(campaign=campaign, state=ImportState.DONE)
    return {
        "body": template.body,
        "version": template.version,
        "template": template.name,
        "category": template.category,
        "sms_type": template.sms_type,
        "dlt_template_id": template.dlt_template_id,
        "dlt_entity_id": template.dlt_entity_id,
        "sender": campaign.sender,
        "cost_per_unit": str(campaign.rate),
        "columns": {str(item.pk): variable_columns(item.header, item.mapping) for item in imports},
        **({"skip_recent_days": campaign.skip_recent_days} if campaign.skip_recent_days else {}),
        **({"short_domain": campaign.short_domain} if campaign.shorten_links else {}),
        **rowwise.sealed(campaign, list(imports)),
    }


def variable_columns(header: Sequence[str], mapping: dict[str, Any]) -> list[int]:
    """Where in a row's cells the template's variables stand, in order."""
    return [header.index(name) for name in mapping.get("vars", [])]


def start_due(now: datetime) -> int:
    """Begin the scheduled campaigns whose hour has come, and ask about those whose hour is long past; how many began."""
    begun = 0
    for campaign in Campaign.objects.filter(state=CampaignState.SCHEDULED, schedule_at__lte=now).select_related("account"):
        if late := _missed(campaign, now):
            control.stop_campaign(campaign.pk, campaign.account_id, late)
            continue
        with control.account_lock(campaign.account_id):
            if control.enter(campaign.pk, CampaignState.LAUNCHING):
                jobs.enqueue(jobs.LAUNCH, campaign.pk)
                begun += 1
    return begun


def _missed(campaign: Campaign, now: datetime) -> str:
    """What to ask about a start that could not be kept; empty while it is near enough."""
    account, planned = campaign.account, campaign.schedule_at or now
    minutes = int((now - planned).total_seconds() // 60)
    if minutes < account.missed_minutes:
        return ""
    at = planned.astimezone(ZoneInfo(account.time_zone))
    return (
        f"It was to start at {at:%-d %b %Y, %H:%M %Z} and no worker was running then; that was {minutes} minutes ago. "
        "Nothing was sent. Press Resume to send now, or Cancel."
    )


def write_messages(campaign_id: int) -> bool:
    """Make messages for about TASK_BUDGET seconds; True when all are there. Begins again where it was cut off."""
    until = time.monotonic() + settings.TASK_BUDGET
    while time.monotonic() < until:
        if not _write_chunk(campaign_id):
            return True
    return False


def _write_chunk(campaign_id: int) -> bool:
    campaign = Campaign.objects.get(pk=campaign_id)
    with control.account_lock(campaign.account_id) as account:
        campaign = Campaign.objects.get(pk=campaign_id)
        if campaign.state != CampaignState.LAUNCHING:
            return False
        last, messages, units = _insert(campaign)
        if not messages:
            control.enter(campaign.pk, CampaignState.RUNNING)
            if account.stopped_at:
                control.enter(campaign.pk, CampaignState.STOPPED, account.stop_reason)
            jobs.enqueue(jobs.PUMP, campaign.account_id)
            return False
        deltas = Deltas()
        deltas.add(place(campaign.pk, None, MessageState.PENDING), messages, units)
        deltas.write()
        Campaign.objects.filter(pk=campaign.pk).update(launch_cursor=last)
        failpoints.reach("launch.before")
    failpoints.reach("launch.committed")
    return True


def _insert(campaign: Campaign) -> tuple[int, int, int]:
    """Messages for the next recipients after the cursor: the last recipient, how many, their units."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id), count(*), coalesce(sum(units), 0) FROM (SELECT id, units FROM campaigns_recipient "
            "WHERE campaign_id = %s AND id > %s ORDER BY id LIMIT %s) AS next",
            [campaign.pk, campaign.launch_cursor, CHUNK],
        )
        last, messages, units = cursor.fetchone()
        if messages:
            more, values = rowwise.message_columns(campaign.snapshot)
            created = timezone.now() if connection.vendor == "postgresql" else str(timezone.now().replace(tzinfo=None))
            cursor.execute(
                "INSERT INTO campaigns_message (campaign_id, account_id, recipient_id, number, units, state, delivery, "
                f"code, standing, conflict, created_at{more}) "
                f"SELECT campaign_id, %s, id, number, units, 'pending', '', '', 0, %s, %s{values} "
                "FROM campaigns_recipient WHERE campaign_id = %s AND id > %s AND id <= %s ORDER BY id",
                [campaign.account_id, False, created, campaign.pk, campaign.launch_cursor, last],
            )
    return last, messages, units
