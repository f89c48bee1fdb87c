"""When the machine raises an alert, and whom it writes to: one rule a kind for all accounts, or one of an account's own."""

import re
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models

from campaigns.models.account import Account

MOST_RECIPIENTS = 20
WEEK = 7 * 24 * 60  # minutes


class Default(NamedTuple):
    """What a kind of rule begins with; ``unit`` is that of its threshold, empty where there is none."""

    unit: str
    threshold: int
    window: int  # minutes
    minimum: int
    level: str = "error"
    repeat_after: int = 60  # minutes


class AlertRule(models.Model):
    """Raise an alert when what is measured over the window is more than the threshold."""

    class Kind(models.TextChoices):
        STOPPED = "stopped", "Campaign or account stopped"
        FAILED_RATE = "failed_rate", "Share of failed messages"
        AUTH_ERROR = "auth_error", "Credentials refused"
        TEMPLATE_ERROR = "template_error", "Template or DLT errors"
        THROTTLED = "throttled", "Throttled requests"
        SESSION_EXPIRED = "session_expired", "WhatsApp sessions expired"
        CALLBACKS_SILENT = "callbacks_silent", "No status reports come in"
        LOW_BALANCE = "low_balance", "Balance too low"
        CALLBACK_BACKLOG = "callback_backlog", "Callbacks wait to be applied"
        SENDING_BACKLOG = "sending_backlog", "Messages wait without progress"
        DISAGREEMENT = "disagreement", "Checked statuses differ"

    class Level(models.TextChoices):
        ERROR = "error", "Error"
        WARNING = "warning", "Warning"

    kind = models.CharField(max_length=20, choices=Kind)
    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True, help_text="Empty: every account")
    threshold = models.DecimalField(
        "more than", max_digits=9, decimal_places=2, default=0, validators=[MinValueValidator(0)]
    )  # in the unit of the kind
    window = models.PositiveIntegerField(
        "within minutes", default=60, validators=[MinValueValidator(15), MaxValueValidator(WEEK)],
        help_text="Counted in quarters of an hour, by when messages were handed over",
    )  # fmt: skip
    minimum = models.PositiveIntegerField(
        "of at least", default=0, help_text="Messages below which a share says little", validators=[MaxValueValidator(10**9)]
    )
    level = models.CharField(max_length=7, choices=Level, default=Level.ERROR)
    enabled = models.BooleanField(default=True)
    repeat_after = models.PositiveIntegerField(
        "again after minutes", default=60, validators=[MinValueValidator(5), MaxValueValidator(WEEK)],
        help_text="No second e-mail about the same matter, and no new alert after an acknowledgement, before that",
    )  # fmt: skip
    recipients = models.TextField(
        "e-mail to", blank=True, help_text="Addresses, separated by commas or lines. Empty: the alert is only shown here"
    )

    class Meta:
        ordering = ["kind", "account_id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account"], name="one_alert_rule_of_account",
                violation_error_message="This account has such a rule already: change that one.",
            ),
            models.UniqueConstraint(
                fields=["kind"], name="one_alert_rule_for_all", condition=models.Q(account=None),
                violation_error_message="There is such a rule for all accounts already: change that one.",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()}{f' ({self.account})' if self.account else ''}"

    @property
    def unit(self) -> str:
        return DEFAULTS[self.kind].unit

    @property
    def addresses(self) -> list[str]:
        """The recipients, each once, in their order."""
        return list(dict.fromkeys(word for word in re.split(r"[\s,;]+", self.recipients) if word))

    def clean(self) -> None:
        for address in self.addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError({"recipients": f"“{address[:80]}” is not an e-mail address."}) from None
        if len(self.addresses) > MOST_RECIPIENTS:
            raise ValidationError({"recipients": f"A rule has at most {MOST_RECIPIENTS} addresses."})
        if self.unit == "%" and self.threshold is not None and self.threshold > 100:
            raise ValidationError({"threshold": "A share is at most 100 %."})
        if self.account and self.kind == self.Kind.CALLBACK_BACKLOG:
            raise ValidationError({"account": "All accounts share one queue of callbacks: this rule has no account."})
        self.recipients = "\n".join(self.addresses)

    @classmethod
    def create_defaults(cls) -> None:
        """One rule of each kind for all accounts, where there is none. Safe to run again: what was edited stays."""
        for kind, default in DEFAULTS.items():
            cls.objects.get_or_create(kind=kind, account=None, defaults=fresh(default))

    @classmethod
    def of(cls, rules: "list[AlertRule]", kind: str, account_id: int | None) -> "AlertRule | None":
        """The rule that decides for an account: its own, else the one for all."""
        fitting = [rule for rule in rules if rule.kind == kind and rule.account_id in {None, account_id}]
        return max(fitting, key=lambda rule: rule.account_id is not None, default=None)


def fresh(default: Default) -> dict[str, Any]:
    return {name: value for name, value in default._asdict().items() if name != "unit"}


Kind = AlertRule.Kind
DEFAULTS: dict[str, Default] = {
    Kind.STOPPED: Default("", 0, 60, 0),
    Kind.FAILED_RATE: Default("%", 5, 120, 100, "warning"),
    Kind.AUTH_ERROR: Default("requests", 0, 60, 0),
    Kind.TEMPLATE_ERROR: Default("messages", 0, 240, 0, "warning", 240),
    Kind.THROTTLED: Default("requests", 10, 60, 0, "warning"),
    Kind.SESSION_EXPIRED: Default("%", 20, 120, 20, "warning"),
    Kind.CALLBACKS_SILENT: Default("minutes", 15, 120, 50),
    Kind.LOW_BALANCE: Default("requests", 0, 60, 0),
    Kind.CALLBACK_BACKLOG: Default("minutes", 5, 60, 0),
    Kind.SENDING_BACKLOG: Default("minutes", 15, 60, 0),
    Kind.DISAGREEMENT: Default("%", 5, 1440, 20, "warning", 1440),
}
