from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date

from callbacks import purge as callbacks
from campaigns import audit
from campaigns.models import Campaign
from campaigns.sending import purge
from campaigns.sending.control import Refused


class Command(BaseCommand):
    help = (
        "Removes people, messages, reports and files of campaigns that ended long ago, and callbacks about them. Counters, "
        "failures by code and the audit trail stay. May be stopped at any moment and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--before", help="a date: campaigns that ended before it (default: EXODASH_KEEP_DAYS days ago)")
        parser.add_argument("--campaign", type=int, help="only this one, with all its tries")
        parser.add_argument("--dry-run", action="store_true", help="say what would go, remove nothing")
        parser.add_argument("--force", action="store_true", help="also where unconfirmed messages are undecided")

    def handle(self, *args: Any, **options: Any) -> None:
        before, only = _instant(options["before"]), options["campaign"]
        if only is not None and not Campaign.objects.filter(pk=only).exists():
            raise CommandError(f"There is no campaign {only}.")
        due, kept = purge.chosen(before, only, options["force"])
        for campaign, why in kept:
            self.stdout.write(f"Campaign {campaign.pk} stays: {why}")
        for campaign, messages in due:
            if options["dry_run"]:
                self.stdout.write(f"Campaign {campaign.pk} ({campaign.name}) would go: {messages} messages.")
            else:
                self._purge(campaign, options["force"])
        if options["dry_run"]:
            self.stdout.write(f"{len(due)} campaigns would be purged. Nothing was removed.")
            return
        swept = callbacks.sweep(None if only is not None else before)
        self.stdout.write(f"{len(due)} campaigns purged, {swept} callbacks removed.")

    def _purge(self, campaign: Campaign, force: bool) -> None:
        try:
            removed = purge.purge(campaign)
        except Refused as refusal:
            self.stdout.write(f"Campaign {campaign.pk} stays: {refusal}")
            return
        audit.record("campaign.purge", campaign, **removed._asdict(), forced=force)
        self.stdout.write(
            f"Campaign {campaign.pk} ({campaign.name}): {removed.messages} messages, {removed.recipients} recipients and "
            f"{removed.files} files removed."
        )


def _instant(text: str | None) -> datetime:
    """The beginning of a day of the installation's zone; raises CommandError with a sentence."""
    now = timezone.now()
    if text is None:
        return now - timedelta(days=settings.KEEP_DAYS)
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"--before is {text!r}: write a date such as 2026-01-31.")
    at = timezone.make_aware(datetime(day.year, day.month, day.day))
    if at > now:
        raise CommandError("--before lies in the future.")
    return at
