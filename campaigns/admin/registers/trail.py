"""Who did what, when and from where."""

from django.contrib import admin
from django.utils import timezone
from django.utils.html import format_html

from campaigns.admin.registers.base import ReadOnly
from campaigns.models import AuditEvent


class Trail(ReadOnly):
    title_list = "Audit trail"
    about = "every launch, pause, export and change of a secret"
    empty = "Nothing has been recorded yet."
    list_display = ["time", "actor", "action_shown", "subject", "told", "address"]
    list_display_links = None
    list_filter = ["actor"]
    search_fields = ["actor", "action", "subject"]
    ordering = ["-id"]

    @staticmethod
    @admin.display(description="when", ordering="id")
    def time(event: AuditEvent) -> str:
        return f"{timezone.localtime(event.at):%-d %b %Y, %H:%M:%S %Z}"

    @staticmethod
    @admin.display(description="action")
    def action_shown(event: AuditEvent) -> str:
        return format_html("<code>{}</code>", event.action)

    @staticmethod
    @admin.display(description="details")
    def told(event: AuditEvent) -> str:
        return ", ".join(f"{name} {value}" for name, value in event.details.items()) or "–"
