"""Imports: how reading a recipients file goes, and the rows that could not be used."""

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audience, audit
from campaigns.api import serializers as shapes
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.downloads import csv_file
from campaigns.models import Import
from campaigns.models.states import EDITABLE
from campaigns.sending.control import Refused


def import_or_404(pk: int) -> Import:
    return get_object_or_404(Import.objects.select_related("campaign__template"), pk=identifier(pk))


class ImportDetail(APIView):
    scopes = {"GET": "read"}

    @extend_schema(responses={200: shapes.ImportSerializer, 404: ProblemSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(shapes.ImportSerializer(import_or_404(pk)).data)


class ImportRestart(APIView):
    """Read the file again, with another mapping or after the template was changed."""

    scopes = {"POST": "write"}

    @extend_schema(
        request=shapes.MappingSerializer,
        responses={
            202: shapes.StartedSerializer,
            400: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
            422: ProblemSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        source = import_or_404(pk)
        if source.campaign.state not in EDITABLE:
            raise Refused(
                "wrong_state",
                f"The campaign is {source.campaign.state}; its file can be read again only in a draft.",
            )
        mapping = None
        if request.data:
            given = shapes.MappingSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            mapping = dict(given.validated_data)
        audience.restart(source, mapping)
        return Response({"import": source.pk}, status=202)


class ImportErrors(APIView):
    scopes = {"GET": "export"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR, 404: ProblemSerializer})
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        source = import_or_404(pk)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        audit.record("import.export_errors", source, request=request, numbers=whole)
        return csv_file(audience.errors_csv(source, whole), f"import-{source.pk}-errors.csv")
