"""Webhooks by REST: who is told, what was told, and telling it again. Their secrets are shown once and never again."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api.fields import Key
from campaigns.api.paging import CURSOR_PARAMETERS, id_page, page_of
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.hooks import addresses, desk
from campaigns.models import Event, Webhook, WebhookDelivery

SCOPE = "admin"
NOT_FOUND = {404: ProblemSerializer}


class WebhookSerializer(serializers.ModelSerializer):
    serializer_related_field = Key
    url = serializers.CharField(max_length=addresses.LONGEST, help_text="https, and only to the public internet")
    events = serializers.ListField(child=serializers.ChoiceField(Event.choices), allow_empty=False)

    class Meta:
        model = Webhook
        fields = ["id", "name", "url", "events", "account", "full_numbers", "enabled", "failures", "failing_since",
                  "delivered_at", "disabled_at", "disabled_reason", "previous_until", "created_at"]  # fmt: skip
        read_only_fields = fields[7:]
        extra_kwargs = {
            "account": {"help_text": "only what happens on this account; null for all"},
            "full_numbers": {"help_text": "whole phone numbers instead of masked ones; needs the scope numbers"},
            "failures": {"help_text": "tries in a row that did not arrive"},
            "previous_until": {"help_text": "until then the secret before the last rotation signs too"},
        }  # fmt: skip

    def validate_url(self, value: str) -> str:
        try:
            addresses.check_and_resolve(value)
        except addresses.Forbidden as why:
            raise serializers.ValidationError(ErrorDetail(str(why), "forbidden_address")) from None
        return value

    def validate_events(self, value: list[str]) -> list[str]:
        return desk.wanted(value)


class NewWebhookSerializer(WebhookSerializer):
    secret = serializers.CharField(help_text="whsec_...; shown this once", read_only=True)

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class RotateInput(serializers.Serializer):
    keep_hours = serializers.ChoiceField(
        desk.KEEP_HOURS, default=24, help_text="for which the old secret signs beside the new one; 0 ends it at once"
    )


class RotateOutput(serializers.Serializer):
    secret = serializers.CharField(help_text="whsec_...; shown this once")
    previous_until = serializers.DateTimeField(allow_null=True)


class ReplayInput(serializers.Serializer):
    since = serializers.DateTimeField(required=False, allow_null=True, help_text="made at that time or later; else all")


class ReplayOutput(serializers.Serializer):
    replayed = serializers.IntegerField(help_text=f"the oldest first, at most {desk.REPLAYED:,} in one call")


class DeliverySerializer(serializers.ModelSerializer):
    class Meta:
        model = WebhookDelivery
        fields = ["id", "event_id", "type", "about", "items", "state", "tries", "next_at", "status", "sentence", "answer",
                  "duration", "tried_at", "created_at"]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "event_id": {"help_text": "the header webhook-id"},
            "about": {"help_text": "in a few words; empty for messages"},
            "items": {"help_text": "messages that it tells of"},
            "status": {"help_text": "HTTP status of the last try"},
            "sentence": {"help_text": "why the last try failed"},
            "answer": {"help_text": "the beginning of the last answer"},
            "duration": {"help_text": "milliseconds of the last try"},
        }


class DeliveryDetailSerializer(DeliverySerializer):
    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "body"]
        read_only_fields = fields


PAGE = page_of("WebhookDelivery", DeliverySerializer(many=True))


def _hook(pk: int) -> Webhook:
    return get_object_or_404(Webhook, pk=identifier(pk))


def _delivery(pk: int, delivery: int) -> WebhookDelivery:
    return get_object_or_404(WebhookDelivery, pk=identifier(delivery), webhook=identifier(pk))


def _check_numbers(request: Request, wanted: Any) -> None:
    if wanted and not request.auth.allows("numbers"):  # type: ignore[union-attr]
        raise PermissionDenied("This token lacks the scope 'numbers', which full_numbers needs.", "missing_scope")


class Webhooks(APIView):
    scopes = {"GET": SCOPE, "POST": SCOPE}

    @extend_schema(operation_id="webhooks_list", responses={200: WebhookSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(WebhookSerializer(Webhook.objects.all(), many=True).data)

    @extend_schema(
        request=WebhookSerializer,
        responses={201: NewWebhookSerializer, 400: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        given = WebhookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        _check_numbers(request, given.validated_data.get("full_numbers"))
        user: Any = request.user
        hook = Webhook(**given.validated_data, created_by=user)
        with transaction.atomic():
            secret = desk.create(hook)
            audit.record("webhook.create", hook, request=request, name=hook.name, events=hook.events)
        return Response({**WebhookSerializer(hook).data, "secret": secret}, status=201)


class WebhookDetail(APIView):
    scopes = {"GET": SCOPE, "PATCH": SCOPE, "DELETE": SCOPE}

    @extend_schema(responses={200: WebhookSerializer, **NOT_FOUND})
    def get(self, request: Request, pk: int) -> Response:
        return Response(WebhookSerializer(_hook(pk)).data)

    @extend_schema(
        request=WebhookSerializer(partial=True), responses={200: WebhookSerializer, 400: ProblemSerializer, **NOT_FOUND}
    )
    def patch(self, request: Request, pk: int) -> Response:
        hook = _hook(pk)
        given = WebhookSerializer(hook, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        changed = [name for name, value in given.validated_data.items() if getattr(hook, name) != value]
        _check_numbers(request, "full_numbers" in changed and given.validated_data["full_numbers"])
        for name in changed:
            setattr(hook, name, given.validated_data[name])
        with transaction.atomic():
            if changed:
                desk.change(hook, changed)
                audit.record("webhook.change", hook, request=request, fields=sorted(changed))
        return Response(WebhookSerializer(hook).data)

    @extend_schema(responses={204: None, **NOT_FOUND})
    def delete(self, request: Request, pk: int) -> Response:
        hook = _hook(pk)
        with transaction.atomic():
            audit.record("webhook.delete", hook, request=request, name=hook.name)
            hook.delete()
        return Response(status=204)


class Test(APIView):
    """Lay a delivery of the type webhook.test down, which goes the way of all others."""

    scopes = {"POST": SCOPE}

    @extend_schema(request=None, responses={202: DeliverySerializer, 409: ProblemSerializer, **NOT_FOUND})
    def post(self, request: Request, pk: int) -> Response:
        hook = _hook(pk)
        with transaction.atomic():
            delivery = desk.test(hook)
            audit.record("webhook.test", hook, request=request)
        return Response(DeliverySerializer(delivery).data, status=202)


class Rotate(APIView):
    """Make a new signing secret. For the hours that are asked for, requests carry a signature of each of the two."""

    scopes = {"POST": SCOPE}

    @extend_schema(request=RotateInput, responses={200: RotateOutput, 400: ProblemSerializer, **NOT_FOUND})
    def post(self, request: Request, pk: int) -> Response:
        hook = _hook(pk)
        given = RotateInput(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            secret = desk.rotate(hook, int(given.validated_data["keep_hours"]))
            audit.record("webhook.rotate", hook, request=request, keep_hours=given.validated_data["keep_hours"])
        return Response(RotateOutput({"secret": secret, "previous_until": hook.previous_until}).data)


class ReplayFailed(APIView):
    """Send again what failed for good, with the ids and bodies that it had."""

    scopes = {"POST": SCOPE}

    @extend_schema(request=ReplayInput, responses={202: ReplayOutput, 400: ProblemSerializer, **NOT_FOUND})
    def post(self, request: Request, pk: int) -> Response:
        hook = _hook(pk)
        given = ReplayInput(data=request.data)
        given.is_valid(raise_exception=True)
        with transaction.atomic():
            replayed = desk.replay_failed(hook, given.validated_data.get("since"))
            audit.record("webhook.replay", hook, request=request, deliveries=replayed)
        return Response({"replayed": replayed}, status=202)


class Deliveries(APIView):
    scopes = {"GET": SCOPE}

    @extend_schema(
        operation_id="webhooks_deliveries_list",
        parameters=[OpenApiParameter("state", str, enum=WebhookDelivery.State.values), *CURSOR_PARAMETERS],
        responses={200: PAGE, 400: ProblemSerializer, **NOT_FOUND},
    )
    def get(self, request: Request, pk: int) -> Response:
        state = request.query_params.get("state", "")
        if state and state not in WebhookDelivery.State.values:
            raise ValidationError({"state": f"Write one of {', '.join(WebhookDelivery.State.values)}, or leave it out."})
        rows = WebhookDelivery.objects.filter(webhook=_hook(pk)).defer("body")
        found, links = id_page(request, rows.filter(state=state) if state else rows)
        return Response({"results": DeliverySerializer(found, many=True).data, **links})


class DeliveryDetail(APIView):
    scopes = {"GET": SCOPE}

    @extend_schema(responses={200: DeliveryDetailSerializer, **NOT_FOUND})
    def get(self, request: Request, pk: int, delivery: int) -> Response:
        return Response(DeliveryDetailSerializer(_delivery(pk, delivery)).data)


class Replay(APIView):
    """Send one delivery again, with the id and body that it had."""

    scopes = {"POST": SCOPE}

    @extend_schema(request=None, responses={202: DeliverySerializer, **NOT_FOUND})
    def post(self, request: Request, pk: int, delivery: int) -> Response:
        row = _delivery(pk, delivery)
        with transaction.atomic():
            desk.replay(row)
            audit.record("webhook.replay", row.webhook, request=request, delivery=row.event_id)
        row.refresh_from_db()
        return Response(DeliverySerializer(row).data, status=202)
