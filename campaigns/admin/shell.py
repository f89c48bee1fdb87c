"""What all pages of the console share: who may see them, and how they are rendered."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render as render_template
from django.utils import timezone

from campaigns.models import Account

View = Callable[..., HttpResponseBase]

MAY = {
    "campaigns.view_campaign": "see campaigns",
    "campaigns.add_campaign": "prepare campaigns",
    "campaigns.launch_campaign": "launch, pause, resume or cancel campaigns",
    "campaigns.export_report": "download reports",
    "campaigns.view_template": "see templates and codes",
    "campaigns.change_codenote": "write notes on codes",
    "campaigns.view_webhook": "see webhooks",
    "campaigns.add_webhook": "make webhooks",
    "campaigns.change_webhook": "change, test or replay webhooks",
    "campaigns.delete_webhook": "delete webhooks",
    "campaigns.view_audience": "see audiences",
    "campaigns.add_audience": "make audiences",
    "campaigns.change_audience": "change audiences",
    "campaigns.delete_audience": "delete audiences",
    "campaigns.change_alertrule": "change alert rules",
}


def needs(permission: str) -> Callable[[View], View]:
    """Refuse a logged-in user without the permission, in words that name what is missing."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.has_perm(permission):
                raise PermissionDenied(f"Your role does not let you {MAY[permission]}.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def render(
    request: HttpRequest, template: str, zone: ZoneInfo | None = None, status: int = 200, **context: Any
) -> HttpResponse:
    """A page or fragment with all its times in ``zone`` (default: the installation's)."""
    with timezone.override(zone or default_zone()):
        return render_template(request, template, context, status=status)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, even if that is nothing; None while the page is only looked at."""
    return request.POST if request.method == "POST" else None


def asked(request: HttpRequest, name: str, length: int = 120) -> str:
    """A word of the address, without the NUL that PostgreSQL takes in no text."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:length]


def asked_id(request: HttpRequest, name: str) -> int:
    """A row's number in the address; 0 for none or what cannot be one."""
    digits = request.GET.get(name, "")
    return int(digits) if digits.isdecimal() and len(digits) < 19 else 0


def default_zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)


def zone_of(account: Account | None) -> ZoneInfo:
    return ZoneInfo(account.time_zone) if account else default_zone()


def is_fragment(request: HttpRequest) -> bool:
    """Asked for by htmx: only the part of the page that changes."""
    return request.headers.get("HX-Request") == "true"


def sees_numbers(request: HttpRequest) -> bool:
    return request.user.has_perm("campaigns.see_numbers")
