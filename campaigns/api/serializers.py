"""What the API takes and gives. Shapes are those of docs/api.md; a published name is never changed."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from campaigns.api.audience_shapes import CONDITIONS, OPEN, ConditionsField
from campaigns.api.fields import Key
from campaigns.audience import translating
from campaigns.models import Account, Campaign, Import, Segment, Template, TemplateVersion
from campaigns.sending import schedule
from campaigns.text import languages


class AccountSerializer(serializers.ModelSerializer):
    stopped = serializers.SerializerMethodField(help_text="why sending is stopped, or null")

    class Meta:
        model = Account
        fields = ["id", "name", "provider", "account_sid", "base_url", "sender_id", "dlt_entity_id", "time_zone",
                  "rate_per_minute", "cost_per_unit", "cost_transactional", "cost_service_implicit", "cost_service_explicit",
                  "cost_promotional", "allowed_countries", "balance", "balance_at", "stopped"]  # fmt: skip

    def get_stopped(self, account: Account) -> str | None:
        return account.stop_reason if account.stopped_at else None


# The field of a finding, by how its code begins.
TEMPLATE_FIELDS = {
    "ENTITY_ID": "dlt_entity_id", "TEMPLATE_ID": "dlt_template_id", "HEADER": "header", "BODY": "body", "VARIABLE": "body",
}  # fmt: skip


class TemplateSerializer(serializers.ModelSerializer):
    sms_type = serializers.CharField(read_only=True)
    variables = serializers.IntegerField(read_only=True)
    category = serializers.ChoiceField(Template.Category.choices)
    status = serializers.ChoiceField(Template.Status.choices, default=Template.Status.APPROVED, help_text="on DLT")
    language = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="name or code; it is stored as a code, such as hi"
    )

    class Meta:
        model = Template
        fields = ["id", "name", "body", "dlt_template_id", "dlt_entity_id", "header", "category", "language", "status",
                  "valid_until", "version", "sms_type", "variables", "created_at"]  # fmt: skip
        read_only_fields = ["version", "created_at"]

    def validate_language(self, value: str) -> str:
        if value and not languages.tag(value):
            raise serializers.ValidationError(languages.UNKNOWN.format(value))
        return languages.tag(value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kept = {name: getattr(self.instance, name) for name in Template.SENT_FIELDS} if self.instance else {}
        template = Template(**kept | attrs)
        errors: dict[str, list[str]] = {}
        for finding in template.findings():
            named = [field for code, field in TEMPLATE_FIELDS.items() if finding.code.startswith(code)]
            if finding.level == "error" and named:
                errors.setdefault(named[0], []).append(finding.message)
        if errors:
            raise serializers.ValidationError(errors)
        template.clean()
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Template:
        return self.update(Template(created_by=validated_data["author"]), validated_data)

    def update(self, instance: Template, validated_data: dict[str, Any]) -> Template:
        instance.credit(validated_data.pop("author"), TemplateVersion.How.API)
        return super().update(instance, validated_data)


class WallTimeField(serializers.DateTimeField):
    """An instant, or without an offset what the clocks of the account show: its zone is known to the whole alone."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value


class CampaignInput(serializers.ModelSerializer):
    serializer_related_field = Key
    channel = serializers.ChoiceField(Campaign.Channel.choices, default=Campaign.Channel.SMS)
    sender_id = serializers.RegexField(r"^[A-Za-z0-9]{3,20}$", required=False, allow_blank=True)
    schedule_at = WallTimeField(
        required=False, allow_null=True, help_text="a time without an offset is in the account's time zone"
    )

    translations = serializers.ManyRelatedField(
        Key(queryset=Template.objects.filter(archived=False)), required=False,
        help_text="templates that are this text in other languages, for rows that name theirs",
    )  # fmt: skip

    class Meta:
        model = Campaign
        fields = ["name", "account", "template", "translations", "channel", "sender_id", "schedule_at", "shorten_links",
                  "short_domain", "skip_recent_days"]  # fmt: skip

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("schedule_at"):
            account: Account = attrs.get("account") or self.instance.account  # type: ignore[union-attr]
            try:
                attrs["schedule_at"] = schedule.start(attrs["schedule_at"], ZoneInfo(account.time_zone), timezone.now())
            except schedule.Impossible as error:
                raise serializers.ValidationError({"schedule_at": ErrorDetail(str(error), error.code)}) from None
        if attrs.get("translations"):
            template: Template = attrs.get("template") or self.instance.template  # type: ignore[union-attr]
            if why := translating.fault(template, attrs["translations"]):
                raise serializers.ValidationError({"translations": ErrorDetail(why, "no_translation")})
        return attrs

    def validate_channel(self, value: str) -> str:
        if value != Campaign.Channel.SMS:
            raise serializers.ValidationError("Only SMS campaigns can be made so far.", "not_available")
        return value


