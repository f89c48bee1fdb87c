"""What people wrote to us, and which of it opted them out or in again."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from callbacks.console.paging import page as page_of
from callbacks.console.readable import DIGITS
from campaigns.admin import shell
from campaigns.admin.pages.message_list import shown_number
from campaigns.models import InboundMessage

COLOURS = {"stop": "dnd", "start": "delivered", "": "info"}


@dataclass(frozen=True)
class Row:
    message: InboundMessage
    number: str
    text: str
    colour: str


@shell.needs("campaigns.view_campaign")
def page(request: HttpRequest) -> HttpResponse:
    shown = page_of(request, InboundMessage.objects.select_related("account"))
    return shell.render(
        request,
        "console/callbacks/incoming.html",
        title="Replies",
        subtitle="what people wrote to your numbers",
        rows=[_row(request, row) for row in shown.rows],
        newer=f"?{shown.newer}" if shown.newer else "",
        older=f"?{shown.older}" if shown.older else "",
    )


def _row(request: HttpRequest, row: InboundMessage) -> Row:
    number = shown_number(request, row.number) if row.number else "not a mobile number"
    text = row.text if shell.sees_numbers(request) else DIGITS.sub("••••", row.text)
    return Row(row, number, text, COLOURS[row.wish])
