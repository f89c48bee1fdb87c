"""What the machine wants looked at, for programs that watch."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.insight import alerts
from campaigns.models import Alert

WANTED = {"open": alerts.open_ones, "closed": alerts.closed_ones}


class AlertOutput(serializers.ModelSerializer):
    account: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True)
    campaign: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True)
    webhook: Any = serializers.PrimaryKeyRelatedField(read_only=True, allow_null=True)
    closed_by = serializers.SerializerMethodField(help_text="null while it is open, or when it was over by itself")

    class Meta:
        model = Alert
        fields = ["id", "kind", "level", "text", "account", "campaign", "webhook", "times", "raised_at", "noticed_at",
                  "closed_at", "closed_by"]  # fmt: skip
        read_only_fields = fields

    def get_closed_by(self, alert: Alert) -> str | None:
        return alert.closed_by.get_username() if alert.closed_by else None


class Alerts(APIView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="alerts_list",
        parameters=[OpenApiParameter("state", str, enum=list(WANTED), description="else both, the open ones first")],
        responses={200: AlertOutput(many=True), 400: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        if state and state not in WANTED:
            raise ValidationError({"state": "Write open or closed, or leave it out for both."})
        found = [alert for name, read in WANTED.items() if state in {"", name} for alert in read()]
        return Response(AlertOutput(found, many=True).data)


class Acknowledge(APIView):
    """Close an alert; what it is about stays as it is. One that is closed already stays closed as it was."""

    scopes = {"POST": "launch"}

    @extend_schema(request=None, responses={200: AlertOutput, 404: ProblemSerializer})
    def post(self, request: Request, pk: int) -> Response:
        alert = get_object_or_404(Alert, pk=identifier(pk))
        if alert.acknowledge(request.user):
            audit.record("alert.acknowledge", alert, request=request, matter=alert.matter)
        alert.refresh_from_db()
        return Response(AlertOutput(alert).data)
