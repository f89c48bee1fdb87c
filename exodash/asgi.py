"""The web process: callback ingest ahead of Django, which runs synchronously in a bounded pool of threads."""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exodash.settings")
django_application = get_wsgi_application()

from callbacks.ingest import Ingest  # noqa: E402  needs Django to be set up

django: Any = WSGIMiddleware(cast(Any, django_application), workers=16)
application = Ingest(django)
