"""Errors below /api/ that no view of the API has seen are problem objects too; elsewhere they are the console's pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from campaigns.api.problems import MEDIA_TYPE

PREFIX = "/api/"
NOWHERE = "There is nothing at this address. See /api/v1/docs/; addresses that are no files end with a slash."


def body(status: int, code: str, detail: str) -> dict[str, Any]:
    return {"status": status, "code": code, "detail": detail, "field": None}


def answer(status: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(body(status, code, detail), status=status, content_type=MEDIA_TYPE)


@csrf_exempt
def nowhere(request: HttpRequest) -> JsonResponse:
    """Stands before the console's own catch-all, which would ask a program to log in."""
    return answer(404, "not_found", NOWHERE)


def _or_page(page: Callable[..., HttpResponseBase], status: int, code: str, detail: str) -> Callable[..., HttpResponseBase]:
    def handle(request: HttpRequest, exception: Exception | None = None, **more: Any) -> HttpResponseBase:
        if request.path_info.startswith(PREFIX):
            return answer(status, code, detail)
        return page(request) if status == 500 else page(request, exception=exception, **more)

    return handle


bad_request = _or_page(defaults.bad_request, 400, "bad_request", "This request was not understood.")
forbidden = _or_page(defaults.permission_denied, 403, "forbidden", "This is not allowed.")
not_found = _or_page(defaults.page_not_found, 404, "not_found", NOWHERE)
broken = _or_page(defaults.server_error, 500, "internal", "Something broke on our side; the log of the server has the rest.")
