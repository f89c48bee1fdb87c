"""A file to take away, streamed as it is made; for the console and the API alike."""

from collections.abc import Iterator

from django.http import StreamingHttpResponse


def csv_file(lines: Iterator[str], filename: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
