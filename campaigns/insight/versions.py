"""The history of a template: each version beside the one before it."""

from dataclasses import dataclass
from itertools import pairwise

from campaigns.models import Template, TemplateVersion
from campaigns.text.differences import Piece, differences


@dataclass(frozen=True, slots=True)
class Difference:
    field: str
    name: str  # in words
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Change:
    version: TemplateVersion
    first: bool  # nothing before it is kept
    differences: list[Difference]

    @property
    def changed(self) -> list[str]:
        return [difference.field for difference in self.differences]


def changes(template: Template, most: int, up_to: int | None = None) -> tuple[list[Change], int | None]:
    """The newest versions, or those up to one of them; and the next older one when there are more."""
    rows = TemplateVersion.objects.filter(template=template).select_related("author").order_by("-version")
    if up_to is not None:
        rows = rows.filter(version__lte=up_to)
    found = list(rows[: most + 1])
    made = [_change(after, before) for after, before in pairwise([*found, None]) if after is not None]
    return made[:most], found[most].version if len(found) > most else None


def _change(after: TemplateVersion, before: TemplateVersion | None) -> Change:
    if before is None:
        return Change(after, True, [])
    fields = [name for name in Template.SENT_FIELDS if getattr(before, name) != getattr(after, name)]
    return Change(after, False, [_difference(name, before, after) for name in fields])


def _difference(field: str, before: TemplateVersion, after: TemplateVersion) -> Difference:
    name = "Text" if field == "body" else str(TemplateVersion._meta.get_field(field).verbose_name)  # type: ignore[union-attr]
    if field == "body":
        return Difference(field, name, differences(before.body, after.body))
    old, new = (_shown(version, field) for version in (before, after))
    return Difference(field, name[0].upper() + name[1:], [Piece("gone", old), Piece("new", new)])


def _shown(version: TemplateVersion, field: str) -> str:
    return version.get_category_display() if field == "category" else str(getattr(version, field))
