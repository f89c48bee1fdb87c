import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.exotel.codes import Code, every
from campaigns.exotel.codes.markdown import page
from campaigns.exotel.codes.rows import shipped


class Command(BaseCommand):
    help = "Prints the code dictionary, or the family whose provider, channel or namespace holds the given word."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("family", nargs="?", default="", help="for instance sms/status, whatsapp or geniq")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="a list of objects")
        form.add_argument("--markdown", action="store_true", help="docs/status-codes.md: the shipped rows, uncorrected")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = shipped().by_key.values() if options["markdown"] else every()
        found = [row for row in rows if options["family"].lower() in f"{row.provider}/{row.channel}/{row.namespace}"]
        if not found:
            raise CommandError(f"No family of codes has {options['family']!r} in its name.")
        if options["markdown"]:
            self.stdout.write(page(found), ending="")
        elif options["json"]:
            self.stdout.write(json.dumps([asdict(row) for row in found], ensure_ascii=False, indent=1))
        else:
            self.stdout.write("\n".join(map(_line, found)))


def _line(row: Code) -> str:
    name = f"{row.name}*" if row.overlaid else row.name
    return f"{row.provider}/{row.channel}/{row.namespace} {row.code:>6} {name:<34.34} {row.title}\n{'':>12}{row.remedy}"
