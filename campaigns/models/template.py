"""A message text as it is registered on the operators' DLT platform."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone

from campaigns.text import dlt, languages, render

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
    language = models.CharField(
        max_length=20, blank=True, default="",
        help_text="Such as en, Hindi or ta. Rows of a file can then choose it as a translation",
    )  # fmt: skip
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
        if self.language and not languages.tag(self.language):
            raise ValidationError({"language": languages.UNKNOWN.format(self.language)})
        self.language = languages.tag(self.language)
        try:
            render.parse(self.body)
        except render.TemplateError as error:
            raise ValidationError({"body": str(error)}) from None
        errors = [f.message for f in self.findings() if f.level == "error"]
        if errors:
            raise ValidationError(errors)

    def findings(self) -> list[dlt.Finding]:
        return dlt.check_template(self.body, self.header, self.category, self.dlt_entity_id, self.dlt_template_id)

    def credit(self, author: object, how: str) -> Self:
        """Say who makes the next change and by which door, for the version that it may be."""
        self._author, self._how = author if isinstance(author, User) else None, how
        return self

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Every change of what is sent is a version of its own, and all of them are kept."""
        with transaction.atomic():
            rows = Template.objects.filter(pk=self.pk).select_for_update() if self.pk else Template.objects.none()
            before = rows.values("version", *self.SENT_FIELDS).first()
            new = before is None or any(before[name] != getattr(self, name) for name in self.SENT_FIELDS)
            if before is not None:
                self.version = before["version"] + new
            super().save(*args, **kwargs)
            if new:
                self.as_version().save()

    def as_version(self) -> "TemplateVersion":
        sent = {name: getattr(self, name) for name in self.SENT_FIELDS}
        author, how = getattr(self, "_author", None), getattr(self, "_how", TemplateVersion.How.OTHER)
        return TemplateVersion(template=self, version=self.version, author=author, how=how, **sent)


class TemplateVersion(models.Model):
    """What was sent from one change of a template to the next, and whose change it was. Rows are only ever added."""

    class How(models.TextChoices):
        CONSOLE = "console", "on the console"
        API = "api", "by REST"
        IMPORT = "import", "from an export of the DLT portal"
        OTHER = "", "by the system"

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions", db_index=False)
    version = models.PositiveIntegerField()
    body = models.TextField()
    dlt_template_id = models.CharField("DLT template id", max_length=30)
    dlt_entity_id = models.CharField("DLT entity id", max_length=30)
    header = models.CharField(max_length=20)
    category = models.CharField(max_length=20, choices=Template.Category)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    how = models.CharField(max_length=8, choices=How, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["template", "version"], name="one_row_per_template_version")]

    def __str__(self) -> str:
        return f"{self.template} version {self.version}"
