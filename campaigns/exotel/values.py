"""Scalars from outside, bounded and fit for either database: the small tools of every reader of answers and reports."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

LONGEST = {"code": 32, "name": 80, "word": 32, "sid": 64, "to": 40, "date": 40, "custom": 128, "message": 500}  # characters
LONGEST |= {"url": 500, "place": 80}
SCALARS = (str, int, float)  # a tuple: ``str | int | float`` is built anew by each call that says so
MENDED = 101  # commas put back at most: one for each message of a request, and one


def folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """SmsSid, sms_sid and "Sms Sid" are one name; of two that become one, the last counts."""
    return dict(zip(_folded_names(tuple(fields)), fields.values(), strict=True))


@lru_cache(256)
def _folded_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """The objects of an answer have the same names in the same order, so they are folded once."""
    return tuple(re.sub(r"[^a-z]", "", str(name).lower()) for name in names)


def scalar(value: Any, what: str) -> str:
    """A scalar as bounded text without NUL or halves of characters; anything else is empty. ``what`` is in LONGEST."""
    if value is None:
        return ""
    if type(value) is str and len(value) <= LONGEST[what] and value.isprintable():  # nearly always: nothing to mend
        return value.strip()
    if not isinstance(value, SCALARS) or isinstance(value, bool):
        return ""
    text = str(value).replace("\x00", "").strip()[: LONGEST[what]]
    return text.encode("utf-8", "replace").decode("utf-8")


def sid(given: Any) -> str | None:
    """A message's id: None when there is none, empty when it cannot be stored."""
    if given is None or given == "":
        return None
    # A Sid cut short would be another message's, so it is taken whole or not at all.
    if isinstance(given, SCALARS) and len(str(given)) > LONGEST["sid"]:
        return ""
    return scalar(given, "sid")


def decoded(body: bytes) -> str:
    """Empty when it is not UTF-8."""
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return ""


def parsed(text: str) -> Any:
    """What JSON says, or None. Nesting and numbers without end are refused by the interpreter's own limits.

    S001's own sample of a partly refused request lacks the comma between two fields. A comma is put back where nothing
    else is amiss, never inside a text.
    """
    for _ in range(MENDED):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            if not error.msg.startswith("Expecting ',' delimiter") or text[error.pos : error.pos + 1] not in {'"', "{"}:
                return None
            text = f"{text[: error.pos]},{text[error.pos :]}"
        except (ValueError, RecursionError):
            return None
    return None


def mapping(value: Any) -> Mapping[str, Any]:
    """The value when it is an object, else one without fields."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; empty for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
