"""Files to take away, streamed row by row: the report of a campaign, the refused rows of a file."""

from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.text import slugify

from campaigns import audience, audit
from campaigns.admin import shell
from campaigns.admin.pages.campaign import opened
from campaigns.downloads import csv_file
from campaigns.insight import export
from campaigns.models import Import


@shell.needs("campaigns.export_report")
def report(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    campaign = opened(pk)
    whole = shell.sees_numbers(request)
    audit.record("campaign.export", campaign, request=request, whole_numbers=whole)
    name = f"{slugify(campaign.name) or 'campaign'}-{campaign.pk}-report.csv"
    return csv_file(export.report_csv(campaign, whole_numbers=whole), name)


@shell.needs("campaigns.add_campaign")
def refused_rows(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    source = get_object_or_404(Import.objects.select_related("campaign"), pk=pk)
    audit.record("import.export_errors", source, request=request)
    return csv_file(audience.errors_csv(source), f"{slugify(source.filename.rsplit('.', 1)[0]) or 'file'}-refused-rows.csv")
