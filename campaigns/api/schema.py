"""What the OpenAPI schema cannot find out by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from campaigns.api.authentication import TokenAuthentication
from campaigns.api.problems import MEDIA_TYPE, ProblemSerializer

METHODS_WITH_BODY = {"POST", "PUT", "PATCH"}


class Schema(AutoSchema):
    """Every error is a problem object, and those that any call can meet are declared on all of them."""

    def _get_response_for_code(
        self, serializer: Any, status_code: str, media_types: Any = None, *rest: Any, **more: Any
    ) -> Any:
        kind = [MEDIA_TYPE] if status_code >= "400" else media_types
        return super()._get_response_for_code(serializer, status_code, kind, *rest, **more)

    def _get_response_bodies(self, *direction: Any, **more: Any) -> Any:
        bodies = super()._get_response_bodies(*direction, **more)
        for code in self._everywhere():
            bodies.setdefault(code, self._get_response_for_code(ProblemSerializer, code))
        return dict(sorted(bodies.items()))

    def _everywhere(self) -> list[str]:
        codes = ["401", "403"]
        if "{" in self.path:
            codes.append("404")
        if self.method in METHODS_WITH_BODY and self.get_request_serializer() is not None:
            codes += ["400", "411", "413", "415"]
        return codes


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token <token>`; make one with manage.py create_api_token.",
        }