class CampaignOutput(serializers.Serializer):
    """A campaign with its counts. ``finished``: nothing pending or in flight; delivery may still be awaited."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    account = serializers.IntegerField()
    template = serializers.IntegerField()
    translations = serializers.ListField(child=serializers.IntegerField())
    channel = serializers.CharField()
    sender_id = serializers.CharField()
    state = serializers.CharField()
    state_reason = serializers.CharField()
    shorten_links = serializers.BooleanField(help_text="links are shortened and clicks counted")
    short_domain = serializers.CharField()
    skip_recent_days = serializers.IntegerField(help_text="people with a message of the last so many days are left out")
    template_version = serializers.IntegerField(
        allow_null=True, help_text="as launched: see /templates/{template}/versions/"
    )
    retry_of = serializers.IntegerField(allow_null=True, help_text="the campaign whose failures this one sends again")
    schedule_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    purged_at = serializers.DateTimeField(allow_null=True, help_text="since then its people and messages are gone")
    counts = serializers.DictField(child=serializers.IntegerField())
    delivery = serializers.DictField(child=serializers.IntegerField())
    units = serializers.IntegerField()
    cost = serializers.DecimalField(14, 4)
    rate = serializers.FloatField(help_text="messages a minute, over the last two minutes")
    eta = serializers.DateTimeField(allow_null=True)
    later = serializers.IntegerField(help_text="messages that wait for an hour of their own")
    next_due_at = serializers.DateTimeField(allow_null=True, help_text="when the next of them may go")


class FamilySerializer(serializers.Serializer):
    """A campaign and all its tries together; each person counts once, by the best that is known of them."""

    root: Any = serializers.IntegerField(source="root.pk", help_text="the first try")
    campaigns = serializers.ListField(child=serializers.IntegerField(), help_text="all tries, in the order they were made")
    people = serializers.IntegerField()
    reached = serializers.IntegerField(help_text="delivered at least once")
    at_operator = serializers.IntegerField()
    open = serializers.IntegerField(help_text="a try is under way or its report awaited, or nobody knows")
    failed = serializers.IntegerField(help_text="every try failed")
    messages = serializers.IntegerField(help_text="handed over, in all tries")
    units = serializers.IntegerField()
    cost = serializers.DecimalField(14, 4)


class EstimateSerializer(serializers.Serializer):
    """What was estimated before launch; ``units`` and ``cost`` of the campaign are what reports have said since."""

    messages = serializers.IntegerField()
    units = serializers.IntegerField()
    cost = serializers.DecimalField(14, 4)
    units_due = serializers.IntegerField(help_text="estimated for what was or may have been handed over so far")
    cost_due = serializers.DecimalField(14, 4)
    difference = serializers.IntegerField(help_text="units of the campaign less units_due")
    cost_difference = serializers.DecimalField(14, 4)


class CampaignDetailOutput(CampaignOutput):
    family = FamilySerializer()
    estimate = EstimateSerializer()


class RetryInput(serializers.Serializer):
    max_cost = serializers.DecimalField(
        14, 4, min_value=0, required=False, allow_null=True, help_text="rupees that the retry may cost at the most"
    )
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="default: of the first try")


class RetryOutput(serializers.Serializer):
    id = serializers.IntegerField(source="campaign.pk")
    recipients = serializers.IntegerField()
    units = serializers.IntegerField()
    cost = serializers.DecimalField(14, 4)


class MappingSerializer(serializers.Serializer):
    phone = serializers.CharField(max_length=200)
    vars = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
    language = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="picks a translation")
    header = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="the sender id of each row")
    schedule = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="when each row may go")
    reference = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="your id for each row")


class MappingField(serializers.JSONField):
    """JSON in a form field: the parser of bodies has not looked at it."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")


