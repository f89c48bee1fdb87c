from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns import audit
from campaigns.models import Campaign
from campaigns.sending.control import Refused
from campaigns.sending.launch import Blocked, launch


class Command(BaseCommand):
    help = "Launches a draft campaign after the same checks as the console."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", type=int)
        parser.add_argument("--accept-warnings", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']}.")
        try:
            launch(campaign, None, accept_warnings=options["accept_warnings"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
        except Blocked as blocked:
            lines = [f"{f.level}: {f.message}" for f in blocked.report.findings if f.level != "info"]
            raise CommandError("\n".join([str(blocked), *lines])) from None
        audit.record("campaign.launch", campaign)
        self.stdout.write(f"Campaign {campaign.pk} is launched.")
