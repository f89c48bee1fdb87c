"""Pages at the root, REST under /api/v1/. Callbacks are answered ahead of Django: see exodash/asgi.py."""

from django.urls import include, path, re_path

from callbacks.console import ENTRIES, PAGES
from campaigns.admin.pages.health import healthz
from campaigns.admin.site import site
from campaigns.api import outside

site.offer(PAGES, ENTRIES)
urlpatterns = [
    path("healthz", healthz),
    path("api/v1/", include("campaigns.api.urls")),
    re_path(r"^api/", outside.nowhere),
    path("", site.urls),
]
handler400, handler403 = outside.bad_request, outside.forbidden
handler404, handler500 = outside.not_found, outside.broken
