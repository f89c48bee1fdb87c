"""What a callback held, fit to be looked at: as fields, bounded, without anything that could disturb the page."""

import json
import re

from callbacks import parsing

LONGEST = 2_000  # characters
HIDDEN = "not shown"
UNREADABLE = "It is not made of fields, so it is shown only to people who may see whole numbers."
# A date is left as it is; what else has seven digits or more may be a number, however it is spaced.
DIGITS = re.compile(r"(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?!\d)|\d(?:[\s().+-]*\d){6,}")


def readable(raw: bytes, whole_numbers: bool) -> str:
    """The fields, one a line, without the visitor's IP address; without permission no number is whole."""
    text = _structured(raw)
    if not text:
        if not raw:
            return "Nothing: it was empty."
        if not whole_numbers:
            return UNREADABLE
        text = raw[: 4 * LONGEST].decode("utf-8", "replace")
    text = _printable(text if whole_numbers else DIGITS.sub(_masked, text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _structured(raw: bytes) -> str:
    found = {} if b'"whatsapp"' in raw else parsing.fields(raw)
    if any(found.values()):
        return "\n".join(f"{name}: {HIDDEN if _is_address(name) else value}" for name, value in found.items())
    try:
        data = json.loads(raw, parse_int=str, parse_float=str, parse_constant=str)
        return json.dumps(data, indent=1, ensure_ascii=False) if isinstance(data, dict | list) and data else ""
    except (ValueError, RecursionError):
        return ""


def _is_address(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in {"ip", "ipaddress", "clientip", "remoteip"}


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    return text if text[4:5] == "-" and len(text) == 10 and text.startswith(("19", "20")) else f"••••{text[-3:]}"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
