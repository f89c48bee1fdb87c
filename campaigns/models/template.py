"""A message text as it is registered on the operators' DLT platform."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from campaigns.text import dlt, render

digits = RegexValidator(r"^\d{1,30}$", "DLT ids are digits only.")


class Template(models.Model):
    class Category(models.TextChoices):
        TRANSACTIONAL = "transactional", "Transactional (bank OTP)"
        SERVICE_IMPLICIT = "service_implicit", "Service implicit"
        SERVICE_EXPLICIT = "service_explicit", "Service explicit"
        PROMOTIONAL = "promotional", "Promotional"

    class Status(models.TextChoices):
        APPROVED = "approved", "Approved"
        PENDING = "pending", "Waiting for approval"
        REJECTED = "rejected", "Rejected"
        INACTIVE = "inactive", "Inactive or blacklisted"

    name = models.CharField(max_length=120, unique=True)
    body = models.TextField(help_text="As registered, with {#var#} for each variable")
    dlt_template_id = models.CharField("DLT template id", max_length=30, validators=[digits])
    dlt_entity_id = models.CharField("DLT entity id", max_length=30, validators=[digits])
    header = models.CharField(max_length=20, help_text="6 letters; promotional: 6 digits")
    category = models.CharField(max_length=20, choices=Category, default=Category.SERVICE_IMPLICIT)
    status = models.CharField("status on DLT", max_length=10, choices=Status, default=Status.APPROVED)
    valid_until = models.DateField(null=True, blank=True, help_text="Empty when the registration has no end")
    version = models.PositiveIntegerField(default=1, editable=False)  # grows with every change of what is sent
    archived = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    SENT_FIELDS = ("body", "dlt_template_id", "dlt_entity_id", "header", "category")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def sms_type(self) -> str:
        return dlt.sms_type(self.category)

    @property
    def variables(self) -> int:
        return render.parse(self.body).variables

    def clean(self) -> None:
        """Refuse what the operators' scrubbing would refuse; each error names its field."""
        try:
            render.parse(self.body)
        except render.TemplateError as error:
            raise ValidationError({"body": str(error)}) from None
        errors = [f.message for f in self.findings() if f.level == "error"]
        if errors:
            raise ValidationError(errors)

    def findings(self) -> list[dlt.Finding]:
        return dlt.check_template(self.body, self.header, self.category, self.dlt_entity_id, self.dlt_template_id)

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk:
            before = Template.objects.filter(pk=self.pk).values(*self.SENT_FIELDS).first()
            if before and any(before[name] != getattr(self, name) for name in self.SENT_FIELDS):
                self.version += 1
        super().save(*args, **kwargs)
