"""The rows behind a count of the checks before launch: page by page, and as a file."""

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audience, audit
from campaigns.api import serializers as shapes
from campaigns.api.campaigns import campaign_or_404
from campaigns.api.paging import CURSOR_PARAMETERS, link, page_of, page_size
from campaigns.api.problems import ProblemSerializer
from campaigns.downloads import csv_file
from campaigns.text.examples import Placed, shown

CODE = OpenApiParameter("code", str, description="of a finding or a refused row; left out: every refused row")


class RowSerializer(shapes.ExampleSerializer):
    code = shapes.serializers.CharField()


def code_of(request: Request) -> str:
    code = request.query_params.get("code", "")
    if code and not (code.isascii() and code.replace("_", "").isalnum() and len(code) <= 40):
        raise ValidationError({"code": "Write a code such as UNICODE or INVALID_PHONE."})
    return code


class Rows(APIView):
    """Doubtful rows are looked for while you wait: a page may hold fewer than asked for, even none; go on with next."""

    scopes = {"GET": "read"}

    @extend_schema(
        operation_id="campaigns_rows",
        parameters=[CODE, *CURSOR_PARAMETERS],
        responses={200: page_of("Row", RowSerializer(many=True)), 400: ProblemSerializer, 404: ProblemSerializer,
                   422: ProblemSerializer},
    )  # fmt: skip
    def get(self, request: Request, pk: int) -> Response:
        campaign, code, size = campaign_or_404(pk), code_of(request), page_size(request)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        try:
            found = audience.behind.page(campaign, code, request.query_params.get("cursor", ""), size)
        except audience.Unusable as fault:
            if fault.code != "CURSOR":
                raise
            raise ValidationError({"cursor": "Use the address in next unchanged."}) from None
        rows = [
            shown(Placed(row.source.pk, row.source.filename, row.example), whole) | {"code": row.code} for row in found.rows
        ]
        results = RowSerializer(rows, many=True).data
        return Response({"results": results, "next": link(request, found.after), "previous": None})


class RowsFile(APIView):
    scopes = {"GET": "export"}

    @extend_schema(
        parameters=[CODE],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            400: ProblemSerializer,
            404: ProblemSerializer,
            422: ProblemSerializer,
        },
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        campaign, code = campaign_or_404(pk), code_of(request)
        whole = request.auth.allows("numbers")  # type: ignore[union-attr]
        lines = audience.behind.rows_csv(campaign, code, whole)
        audit.record("campaign.export_rows", campaign, request=request, numbers=whole, code=code)
        return csv_file(lines, f"campaign-{campaign.pk}-rows.csv")
