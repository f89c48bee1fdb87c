"""Messages of a campaign, and one message with all that ever happened to it."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.api import serializers as shapes
from campaigns.api.campaigns import campaign_or_404, code_name
from campaigns.api.paging import CURSOR_PARAMETERS, link, page_of, page_size
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.insight import listing, particulars
from campaigns.models import Message
from campaigns.text.phone import e164, mask

FILTERS = [
    OpenApiParameter("status", str, description="a state or delivery word, dnd or conflict"),
    OpenApiParameter("code", str),
    OpenApiParameter("phone", str, description="in any usual spelling"),
    *CURSOR_PARAMETERS,
]
PAGE = page_of("Message", shapes.MessageSerializer(many=True))


def represent(message: Message, request: Request, told: particulars.Particulars | None = None) -> dict[str, Any]:
    told = told or particulars.of([message])[message.pk]
    whole = request.auth.allows("numbers")  # type: ignore[union-attr]
    fields = (
        "id",
        "state",
        "delivery",
        "code",
        "sid",
        "units",
        "conflict",
        "created_at",
        "sent_at",
        "settled_at",
        "final_at",
    )
    return {
        **{field: getattr(message, field) for field in fields},
        "campaign": message.campaign_id,
        "resend_of": message.resend_of_id,
        "number": e164(message.number) if whole else mask(message.number),
        "name": code_name(message.code),
        "reference": told.reference,
        "sender_id": told.sender_id,
        "due_at": told.due_at,
        "language": told.language,
    }


class Messages(APIView):
    scopes = {"GET": "read"}

    @extend_schema(parameters=FILTERS, responses={200: PAGE, 400: ProblemSerializer, 404: ProblemSerializer})
    def get(self, request: Request, pk: int) -> Response:
        asked = {name: request.query_params.get(name, "") for name in ("status", "code", "phone", "cursor")}
        campaign = campaign_or_404(pk)
        try:
            page = listing.page(campaign, size=page_size(request), **asked)
        except ValueError as error:
            raise ValidationError(_named(str(error))) from None
        told = particulars.of(page.rows)
        rows = shapes.MessageSerializer([represent(row, request, told[row.pk]) for row in page.rows], many=True).data
        return Response({"results": rows, "next": link(request, page.next), "previous": link(request, page.previous)})


def _named(sentence: str) -> dict[str, str]:
    """The listing says of which filter it speaks before a colon."""
    name, colon, rest = sentence.partition(": ")
    return {name: rest} if colon else {"non_field_errors": sentence}


class MessageDetail(APIView):
    scopes = {"GET": "read"}

    @extend_schema(responses={200: shapes.MessageDetailSerializer, 404: ProblemSerializer})
    def get(self, request: Request, pk: int) -> Response:
        message = get_object_or_404(Message.objects.select_related("campaign__account"), pk=identifier(pk))
        data = {**represent(message, request), "history": listing.history(message)}
        return Response(shapes.MessageDetailSerializer(data).data)
