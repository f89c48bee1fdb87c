"""Campaigns: prepare, check, launch, steer, count, report."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audience, audit
from campaigns.api import serializers as shapes
from campaigns.api.audience_shapes import conditions_of
from campaigns.api.paging import CURSOR_PARAMETERS, id_page, page_of
from campaigns.api.parsing import StrictJSONParser, identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.audience import saved
from campaigns.downloads import csv_file
from campaigns.exotel.codes.stored import of_message
from campaigns.insight import clicks, counts, estimate, export, failures, family
from campaigns.models import Campaign
from campaigns.models.states import EDITABLE
from campaigns.sending import control, launch, preflight, retry

PROBLEM = ProblemSerializer
IDEMPOTENCY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="a repeated launch with this key is one launch",
)


def campaign_or_404(pk: int) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("account", "template"), pk=identifier(pk))


def draft_or_refused(pk: int, verb: str) -> Campaign:
    campaign = campaign_or_404(pk)
    if campaign.state not in EDITABLE:
        raise control.Refused(
            "wrong_state",
            f"This campaign is {campaign.state}; only a draft can be {verb}. Nothing was changed.",
        )
    return campaign


def represent(campaign: Campaign, counted: counts.CampaignCounts) -> dict[str, Any]:
    progress = counts.progress(campaign, counted)
    fields = (
        "id",
        "name",
        "channel",
        "state",
        "shorten_links",
        "short_domain",
        "skip_recent_days",
        "schedule_at",
        "created_at",
        "launched_at",
        "finished_at",
        "purged_at",
    )
    data = {
        **{field: getattr(campaign, field) for field in fields},
        "state_reason": campaign.state_reason or progress.held_up,
        "account": campaign.account_id,
        "template": campaign.template_id,
        "template_version": campaign.snapshot.get("version"),
        "translations": sorted(template.pk for template in campaign.translations.all()),
        "retry_of": campaign.retry_of_id,
        "sender_id": campaign.sender,
        "counts": {"total": counted.total, **counted.state},
        "delivery": counted.delivery,
        "units": counted.units,
        "cost": counted.cost,
        "rate": progress.rate_per_minute,
        "eta": progress.eta,
        "later": progress.later.messages if progress.later else 0,
        "next_due_at": progress.later.next if progress.later else None,
    }
    return dict(shapes.CampaignOutput(data).data)


class Campaigns(APIView):
    scopes = {"GET": "read", "POST": "write"}

    @extend_schema(
        operation_id="campaigns_list",
        parameters=CURSOR_PARAMETERS,
        responses={200: page_of("Campaign", shapes.CampaignOutput(many=True)), 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        rows, links = id_page(request, Campaign.lists.select_related("account", "template").prefetch_related("translations"))
        counted = counts.for_campaigns(rows)
        return Response({"results": [represent(row, counted[row.pk]) for row in rows], **links})

    @extend_schema(request=shapes.CampaignInput, responses={201: shapes.CampaignOutput, 400: PROBLEM})
    def post(self, request: Request) -> Response:
        given = shapes.CampaignInput(data=request.data)
        given.is_valid(raise_exception=True)
        campaign = given.save(created_by=request.user)
        audit.record("campaign.create", campaign, request=request)
        return Response(represent(campaign, counts.for_campaign(campaign)), status=201)


class CampaignDetail(APIView):
    scopes = {"GET": "read", "PATCH": "write"}

    @extend_schema(responses={200: shapes.CampaignDetailOutput, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        campaign = campaign_or_404(pk)
        counted = counts.for_campaign(campaign)
        more = {
            "family": shapes.FamilySerializer(family.reach(campaign)).data,
            "estimate": shapes.EstimateSerializer(estimate.estimate(campaign, counted)).data,
        }
        return Response(represent(campaign, counted) | more)

    @extend_schema(
        request=shapes.CampaignInput(partial=True),
        responses={200: shapes.CampaignOutput, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM},
    )
    def patch(self, request: Request, pk: int) -> Response:
        given = shapes.CampaignInput(draft_or_refused(pk, "changed"), data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        campaign = given.save()
        return Response(represent(campaign, counts.for_campaign(campaign)))


class Recipients(APIView):
    scopes = {"POST": "write"}
    parser_classes = [MultiPartParser, StrictJSONParser]

    @extend_schema(
        request={"multipart/form-data": shapes.RecipientsInput, "application/json": shapes.RecipientsInput},
        responses={
            202: shapes.StartedSerializer,
            400: PROBLEM,
            404: PROBLEM,
            409: PROBLEM,
            413: PROBLEM,
            422: PROBLEM,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        campaign = draft_or_refused(pk, "given recipients")
        rows = {"rows": request.data} if isinstance(request.data, list) else request.data
        given = shapes.RecipientsInput(data=rows)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        if "audience" in values:
            conditions, segment = conditions_of(values["audience"], values)
            source = saved.choose(campaign, values["audience"], conditions, request.user, segment=segment)
        elif "rows" in values:
            source = audience.receive_rows(campaign, values["rows"], request.user)
        else:
            source = audience.receive(campaign, values["file"], values["file"].name, request.user)
        try:
            audience.start(source, {**source.mapping, **values.get("mapping", {})})
        except audience.Unusable:
            audience.discard(source)
            raise
        return Response({"import": source.pk}, status=202)


class Preflight(APIView):
    scopes = {"POST": "write"}

    @extend_schema(request=None, responses={200: shapes.PreflightSerializer, 404: PROBLEM})
    def post(self, request: Request, pk: int) -> Response:
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        found = preflight.preflight(campaign_or_404(pk), request.user)
        return Response(shapes.PreflightSerializer(found.as_dict(whole)).data)


class Launch(APIView):
    scopes = {"POST": "launch"}

    @extend_schema(
        parameters=[IDEMPOTENCY], request=shapes.LaunchInput,
        responses={200: shapes.CampaignOutput, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM, 422: PROBLEM},
    )  # fmt: skip
    def post(self, request: Request, pk: int) -> Response:
        given = shapes.LaunchInput(data=request.data)
        given.is_valid(raise_exception=True)
        campaign = campaign_or_404(pk)
        key = request.headers.get("Idempotency-Key", "")
        try:
            did = launch.launch(campaign, request.user, key=key, **given.validated_data)
        except launch.Blocked as blocked:
            if blocked.over_limit:
                audit.record("campaign.over_limit", campaign, request=request, cost=str(blocked.report.cost))
            raise
        if did:
            audit.record("campaign.launch", campaign, request=request)
        campaign.refresh_from_db()
        return Response(represent(campaign, counts.for_campaign(campaign)))


class Steer(APIView):
    """Pause, resume or cancel."""

    scopes = {"POST": "launch"}
    actions: dict[str, Callable[[Campaign], None]] = {
        "pause": control.pause,
        "resume": control.resume,
        "cancel": control.cancel,
    }
    verb = ""

    @extend_schema(request=None, responses={200: shapes.CampaignOutput, 404: PROBLEM, 409: PROBLEM})
    def post(self, request: Request, pk: int) -> Response:
        campaign = campaign_or_404(pk)
        self.actions[self.verb](campaign)
        audit.record(f"campaign.{self.verb}", campaign, request=request)
        campaign.refresh_from_db()
        return Response(represent(campaign, counts.for_campaign(campaign)))


class RetryFailed(APIView):
    """Make a draft of the failures that another try can help. Nothing is sent before that draft is launched."""

    scopes = {"POST": "write"}

    @extend_schema(
        request=shapes.RetryInput,
        responses={201: shapes.RetryOutput, 400: PROBLEM, 404: PROBLEM, 409: PROBLEM, 422: PROBLEM},
    )
    def post(self, request: Request, pk: int) -> Response:
        given = shapes.RetryInput(data=request.data)
        given.is_valid(raise_exception=True)
        campaign = campaign_or_404(pk)
        try:
            made = retry.make(campaign, request.user, **given.validated_data)
        except retry.Impossible as refused:
            if refused.code == "spend_limit":
                audit.record("campaign.over_limit", campaign, request=request, retry=True)
            raise
        audit.record(
            "campaign.retry", made.campaign, request=request,
            of=campaign.pk, recipients=made.recipients, units=made.units, cost=str(made.cost),
        )  # fmt: skip
        return Response(shapes.RetryOutput(made).data, status=201)


class CampaignClicks(APIView):
    scopes = {"GET": "read"}

    @extend_schema(operation_id="campaigns_clicks", responses={200: shapes.ClicksSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        campaign = campaign_or_404(pk)
        found = clicks.clicks(campaign, ZoneInfo(campaign.account.time_zone))
        data = {"tracked": clicks.tracks(campaign), "total": found.clicks, "unique": found.people, **asdict(found)}
        return Response(shapes.ClicksSerializer(data).data)


class Report(APIView):
    scopes = {"GET": "read"}

    @extend_schema(responses={200: shapes.FailureSerializer(many=True), 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        found = failures.failures(campaign=campaign_or_404(pk))
        return Response(shapes.FailureSerializer(found, many=True).data)


class ReportFile(APIView):
    scopes = {"GET": "export"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        campaign = campaign_or_404(pk)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        audit.record("campaign.export", campaign, request=request, numbers=whole)
        return csv_file(export.report_csv(campaign, whole), f"campaign-{campaign.pk}-report.csv")


def code_name(code: str) -> str:
    return of_message(code).name if code else ""
