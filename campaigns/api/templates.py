"""One template: as it is, changed, and all that it ever was."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api import serializers as shapes
from campaigns.api.paging import CURSOR_PARAMETERS, link, page_of, page_size
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.insight import versions
from campaigns.models import Template

PROBLEM = ProblemSerializer
LARGEST = 2**31 - 1  # of a version's number


class PieceSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(["same", "gone", "new"])
    text = serializers.CharField(trim_whitespace=False)


class VersionSerializer(serializers.Serializer):
    """One version beside the one before it; the first that is kept has nothing to differ from."""

    version = serializers.IntegerField(source="version.version")
    body = serializers.CharField(source="version.body")
    dlt_template_id = serializers.CharField(source="version.dlt_template_id")
    dlt_entity_id = serializers.CharField(source="version.dlt_entity_id")
    header = serializers.CharField(source="version.header")
    category = serializers.CharField(source="version.category")
    author = serializers.CharField(source="version.author.username", default=None, allow_null=True)
    how = serializers.CharField(source="version.how", help_text="console, api, import (of a DLT portal's export) or empty")
    at = serializers.DateTimeField(source="version.at")
    changed = serializers.ListField(child=serializers.CharField(), help_text="fields that the version before had otherwise")
    body_differences = serializers.SerializerMethodField(help_text="the text in pieces: same, gone or new")

    def get_body_differences(self, change: versions.Change) -> list[dict[str, str]]:
        return [piece._asdict() for one in change.differences if one.field == "body" for piece in one.pieces]


class TemplateDetail(APIView):
    """A change of what is sent makes a new version; campaigns that were launched keep theirs."""

    scopes = {"GET": "read", "PATCH": "write"}

    @extend_schema(operation_id="templates_retrieve", responses={200: shapes.TemplateSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        return Response(shapes.TemplateSerializer(template_or_404(pk)).data)

    @extend_schema(
        request=shapes.TemplateSerializer(partial=True),
        responses={200: shapes.TemplateSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def patch(self, request: Request, pk: int) -> Response:
        given = shapes.TemplateSerializer(template_or_404(pk), data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        template = given.save(author=request.user)
        audit.record("template.change", template, request=request, fields=sorted(given.validated_data))
        return Response(shapes.TemplateSerializer(template).data)


class TemplateVersions(APIView):
    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="templates_versions",
        parameters=CURSOR_PARAMETERS,
        responses={200: page_of("TemplateVersion", VersionSerializer(many=True)), 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, pk: int) -> Response:
        template, cursor = template_or_404(pk), request.query_params.get("cursor", "")
        if cursor and (not cursor.isascii() or not cursor.isdigit() or int(cursor[:20]) > LARGEST):
            raise ValidationError({"cursor": "Use the address in next unchanged."})
        found, older = versions.changes(template, page_size(request), int(cursor) if cursor else None)
        following = link(request, str(older)) if older is not None else None
        data: dict[str, Any] = {"results": VersionSerializer(found, many=True).data, "next": following, "previous": None}
        return Response(data)


def template_or_404(pk: int) -> Template:
    return get_object_or_404(Template, pk=identifier(pk))
