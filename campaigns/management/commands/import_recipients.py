import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns import audience, audit
from campaigns.models import Campaign, Import
from campaigns.models.states import ImportState
from campaigns.text.cost import indian

PAUSE = 0.2  # seconds between looks while the background cluster reads the file instead


class Command(BaseCommand):
    help = "Reads a CSV file of recipients into a draft campaign, to the end, and prints what became of its rows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", type=int)
        parser.add_argument("file", type=Path)
        parser.add_argument("--phone", default="", help="the column of phone numbers; guessed when left out")
        parser.add_argument("--vars", default="", help="the columns of the template's variables in order, comma-separated")

    def handle(self, *args: Any, **options: Any) -> None:
        campaign = Campaign.objects.filter(pk=options["campaign"]).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {options['campaign']}.")
        try:
            source = self._receive(campaign, options["file"])
            self._start(source, options["phone"], options["vars"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except audience.Unusable as fault:
            raise CommandError(str(fault)) from None
        audit.record("import.start", source)
        while source.state not in {ImportState.DONE, ImportState.FAILED}:
            if audience.run(source.pk):
                time.sleep(PAUSE)
            source.refresh_from_db()
        if source.state == ImportState.FAILED:
            raise CommandError(f"{source.problem} Nothing of it was kept.")
        self._print(source)

    def _receive(self, campaign: Campaign, path: Path) -> Import:
        with path.open("rb") as file:
            return audience.receive(campaign, file, path.name, None)

    def _start(self, source: Import, phone: str, columns: str) -> None:
        mapping = dict(source.mapping)
        if phone:
            mapping["phone"] = phone
        if columns:
            mapping["vars"] = [name.strip() for name in columns.split(",")]
        audience.start(source, mapping)

    def _print(self, source: Import) -> None:
        self.stdout.write(
            f"{source.filename}: {indian(source.rows)} rows, {indian(source.accepted)} accepted, "
            f"{indian(source.rejected)} rejected, {indian(source.suppressed)} suppressed, {indian(source.units)} units."
        )
        for code, rows in sorted(source.errors.items()):
            self.stdout.write(f"  {code} {indian(rows)}")
