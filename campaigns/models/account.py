"""An Exotel account: where to send, as whom, how fast, and whether it may be used right now."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from campaigns.models import secrets
from campaigns.text import countries, keywords, links
from campaigns.text.phone import anywhere, canonical

PUBLIC_HOSTS = {"exotel": frozenset({"api.exotel.com", "api.in.exotel.com"}), "geniq": frozenset({"api.geniq.io"})}


def check_base_url(value: str) -> None:
    """Credentials go to known hosts only, or to those that EXODASH_ALLOWED_EXOTEL_HOSTS lists; https but for loopback."""
    parts = urlsplit(value)
    try:
        netloc = f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        raise ValidationError("The address has a port that is not a number.") from None
    if parts.path.strip("/") or parts.query or parts.username or parts.scheme not in {"http", "https"}:
        raise ValidationError("Write only the scheme and the host, such as https://api.in.exotel.com.")
    if not {netloc, parts.hostname} & {*settings.EXOTEL_HOSTS, *PUBLIC_HOSTS["geniq"]}:
        raise ValidationError(f"{netloc} is not an Exotel host. Others must be listed in EXODASH_ALLOWED_EXOTEL_HOSTS.")
    if parts.scheme == "http" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ValidationError("Use https: over http the credentials could be read on the way.")


RATE: dict[str, Any] = {
    "max_digits": 8, "decimal_places": 4, "null": True, "blank": True, "validators": [MinValueValidator(Decimal(0))],
}  # fmt: skip


class Account(models.Model):
    class Provider(models.TextChoices):
        EXOTEL = "exotel", "Exotel"
        GENIQ = "geniq", "GENIQ"

    name = models.CharField(max_length=80, unique=True)
    provider = models.CharField(max_length=8, choices=Provider, default=Provider.EXOTEL)
    base_url = models.CharField(
        "API address", max_length=200, default="https://api.in.exotel.com", validators=[check_base_url],
        help_text="https://api.in.exotel.com (Mumbai), https://api.exotel.com (Singapore) or https://api.geniq.io",
    )  # fmt: skip
    account_sid = models.CharField("account Sid", max_length=80, unique=True)
    # AES-GCM under EXODASH_SECRETS_KEYS, bound to the account Sid; written by set_credentials, never shown again.
    credentials = models.BinaryField(editable=False, default=b"")
    sender_id = models.CharField(
        "default header", max_length=20, blank=True, help_text="6 letters, or 6 digits for promotional"
    )
    dlt_entity_id = models.CharField("DLT entity id", max_length=30, blank=True)
    time_zone = models.CharField(max_length=40, default="Asia/Kolkata")
    rate_per_minute = models.PositiveIntegerField(
        "requests a minute",
        default=200,
        validators=[MaxValueValidator(100_000)],
        help_text="Exotel allows 200; 0 is no limit",
    )
    senders = models.PositiveSmallIntegerField(
        "requests in flight at once", default=4, validators=[MinValueValidator(1), MaxValueValidator(32)]
    )
    polls_per_minute = models.PositiveIntegerField(
        "status questions a minute", default=60, validators=[MaxValueValidator(10_000)],
        help_text="Asked about messages without a report; they never delay sending. 0 asks none",
    )  # fmt: skip
    verify_one_in = models.PositiveIntegerField(
        "check one final status in", default=1000, validators=[MaxValueValidator(10_000_000)],
        help_text="Asked of Exotel with what is left of the status questions; contradictions always are. 0 checks no others",
    )  # fmt: skip
    spike_percent = models.PositiveSmallIntegerField(
        "stop a campaign at failures of", default=20, validators=[MaxValueValidator(100)],
        help_text="Per cent of its last 500 messages that fail with one code; 0 never stops it",
    )  # fmt: skip
    missed_minutes = models.PositiveIntegerField(
        "ask about a start missed by", default=30,
        help_text="Minutes; a scheduled campaign that could not start in time then waits for a decision",
    )  # fmt: skip
    cost_per_unit = models.DecimalField("rupees a unit", max_digits=8, decimal_places=4, default=Decimal("0.2000"))
    # By category of the template, where it differs from the rate above.
    cost_transactional = models.DecimalField("transactional", **RATE)
    cost_service_implicit = models.DecimalField("service implicit", **RATE)
    cost_service_explicit = models.DecimalField("service explicit", **RATE)
    cost_promotional = models.DecimalField("promotional", **RATE)
    # Told by a person, since no API of Exotel does, and when.
    balance = models.DecimalField(max_digits=12, decimal_places=2, null=True, editable=False)
    balance_at = models.DateTimeField(null=True, editable=False)
    # Spent in that quarter of an hour before it was told: counters know no finer time.
    balance_counted = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0), editable=False)
    allowed_countries = models.CharField(
        "sends to", max_length=2000, default="IN", blank=True,
        help_text="Countries as IN, GB or calling codes as +971, with commas between; left empty: India. A number without a "
        "country code is Indian",
    )  # fmt: skip
    window_opens = models.TimeField("promotional from", default=dt.time(10))
    window_closes = models.TimeField("promotional until", default=dt.time(21))
    stop_words = models.CharField(
        "words that opt out", max_length=500, default=keywords.STOP, blank=True,
        help_text="A message that is one of them, or begins with one, suppresses its number. Left empty: the usual words",
    )  # fmt: skip
    start_words = models.CharField(
        "words that opt in again", max_length=500, default=keywords.START, blank=True,
        help_text="Only as the whole message. They take back what the person's own word began, nothing else",
    )  # fmt: skip
    # Reports of one number in this account after which it is suppressed by itself; 0 never does it.
    suppress_invalid_after = models.PositiveSmallIntegerField(
        "suppress numbers not in service after", default=2, validators=[MaxValueValidator(100)],
        help_text="Failures 23010 or 23040; for half a year, since such numbers get new owners. 0 never does it",
    )  # fmt: skip
    suppress_blacklist_after = models.PositiveSmallIntegerField(
        "suppress blacklisted numbers after", default=1, validators=[MaxValueValidator(100)],
        help_text="Failures 23020: the person has opted out at the operator. 0 never does it",
    )  # fmt: skip
    suppress_dnd_after = models.PositiveSmallIntegerField(
        "suppress Do Not Disturb after", default=0, validators=[MaxValueValidator(100)],
        help_text="Failures 23005. Such a number still takes service messages, so 0, which never does it, suits most",
    )  # fmt: skip
    allowed_links = models.TextField(
        "links whitelisted on DLT",
        blank=True,
        max_length=20_000,
        help_text="A domain, or one with the beginning of a path, in each line. Left empty, links are not checked",
    )
    # Set by the machine when Exotel refuses the account itself (credentials, balance, suspension); sending stops until
    # an operator has mended the cause and pressed resume.
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stop_reason = models.CharField(max_length=500, blank=True, editable=False)
    # Stands in the callback URL of reports that come for the account as a whole and name their message by Sid alone.
    callback_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """One provider's credentials never go to another's host."""
        host = urlsplit(self.base_url).hostname
        if any(host in hosts for provider, hosts in PUBLIC_HOSTS.items() if provider != self.provider):
            raise ValidationError({"base_url": f"{host} is not an address of {self.get_provider_display()}."})
        try:
            links.entries(self.allowed_links)
        except ValueError as error:
            raise ValidationError({"allowed_links": str(error)}) from None
        try:
            self.allowed_countries = countries.written(countries.parse(self.allowed_countries.strip() or "IN"))
        except ValueError as error:
            raise ValidationError({"allowed_countries": str(error)}) from None
        self.stop_words = self.stop_words or keywords.STOP
        if both := keywords.words(self.stop_words) & keywords.words(self.start_words):
            raise ValidationError({"start_words": f"“{min(both)}” opts out already; a word can do only one of the two."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        Limiter.objects.get_or_create(account=self)

    @property
    def countries(self) -> frozenset[str]:
        """ISO regions whose numbers it sends to."""
        return countries.parse(self.allowed_countries or "IN")

    def rate_for(self, category: str) -> Decimal:
        """Rupees a unit of a template's category."""
        own: Decimal | None = getattr(self, f"cost_{category}", None)
        return self.cost_per_unit if own is None else own

    def set_credentials(self, api_key: str, api_token: str) -> None:
        self.credentials = secrets.seal(f"{api_key}\n{api_token}", self.account_sid)

    def api_credentials(self) -> tuple[str, str]:
        """Key and token; raises secrets.Unreadable with a sentence when the keyring does not open them."""
        key, _, token = secrets.open_sealed(bytes(self.credentials), self.account_sid).partition("\n")
        return key, token


