"""Pages at the root, REST under /api/v1/. Callbacks are answered ahead of Django: see exodash/asgi.py."""

from django.urls import include, path

from callbacks.console import ENTRIES, PAGES
from campaigns.admin.pages.health import healthz
from campaigns.admin.site import site

site.offer(PAGES, ENTRIES)
urlpatterns = [
    path("healthz", healthz),
    path("api/v1/", include("campaigns.api.urls")),
    path("", site.urls),
]
