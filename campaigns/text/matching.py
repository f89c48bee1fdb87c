"""A finished text against a template: what stands in place of its variables, or where the two part.

Operators hold the text of every message against its registered template in this way and refuse what differs.
"""

import re
from collections.abc import Iterator, Sequence

from campaigns.text.render import Template

SHOWN = 30  # characters of a text that a sentence quotes
SIGNS = re.compile(r"[\W_]+")


def values_in(template: Template, body: str, longest: int) -> list[str] | None:
    """The values that make the template into the text, None when none do.

    Where they could be cut apart in several ways: values of at most ``longest`` characters without spaces at their ends
    if there are such, and each as short as may be, the first one first.
    """
    return _neat(template, body, longest) or _first(template, body)


def _neat(template: Template, body: str, longest: int) -> list[str] | None:
    first, *rest = template.parts
    if not rest or not body.startswith(first):
        return None
    reached: list[dict[int, int]] = [{len(first): 0}]  # after each part: where the next value begins, and where the last did
    for i, part in enumerate(rest, 1):
        ends_at = len(body) if i == len(rest) else None
        following: dict[int, int] = {}
        for start in reached[-1]:
            for end in _ends(body, start, part, longest):
                if ends_at in {None, end + len(part)}:
                    following.setdefault(end + len(part), start)
        reached.append(following)
    return _walked_back(body, template.parts, reached)


def _ends(body: str, start: int, part: str, longest: int) -> Iterator[int]:
    """Where a value may end that begins at ``start`` and is followed by a part."""
    for end in range(start + 1, min(start + longest, len(body)) + 1):
        if body.startswith(part, end) and not body[start].isspace() and not body[end - 1].isspace():
            yield end


def _walked_back(body: str, parts: Sequence[str], reached: Sequence[dict[int, int]]) -> list[str] | None:
    at, values = len(body), []
    for part, places in zip(reversed(parts[1:]), reversed(reached[1:]), strict=True):
        if at not in places:
            return None
        values.append(body[places[at] : at - len(part)])
        at = places[at]
    return values[::-1]


def _first(template: Template, body: str) -> list[str] | None:
    """Each fixed part where it comes first; in time proportional to the text."""
    values, at, missing = _follow(template.parts, body)
    return None if missing >= 0 or at != len(body) else values


def _follow(parts: Sequence[str], body: str) -> tuple[list[str], int, int]:
    """The values before each part that was found, how far that is, and the part that is missing, else -1."""
    if not body.startswith(parts[0]):
        return [], 0, 0
    values: list[str] = []
    at = len(parts[0])
    for i, part in enumerate(parts[1:], 1):
        last = i == len(parts) - 1
        found = body.find(part, at) if not last else len(body) - len(part) if body.endswith(part) else -1
        if found < at:
            return values, at, i
        values.append(body[at:found])
        at = found + len(part)
    return values, at, -1


def difference(template: Template, body: str) -> str:
    """Where a text that is not the template parts from it, for whoever wrote it."""
    _, at, missing = _follow(template.parts, body)
    near = " They differ in spaces, signs or capitals alone." if _alike(template, body) else ""
    if missing < 0:
        return f"The text goes on with “{body[at : at + SHOWN]}” where the template ends.{near}"
    part = template.parts[missing]
    if missing == 0:
        same = next((i for i, (one, other) in enumerate(zip(part, body, strict=False)) if one != other), len(body))
        here, there = body[same : same + SHOWN], part[same : same + SHOWN]
        return f"At character {same + 1} the text has “{here}”, the template “{there}”.{near}"
    where = "at its end" if missing == len(template.parts) - 1 else f"after character {at}"
    return f"The template has “{part[:SHOWN]}” {where}, which the text has not.{near}"


def _alike(template: Template, body: str) -> bool:
    """Whether the two would match but for spaces, signs and capitals."""
    plain = [_plain(part) for part in template.parts]
    _, at, missing = _follow(plain, _plain(body))
    return missing < 0 and at == len(_plain(body))


def _plain(text: str) -> str:
    return SIGNS.sub("", text).casefold()
