"""The audiences, and one of them: who is in it, what grew it, its segments and the campaigns that took it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify

from campaigns import audit
from campaigns.admin import shell
from campaigns.audience import counting
from campaigns.audience.refused import refused_csv
from campaigns.downloads import csv_file
from campaigns.models import Audience, AudienceFile, AudienceMember
from campaigns.models.saved import READING
from campaigns.text import conditions, phone

SHOWN = 20  # members a page
COLUMNS = 12  # of them that are shown
FILES, CAMPAIGNS = 20, 10  # the latest
CELL = 60  # characters


@shell.needs("campaigns.view_audience")
def index(request: HttpRequest) -> HttpResponse:
    archived = request.GET.get("archived") == "yes"
    rows = Audience.objects.filter(deleting=False)
    return shell.render(
        request, "console/audiences/list.html", title="Audiences", subtitle="people with columns, kept for many campaigns",
        rows=list(rows.filter(archived=archived).prefetch_related("segments")), archived=archived,
        some_archived=archived or rows.filter(archived=True).exists(),
    )  # fmt: skip


def opened(pk: int) -> Audience:
    return get_object_or_404(Audience, pk=pk, deleting=False)


@shell.needs("campaigns.view_audience")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(pk)
    return shell.render(
        request, "console/audiences/page.html", title=found.name, audience=found,
        campaigns=found.imports.select_related("campaign").order_by("-pk")[:CAMPAIGNS],
        **standing(found),
        **_members(request, found),
    )  # fmt: skip


@shell.needs("campaigns.view_audience")
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """Files and segments, asked for again and again while something is read or counted."""
    found = opened(pk)
    stands = standing(found)
    answer = shell.render(request, "console/audiences/_state.html", audience=found, **stands)
    if shell.is_fragment(request) and not stands["moving"]:
        answer["HX-Refresh"] = "true"  # the members, which are not asked for again and again, are all there now
    return answer


@shell.needs("campaigns.change_audience")
def refused_rows(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    file = get_object_or_404(AudienceFile.objects.select_related("audience"), pk=pk, audience__deleting=False)
    audit.record("audience.export_errors", file.audience, request=request, file=file.pk)
    name = slugify(file.filename.rsplit(".", 1)[0]) or "file"
    return csv_file(refused_csv(file.header, file.row_errors.all(), True, file.phone), f"{name}-refused-rows.csv")


def standing(found: Audience) -> dict[str, Any]:
    files = list(found.files.select_related("created_by").order_by("-pk")[:FILES])
    segments = list(found.segments.all())
    counts = counting.known(found, segments)
    reading = any(file.state in READING for file in files)
    return {
        "files": files,
        "segments": [
            (segment, conditions.words(segment.conditions), count) for segment, count in zip(segments, counts, strict=True)
        ],
        "reading": reading,
        "moving": reading or any(count is None or not count.done for count in counts),
    }


def _members(request: HttpRequest, found: Audience) -> dict[str, Any]:
    """Those who came last, and those before them."""
    before = shell.asked_id(request, "before")
    rows = AudienceMember.objects.filter(audience=found)
    members = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: SHOWN + 1])
    here, whole = reverse("admin:audience", args=[found.pk]), shell.sees_numbers(request)
    places = [i for i, column in enumerate(found.columns) if column != found.phone][:COLUMNS]
    return {
        "shown_columns": [found.columns[i] for i in places],
        "more_columns": len(found.columns) - 1 - len(places),
        "members": [
            (
                phone.display(row.number) if whole else phone.mask(row.number),
                [_cell(row.cells[i] if i < len(row.cells) else "", whole) for i in places],
            )
            for row in members[:SHOWN]
        ],
        "newer": here if before else "",
        "older": f"{here}?before={members[SHOWN - 1].pk}#members" if len(members) > SHOWN else "",
    }


def _cell(cell: str, whole: bool) -> str:
    """What is shown of a cell; a phone number only to those who may see whole numbers."""
    return cell[:CELL] if whole else phone.mask_cell(cell)[:CELL]
