"""Cursor pages: constant cost at any depth, and stable while rows are added."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from campaigns.api.parsing import LARGEST_ID

DEFAULT, LARGEST = 50, 1_000
CURSOR_PARAMETERS = [
    OpenApiParameter("page_size", int, description=f"up to {LARGEST:,}, else {DEFAULT}"),
    OpenApiParameter("cursor", str, description="as given in next and previous"),
]


def page_of(name: str, rows: serializers.BaseSerializer[Any]) -> serializers.Serializer[Any]:
    """The shape of a page, for the schema."""
    links = {side: serializers.URLField(allow_null=True) for side in ("next", "previous")}
    return inline_serializer(f"{name}Page", {"results": rows, **links})


def page_size(request: Request) -> int:
    text = request.query_params.get("page_size", str(DEFAULT))
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not 1 <= int(text) <= LARGEST:
        raise ValidationError({"page_size": f"Write a whole number from 1 to {LARGEST:,}."})
    return int(text)


def link(request: Request, cursor: str | None) -> str | None:
    """This address with another cursor."""
    if not cursor:
        return None
    query = request.query_params.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def id_page(request: Request, rows: QuerySet[Any]) -> tuple[list[Any], dict[str, str | None]]:
    """Rows by descending id, after the id in ``cursor``; there is no way back but the browser's."""
    size, cursor = page_size(request), request.query_params.get("cursor", "")
    if cursor:
        if not cursor.isascii() or not cursor.isdigit() or int(cursor[:20]) > LARGEST_ID:
            raise ValidationError({"cursor": "Use the address in next or previous unchanged."})
        rows = rows.filter(pk__lt=int(cursor[:20]))
    found = list(rows.order_by("-pk")[: size + 1])
    following = str(found[size - 1].pk) if len(found) > size else None
    return found[:size], {"next": link(request, following), "previous": None}
