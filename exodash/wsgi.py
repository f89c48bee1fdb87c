"""Django alone, for servers that run callbacks elsewhere."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exodash.settings")
application = get_wsgi_application()
