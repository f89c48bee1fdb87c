"""Which column holds the phone number and which ones the template's variables: guessed, then checked."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from campaigns.audience import optional
from campaigns.audience.faults import Unusable
from campaigns.text.phone import anywhere

ERROR_COLUMNS = ("error_code", "error_column", "error_reason")  # of the download of refused rows; never data
# Names without spaces and signs, in lower case.
CERTAIN = re.compile(
    "(?:mobile|phone|mobilephone|mob|cell|cellphone|tel|telephone|whatsapp|ph|मोबाइल|फोन)(?:nos?|num|numbers?|नंबर)?"
    "|msisdn|contact(?:no|num|number)"
)
LIKELY = re.compile("numbers?|to|contact|recipients?|destination|.*(?:mobile|phone|msisdn|whatsapp|contactn[ou]).*")
NEVER = 9


class Columns(TypedDict):
    phone: str  # empty: not known
    vars: list[str]  # in the order of the template's variables; empty: not known
    # There only when a column gives it: see ``optional``.
    language: NotRequired[str]
    header: NotRequired[str]
    schedule: NotRequired[str]
    reference: NotRequired[str]


def guess_mapping(header: Sequence[str], sample: Sequence[Sequence[str]], variables: int) -> Columns:
    """What the column names and the first rows speak for; what they leave open is empty."""
    columns = [name for name in header if name not in ERROR_COLUMNS]
    places = [(_distance(name, [row[header.index(name)] for row in sample]), i) for i, name in enumerate(columns)]
    distance, at = min(places, default=(NEVER, 0))
    phone = columns[at] if distance < NEVER else ""
    rest = [name for name in columns if name != phone]
    samples = {name: [row[header.index(name)] for row in sample] for name in rest}
    found = optional.guess({name: _plain(name) for name in rest}, samples)
    chosen = _variables(rest, variables)
    if not all(chosen):
        others = _variables([name for name in rest if name not in found.values()], variables)
        chosen = others if all(others) else chosen
    return {"phone": phone, "vars": chosen, **optional.columns(found, chosen)}


def _distance(name: str, cells: Sequence[str]) -> int:
    """How far a column is from being the phone column; 0 is certain.

    A column named for phones comes before one that only looks like it: a loan number may have ten digits too.
    """
    filled = [cell for cell in cells if cell.strip()]
    fits = 2 * sum(1 for cell in filled if anywhere(cell)) >= max(len(filled), 1)
    plain = _plain(name)
    if CERTAIN.fullmatch(plain):
        return 0 if fits else 1 if filled else 4
    if LIKELY.fullmatch(plain):
        return 2 if fits else 5
    return 3 if fits else NEVER


def _variables(columns: Sequence[str], count: int) -> list[str]:
    """Columns ``var1`` to ``varN``, else ``1`` to ``N``, else all that are left when there are exactly N."""
    by_name = {_plain(name): name for name in reversed(columns)}
    for form in ("var{}", "variable{}", "{}"):
        found = [by_name.get(form.format(i), "") for i in range(1, count + 1)]
        if any(found):
            return found
    return list(columns) if len(columns) == count else [""] * count


def _plain(name: str) -> str:
    """Letters and digits alone, in lower case."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LMN")


def check_mapping(header: Sequence[str], mapping: Mapping[str, Any], variables: int) -> Columns:
    """The mapping when a file can be read by it; raises Unusable with a sentence when it cannot."""
    phone, chosen = mapping.get("phone") or "", list(mapping.get("vars") or [])
    if not phone:
        raise Unusable("NO_PHONE_COLUMN", "Choose the column that holds the phone numbers.")
    own = optional.columns(mapping)
    for name in [phone, *filter(None, chosen), *own.values()]:
        if name not in header:
            raise Unusable("UNKNOWN_COLUMN", f"The file has no column “{name}”. It has: {', '.join(header)[:300]}.")
    if len(chosen) != variables and any(chosen):
        raise Unusable(
            "WRONG_VARIABLES",
            f"The template has {_count(variables, 'variable')}, but {_count(len(chosen), 'column')} "
            f"{'is' if len(chosen) == 1 else 'are'} chosen for them.",
        )
    chosen = chosen if len(chosen) == variables else [""] * variables
    if open_ones := [str(i) for i, name in enumerate(chosen, 1) if not name]:
        only = f" The file has only one, “{header[0][:60]}”: separate columns by commas." if len(header) == 1 else ""
        raise Unusable(
            "VARIABLE_NOT_CHOSEN",
            f"Choose a column for variable {', '.join(open_ones)} of the template's {variables}.{only}",
        )
    return {"phone": phone, "vars": chosen, **own}


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
