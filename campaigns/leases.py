"""Turns at work that one process at a time should do. An economy: nothing's safety rests on a lease."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from campaigns.models import Lease

SECONDS = 15


def take(name: str, owner: UUID) -> bool:
    """Take or renew the turn; False while another owner's has not run out."""
    now = timezone.now()
    until = now + timedelta(seconds=SECONDS)
    mine = Lease.objects.filter(Q(owner=owner) | Q(expires_at__lt=now), name=name)
    if mine.update(owner=owner, expires_at=until):
        return True
    _, created = Lease.objects.get_or_create(name=name, defaults={"owner": owner, "expires_at": until})
    return created


def give_back(name: str, owner: UUID) -> None:
    Lease.objects.filter(name=name, owner=owner).delete()


def bury(owners: Collection[UUID]) -> None:
    """End the turns of the dead, which nobody will give back."""
    Lease.objects.filter(owner__in=owners).delete()


def held(name: str) -> bool:
    return Lease.objects.filter(name=name, expires_at__gt=timezone.now()).exists()
