"""How many SMS units a text takes (3GPP TS 23.038 and 23.040).

GSM-7: 160 septets in one part, 153 in each of several; extension characters take two and are never split over parts.
Unicode (UCS-2): 70 units in one part, 67 in each of several; characters beyond the BMP take two and are never split.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"
NOT_GSM = re.compile(f"[^{re.escape(BASIC + EXTENSION)}]")
DOUBLE = re.compile(f"[{re.escape(EXTENSION)}]")
GSM_ONE, GSM_PART = 160, 153
UNICODE_ONE, UNICODE_PART = 70, 67
# What word processors put in place of plain characters, and the plain character back.
SUGGESTIONS = {
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "`": "'", "\u00b4": "'",
    "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u2022": "-", "\u2026": "...", "\u00a0": " ", "\u2009": " ",
    "\u200b": "", "\ufeff": "", "\t": " ", "₹": "Rs.",
}  # fmt: skip
_TO_GSM = str.maketrans(SUGGESTIONS)


@dataclass(frozen=True, slots=True)
class Size:
    characters: int
    encoding: Literal["GSM-7", "Unicode"]
    units: int
    culprit: str  # the first character that makes the whole text Unicode; empty for GSM-7


def measure(text: str) -> Size:
    found = NOT_GSM.search(text)
    return Size(len(text), "Unicode" if found else "GSM-7", units(text), found.group() if found else "")


def units(text: str) -> int:
    """SMS units of a text; an empty text still takes one."""
    if NOT_GSM.search(text):
        return _unicode_units(text)
    if len(text) <= GSM_ONE // 2:
        return 1
    doubles = len(DOUBLE.findall(text))
    if len(text) + doubles <= GSM_ONE:
        return 1
    if not doubles:
        return -(-len(text) // GSM_PART)
    return _parts((2 if char in EXTENSION else 1 for char in text), GSM_PART)


def _unicode_units(text: str) -> int:
    if text.isascii() or max(text) <= "\uffff":
        return 1 if len(text) <= UNICODE_ONE else -(-len(text) // UNICODE_PART)
    sizes = [2 if char > "\uffff" else 1 for char in text]
    return 1 if sum(sizes) <= UNICODE_ONE else _parts(sizes, UNICODE_PART)


def _parts(sizes: Iterable[int], room: int) -> int:
    """Parts needed when nothing may be split over two of them."""
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts


def to_gsm(text: str) -> str:
    """The text with the usual replacements for characters that would make it Unicode."""
    return text.translate(_TO_GSM)


def encoding_type(text: str) -> Literal["plain", "unicode"]:
    """Exotel's EncodingType for a text."""
    return "unicode" if NOT_GSM.search(text) else "plain"
