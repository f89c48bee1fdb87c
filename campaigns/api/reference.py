"""What campaigns are made of and looked up in: accounts, templates, the code dictionary, figures over time."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api import serializers as shapes
from campaigns.api.paging import CURSOR_PARAMETERS, id_page, page_of
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.exotel import codes
from campaigns.insight import series
from campaigns.models import Account, Template
from campaigns.sending import control

LONGEST = {"hour": timedelta(days=31), "day": timedelta(days=366)}


class Accounts(APIView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="accounts_list", responses={200: shapes.AccountSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(shapes.AccountSerializer(Account.objects.order_by("name"), many=True).data)


class AccountResume(APIView):
    """Lift an account's stop once its cause is mended. Stopped campaigns wait for their own resume."""

    scopes = {"POST": "launch"}

    @extend_schema(request=None, responses={200: shapes.AccountSerializer, 404: ProblemSerializer, 409: ProblemSerializer})
    def post(self, request: Request, pk: int) -> Response:
        account = get_object_or_404(Account, pk=identifier(pk))
        if not control.lift(account):
            raise control.Refused("not_stopped", "This account is not stopped. Nothing was changed.")
        audit.record("account.resume", account, request=request)
        account.refresh_from_db()
        return Response(shapes.AccountSerializer(account).data)


class Templates(APIView):
    scopes = {"GET": "read", "POST": "write"}

    @extend_schema(
        operation_id="templates_list",
        parameters=CURSOR_PARAMETERS,
        responses={200: page_of("Template", shapes.TemplateSerializer(many=True)), 400: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        rows, links = id_page(request, Template.objects.filter(archived=False))
        return Response({"results": shapes.TemplateSerializer(rows, many=True).data, **links})

    @extend_schema(request=shapes.TemplateSerializer, responses={201: shapes.TemplateSerializer, 400: ProblemSerializer})
    def post(self, request: Request) -> Response:
        given = shapes.TemplateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        template = given.save(author=request.user)
        audit.record("template.create", template, request=request)
        return Response(shapes.TemplateSerializer(template).data, status=201)


class Codes(APIView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="codes_list",
        parameters=[OpenApiParameter(name, str) for name in ("provider", "channel", "namespace")],
        responses={200: shapes.CodeSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        asked = {name: request.query_params.get(name, "") for name in ("provider", "channel", "namespace")}
        return Response(shapes.CodeSerializer(codes.every(**asked), many=True).data)


class Stats(APIView):
    scopes = {"GET": "read"}

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "from",
                OpenApiTypes.DATETIME,
                description="date or time; without offset in IST; else 24 h ago",
            ),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="else now"),
            OpenApiParameter("by", str, enum=["hour", "day"]),
        ],
        responses={200: shapes.BucketSerializer(many=True), 400: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        zone = ZoneInfo(settings.TIME_ZONE)
        by = request.query_params.get("by", "hour")
        if by not in LONGEST:
            raise ValidationError({"by": "Write hour or day."})
        end = _instant(request, "to", zone) or timezone.now()
        start = _instant(request, "from", zone) or end - timedelta(days=1)
        if not start < end <= start + LONGEST[by]:
            raise ValidationError({"from": f"Choose a start before the end, at most {LONGEST[by].days} days apart."})
        return Response(shapes.BucketSerializer(series.series(start, end, by, zone), many=True).data)


def _instant(request: Request, name: str, zone: ZoneInfo) -> datetime | None:
    """A date or a time from the query; a time without an offset is local."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day) if day else parse_datetime(text)
        if at is None or not 2000 <= at.year <= 2100:
            raise ValueError
    except ValueError:
        raise ValidationError({name: "Write a date (2026-11-21) or a time (2026-11-21T10:00:00+05:30)."}) from None
    return at if at.tzinfo else at.replace(tzinfo=zone)
