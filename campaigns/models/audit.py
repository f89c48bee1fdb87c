"""Who did what, when and from where. Rows are only ever added."""

from django.conf import settings
from django.db import models


class AuditEvent(models.Model):
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    actor = models.CharField(max_length=150)  # the name as it was then; "system" for the machine
    action = models.CharField(max_length=40)  # campaign.launch, account.credentials ...
    subject = models.CharField(max_length=80)  # campaign:12
    details = models.JSONField(default=dict)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "-id"], name="audit_of_subject"),  # used for the history on an object's page
        ]
