"""Bodies and identifiers from outside: what the database could not hold is refused with a sentence that names it."""

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any

from django.http import Http404
from rest_framework.exceptions import ErrorDetail, ParseError, ValidationError
from rest_framework.parsers import JSONParser

LARGEST_ID = 2**63 - 1
NUL = "a NUL character, which no text message can carry"
HALF = "half of a surrogate pair, which is not a character"


class StrictJSONParser(JSONParser):
    """JSON without NUL, lone surrogates or bottomless nesting."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        try:
            data = super().parse(stream, media_type, parser_context)
            if not _storable(data) and (spoilt := next(_spoilt(data, ()), None)):
                raise _refusal(*spoilt)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        return data


def _storable(data: Any) -> bool:
    """A look at all texts at once; it may doubt a text that is sound."""
    text = json.dumps(data, ensure_ascii=False)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in text


def _spoilt(data: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where texts stand that cannot be stored, and what they hold."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from ((path, f"{why}, in a name") for _, why in _spoilt(name, path))
            yield from _spoilt(value, (*path, name))
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _spoilt(value, (*path, i))
    elif isinstance(data, str):
        if "\x00" in data:
            yield path, NUL
        elif any("\ud800" <= character <= "\udfff" for character in data):
            yield path, HALF


def _refusal(path: tuple[str | int, ...], why: str) -> ParseError | ValidationError:
    """The field, and the row as people count, when it stands in a list of recipients."""
    if not path:
        return ParseError(f"The body holds {why}.")
    rows = path[1:] if path[0] == "rows" else path
    subject = f"Row {rows[0] + 1} holds" if rows and isinstance(rows[0], int) else "This holds"
    field = ".".join(map(str, path if isinstance(path[0], str) else ("rows", *path)))
    return ValidationError({field: ErrorDetail(f"{subject} {why}.", "parse_error")})


def identifier(pk: int) -> int:
    """A path's id, or 404 when no row can have it."""
    if pk > LARGEST_ID:
        raise Http404
    return pk
