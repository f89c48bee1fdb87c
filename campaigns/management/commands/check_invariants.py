import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns.insight import recount


class Command(BaseCommand):
    help = "Checks that states, Sids and counters contradict nothing. Ends with 1 and names each breach, if any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(recount.breaches())
        if options["json"]:
            self.stdout.write(json.dumps({"breaches": found}))
        else:
            self.stdout.write("\n".join(found) or "Everything holds.")
        if found:
            sys.exit(1)
