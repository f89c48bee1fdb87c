"""Who calls, by a token in ``Authorization: Token exd_...``, and whether its scopes allow this. No cookies here."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from campaigns.models import ApiToken

if TYPE_CHECKING:  # the framework imports this module while it imports its views
    from rest_framework.views import APIView

FRESH = timedelta(minutes=1)  # how often the last use is noted


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Any, ApiToken]:
        words = get_authorization_header(request).split()
        if len(words) != 2 or words[0].lower() != b"token":
            raise AuthenticationFailed("Send the header: Authorization: Token <token>.", "no_token")
        digest = ApiToken.hash(words[1].decode("latin-1"))
        token = ApiToken.objects.select_related("user").filter(digest=digest).first()
        if token is None or not token.valid or not token.user.is_active:
            raise AuthenticationFailed("This token is unknown, expired or revoked.", "bad_token")
        now = timezone.now()
        if token.last_used_at is None or now - token.last_used_at > FRESH:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class HasScope(BasePermission):
    """The view says which scope each method needs in ``scopes``; a view that says nothing is closed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        needed = getattr(view, "scopes", {}).get("GET" if request.method in {"HEAD", "OPTIONS"} else request.method)
        if needed is None and request.method in {"PUT", "PATCH", "POST", "DELETE", "GET"}:
            return bool(request.method not in view.allowed_methods)
        if needed and not request.auth.allows(needed):  # type: ignore[union-attr]
            raise PermissionDenied(f"This token lacks the scope {needed!r}.", "missing_scope")
        return True