class Limiter(models.Model):
    """The next instant at which a request may start, one row an account, shared by all workers on all hosts."""

    account = models.OneToOneField(Account, models.CASCADE, primary_key=True)
    next_slot = models.BigIntegerField(default=0)  # microseconds since 1970, the database's clock
    blocked_until = models.BigIntegerField(default=0)  # same clock: Exotel asked us to wait, or cannot be reached
    next_poll = models.BigIntegerField(default=0)  # same clock: the next slot for a status question
    throttles = models.PositiveIntegerField(default=0)  # in a row; the exponent of the backoff


class Suppression(models.Model):
    """A number that must not be sent to, by one account or (account empty) by all."""

    class Reason(models.TextChoices):
        OPT_OUT = "opt_out", "Opted out"
        DND = "dnd", "Do Not Disturb"
        INVALID = "invalid", "Number not in service"
        BLACKLIST = "blacklist", "Blacklisted"
        MANUAL = "manual", "Added by hand"

    account = models.ForeignKey(Account, models.CASCADE, null=True, blank=True)
    number = models.BigIntegerField()
    reason = models.CharField(max_length=12, choices=Reason, default=Reason.MANUAL)
    note = models.CharField(max_length=200, blank=True)
    own_wish = models.BooleanField(default=False, editable=False)  # the person wrote STOP; only then START takes it back
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            # used for the check by number in every claim, and against listing a number twice
            models.UniqueConstraint(fields=["number", "account"], name="suppressed_once_by_account"),
            models.UniqueConstraint(fields=["number"], name="suppressed_once_by_all", condition=models.Q(account=None)),
        ]

    def __str__(self) -> str:
        return str(self.number)

    def clean(self) -> None:
        number = anywhere(f"+{self.number}") or canonical(str(self.number))
        if not number:
            raise ValidationError({"number": f"{self.number} is not a mobile number."})
        self.number = number
