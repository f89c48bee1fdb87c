from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns.insight.recount import recount
from campaigns.models import Campaign


class Command(BaseCommand):
    help = "Makes counters equal to a recount of the messages, for all campaigns or those given."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaigns", nargs="*", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = Campaign.objects.order_by("pk")
        if options["campaigns"]:
            chosen = chosen.filter(pk__in=options["campaigns"])
        for campaign in chosen:
            wrong = recount(campaign.pk)
            self.stdout.write(f"Campaign {campaign.pk}: {f'{len(wrong)} places mended' if wrong else 'true already'}")
