"""Step 3: the message of any recipient, as it will arrive."""

from django.http import HttpRequest, HttpResponse

from campaigns.admin import shell
from campaigns.admin.drafts import chosen, flow, preview
from campaigns.admin.drafts.columns import OPTIONAL
from campaigns.models import Campaign, Import, Recipient
from campaigns.text import phone


@flow.on_read_file
def message(request: HttpRequest, campaign: Campaign, sources: list[Import]) -> HttpResponse:
    recipient = _recipient(campaign, shell.asked_id(request, "recipient"))
    source = recipient.source
    values = preview.row_values(source.header, source.mapping["vars"], recipient.cells)
    to = phone.display(recipient.number) if shell.sees_numbers(request) else phone.mask(recipient.number)
    row = chosen.of_recipient(campaign, recipient)
    context = {
        "recipient": recipient,
        "row": row,
        "source": source,
        "preview": preview.make(campaign, values, to, row.template, row.sender),
        "sides": _sides(recipient),
        "bindings": source.mapping["vars"],
        "own_columns": [(name, source.mapping[kind]) for kind, (name, _) in OPTIONAL.items() if source.mapping.get(kind)],
        "texts": campaign.translations.order_by("language") if source.mapping.get("language") else [],
    }
    if shell.is_fragment(request):
        return shell.render(request, "console/drafts/_message.html", campaign=campaign, **context)
    return flow.render(request, "draft_message", "console/drafts/message.html", campaign, sources, **context)


def _recipient(campaign: Campaign, asked: int) -> Recipient:
    rows = Recipient.objects.filter(campaign=campaign).select_related("source").order_by("id")
    return rows.filter(pk=asked).first() or rows[0]


def _sides(recipient: Recipient) -> list[tuple[str, int | None]]:
    """The recipients before and after, by id: any depth of a long list costs the same."""
    rows = Recipient.objects.filter(campaign=recipient.campaign_id).values_list("id", flat=True)
    before = rows.filter(pk__lt=recipient.pk).order_by("-id").first()
    after = rows.filter(pk__gt=recipient.pk).order_by("id").first()
    return [("Previous", before), ("Next", after)]
