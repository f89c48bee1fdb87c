"""All rows behind one finding of the checks: page by page, and as a file."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.text import slugify

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.pages.campaign import opened
from campaigns.audience import Unusable, behind
from campaigns.downloads import csv_file
from campaigns.models import Campaign
from campaigns.sending.preflight import preflight
from campaigns.text.dlt import Finding
from campaigns.text.examples import Placed, shown

SIZE = 50


@shell.needs("campaigns.view_campaign")
def rows(request: HttpRequest, pk: int) -> HttpResponse:
    campaign, code, after = opened(pk), shell.asked(request, "code", 40), shell.asked(request, "after", 40)
    return _rows(request, campaign, code, after)


def _rows(request: HttpRequest, campaign: Campaign, code: str, after: str, problem: str = "") -> HttpResponse:
    whole, found = shell.sees_numbers(request), behind.Page([], "")
    try:
        found = found if problem else behind.page(campaign, code, after, SIZE)
    except Unusable as fault:
        problem = str(fault)
    sources = list(campaign.imports.order_by("pk"))
    return shell.render(
        request, "console/rows.html", shell.zone_of(campaign.account), 422 if problem else 200,
        title=campaign.name,
        campaign=campaign,
        query=_query(code=code),
        finding=_finding(campaign, code),
        problem=problem,
        rows=[shown(Placed(row.source.pk, row.source.filename, row.example), whole) for row in found.rows],
        several_files=len(sources) > 1,
        # Mended and uploaded again these are of use with whole numbers only, as whoever uploaded the file has them.
        sources=[source for source in sources if source.errors.get(code) or (not code and source.rejected)],
        first=f"?{_query(code=code)}" if after else "",
        following=f"?{_query(code=code, after=found.after)}" if found.after else "",
    )  # fmt: skip


def _query(**values: str) -> str:
    return urlencode({name: value for name, value in values.items() if value})


def _finding(campaign: Campaign, code: str) -> Finding | None:
    """What the checks say of the code just now."""
    report = preflight(campaign)
    wanted = code or "ROWS_REFUSED"
    return next((finding for finding in [*report.refused, *report.findings] if finding.code == wanted), None)


@shell.needs("campaigns.add_campaign")
def rows_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    campaign, code, whole = opened(pk), shell.asked(request, "code", 40), shell.sees_numbers(request)
    try:
        lines = behind.rows_csv(campaign, code, whole)
    except Unusable as fault:
        return _rows(request, campaign, code, "", str(fault))
    audit.record("campaign.export_rows", campaign, request=request, code=code, whole_numbers=whole)
    name = f"{slugify(campaign.name) or 'campaign'}-{campaign.pk}-{slugify(code.replace('_', '-')) or 'refused-rows'}.csv"
    return csv_file(lines, name)