class RecipientsInput(serializers.Serializer):
    """A file (multipart), rows (JSON) or a saved audience; the mapping is guessed when it is left out."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    rows = serializers.ListField(child=serializers.DictField(), required=False, max_length=100_000)
    audience: Any = Key(queryset=OPEN, required=False, help_text="a saved audience, as it is when it is read")
    segment: Any = Key(queryset=Segment.objects.all(), required=False, allow_null=True, help_text="only this part of it")
    conditions = ConditionsField(required=False, help_text=f"instead of a segment: {CONDITIONS}")
    mapping = MappingField(required=False)

    def validate_mapping(self, value: Any) -> dict[str, Any]:
        mapping = MappingSerializer(data=value)
        mapping.is_valid(raise_exception=True)
        return dict(mapping.validated_data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if sum(name in attrs for name in ("file", "rows", "audience")) != 1:
            raise serializers.ValidationError(
                "Send either a file (multipart, field file), rows (JSON list of objects) or the id of an audience."
            )
        return attrs


class StartedSerializer(serializers.Serializer):
    """A file is being read: see ``/imports/{id}/``."""


# Named by a key of the dictionary, because it is a word of the language.
StartedSerializer._declared_fields["import"] = serializers.IntegerField(help_text="id of the import")


class ImportSerializer(serializers.ModelSerializer):
    campaign: Any = serializers.PrimaryKeyRelatedField(read_only=True)
    audience: Any = serializers.PrimaryKeyRelatedField(
        read_only=True, allow_null=True, help_text="the saved audience that its people were taken from"
    )
    recently_messaged = serializers.IntegerField(source="recent", help_text="of the suppressed: got a message lately")

    class Meta:
        model = Import
        fields = ["id", "campaign", "audience", "state", "filename", "rows", "accepted", "rejected", "duplicates",
                  "suppressed", "recently_messaged", "errors", "findings", "units", "problem", "header", "mapping",
                  "created_at", "finished_at"]  # fmt: skip
        read_only_fields = fields


class ExampleSerializer(serializers.Serializer):
    """A row that a finding is about."""

    file = serializers.CharField()
    line = serializers.IntegerField(help_text="as a spreadsheet numbers it: the header is line 1")
    number = serializers.CharField(allow_blank=True, help_text="masked without the scope numbers; empty: none could be read")
    column = serializers.CharField(allow_blank=True, help_text="of the cell that matters; empty: the row as a whole")
    value = serializers.CharField(allow_blank=True, help_text="the beginning of that cell")
    why = serializers.CharField()


# Named by a key of the dictionary, because the framework's fields have an attribute of that name.
ExampleSerializer._declared_fields["import"] = serializers.IntegerField(help_text="id of the import")


class FindingSerializer(serializers.Serializer):
    level = serializers.ChoiceField(["error", "warning", "info"])
    code = serializers.CharField()
    message = serializers.CharField()
    rows = serializers.IntegerField()
    remedy = serializers.CharField(help_text="what to do about it")
    examples = ExampleSerializer(many=True, help_text="its first rows; all are at /campaigns/{id}/rows/?code=")


class PreflightSerializer(serializers.Serializer):
    findings = FindingSerializer(many=True)
    refused = FindingSerializer(many=True, help_text="rows that are left out, by code")
    messages = serializers.IntegerField()
    units = serializers.IntegerField()
    cost = serializers.DecimalField(14, 4)


class LaunchInput(serializers.Serializer):
    accept_warnings = serializers.BooleanField(default=False)


class MessageSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    campaign = serializers.IntegerField()
    resend_of = serializers.IntegerField(allow_null=True, help_text="the unconfirmed message that this one repeats")
    number = serializers.CharField(help_text="masked without the scope numbers")
    state = serializers.CharField()
    delivery = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    reference = serializers.CharField(help_text="your own id for it, from the recipients file or the call")
    sender_id = serializers.CharField(help_text="the header it goes out under")
    due_at = serializers.DateTimeField(allow_null=True, help_text="not to be sent before; null: at once")
    language = serializers.CharField(help_text="of its text; empty where the file names none")
    sid = serializers.CharField(allow_null=True)
    units = serializers.IntegerField()
    conflict = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    settled_at = serializers.DateTimeField(allow_null=True)
    final_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    text = serializers.CharField()
    code = serializers.CharField()


class MessageDetailSerializer(MessageSerializer):
    history = EventSerializer(many=True)


class FailureSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    remedy = serializers.CharField()
    who_acts = serializers.CharField(source="actor")
    retryable = serializers.BooleanField()
    count = serializers.IntegerField()
    share = serializers.FloatField()


class CodeSerializer(serializers.Serializer):
    provider = serializers.CharField()
    channel = serializers.CharField()
    namespace = serializers.CharField()
    code = serializers.CharField()
    name = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    state = serializers.CharField()
    final = serializers.BooleanField()
    retryable = serializers.BooleanField()
    who_acts = serializers.CharField(source="actor")
    title = serializers.CharField()
    meaning = serializers.CharField()
    remedy = serializers.CharField()
    note = serializers.CharField()


class BucketSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    delivered = serializers.IntegerField()
    at_operator = serializers.IntegerField()
    dnd = serializers.IntegerField()
    failed = serializers.IntegerField()
    awaiting = serializers.IntegerField()
    unconfirmed = serializers.IntegerField()


class ClickLineSerializer(serializers.Serializer):
    value = serializers.CharField(help_text="empty where it was not told")
    total = serializers.IntegerField(source="clicks")
    unique = serializers.IntegerField(source="people", help_text="of a link: people who clicked on it; else first clicks")


class ClickHourSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    total = serializers.IntegerField(source="clicks")
    unique = serializers.IntegerField(source="people", help_text="first clicks")


class ClicksSerializer(serializers.Serializer):
    """The most clicked first; at most 200 links, devices and cities by name, all others as one."""

    tracked = serializers.BooleanField(help_text="whether this campaign shortens its links and counts clicks")
    total = serializers.IntegerField()
    unique = serializers.IntegerField(help_text="people who clicked at least once")
    links = ClickLineSerializer(many=True)
    devices = ClickLineSerializer(many=True)
    cities = ClickLineSerializer(many=True)
    hours = ClickHourSerializer(many=True, help_text="hours with clicks")
