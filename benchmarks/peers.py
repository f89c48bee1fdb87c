"""What the ingest is measured against: plain Django views behind WSGI, without any middleware.

``/parse/...`` parses the form and stores nothing; ``/store/...`` makes one update of the message with the ORM, as one
writes it first. Serve ``benchmarks.peers:application``.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exodash.settings")

from django.conf import settings

settings.MIDDLEWARE, settings.ROOT_URLCONF, settings.ALLOWED_HOSTS = [], __name__, ["*"]

from django.core.wsgi import get_wsgi_application  # noqa: E402

application = get_wsgi_application()

from django.http import HttpResponse  # noqa: E402
from django.urls import re_path  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns.models import Message  # noqa: E402

WORDS = {"20005": "delivered", "20006": "at_operator"}


def empty(status=200):
    return HttpResponse(status=status, headers={"Content-Length": "0"})  # without it servers answer in chunks


def parse(request):
    return empty() if request.POST.get("SmsSid") else empty(400)


def store(request):
    told = request.POST
    delivery = WORDS.get(told["DetailedStatusCode"], "failed")
    Message.objects.filter(account__account_sid="exodemo1", sid=told["SmsSid"]).update(
        delivery=delivery, code=told["DetailedStatusCode"], final_at=timezone.now()
    )
    return empty()


urlpatterns = [re_path("^parse/", parse), re_path("^store/", store)]
