"""Simple conditions on the columns of a list: which rows they hold for, the same on every database because no database
decides it.

``{"match": "all" | "any", "rules": [{"column", "op", "value"}, ...]}``; a rule may be such a group itself, once.
Texts are compared without regard to case, outer white space and the forms of one character that look alike. Two numbers, or
two dates, are compared by what they are, however they are written.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

OPS = {
    "equals": "is",
    "not_equals": "is not",
    "contains": "contains",
    "starts_with": "starts with",
    "greater": "is greater than",
    "less": "is less than",
    "empty": "is empty",
    "not_empty": "is not empty",
}
WITHOUT_VALUE = frozenset({"empty", "not_empty"})
MATCHES = {"all": " and ", "any": " or "}
MOST_RULES = 20
LONGEST_VALUE = 200
LONGEST_QUANTITY = 40  # characters of a number or date
REMEMBERED = 10_000  # answers about the values of one column, which repeat: cities, plans
NUMBER = re.compile(r"(?:(?:₹|rs\.?|inr)\s*)?([+-]?)\s*(\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)(\.\d+)?(?:\s*/-)?")
ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[t ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
DAY_FIRST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[t ]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")

Quantity = Decimal | datetime
Test = Callable[[str], bool]
Matcher = Callable[[Sequence[str]], bool]


class Wrong(ValueError):
    """Conditions that cannot be used; the text says which rule and why."""


def fold(text: str) -> str:
    """What of a text counts when it is compared."""
    text = text.strip()
    if text.isascii():
        return text.lower()
    # Folded twice: the lower case of a character may be one that has another form itself.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def quantity(text: str) -> Quantity | None:
    """A number as it is written in India or elsewhere, or a date, day first or 2026-11-28; None for anything else."""
    text = fold(text)
    if not text or len(text) > LONGEST_QUANTITY:
        return None
    if found := NUMBER.fullmatch(text):
        sign, whole, rest = found.groups()
        return Decimal(sign + whole.replace(",", "") + (rest or ""))
    if found := ISO_DATE.fullmatch(text):
        year, month, day, *clock = found.groups()
    elif found := DAY_FIRST.fullmatch(text):
        day, _, month, year, *clock = found.groups()
    else:
        return None
    try:
        hour, minute, second = (int(part or 0) for part in clock)
        return datetime(int(year), int(month), int(day), hour, minute, second)
    except ValueError:
        return None


def normal(conditions: Any, columns: Sequence[str], barred: str = "") -> dict[str, Any]:
    """Conditions as they are kept, for these columns except the barred one. Raises Wrong with a sentence."""
    made = _group(conditions, columns, barred, "", inner=False)
    if _count(made) > MOST_RULES:
        raise Wrong(f"There are {_count(made)} rules; at most {MOST_RULES} can be used.")
    return made


def _count(group: Mapping[str, Any]) -> int:
    return sum(_count(rule) if "rules" in rule else 1 for rule in group["rules"])


def _group(given: Any, columns: Sequence[str], barred: str, name: str, inner: bool) -> dict[str, Any]:
    if not isinstance(given, Mapping) or not isinstance(given.get("rules"), list):
        raise Wrong(f'{name or "The conditions"}: write {{"match": "all", "rules": [{{"column", "op", "value"}}]}}.')
    match = given.get("match", "all")
    if not isinstance(match, str) or match not in MATCHES:
        raise Wrong(f"{name or 'The conditions'}: match is “all” or “any”.")
    if not given["rules"]:
        raise Wrong(f"{name or 'The conditions'}: there is no rule. Choose a column and what must hold for it.")
    if len(given["rules"]) > MOST_RULES:
        raise Wrong(f"There are {len(given['rules'])} rules; at most {MOST_RULES} can be used.")
    rules = []
    for i, rule in enumerate(given["rules"], 1):
        named = f"{name}, rule {i}" if name else f"Rule {i}"
        if isinstance(rule, Mapping) and "rules" in rule:
            if inner:
                raise Wrong(f"{named}: a group stands within a group. Only one level is possible.")
            rules.append(_group(rule, columns, barred, named, inner=True))
        else:
            rules.append(_rule(rule, columns, barred, named))
    return {"match": match, "rules": rules}


def _rule(given: Any, columns: Sequence[str], barred: str, name: str) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise Wrong(f'{name}: write {{"column", "op", "value"}}.')
    column, op, value = given.get("column", ""), given.get("op", ""), given.get("value", "")
    if not isinstance(column, str) or not column:
        raise Wrong(f"{name}: choose a column.")
    if column == barred:
        raise Wrong(f"{name}: “{column}” holds the phone numbers, by which nobody can be chosen.")
    if column not in columns:
        raise Wrong(
            f"{name}: there is no column “{column[:80]}”. There are: {', '.join(c for c in columns if c != barred)[:300]}."
        )
    if not isinstance(op, str) or op not in OPS:
        raise Wrong(f"{name}: “{str(op)[:40]}” is none of {', '.join(OPS)}.")
    if op in WITHOUT_VALUE:
        return {"column": column, "op": op}
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Wrong(f"{name}: the value must be text or a number.")
    text = str(value).strip()
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise Wrong(f"{name}: the value holds half of a character or none at all, which no text can carry.")
    if not text:
        raise Wrong(f"{name}: write a value to compare “{column}” with, or choose “is empty”.")
    if len(text) > LONGEST_VALUE:
        raise Wrong(f"{name}: the value has {len(text)} characters; at most {LONGEST_VALUE} are compared.")
    if op in {"greater", "less"} and quantity(text) is None:
        raise Wrong(
            f"{name}: “{text[:40]}” is neither a number nor a date such as 2026-11-28, so nothing is greater or less."
        )
    return {"column": column, "op": op, "value": text}


def key(conditions: Mapping[str, Any]) -> str:
    """The same for the same conditions."""
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()


def columns_of(conditions: Mapping[str, Any]) -> set[str]:
    """The columns that the conditions are about."""
    rules = conditions["rules"]
    return {name for rule in rules for name in (columns_of(rule) if "rules" in rule else [rule["column"]])}


def words(conditions: Mapping[str, Any]) -> str:
    """city is “Pune” and (plan is “Gold” or amount is greater than “1,000”)"""
    parts = []
    for rule in conditions["rules"]:
        if "rules" in rule:
            parts.append(f"({words(rule)})" if len(conditions["rules"]) > 1 else words(rule))
        else:
            value = f" “{rule['value']}”" if rule["op"] not in WITHOUT_VALUE else ""
            parts.append(f"{rule['column']} {OPS[rule['op']]}{value}")
    return MATCHES[conditions["match"]].join(parts)


def matcher(conditions: Mapping[str, Any], columns: Sequence[str]) -> Matcher:
    """Tells of a row's cells, in the order of the columns, whether normal conditions hold. Missing cells are empty."""
    tests = [
        matcher(rule, columns)
        if "rules" in rule
        else _at(columns.index(rule["column"]), _test(rule["op"], rule.get("value", "")))
        for rule in conditions["rules"]
    ]
    if len(tests) == 1:
        return tests[0]
    together = all if conditions["match"] == "all" else any
    return lambda cells: together([test(cells) for test in tests])


