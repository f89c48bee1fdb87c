"""The web process: callback ingest ahead of Django, which runs synchronously in a bounded pool of threads."""

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exodash.settings")
django_application = get_wsgi_application()

from callbacks.ingest import App, Ingest, Receive, Scope, Send  # noqa: E402  needs Django to be set up
from campaigns.api import outside  # noqa: E402

NO_LENGTH = "Say the length of the body in the header Content-Length: one sent in chunks is not read. Nothing was changed."
DRAIN_SECONDS = 5.0  # for which a body is still received and thrown away: many clients read no answer before they have sent


class LengthRequired:
    """411 for a body without Content-Length, which WSGI takes for an empty one."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if b"transfer-encoding" in names and b"content-length" not in names:
            await _refuse(scope["path"].startswith(outside.PREFIX), receive, send)
        else:
            await self._app(scope, receive, send)


async def _refuse(by_api: bool, receive: Receive, send: Send) -> None:
    kind, body = b"text/plain; charset=utf-8", f"{NO_LENGTH}\n".encode()
    if by_api:
        problem = outside.body(411, "length_required", NO_LENGTH)
        kind, body = outside.MEDIA_TYPE.encode(), json.dumps(problem).encode()
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 411, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    await send({"type": "http.response.body", "body": b""})


# For a thread that wants the interpreter, of 0.005 by default: the event loop and the writer of callbacks hand it to each
# other hundreds of times a second, and must not wait for a page. A tenth more callbacks a second.
sys.setswitchinterval(0.0005)
django: Any = WSGIMiddleware(cast(Any, django_application), workers=16)
application = Ingest(LengthRequired(django))
