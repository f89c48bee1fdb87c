"""What the operators' DLT platform demands of a template and of the values put into it.

Levels: an error blocks a launch, a warning must be accepted, information is shown. The rules and how certain each is:
design references "India DLT / TRAI preflight".
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from campaigns.text.examples import Placed
from campaigns.text.matching import values_in
from campaigns.text.render import MAX_BODY, Template, TemplateError, parse

CATEGORIES = {
    "transactional": "Transactional (bank OTP)",
    "service_implicit": "Service implicit",
    "service_explicit": "Service explicit",
    "promotional": "Promotional",
}
SMS_TYPES = {
    "transactional": "transactional",
    "service_implicit": "transactional",
    "service_explicit": "transactional_opt_in",
    "promotional": "promotional",
}
LONG_VALUE, TOO_LONG_VALUE = 30, 40  # characters; sources disagree between 30 and 40, so one warns and the other blocks
SHORTENERS = re.compile(r"(?i)\b(bit\.ly|tinyurl\.com|goo\.gl|t\.co|ow\.ly|is\.gd|cutt\.ly|rb\.gy)\b")
AFFIX = re.compile(r"(?i)^[A-Z]{2}-|-[PSTG]$")
FITS: dict[str, Callable[[str], object]] = {
    "var": lambda _: True,
    "numeric": re.compile(r"[\d.,+\- ]+\Z").match,
    "alphanumeric": re.compile(r"[^\W_]+(?:[ ./\-,:#&()_]*[^\W_]+)*\Z").match,
    "url": re.compile(r"(?i)(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:[/?#]\S*)?\Z").match,
    "urlott": re.compile(r"\S+\Z").match,
    "cbn": re.compile(r"\+?[\d \-]{3,15}\Z").match,
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z").match,
}


Level = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    level: Level
    code: str
    message: str
    rows: int = 0
    remedy: str = ""
    examples: tuple[Placed, ...] = ()  # the first of the rows it is about


def sms_type(category: str) -> str:
    """Exotel's SmsType for a DLT category; only ``promotional`` is bound to the daytime window."""
    return SMS_TYPES[category]


def check_template(body: str, header: str, category: str, entity_id: str, template_id: str) -> list[Finding]:
    """Everything wrong or doubtful about a template itself."""
    return [*_ids(entity_id, template_id), *check_header(header, category), *_body(body)]


def _ids(entity_id: str, template_id: str) -> Iterator[Finding]:
    for name, value in (("entity", entity_id), ("template", template_id)):
        code = f"{name.upper()}_ID"
        if not value.isascii() or not value.isdigit():
            yield Finding("error", f"{code}_NOT_NUMERIC", f"The DLT {name} id must be digits only.")
        elif len(value) != 19:
            yield Finding(
                "warning", f"{code}_LENGTH", f"The DLT {name} id has {len(value)} digits; registered ones have 19."
            )


def check_header(header: str, category: str) -> Iterator[Finding]:
    """What is wrong or doubtful about the sender id that a text of this category goes out under."""
    if AFFIX.search(header):
        yield Finding(
            "error", "HEADER_AFFIX", f"Write {header} without the operator's prefix and suffix: networks add them."
        )
    elif category == "promotional":
        if not header.isascii() or not header.isdigit():
            yield Finding("error", "HEADER_NOT_NUMERIC", "A promotional header is six digits.")
        elif header[0] not in "12345678":
            yield Finding("warning", "HEADER_CATEGORY", "A promotional header begins with its category, 1 to 8.")
    elif not header.isascii() or not header.isalpha():
        yield Finding("error", "HEADER_NOT_LETTERS", "A service or transactional header has letters only.")
    elif len(header) != 6:
        yield Finding("warning", "HEADER_LENGTH", f"The header has {len(header)} letters; registered ones have 6.")


def _body(body: str) -> Iterator[Finding]:
    try:
        template = parse(body)
    except TemplateError as error:
        yield Finding("error", "VARIABLE_MALFORMED", str(error))
        return
    fixed = sum(map(len, template.parts))
    if not body.strip():
        yield Finding("error", "BODY_EMPTY", "The template has no text.")
    if fixed > MAX_BODY:
        yield Finding("error", "BODY_TOO_LONG", f"The text has {fixed} characters; Exotel takes at most {MAX_BODY}.")
    if any(not part.strip() for part in template.parts[1:-1]):
        yield Finding(
            "warning",
            "VARIABLES_ADJACENT",
            "Two variables follow each other with no text between: DLT refuses most of these.",
        )
    if template.variables and fixed < 0.3 * (fixed + LONG_VALUE * template.variables):
        yield Finding("warning", "MOSTLY_VARIABLE", "Less than 30 % of the text is fixed: DLT may not approve it.")
    if "  " in body:
        yield Finding(
            "warning", "DOUBLE_SPACE", "There are two spaces in a row. Check that it is registered exactly like this."
        )
    if re.search(r"[<>]", body):
        yield Finding("warning", "ANGLE_BRACKETS", "The text has < or >, which some operators refuse.")
    if any("{" in part or "}" in part for part in template.parts):
        yield Finding(
            "warning", "BRACES", "The text has { or } outside a variable. Check that it is registered exactly like this."
        )
    if found := SHORTENERS.search(body):
        yield Finding("warning", "PUBLIC_SHORTENER", f"{found.group()} is a public shortener, which operators block.")


def check_values(
    template: Template, values: Sequence[str], long: int = LONG_VALUE, too_long: int = TOO_LONG_VALUE
) -> list[tuple[int, str, str]]:
    """``(variable index, level, code)`` for each value that operators may refuse."""
    found: list[tuple[int, str, str]] = []
    for i, (kind, value) in enumerate(zip(template.kinds, values, strict=True)):
        if len(value) > long:
            found.append((i, "error", "VARIABLE_TOO_LONG") if len(value) > too_long else (i, "warning", "VARIABLE_LONG"))
        if kind != "var" and not FITS[kind](value):
            found.append((i, "error", "VARIABLE_TYPE"))
    return found


def matches(template: Template, body: str) -> bool:
    """Whether a text is the template with something in place of each variable."""
    return values_in(template, body, TOO_LONG_VALUE) is not None
