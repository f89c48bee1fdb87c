"""What the API takes and gives of saved audiences."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.validators import UniqueValidator

from campaigns.api.fields import Key
from campaigns.audience import counting, saved
from campaigns.models import Audience, AudienceFile, AudienceMember, Segment
from campaigns.text import conditions as rules
from campaigns.text import phone

CONDITIONS = '{"match": "all" or "any", "rules": [{"column", "op", "value"}]}; a rule may be such a group itself, once'
OPEN = Audience.objects.filter(deleting=False)


class ConditionsField(serializers.JSONField):
    """Conditions as they were given: what they may be depends on the audience's columns."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            value = super().to_internal_value(data)
        except RecursionError:
            self.fail("invalid")
        if not isinstance(value, dict):
            raise ValidationError(ErrorDetail(f"Write {CONDITIONS}.", "invalid"))
        return value


def normal(audience: Audience, conditions: Any) -> dict[str, Any]:
    try:
        return saved.normal(audience, conditions)
    except rules.Wrong as why:
        raise ValidationError({"conditions": ErrorDetail(str(why), "invalid_conditions")}) from None


class AudienceSerializer(serializers.ModelSerializer):
    name = serializers.CharField(
        max_length=120, validators=[UniqueValidator(Audience.objects.all(), "There is an audience of that name already.")]
    )
    columns: Any = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Audience
        fields = ["id", "name", "columns", "phone", "size", "archived", "created_at", "changed_at"]
        read_only_fields = ["phone", "size", "created_at", "changed_at"]
        extra_kwargs = {
            "phone": {"help_text": "the column of the numbers; empty before the first file"},
            "size": {"help_text": "members"},
            "archived": {"help_text": "not offered to campaigns any more"},
            "changed_at": {"help_text": "when members were last added, changed or removed"},
        }


class MembersInput(serializers.Serializer):
    """Either a file (multipart) or rows (JSON). A number that is there already gets the cells of the new row."""

    file = serializers.FileField(required=False, allow_empty_file=True)
    rows = serializers.ListField(child=serializers.DictField(), required=False, max_length=100_000)
    phone = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="its column of the numbers, else guessed"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("file" in attrs) == ("rows" in attrs):
            raise ValidationError("Send either a file (multipart, field file) or rows (JSON list of objects).")
        return attrs


class FileStartedSerializer(serializers.Serializer):
    file = serializers.IntegerField(help_text="being read: see /audiences/{id}/files/{file}/")


class AudienceFileSerializer(serializers.ModelSerializer):
    class Meta:
        model = AudienceFile
        fields = ["id", "state", "filename", "header", "phone", "rows", "added", "updated", "refused", "problem",
                  "created_at", "finished_at"]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"updated": {"help_text": "rows about a number that was there already"}}


class MemberSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.CharField(help_text="masked without the scope numbers")
    cells = serializers.DictField(child=serializers.CharField(allow_blank=True), help_text="by column")


def member(row: AudienceMember, columns: list[str], whole: bool) -> dict[str, Any]:
    cells = row.cells + [""] * (len(columns) - len(row.cells))
    if not whole:
        cells = [phone.mask_cell(cell) for cell in cells]
    number = phone.e164(row.number) if whole else phone.mask(row.number)
    return {"id": row.pk, "number": number, "cells": dict(zip(columns, cells, strict=True))}


class CountOutput(serializers.Serializer):
    count = serializers.IntegerField(help_text="members for whom the conditions hold, among those looked at")
    exact = serializers.BooleanField(help_text="whether all members were looked at")
    looked_at = serializers.IntegerField()
    size = serializers.IntegerField(help_text="members of the audience")


def counted(of: counting.Counted) -> dict[str, Any]:
    return {"count": of.found, "exact": of.done, "looked_at": of.looked, "size": of.size}


class SegmentInput(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    conditions = ConditionsField(help_text=CONDITIONS)

    def validate_conditions(self, value: dict[str, Any]) -> dict[str, Any]:
        if not value:
            raise ValidationError(ErrorDetail(f"Write {CONDITIONS}.", "invalid"))
        try:
            return saved.normal(self.context["audience"], value)
        except rules.Wrong as why:
            raise ValidationError(ErrorDetail(str(why), "invalid_conditions")) from None

    def validate_name(self, value: str) -> str:
        others = Segment.objects.filter(audience=self.context["audience"], name=value)
        if self.context.get("segment"):
            others = others.exclude(pk=self.context["segment"].pk)
        if others.exists():
            raise ValidationError(ErrorDetail("This audience has a segment of that name already.", "unique"))
        return value


class SegmentOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    conditions = serializers.DictField()
    words = serializers.CharField(help_text="the conditions as people read them")
    count = serializers.IntegerField(allow_null=True, help_text="members; null while they are being counted")
    created_at = serializers.DateTimeField()


def segments(audience: Audience, rows: list[Segment]) -> list[dict[str, Any]]:
    counts = counting.known(audience, rows)
    data = [
        {
            "id": row.pk, "name": row.name, "conditions": row.conditions, "words": rules.words(row.conditions),
            "count": count.found if count and count.done else None, "created_at": row.created_at,
        }
        for row, count in zip(rows, counts, strict=True)
    ]  # fmt: skip
    return list(SegmentOutput(data, many=True).data)


class CountInput(serializers.Serializer):
    """A segment of the audience or conditions; neither for all members."""

    segment: Any = Key(queryset=Segment.objects.all(), required=False, allow_null=True)
    conditions = ConditionsField(required=False, help_text=CONDITIONS)


def conditions_of(audience: Audience, values: dict[str, Any]) -> tuple[dict[str, Any], str]:
    segment: Segment | None = values.get("segment")
    if segment is None:
        return normal(audience, values.get("conditions")), ""
    if values.get("conditions"):
        raise ValidationError({"conditions": ErrorDetail("Write a segment or conditions, not both.", "invalid")})
    if segment.audience_id != audience.pk:
        raise ValidationError({"segment": ErrorDetail("This segment is not one of that audience.", "does_not_exist")})
    return segment.conditions, segment.name
