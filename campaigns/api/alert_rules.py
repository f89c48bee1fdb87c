"""When alerts are raised and who is told, for programs that set an installation up."""

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.models import AlertRule


class AlertRuleSerializer(serializers.ModelSerializer):
    account: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True, help_text="null: every account")
    kind = serializers.CharField(read_only=True)
    unit = serializers.CharField(read_only=True, help_text="of the threshold: %, requests, messages, minutes or nothing")
    recipients = serializers.ListField(
        child=serializers.EmailField(), source="addresses", required=False, max_length=20, help_text="e-mail addresses"
    )

    class Meta:
        model = AlertRule
        fields = ["id", "kind", "account", "threshold", "unit", "window", "minimum", "level", "enabled", "repeat_after",
                  "recipients"]  # fmt: skip
        extra_kwargs = {"window": {"help_text": "minutes"}, "repeat_after": {"help_text": "minutes"}}

    def update(self, instance: AlertRule, validated_data: dict[str, Any]) -> AlertRule:
        if "addresses" in validated_data:
            validated_data["recipients"] = "\n".join(validated_data.pop("addresses"))
        for name, value in validated_data.items():
            setattr(instance, name, value)
        try:
            instance.clean()
        except DjangoValidationError as error:
            raise serializers.ValidationError(serializers.as_serializer_error(error)) from None
        instance.save(update_fields=list(validated_data) or None)
        return instance


class AlertRules(APIView):
    scopes = {"GET": "admin"}

    @extend_schema(operation_id="alert_rules_list", responses={200: AlertRuleSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(AlertRuleSerializer(AlertRule.objects.order_by("kind", "account_id"), many=True).data)


class AlertRuleDetail(APIView):
    scopes = {"PATCH": "admin"}

    @extend_schema(
        request=AlertRuleSerializer(partial=True),
        responses={200: AlertRuleSerializer, 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def patch(self, request: Request, pk: int) -> Response:
        rule = get_object_or_404(AlertRule, pk=identifier(pk))
        given = AlertRuleSerializer(rule, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        given.save()
        audit.record("alertrule.change", rule, request=request, fields=sorted(given.validated_data))
        return Response(AlertRuleSerializer(rule).data)
