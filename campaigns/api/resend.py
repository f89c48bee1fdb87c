"""Send doubtful messages again: a person decided it, knows how many there are, and says why."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit, bulk
from campaigns.api.campaigns import campaign_or_404
from campaigns.api.parsing import LARGEST_ID
from campaigns.api.problems import ProblemSerializer
from campaigns.sending.resend import MOST, resend


class ResendInput(serializers.Serializer):
    messages = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_ID), min_length=1, max_length=MOST,
        help_text="ids of unconfirmed messages of the campaign",
    )  # fmt: skip
    confirm = serializers.IntegerField(help_text="how many messages these are: each of them may arrive twice")
    reason = serializers.CharField(min_length=3, max_length=200, help_text="kept in the audit trail")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs["messages"] = sorted(set(attrs["messages"]))
        if attrs["confirm"] != len(attrs["messages"]):
            sentence = f"These are {len(attrs['messages'])} messages; confirm says {attrs['confirm']}. Nothing was sent."
            raise serializers.ValidationError({"confirm": ErrorDetail(sentence, "wrong_number")})
        return attrs


class LeftOutSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    detail = serializers.CharField(source="why", help_text="why it was not sent again")


class ResendOutput(serializers.Serializer):
    messages = serializers.ListField(
        child=serializers.IntegerField(), source="new", help_text="ids of the new messages, in the order of resend_of"
    )
    resend_of = serializers.ListField(child=serializers.IntegerField(), source="of")
    left_out = LeftOutSerializer(many=True)


class ResendUnconfirmed(APIView):
    scopes = {"POST": "launch"}

    @extend_schema(
        request=ResendInput,
        responses={201: ResendOutput, 400: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        given = ResendInput(data=request.data)
        given.is_valid(raise_exception=True)
        campaign, values = campaign_or_404(pk), given.validated_data
        with bulk.transaction():
            done = resend(campaign, values["messages"])
            audit.record("campaign.resend", campaign, request=request, reason=values["reason"], **done.for_audit())
        return Response(ResendOutput(done).data, status=201)
