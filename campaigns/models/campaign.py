"""A campaign: one text to many people, its place in life, and the snapshot its messages are rendered from."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models

from campaigns.models.account import Account
from campaigns.models.states import CampaignState
from campaigns.models.template import Template

domain = RegexValidator(
    r"^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\Z", "Write only the domain, such as go.example.in."
)


class Lists(models.Manager["Campaign"]):
    """Campaigns that people made, without single messages."""

    def get_queryset(self) -> models.QuerySet["Campaign"]:
        return super().get_queryset().filter(single=False)


class Campaign(models.Model):
    class Channel(models.TextChoices):
        SMS = "sms", "SMS"
        WHATSAPP = "whatsapp", "WhatsApp"

    name = models.CharField(max_length=120)
    account = models.ForeignKey(Account, models.PROTECT)
    template = models.ForeignKey(Template, models.PROTECT)
    # The same text in other languages, at most one template for each, for rows that name theirs.
    translations = models.ManyToManyField(Template, blank=True, related_name="+")
    channel = models.CharField(max_length=10, choices=Channel, default=Channel.SMS)
    sender_id = models.CharField("header", max_length=20, blank=True)  # empty: the template's
    shorten_links = models.BooleanField(
        "shorten links and count clicks", default=False, help_text="Exotel charges for it and must enable it for the account"
    )
    short_domain = models.CharField(
        "domain of the short links", max_length=100, blank=True, validators=[domain],
        help_text="Your own, led to exo.tl; empty for exo.tl",
    )  # fmt: skip
    skip_recent_days = models.PositiveSmallIntegerField(
        "leave out people with a message in the last", default=0, db_default=0, blank=True,
        validators=[MaxValueValidator(90)],
        help_text="Days, up to 90: messages of the same account count, whatever they were about. 0 leaves nobody out",
    )  # fmt: skip
    priority = models.SmallIntegerField(default=0)  # higher goes first on its account; the launch sets it
    single = models.BooleanField(default=False, editable=False)  # one message by API, left out of the lists of campaigns
    state = models.CharField(max_length=10, choices=CampaignState, default=CampaignState.DRAFT)
    state_reason = models.CharField(max_length=500, blank=True)
    # The campaign whose failures this one tries again; reach and cost are counted over the whole family.
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, editable=False, related_name="retries")
    schedule_at = models.DateTimeField(null=True, blank=True)
    # Written once by the launch and never changed: what messages are rendered from, whatever is edited later.
    # {"body", "version", "dlt_template_id", "dlt_entity_id", "sender", "sms_type", "category", "columns": {import: [index]}}
    # and "short_domain" when links are shortened; what models.rowwise adds where rows have headers, hours or languages
    snapshot = models.JSONField(default=dict)
    unit_cost = models.DecimalField(max_digits=8, decimal_places=4, null=True, editable=False)  # of the launch too
    spend_month = models.DateField(null=True, editable=False)  # whose budget of the launcher it was taken from
    launch_key = models.CharField(max_length=80, blank=True)  # the Idempotency-Key of the launch
    launch_cursor = models.BigIntegerField(default=0)  # recipients up to this id have their message
    last_intent_at = models.DateTimeField(null=True)  # for fair turns among campaigns of one account
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    launched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True, editable=False)  # from then on its people and messages count as gone
    purging = models.BooleanField(default=False, editable=False)  # and some of them are still to be removed
    resumed_at = models.DateTimeField(null=True)  # failures before this an operator has seen

    objects = models.Manager()
    lists = Lists()

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("launch_campaign", "Can launch, pause, resume and cancel campaigns"),
            ("see_numbers", "Can see whole phone numbers"),
            ("export_report", "Can download reports"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=CampaignState.values), name="campaign_state_is_known"),
            # a single message is sent once for each Idempotency-Key of a user
            models.UniqueConstraint(
                fields=["created_by", "launch_key"],
                name="one_single_message_a_key",
                condition=models.Q(single=True) & ~models.Q(launch_key=""),
            ),
        ]
        indexes = [
            # used for choosing the next campaign of an account: few campaigns are alive at once
            models.Index(fields=["account", "state"], name="live_campaigns_of_account"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With another template, what was read against the old one must be read again: preflight says so."""
        if self.pk and Campaign.objects.filter(pk=self.pk).exclude(template=self.template_id).exists():
            self.imports.update(template_version=0)
        super().save(*args, **kwargs)

    def terms(self) -> dict[str, Any]:
        """What the rows of its files are checked by besides the template; a file read by others must be read again."""
        account = self.account
        return {"account": account.pk, "countries": account.allowed_countries, "recent_days": self.skip_recent_days}

    @property
    def rate(self) -> Decimal:
        """Rupees a unit: as the launch fixed it, before that the account's for the template's category."""
        return self.account.rate_for(self.template.category) if self.unit_cost is None else self.unit_cost

    @property
    def sender(self) -> str:
        return self.sender_id or self.template.header or self.account.sender_id
