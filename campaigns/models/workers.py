"""Which processes are alive: whose requests are on the wire, who holds a turn, when the cluster last answered."""

from django.db import models


class Owner(models.Model):
    """One run of the send pump. Its requests are lost when ``beat`` stands still; a dead owner can never begin another."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=80)
    pid = models.PositiveIntegerField()
    beat = models.PositiveIntegerField(default=0)
    stop = models.BooleanField(default=False)  # asked to finish the request in flight and take nothing new
    ended = models.BooleanField(default=False)  # left in good order
    dead = models.BooleanField(default=False)  # found still by recovery: the fence
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            # used by recovery every 15 s
            models.Index(fields=["id"], name="live_owners", condition=models.Q(ended=False, dead=False)),
        ]


class Lease(models.Model):
    """A turn at work that one process at a time should do. An economy only: safety never rests on it."""

    name = models.CharField(max_length=60, primary_key=True)
    owner = models.UUIDField()
    expires_at = models.DateTimeField()


class Heartbeat(models.Model):
    """The last sign of life of a part of the system."""

    name = models.CharField(max_length=60, primary_key=True)
    at = models.DateTimeField()
