import json
import os
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from campaigns.management import demo
from campaigns.models import Account, AlertRule
from campaigns.roles import create_roles
from exodash import env

ADMIN = "admin"


class Command(BaseCommand):
    help = "Makes this installation ready: database, roles, alert rules, administrator, first account. Safe to run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="when no account exists, one for the local simulator, with data",
        )
        parser.add_argument("--password-file", type=Path, help="where to note a generated password, readable by you alone")

    def handle(self, *args: Any, **options: Any) -> None:
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        create_roles()
        AlertRule.create_defaults()
        password = self._administrator(options["password_file"])
        if os.environ.get("EXOTEL_ACCOUNT_SID"):
            self._account_from_environment()
        elif options["demo"] and not Account.objects.exists():
            demo.create()
        if options["demo"]:
            demo.follow_port()
        self.stdout.write(json.dumps({"administrator": ADMIN, "password": password, "demo": demo.present()}))

    def _administrator(self, note: Path | None) -> str:
        """Create the first administrator; the password when it was generated just now, else empty."""
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return ""
        given = env.text("EXODASH_ADMIN_PASSWORD", "")
        password = given or secrets.token_urlsafe(12)
        users.create_superuser(ADMIN, "", password)
        if note and not given:
            note.touch(mode=0o600)
            note.write_text(password + "\n", encoding="utf-8")
        return "" if given else password

    def _account_from_environment(self) -> None:
        """The account that EXOTEL_* describe, made once; later changes are made on its page."""
        sid = env.text("EXOTEL_ACCOUNT_SID")
        if Account.objects.filter(account_sid=sid).exists():
            return
        account = Account(
            name=sid,
            account_sid=sid,
            base_url=env.url("EXOTEL_BASE_URL", "https://api.in.exotel.com"),
            sender_id=env.text("EXOTEL_SENDER_ID", ""),
            dlt_entity_id=env.text("EXOTEL_DLT_ENTITY_ID", ""),
            rate_per_minute=env.integer("EXOTEL_RATE_PER_MINUTE", 200, 0, 100_000),
        )
        account.set_credentials(env.text("EXOTEL_API_KEY"), env.text("EXOTEL_API_TOKEN"))
        account.full_clean()
        account.save()
        self.stderr.write(f"Account {sid} was made from the EXOTEL_ variables ({settings.PUBLIC_URL} takes its callbacks).")
