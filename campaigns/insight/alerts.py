"""Alerts as they are read: what is open, and what was closed lately."""

from django.db.models import QuerySet

from campaigns.models import Alert

CLOSED = 200  # the last ones shown
OPEN = 500  # far more matters than anybody has at once


def open_ones() -> list[Alert]:
    """The latest noticed first."""
    return list(_whole().filter(closed_at=None).order_by("-noticed_at", "-id")[:OPEN])


def closed_ones() -> list[Alert]:
    """The latest closed first."""
    return list(_whole().filter(closed_at__isnull=False).order_by("-closed_at", "-id")[:CLOSED])


def _whole() -> QuerySet[Alert]:
    return Alert.objects.select_related("account", "campaign", "webhook", "closed_by")
