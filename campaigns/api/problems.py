"""Errors as problem objects (RFC 9457): a stable code, one sentence, and the field it is about."""

from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions, serializers
from rest_framework.response import Response
from rest_framework.views import set_rollback

from campaigns.audience import Unusable
from campaigns.hooks import desk
from campaigns.sending.control import Refused
from campaigns.sending.launch import Blocked
from campaigns.sending.retry import Impossible

MEDIA_TYPE = "application/problem+json"


class ProblemSerializer(serializers.Serializer):
    """The body of every answer that is not a success."""

    status = serializers.IntegerField()
    code = serializers.CharField(help_text="stable, for programs")
    detail = serializers.CharField(help_text="one sentence, for people")
    field = serializers.CharField(allow_null=True, help_text="what it is about, when it is one field")
    findings = serializers.ListField(child=serializers.DictField(), required=False, help_text="of the checks before launch")
    refused = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="rows that are left out, by code"
    )
    messages = serializers.IntegerField(required=False, help_text="that would be sent; after these checks too")
    units = serializers.IntegerField(required=False)
    cost = serializers.DecimalField(14, 4, required=False)


# Named by a key of the dictionary, because the framework's serializers have an attribute of that name.
ProblemSerializer._declared_fields["errors"] = serializers.ListField(
    child=serializers.DictField(), required=False, help_text="each field's error"
)


def problem(status: int, code: str, detail: str, field: str | None = None, **more: Any) -> Response:
    body = {"status": status, "code": code, "detail": detail, "field": field, **more}
    return Response(body, status=status, content_type=MEDIA_TYPE)


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler; None (a logged 500) only for what we did not foresee."""
    response = _ours(error) or _frameworks(error)
    if response is not None:
        set_rollback()
    return response


def _ours(error: Exception) -> Response | None:
    if isinstance(error, Unusable):
        status = 413 if error.code == "TOO_LARGE" else 409 if error.code == "FILE_REPEATED" else 422
        return problem(status, error.code.lower(), str(error), "file")
    if isinstance(error, Impossible):
        return problem(422, error.code, str(error), "max_cost" if error.code == "over_cost" else None)
    if isinstance(error, desk.Impossible):
        return problem(409, error.code, str(error))
    if isinstance(error, Refused):
        return problem(409, error.code, str(error))
    if isinstance(error, Blocked):
        return problem(422, "preflight", str(error), **error.report.as_dict())
    return None


def _frameworks(error: Exception) -> Response | None:
    if isinstance(error, Http404):
        return problem(404, "not_found", "There is no such object.")
    if isinstance(error, PermissionDenied):
        return problem(403, "forbidden", "This is not allowed.")
    if isinstance(error, RequestDataTooBig):
        return problem(413, "too_large", "The request body is too large: send rows as a file.")
    if isinstance(error, TooManyFieldsSent | TooManyFilesSent):
        return problem(400, "too_many_parts", "The form has too many fields or files.")
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(serializers.as_serializer_error(error))
    if isinstance(error, exceptions.ValidationError):
        return _invalid(error)
    if isinstance(error, exceptions.APIException):
        detail = error.detail if isinstance(error.detail, exceptions.ErrorDetail) else error.default_detail
        response = problem(error.status_code, str(getattr(detail, "code", error.default_code)), str(detail))
        if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            response["WWW-Authenticate"] = "Token"
        return response
    return None


def _invalid(error: exceptions.ValidationError) -> Response:
    errors = list(_flatten("", error.detail))
    if not errors:
        return problem(400, "invalid", "The request is not valid.")
    return problem(400, errors[0]["code"], errors[0]["detail"], errors[0]["field"], errors=errors)


def _flatten(field: str, detail: Any) -> Any:
    """``{"a": ["x"]}`` and lists of them as ``{"field", "code", "detail"}`` entries."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = field if name == "non_field_errors" else f"{field}.{name}".strip(".")
            yield from _flatten(path, inner)
    elif isinstance(detail, list | tuple):
        for i, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _flatten(f"{field}.{i}".strip(".") if nested else field, inner)
    else:
        sentence = str(detail)
        named = f"{field}: {sentence}" if field else sentence
        yield {"field": field or None, "code": getattr(detail, "code", "invalid"), "detail": named}
