"""Is the installation able to work? For load balancers, watchdogs and the dashboard."""

from datetime import datetime, timedelta

from django.db import DatabaseError
from django.http import HttpRequest, JsonResponse
from django.utils import timezone

from campaigns.models import Heartbeat

BEAT = "cluster"  # answered by the background cluster itself, every 15 s
SILENT_AFTER = timedelta(minutes=3)


def last_beat() -> datetime | None:
    return Heartbeat.objects.filter(name=BEAT).values_list("at", flat=True).first()


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the database answers and the worker lives, else 503; no login, nothing secret."""
    try:
        beat = last_beat()
    except DatabaseError:
        return JsonResponse({"status": "failing", "database": False}, status=503)
    age = (timezone.now() - beat).total_seconds() if beat else None
    alive = age is not None and age <= SILENT_AFTER.total_seconds()
    body = {
        "status": "ok" if alive else "failing",
        "database": True,
        "worker": alive,
        "worker_seconds": age and round(age, 1),
    }
    return JsonResponse(body, status=200 if alive else 503)
