"""Saved audiences by REST: made, grown, looked at, cut into segments and counted."""

from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api import audience_shapes as shapes
from campaigns.api.paging import CURSOR_PARAMETERS, id_page, page_of
from campaigns.api.parsing import StrictJSONParser, identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.audience import counting, growing, saved
from campaigns.audience.refused import refused_csv
from campaigns.downloads import csv_file
from campaigns.models import Audience, AudienceFile, AudienceMember, Segment
from campaigns.text import phone

PROBLEM = ProblemSerializer
TAKEN = {400: PROBLEM, 404: PROBLEM}


def audience_or_404(pk: int) -> Audience:
    return get_object_or_404(Audience, pk=identifier(pk), deleting=False)


def file_or_404(pk: int, file: int) -> AudienceFile:
    return get_object_or_404(AudienceFile, pk=identifier(file), audience=audience_or_404(pk))


def segment_or_404(pk: int, segment: int) -> Segment:
    found = Segment.objects.select_related("audience")
    return get_object_or_404(found, pk=identifier(segment), audience=audience_or_404(pk))


class Audiences(APIView):
    scopes = {"GET": "read", "POST": "write"}

    @extend_schema(
        operation_id="audiences_list",
        parameters=CURSOR_PARAMETERS,
        responses={200: page_of("Audience", shapes.AudienceSerializer(many=True)), 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        rows, links = id_page(request, Audience.objects.filter(deleting=False))
        return Response({"results": shapes.AudienceSerializer(rows, many=True).data, **links})

    @extend_schema(request=shapes.AudienceSerializer, responses={201: shapes.AudienceSerializer, 400: PROBLEM})
    def post(self, request: Request) -> Response:
        given = shapes.AudienceSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = given.save(created_by=request.user)
        audit.record("audience.create", made, request=request, name=made.name)
        return Response(shapes.AudienceSerializer(made).data, status=201)


class AudienceDetail(APIView):
    scopes = {"GET": "read", "PATCH": "write", "DELETE": "write"}

    @extend_schema(responses={200: shapes.AudienceSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        return Response(shapes.AudienceSerializer(audience_or_404(pk)).data)

    @extend_schema(request=shapes.AudienceSerializer(partial=True), responses={200: shapes.AudienceSerializer, **TAKEN})
    def patch(self, request: Request, pk: int) -> Response:
        given = shapes.AudienceSerializer(audience_or_404(pk), data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = given.save()
        audit.record("audience.change", row, request=request, fields=sorted(given.validated_data))
        return Response(shapes.AudienceSerializer(row).data)

    @extend_schema(responses={202: None, 404: PROBLEM, 422: PROBLEM})
    def delete(self, request: Request, pk: int) -> Response:
        """It is gone at once; its people are removed in the background."""
        row = audience_or_404(pk)
        saved.delete(row)
        audit.record("audience.delete", row, request=request, name=row.name, members=row.size)
        return Response(status=202)


class Members(APIView):
    scopes = {"GET": "read", "POST": "write"}
    parser_classes = [MultiPartParser, StrictJSONParser]

    @extend_schema(
        operation_id="audiences_members_list",
        parameters=[OpenApiParameter("number", str, description="in any usual spelling"), *CURSOR_PARAMETERS],
        responses={200: page_of("AudienceMember", shapes.MemberSerializer(many=True)), **TAKEN},
    )
    def get(self, request: Request, pk: int) -> Response:
        found = audience_or_404(pk)
        rows = AudienceMember.objects.filter(audience=found)
        if typed := request.query_params.get("number", ""):
            number = phone.anywhere(typed)
            if not number:
                raise ValidationError({"number": ErrorDetail(phone.explain(typed, phone.EVERYWHERE), "invalid_phone")})
            rows = rows.filter(number=number)
        members, links = id_page(request, rows)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        return Response({"results": [shapes.member(row, found.columns, whole) for row in members], **links})

    @extend_schema(
        request={"multipart/form-data": shapes.MembersInput, "application/json": shapes.MembersInput},
        responses={202: shapes.FileStartedSerializer, 409: PROBLEM, 413: PROBLEM, 422: PROBLEM, **TAKEN},
    )
    def post(self, request: Request, pk: int) -> Response:
        found = audience_or_404(pk)
        given = shapes.MembersInput(data={"rows": request.data} if isinstance(request.data, list) else request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        column = values.get("phone", "")
        if "rows" in values:
            file = growing.receive_rows(found, values["rows"], request.user, column)
        else:
            name = values["file"].name or "people.csv"
            file = growing.receive(found, values["file"], name, request.user, column)
        audit.record("audience.grow", found, request=request, file=file.filename)
        return Response({"file": file.pk}, status=202)


class MemberDetail(APIView):
    """One person, to be taken out of an audience. Campaigns that have them keep them."""

    scopes = {"DELETE": "write"}

    @extend_schema(responses={204: None, 404: PROBLEM})
    def delete(self, request: Request, pk: int, member: int) -> Response:
        found = audience_or_404(pk)
        row = get_object_or_404(AudienceMember, pk=identifier(member), audience=found)
        saved.remove(found, row.number)
        audit.record("audience.remove_member", found, request=request, member=row.pk)
        return Response(status=204)


class Files(APIView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="audiences_files_list",
        parameters=CURSOR_PARAMETERS,
        responses={200: page_of("AudienceFile", shapes.AudienceFileSerializer(many=True)), **TAKEN},
    )
    def get(self, request: Request, pk: int) -> Response:
        rows, links = id_page(request, audience_or_404(pk).files.all())
        return Response({"results": shapes.AudienceFileSerializer(rows, many=True).data, **links})


class FileDetail(APIView):
    scopes = {"GET": "read"}

    @extend_schema(responses={200: shapes.AudienceFileSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int, file: int) -> Response:
        return Response(shapes.AudienceFileSerializer(file_or_404(pk, file)).data)


class FileErrors(APIView):
    scopes = {"GET": "export"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR, 404: PROBLEM})
    def get(self, request: Request, pk: int, file: int) -> StreamingHttpResponse:
        row = file_or_404(pk, file)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        audit.record("audience.export_errors", row.audience, request=request, file=row.pk, numbers=whole)
        return csv_file(
            refused_csv(row.header, row.row_errors.all(), whole, row.phone), f"audience-file-{row.pk}-errors.csv"
        )


class Segments(APIView):
    scopes = {"GET": "read", "POST": "write"}

    @extend_schema(operation_id="audiences_segments_list", responses={200: shapes.SegmentOutput(many=True), 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        found = audience_or_404(pk)
        return Response(shapes.segments(found, list(found.segments.all())))

    @extend_schema(request=shapes.SegmentInput, responses={201: shapes.SegmentOutput, **TAKEN})
    def post(self, request: Request, pk: int) -> Response:
        found = audience_or_404(pk)
        given = shapes.SegmentInput(data=request.data, context={"audience": found})
        given.is_valid(raise_exception=True)
        user: Any = request.user
        segment = Segment(audience=found, created_by=user, **given.validated_data)
        saved.save_segment(segment)
        audit.record("segment.create", segment, request=request, name=segment.name)
        return Response(shapes.segments(found, [segment])[0], status=201)


class SegmentDetail(APIView):
    scopes = {"GET": "read", "PATCH": "write", "DELETE": "write"}

    @extend_schema(responses={200: shapes.SegmentOutput, 404: PROBLEM})
    def get(self, request: Request, pk: int, segment: int) -> Response:
        row = segment_or_404(pk, segment)
        return Response(shapes.segments(row.audience, [row])[0])

    @extend_schema(request=shapes.SegmentInput(partial=True), responses={200: shapes.SegmentOutput, **TAKEN})
    def patch(self, request: Request, pk: int, segment: int) -> Response:
        row = segment_or_404(pk, segment)
        given = shapes.SegmentInput(data=request.data, partial=True, context={"audience": row.audience, "segment": row})
        given.is_valid(raise_exception=True)
        for name, value in given.validated_data.items():
            setattr(row, name, value)
        saved.save_segment(row)
        audit.record("segment.change", row, request=request, fields=sorted(given.validated_data))
        return Response(shapes.segments(row.audience, [row])[0])

    @extend_schema(responses={204: None, 404: PROBLEM})
    def delete(self, request: Request, pk: int, segment: int) -> Response:
        """Campaigns that were given its people keep them."""
        row = segment_or_404(pk, segment)
        audit.record("segment.delete", row, request=request, name=row.name)
        row.delete()
        return Response(status=204)


class Count(APIView):
    """How many members conditions hold for. 202 while they are being counted: ask again, it goes on by itself."""

    scopes = {"POST": "read"}

    @extend_schema(request=shapes.CountInput, responses={200: shapes.CountOutput, 202: shapes.CountOutput, **TAKEN})
    def post(self, request: Request, pk: int) -> Response:
        found = audience_or_404(pk)
        given = shapes.CountInput(data=request.data)
        given.is_valid(raise_exception=True)
        conditions, _ = shapes.conditions_of(found, given.validated_data)
        counted = counting.count(found, conditions)
        return Response(shapes.counted(counted), status=200 if counted.done else 202)
