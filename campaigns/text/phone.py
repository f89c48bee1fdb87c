"""Phone numbers: one canonical form inside (E.164 digits as an integer), many spellings outside."""

import re
import unicodedata
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberType

INDIA = frozenset({91})
_INDIAN: Any = PhoneMetadata.metadata_for_region("IN")
# Landlines have ten digits too, and some begin with a 6, 7 or 8: 080 4768 8218 is an office in Bengaluru. New series of
# mobile numbers come faster than the library's data, so what it knows as neither is taken for a mobile.
LANDLINE = re.compile(rf"(?!{_INDIAN.mobile.national_number_pattern}\Z)(?:{_INDIAN.fixed_line.national_number_pattern})\Z")
FAST = re.compile(r"(?:\+?91|0?091|0)?([6-9][0-9]{9})\Z")
NOISE = str.maketrans("", "", " -.()\t\u00a0\u200b\u200e\u200f\u202a\u202c\ufeff'\u2019")
SCIENTIFIC = re.compile(r"\s*'?\d+([.,]\d+)?[eE]\+?\d+\s*\Z")
SPREADSHEET_FLOAT = re.compile(r"(\+?\d{10,13})\.0+\Z")
TWO = re.compile(r"\d{8,}\s*[/,;&|]\s*\+?\d{8,}")
MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def canonical(text: str, countries: frozenset[int] = INDIA) -> int:
    """919812345670 for any usual spelling of a mobile number; 0 when the text is not one."""
    if 91 in countries:
        match = FAST.match(text) or FAST.match(_plain(text))
        if match and not LANDLINE.match(match[1]):
            return int("91" + match[1])
    parsed = _parse(text)
    if parsed is None or parsed.country_code not in countries:
        return 0
    return parsed.country_code * 10 ** len(str(parsed.national_number)) + parsed.national_number


def _plain(text: str) -> str:
    """Without what people and spreadsheets put around digits."""
    text = unicodedata.normalize("NFKC", text).strip()
    if not text.isascii():
        text = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)
    text = text.translate(NOISE) if not SPREADSHEET_FLOAT.match(text) else text
    return SPREADSHEET_FLOAT.sub(r"\1", text)


def _parse(text: str) -> phonenumbers.PhoneNumber | None:
    """A valid mobile number without an extension, else None."""
    if SCIENTIFIC.match(text) or TWO.search(text) or re.search(r"[A-Za-z]", text):
        return None
    try:
        parsed = phonenumbers.parse(_plain(text), "IN")
    except NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_valid_number(parsed):
        return None
    return parsed if phonenumbers.number_type(parsed) in MOBILE else None


def explain(text: str) -> str:
    """Why a text is not usable as a mobile number, for the person who has to mend it."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    if not text.strip():
        return "The phone number is empty."
    if SCIENTIFIC.match(text):
        return f"{text.strip()} was spoilt by a spreadsheet: format the column as text and paste the numbers again."
    if TWO.search(text):
        return "There are two numbers in this cell: keep one."
    if re.search(r"[^\W\d_]", text):
        return f"“{text.strip()[:40]}” has letters in it."
    if len(digits) < 10:
        return f"“{text.strip()[:40]}” has {len(digits)} digits; an Indian mobile number has 10."
    if text.strip().startswith("+") and not digits.startswith("91"):
        return f"“{text.strip()[:40]}” is a number of another country."
    if len(digits) > 13:
        return f"“{text.strip()[:40]}” has {len(digits)} digits; an Indian mobile number has 10."
    if digits[-10] not in "6789":
        return f"“{text.strip()[:40]}” is a landline or not a mobile number: Indian mobile numbers begin with 6, 7, 8 or 9."
    if LANDLINE.match(digits[-10:]):
        return f"“{text.strip()[:40]}” is a landline, which takes no SMS."
    return f"“{text.strip()[:40]}” is not an Indian mobile number."


def last10(text: str | int) -> str:
    """The last ten digits, by which the wire's forms of one number are compared; empty below seven digits."""
    digits = re.sub(r"[^0-9]", "", str(text))
    return digits[-10:] if len(digits) >= 7 else ""


def e164(number: int) -> str:
    return f"+{number}"


def display(number: int) -> str:
    """+91 98123 45670"""
    text = str(number)
    return f"+91 {text[2:7]} {text[7:]}" if len(text) == 12 and text.startswith("91") else f"+{text}"


def mask(number: int) -> str:
    """+91 98••• ••670"""
    text = str(number)
    if len(text) == 12 and text.startswith("91"):
        return f"+91 {text[2:4]}••• ••{text[-3:]}"
    return f"+{text[:3]}••••{text[-2:]}"
