"""Numbers that must not be sent to: one by one, or as a list."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api.fields import Key
from campaigns.api.paging import CURSOR_PARAMETERS, id_page, page_of
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.audience import suppressing
from campaigns.downloads import csv_file
from campaigns.models import Account, Suppression
from campaigns.text import phone

PROBLEM = ProblemSerializer
UNSAID = {"account": None, "reason": Suppression.Reason.MANUAL, "note": "", "expires_at": None}


def _to_come(end: datetime) -> None:
    if end <= timezone.now():
        raise ValidationError(
            ErrorDetail("Write a time to come: this one is past, and nothing would be suppressed.", "past")
        )


class SuppressionSerializer(serializers.ModelSerializer):
    number = serializers.CharField(max_length=40, help_text="any usual spelling; masked without the scope numbers")
    account: Any = Key(queryset=Account.objects.all(), allow_null=True, required=False, help_text="null for all accounts")
    reason = serializers.ChoiceField(Suppression.Reason.choices, default=Suppression.Reason.MANUAL)
    expires_at = serializers.DateTimeField(
        allow_null=True, required=False, validators=[_to_come], help_text="in the future; null for always"
    )

    class Meta:
        model = Suppression
        fields = ["id", "number", "account", "reason", "note", "own_wish", "expires_at", "created_at"]
        read_only_fields = ["own_wish", "created_at"]
        validators: list[Any] = []  # listing a number again is no mistake

    def validate_number(self, typed: str) -> int:
        number = phone.anywhere(typed)
        if not number:
            raise ValidationError(ErrorDetail(phone.explain(typed, phone.EVERYWHERE), "invalid_phone"))
        return number

    def to_representation(self, row: Suppression) -> dict[str, Any]:
        whole = self.context["request"].auth.allows("numbers")
        return {**super().to_representation(row), "number": phone.e164(row.number) if whole else phone.mask(row.number)}


class ListInput(serializers.Serializer):
    file = serializers.FileField(allow_empty_file=True, help_text="CSV or .xlsx; columns reason, note and until are heeded")
    account: Any = Key(queryset=Account.objects.all(), allow_null=True, required=False)
    reason = serializers.ChoiceField(Suppression.Reason.choices, default=Suppression.Reason.MANUAL)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    expires_at = serializers.DateTimeField(allow_null=True, required=False, default=None, validators=[_to_come])


class FaultSerializer(serializers.Serializer):
    line = serializers.IntegerField()
    detail = serializers.CharField()


class ListedSerializer(serializers.Serializer):
    rows = serializers.IntegerField()
    added = serializers.IntegerField()
    before = serializers.IntegerField(help_text="listed already, or twice in the file")
    refused = serializers.IntegerField()
    faults = FaultSerializer(many=True, help_text=f"of the first {suppressing.NAMED} refused rows")


PAGE = page_of("Suppression", SuppressionSerializer(many=True))


CHANGED = {200: SuppressionSerializer, 400: PROBLEM, 404: PROBLEM}


class Suppressions(APIView):
    scopes = {"GET": "read", "POST": "write"}

    @extend_schema(
        operation_id="suppressions_list",
        parameters=[
            OpenApiParameter("number", str, description="in any usual spelling"),
            OpenApiParameter("reason", str, enum=Suppression.Reason.values),
            *CURSOR_PARAMETERS,
        ],
        responses={200: PAGE, 400: PROBLEM},
    )
    def get(self, request: Request) -> Response:
        rows = Suppression.objects.all()
        if typed := request.query_params.get("number", ""):
            number = phone.anywhere(typed)
            if not number:
                raise ValidationError({"number": ErrorDetail(phone.explain(typed, phone.EVERYWHERE), "invalid_phone")})
            rows = rows.filter(number=number)
        if reason := request.query_params.get("reason", ""):
            if reason not in Suppression.Reason.values:
                raise ValidationError({"reason": f"Write one of {', '.join(Suppression.Reason.values)}."})
            rows = rows.filter(reason=reason)
        found, links = id_page(request, rows)
        return Response({"results": _shown(found, request, many=True), **links})

    @extend_schema(
        request=SuppressionSerializer, responses={200: SuppressionSerializer, 201: SuppressionSerializer, 400: PROBLEM}
    )
    def post(self, request: Request) -> Response:
        """List a number: 201, or 200 when it was listed and now is as given here."""
        given = SuppressionSerializer(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        values = UNSAID | given.validated_data
        key = {name: values.pop(name) for name in ("number", "account")}
        row, new = Suppression.objects.update_or_create(**key, defaults=values)
        audit.record(f"suppression.{'create' if new else 'change'}", row, request=request, reason=row.reason)
        return Response(_shown(row, request), status=201 if new else 200)


class SuppressionDetail(APIView):
    scopes = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "write"}

    @extend_schema(responses={200: SuppressionSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        return Response(_shown(_row(pk), request))

    @extend_schema(request=SuppressionSerializer, responses=CHANGED)
    def put(self, request: Request, pk: int) -> Response:
        """Replace an entry: what is left out is as in a new one."""
        return self._change(request, pk, UNSAID)

    @extend_schema(request=SuppressionSerializer(partial=True), responses=CHANGED)
    def patch(self, request: Request, pk: int) -> Response:
        return self._change(request, pk)

    def _change(self, request: Request, pk: int, unsaid: dict[str, Any] | None = None) -> Response:
        given = SuppressionSerializer(_row(pk), data=request.data, partial=unsaid is None, context={"request": request})
        given.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                row = given.save(
                    **{name: value for name, value in (unsaid or {}).items() if name not in given.validated_data}
                )
        except IntegrityError:
            raise ValidationError(
                {"number": ErrorDetail("This number is listed for that account already.", "repeated")}
            ) from None
        audit.record("suppression.change", row, request=request, fields=sorted(given.validated_data))
        return Response(_shown(row, request))

    @extend_schema(responses={204: None, 404: PROBLEM})
    def delete(self, request: Request, pk: int) -> Response:
        row = _row(pk)
        audit.record("suppression.delete", row, request=request, reason=row.reason)
        row.delete()
        return Response(status=204)


class SuppressionList(APIView):
    """Many numbers at once."""

    scopes = {"POST": "write"}
    parser_classes = [MultiPartParser]

    @extend_schema(
        request={"multipart/form-data": ListInput},
        responses={200: ListedSerializer, 400: PROBLEM, 413: PROBLEM, 422: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        given = ListInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        file = values.pop("file")
        listed = suppressing.read_list(file, file.name or "list.csv", suppressing.Terms(**values))
        audit.record("suppression.import", "suppression", request=request, added=listed.added, refused=listed.refused)
        faults = [{"line": line, "detail": sentence} for line, sentence in listed.faults]
        counts = {name: getattr(listed, name) for name in ("rows", "added", "before", "refused")}
        return Response(ListedSerializer({**counts, "faults": faults}).data)


class SuppressionFile(APIView):
    scopes = {"GET": "export"}

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR, 403: PROBLEM})
    def get(self, request: Request) -> StreamingHttpResponse:
        """All of the list, with whole numbers: needs the scope numbers too."""
        if not request.auth.allows("numbers"):  # type: ignore[union-attr]
            self.permission_denied(request, "This token lacks the scope 'numbers'.", "missing_scope")
        audit.record("suppression.export", "suppression", request=request)
        return csv_file(suppressing.suppression_csv(), "suppression.csv")


def _row(pk: int) -> Suppression:
    return get_object_or_404(Suppression, pk=identifier(pk))


def _shown(rows: Any, request: Request, many: bool = False) -> Any:
    return SuppressionSerializer(rows, many=many, context={"request": request}).data
