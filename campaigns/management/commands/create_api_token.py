from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns import audit
from campaigns.models import ApiToken
from campaigns.models.access import SCOPES


class Command(BaseCommand):
    help = "Makes an API token and prints it once, alone on standard output. Only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user")
        parser.add_argument("--scopes", default="read", help=f"comma-separated, of: {', '.join(SCOPES)}")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=90, help="until it expires; 0 is never")

    def handle(self, *args: Any, **options: Any) -> None:
        user = get_user_model().objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user named {options['user']}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown or not scopes:
            raise CommandError(f"Unknown scope {', '.join(unknown) or '(none given)'}. Choose of: {', '.join(SCOPES)}.")
        expires = timezone.now() + timedelta(days=options["days"]) if options["days"] else None
        token, text = ApiToken.issue(user=user, name=options["name"], scopes=scopes, expires_at=expires)
        audit.record("token.create", token, user=user, scopes=scopes)
        self.stdout.write(text)
