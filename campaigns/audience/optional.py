"""Columns that a file may have beside number and values: found by their usual names when their cells bear them out."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from campaigns.text import languages, moments

MOST_REFERENCE = 100  # characters
# In the order in which they are shown. Names without spaces and signs, in lower case.
NAMES = {
    "language": re.compile("(?:preferred|customer|message|sms)?(?:language|lang|locale)(?:code)?|भाषा"),
    "header": re.compile("(?:sms)?(?:header|sender)(?:id|name)?|senderids?"),
    "schedule": re.compile(
        "(?:schedule[d]?|send)(?:at|on|for|date|time|dateandtime|datetime|timestamp|dt)*|(?:date|time)tosend|sendingtime"
    ),
    "reference": re.compile(
        "(?:customer|client|external|your|our|custom)?(?:reference|ref)(?:id|no|num|number|code)?|(?:external|client)id"
    ),
}
HEADER = re.compile(r"[A-Za-z0-9]{3,20}")


def columns(found: Mapping[str, Any], taken: Collection[str] = ()) -> Any:
    """Those of a mapping's optional columns that are chosen, without what fills a variable already."""
    return {kind: found[kind] for kind in NAMES if found.get(kind) and found[kind] not in taken}


def guess(names: Mapping[str, str], samples: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The first column of each kind whose plain name is usual for it and whose filled cells are mostly of that kind."""
    found: dict[str, str] = {}
    for kind, usual in NAMES.items():
        for name, plain in names.items():
            if usual.fullmatch(plain) and _fit(samples[name], FITS[kind]):
                found[kind] = name
                break
    return found


def _fit(cells: Sequence[str], fits: Callable[[str], object]) -> bool:
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and 2 * sum(1 for cell in filled if fits(cell)) >= len(filled)


def _is_moment(cell: str) -> bool:
    try:
        return bool(moments.instant(cell, ZoneInfo("UTC")))
    except ValueError:
        return False


FITS: dict[str, Callable[[str], object]] = {
    "language": lambda cell: languages.tag(cell) in languages.NAMES,
    "header": HEADER.fullmatch,
    "schedule": _is_moment,
    "reference": lambda cell: len(cell) <= MOST_REFERENCE,
}
