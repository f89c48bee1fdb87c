from typing import Any

from django.core.management.base import BaseCommand

from campaigns.management.keeper import Keeper


class Command(BaseCommand):
    help = "Runs the background cluster and its watchdog: sending, imports, callbacks. Stop it with Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        Keeper().run()
