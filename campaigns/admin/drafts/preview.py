"""One message as it will arrive, with what it takes: characters, encoding and the character behind it, units, cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from campaigns.models import Campaign, Template
from campaigns.sending.launch import variable_columns
from campaigns.text import cost, render, segments


@dataclass(frozen=True)
class Part:
    text: str
    variable: int = 0  # 1 for the first variable; 0 for fixed text


@dataclass(frozen=True)
class Preview:
    sender: str
    to: str
    parts: list[Part]
    characters: int
    encoding: str
    forced_by: str  # the character that makes it Unicode
    units: int
    plain_units: int  # with the usual replacements for that kind of character
    cost: Decimal
    problem: str = ""


def make(campaign: Campaign, values: Sequence[str], to: str = "", own: Template | None = None, sender: str = "") -> Preview:
    """Values stand in the order of the template's variables. Raises TemplateError for a malformed body.

    Text and header are the campaign's where none of the row's own is given.
    """
    template = render.parse((own or campaign.template).body)
    cleaned, problem = [], ""
    for value in values:
        try:
            cleaned.append(render.clean(value))
        except ValueError as error:
            cleaned.append("")
            problem = f"{error} Rows like this one are refused."
    text = render.render(template, cleaned)
    size = segments.measure(text)
    return Preview(
        sender=sender or campaign.sender,
        to=to,
        parts=_parts(template, cleaned),
        characters=size.characters,
        encoding=size.encoding,
        forced_by=size.culprit,
        units=size.units,
        plain_units=segments.units(segments.to_gsm(text)),
        cost=cost.cost(size.units, campaign.rate),
        problem=problem,
    )


def _parts(template: render.Template, values: Sequence[str]) -> list[Part]:
    parts = [Part(template.parts[0])]
    for number, (value, fixed) in enumerate(zip(values, template.parts[1:], strict=True), 1):
        parts += [Part(value, number), Part(fixed)]
    return parts


def row_values(header: Sequence[str], columns: Sequence[str], cells: Sequence[str]) -> list[str]:
    """The cells that fill the variables; a short row has empty ones at its end."""
    where = variable_columns(header, {"vars": list(columns)})
    return [cells[i] if i < len(cells) else "" for i in where]
