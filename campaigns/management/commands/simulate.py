import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    help = "Runs the local Exotel simulator (same as python -m campaigns.exotel.simulator)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("options", nargs="*", help="passed on, after --")

    def handle(self, *args: Any, **options: Any) -> None:
        ledger = settings.DATA_DIR / "simulator.sqlite3"
        command = [sys.executable, "-m", "campaigns.exotel.simulator", "--port", str(settings.SIMULATOR_PORT)]
        sys.exit(subprocess.call([*command, "--ledger", str(ledger), *options["options"]]))