def _at(place: int, test: Test) -> Matcher:
    known: dict[str, bool] = {}

    def holds(cells: Sequence[str]) -> bool:
        cell = cells[place] if place < len(cells) else ""
        answer = known.get(cell)
        if answer is None:
            if len(known) >= REMEMBERED:
                known.clear()
            answer = known[cell] = test(cell)
        return answer

    return holds


def _test(op: str, value: str) -> Test:
    folded, wanted = fold(value), quantity(value)
    tests: dict[str, Test] = {
        "equals": lambda cell: _same(cell, folded, wanted),
        "not_equals": lambda cell: not _same(cell, folded, wanted),
        "contains": lambda cell: folded in fold(cell),
        "starts_with": lambda cell: fold(cell).startswith(folded),
        "greater": lambda cell: _order(cell, wanted) > 0,
        "less": lambda cell: _order(cell, wanted) < 0,
        "empty": lambda cell: not cell.strip(),
        "not_empty": lambda cell: bool(cell.strip()),
    }
    return tests[op]


def _same(cell: str, folded: str, wanted: Quantity | None) -> bool:
    text = fold(cell)
    if text == folded:
        return True
    # What begins with a needless nought is a name made of digits: 007 is not 7.
    if wanted is None or _is_name(text) or _is_name(folded):
        return False
    return quantity(text) == wanted


def _is_name(folded: str) -> bool:
    return len(folded) > 1 and folded.isdigit() and unicodedata.digit(folded[0]) == 0


def _order(cell: str, wanted: Quantity | None) -> int:
    """1, 0 or -1 as the cell is greater, equal or less; 0 too when the two cannot be compared."""
    found = quantity(cell)
    if isinstance(found, Decimal) and isinstance(wanted, Decimal):
        return (found > wanted) - (found < wanted)
    if isinstance(found, datetime) and isinstance(wanted, datetime):
        return (found > wanted) - (found < wanted)
    return 0
