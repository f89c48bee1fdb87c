"""Pages by id: any depth costs the same, and nothing is counted."""

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest

from campaigns.admin import shell

SIZE = 25


class Page(NamedTuple):
    rows: list[Any]
    newer: str  # the query of the page before; empty for none
    older: str


def page(request: HttpRequest, rows: QuerySet[Any]) -> Page:
    """The newest first; ``?before=`` and ``?after=`` name the row at which another page begins."""
    before, after = shell.asked_id(request, "before"), shell.asked_id(request, "after")
    if after:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: SIZE + 1])
        shown = found[:SIZE][::-1]
        more_newer, more_older = len(found) > SIZE, True
    else:
        found = list((rows.filter(pk__lt=before) if before else rows).order_by("-pk")[: SIZE + 1])
        shown = found[:SIZE]
        more_newer, more_older = bool(before), len(found) > SIZE
    newer = f"after={shown[0].pk}" if shown and more_newer else ""
    older = f"before={shown[-1].pk}" if shown and more_older else ""
    return Page(shown, newer, older)
