"""What the networks know of an SMS: whose number it is, how many units a text takes, whether it is the registered template.

Written apart from the product's own reading of the same rules, so that comparing the two means something.
"""

import re
from functools import lru_cache

MOBILE = re.compile(r"(?:\+?91|0091|0)?([6-9][0-9]{9})")
FOREIGN = re.compile(r"(?:\+|00)(?!91)[1-9][0-9]{6,14}")
SPACING = str.maketrans("", "", " -().")
VARIABLE = re.compile(r"\{#\w+#\}")

# 3GPP TS 23.038: the GSM 7-bit alphabet, and what takes an escape before it.
SINGLE = frozenset(
    "\n\r !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    "¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùüΓΔΘΛΞΠΣΦΨΩ"
)
ESCAPED = frozenset("\f[\\]^{|}~€")
GSM = SINGLE | ESCAPED


@lru_cache(maxsize=1024)  # it is asked again for each number of a request
def number10(text: str) -> str:
    """The ten digits of an Indian mobile number in any of its forms, else empty."""
    found = MOBILE.fullmatch(text) or MOBILE.fullmatch(text.translate(SPACING))
    return found.group(1) if found else ""


def foreign(text: str) -> bool:
    """Whether a number says plainly that it is of another country."""
    return FOREIGN.fullmatch(text.translate(SPACING)) is not None


def reachable(text: str, international: bool) -> bool:
    """Whether an account may send to what is given as a number."""
    return bool(number10(text)) or (international and foreign(text))


def subscriber(text: str) -> str:
    """What a number's fate hangs on: its ten digits, or the last ten of one of another country; else empty."""
    return number10(text) or ("".join(filter(str.isdigit, text))[-10:] if foreign(text) else "")


def shown(text: str) -> str:
    """A number as answers and reports give it: the zero and ten digits; what is not Indian, as it came."""
    return f"0{ten}" if (ten := number10(text)) else text


def units(text: str, encoding: str = "") -> int:
    """SMS units: 160 or 153 septets each, 70 or 67 UTF-16 units when a character or ``encoding`` asks for unicode."""
    letters = set(text)
    if encoding != "unicode" and letters <= SINGLE:
        return 1 if len(text) <= 160 else -(-len(text) // 153)
    if encoding != "unicode" and letters <= GSM:
        return _parts([2 if letter in ESCAPED else 1 for letter in text], 160, 153)
    return _parts([2 if letter > "\uffff" else 1 for letter in text], 70, 67)


def _parts(sizes: list[int], alone: int, each: int) -> int:
    """Parts of ``each`` when it is more than ``alone``; no character is split over two of them."""
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, each
    for size in sizes:
        if size > room:
            parts, room = parts + 1, each
        room -= size
    return parts


def fixed_parts(template: str) -> tuple[str, ...]:
    """The text of a registered template before, between and after its variables."""
    return tuple(VARIABLE.split(template))


def is_template(body: str, parts: tuple[str, ...]) -> bool:
    """Whether a text is the template with something in place of each variable; takes time in proportion to the text."""
    if len(parts) == 1:
        return body == parts[0]
    first, *between, last = parts
    at, end = len(first), len(body) - len(last)
    if at > end or not body.startswith(first) or not body.endswith(last):
        return False
    for part in between:
        found = body.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
