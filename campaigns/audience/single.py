"""One recipient without a file, checked by the same rules as a row of one."""

from collections.abc import Sequence

from campaigns.audience import importing
from campaigns.audience.mapping import Columns
from campaigns.audience.rows import Plan, check
from campaigns.models import Campaign, Import, RowError
from campaigns.models.states import ImportState
from campaigns.text.links import entries
from campaigns.text.render import parse

TO = "to"


class Refused(Exception):
    """The code of a row error or SUPPRESSED, and the place of the value that it is about; None when it is the number."""

    def __init__(self, code: str, value: int | None, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.value = code, value


def header(variables: int) -> list[str]:
    return [TO, *(f"var{i}" for i in range(1, variables + 1))]


def add_one(campaign: Campaign, to: str, values: Sequence[str]) -> None:
    """Give a new campaign its only recipient, within the caller's transaction. Raises Refused."""
    template = parse(campaign.template.body)
    names = header(len(values))
    columns: Columns = {"phone": TO, "vars": names[1:]}
    source = Import.objects.create(
        campaign=campaign, state=ImportState.RUNNING, filename="one message by API", header=names, mapping=columns,
        template_version=campaign.template.version, created_by=campaign.created_by,
    )  # fmt: skip
    chunk = check(iter([(1, [to, *values])]), Plan(names, columns, template, entries(campaign.account.allowed_links)))
    chunk.last = 0  # there is no more to read
    importing.write(source, chunk, 0)
    if refused := RowError.objects.filter(source=source).first():
        at = names.index(refused.column) if refused.column in names else 0
        raise Refused(refused.code, at - 1 if at else None, refused.message)


def added(campaign: Campaign) -> list[str]:
    """The cells of a single message: its number and values, as they were given."""
    return list(campaign.recipients.values_list("cells", flat=True)[0])
