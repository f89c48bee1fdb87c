"""API tokens: random, shown once, kept only as a hash."""

import secrets
from hashlib import sha256

from django.conf import settings
from django.db import models
from django.utils import timezone

SCOPES = {
    "read": "See campaigns, messages and reports",
    "write": "Prepare templates, campaigns and recipients",
    "launch": "Launch, pause, resume, cancel and retry",
    "export": "Download reports",
    "numbers": "See whole phone numbers",
    "admin": "Everything, and accounts",
}
PREFIX = "exd_"


class ApiToken(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=12)  # the first characters, to tell tokens apart
    digest = models.CharField(max_length=64, unique=True)  # SHA-256: 256 random bits need no slow hash
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def issue(cls, **fields: object) -> tuple["ApiToken", str]:
        """A stored token and its text, which is not kept."""
        text = PREFIX + secrets.token_urlsafe(32)
        return cls.objects.create(hint=text[:8], digest=cls.hash(text), **fields), text

    @staticmethod
    def hash(text: str) -> str:
        return sha256(text.encode()).hexdigest()

    @property
    def valid(self) -> bool:
        return not self.revoked_at and (self.expires_at is None or self.expires_at > timezone.now())

    def allows(self, scope: str) -> bool:
        return scope in self.scopes or "admin" in self.scopes
