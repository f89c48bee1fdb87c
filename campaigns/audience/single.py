"""One recipient without a file, checked by the same rules as a row of one."""

from collections.abc import Sequence

from campaigns.audience import importing, rowwise
from campaigns.audience.mapping import Columns
from campaigns.audience.rows import Plan, check
from campaigns.models import Campaign, Import, RowError
from campaigns.models.states import ImportState
from campaigns.text.render import parse

TO, REFERENCE = "to", "reference"


class Refused(Exception):
    """The code of a row error or SUPPRESSED, and the place of the value that it is about; None when it is the number."""

    def __init__(self, code: str, value: int | None, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.value = code, value


def header(variables: int) -> list[str]:
    return [TO, *(f"var{i}" for i in range(1, variables + 1))]


def add_one(campaign: Campaign, to: str, values: Sequence[str], reference: str = "") -> None:
    """Give a new campaign its only recipient, within the caller's transaction. Raises Refused."""
    template = parse(campaign.template.body)
    names = header(len(values))
    columns: Columns = {"phone": TO, "vars": names[1:]}
    row = [to, *values]
    if reference:
        names, columns["reference"], row = [*names, REFERENCE], REFERENCE, [*row, reference]
    source = Import.objects.create(
        campaign=campaign, state=ImportState.RUNNING, filename="one message by API", header=names, mapping=columns,
        template_version=campaign.template.version, terms=campaign.terms(), created_by=campaign.created_by,
    )  # fmt: skip
    plan = Plan(names, columns, template, *importing.rules(source))
    own, records = rowwise.reader(source, plan), iter([(1, row)])
    chunk = own.check(records) if own else check(records, plan)
    chunk.last = 0  # there is no more to read
    importing.write(source, chunk, 0)
    if refused := RowError.objects.filter(source=source).first():
        at = names.index(refused.column) if refused.column in names else 0
        raise Refused(refused.code, at - 1 if at else None, refused.message)


def added(campaign: Campaign) -> list[str]:
    """The cells of a single message: its number, values and reference, as they were given."""
    return list(campaign.recipients.values_list("cells", flat=True)[0])
