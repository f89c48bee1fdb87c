"""The audit trail: every launch, pause, export, reveal and change of a secret leaves a row."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model
from django.http import HttpRequest

from campaigns.models import AuditEvent


def record(
    action: str,
    subject: Model | str,
    *,
    user: AbstractBaseUser | AnonymousUser | None = None,
    request: HttpRequest | None = None,
    **details: Any,
) -> None:
    """Note who did what to which object. ``details`` must hold no secret and no whole phone number."""
    user = user or (getattr(request, "user", None) if request else None)
    known: Any = user if user is not None and user.is_authenticated else None
    AuditEvent.objects.create(
        user=known,
        actor=known.get_username() if known else "system",
        action=action,
        subject=subject if isinstance(subject, str) else f"{subject._meta.model_name}:{subject.pk}",
        details=details,
        address=(request.META.get("REMOTE_ADDR") or None) if request else None,
    )
