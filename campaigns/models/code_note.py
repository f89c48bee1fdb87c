"""What an administrator has added to the code dictionary or put right in it; the shipped rows stay as they are."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

plain = RegexValidator(r"^[A-Za-z0-9_.:-]+$", "Use letters, digits and _ . : - only.")


class CodeNote(models.Model):
    """A row laid over the shipped one of the same key, or a new one. What is left empty stays as shipped."""

    class Actor(models.TextChoices):
        OPERATOR = "operator", "Operator"
        DLT_ADMIN = "dlt_admin", "DLT admin"
        LIST_OWNER = "list_owner", "List owner"
        PROVIDER = "provider", "Provider"
        NOBODY = "nobody", "Nobody"

    provider = models.CharField(max_length=20, default="exotel", validators=[plain])
    channel = models.CharField(max_length=20, default="sms", validators=[plain])
    namespace = models.CharField(max_length=20, default="status", validators=[plain])
    code = models.CharField(max_length=32, validators=[plain])
    title = models.CharField(max_length=80, blank=True)
    meaning = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=300, blank=True)
    actor = models.CharField("who must act", max_length=10, choices=Actor, blank=True)
    retryable = models.BooleanField(null=True, blank=True)
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["provider", "channel", "namespace", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "channel", "namespace", "code"],
                name="one_note_per_code",
                violation_error_message="There is a note on this code already: change that one.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.channel}/{self.namespace} {self.code}"

    def clean(self) -> None:
        if not (self.title or self.meaning or self.remedy or self.actor or self.retryable is not None):
            raise ValidationError("Write a title, meaning or remedy, or choose who must act.")
