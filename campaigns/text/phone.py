"""Phone numbers: one canonical form inside (E.164 digits as an integer), many spellings outside."""

import re
import unicodedata
from typing import Any

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from campaigns.text import countries as world
from campaigns.text.countries import EVERYWHERE, INDIA

_INDIAN: Any = PhoneMetadata.metadata_for_region("IN")
# Landlines have ten digits too, and some begin with a 6, 7 or 8: 080 4768 8218 is an office in Bengaluru. New series of
# mobile numbers come faster than the library's data, so what it knows as neither is taken for a mobile.
LANDLINE = re.compile(rf"(?!{_INDIAN.mobile.national_number_pattern}\Z)(?:{_INDIAN.fixed_line.national_number_pattern})\Z")
FAST = re.compile(r"(?:\+?91|0?091|0)?([6-9][0-9]{9})\Z")
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
QUOTES = str.maketrans("", "", f"'\u2019{UNSEEN}")
NOISE = str.maketrans("", "", f" -.()\t\u00a0'\u2019{UNSEEN}")
SCIENTIFIC = re.compile(r"\s*'?\d+([.,]\d+)?[eE]\+?\d+\s*\Z")
SPREADSHEET_FLOAT = re.compile(r"(\+?\d{10,13})\.0+\Z")
ABROAD = re.compile(r"(?:\+|00)")
# The country code without its plus, as a spreadsheet leaves it: too long for a number of India.
BARE = re.compile(r"[1-9][0-9]{10,14}\Z")
# As a spreadsheet writes thousands, in India and elsewhere.
GROUPED = re.compile(r"\+?(?:\d{1,2}(?:,\d\d)*|\d{1,3}(?:,\d{3})*),\d{3}\Z")
TWO = re.compile(r"\d{8,}(?:\s*[/,;&|]\s*|\s+(?:(?:or|and)\s+)?)\+?\d{8,}")
SPREADSHEET_ERROR = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NUM!|NULL!|ERROR!)\Z", re.IGNORECASE)
COUNTRY = re.compile(r"(?:0{0,2}91(?=\d{10}\Z)|0(?=\d{10}\Z))")
MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


def canonical(text: str, countries: frozenset[str] = INDIA) -> int:
    """919812345670 for any usual spelling of a mobile number of these countries; 0 when the text is not one.

    Without a country code it is Indian.
    """
    if "IN" in countries:
        match = FAST.match(text) or FAST.match(_plain(text))
        if match and not LANDLINE.match(match[1]):
            return 910000000000 + int(match[1])
    parsed = _parse(text, countries is not INDIA and countries != INDIA)
    if parsed is None or _region(parsed) not in countries or not _is_mobile(parsed):
        return 0
    return parsed.country_code * 10 ** len(str(parsed.national_number)) + (parsed.national_number or 0)


def anywhere(text: str) -> int:
    """A mobile number of any country, for lists and searches. Of others than India with its + or 00."""
    number = canonical(text)
    return number if number or not ABROAD.match(_plain(text)) else canonical(text, EVERYWHERE)


def _plain(text: str) -> str:
    """Without what people and spreadsheets put around digits."""
    text = text.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
        text = "".join(str(unicodedata.digit(char)) if char.isdigit() else char for char in text)
    if "," in text or "." in text:
        bare = text.translate(QUOTES)
        if GROUPED.match(bare):
            return bare.replace(",", "")
        if number := SPREADSHEET_FLOAT.match(bare):
            return number[1]
    return text.translate(NOISE)


def _parse(text: str, bare: bool) -> PhoneNumber | None:
    """What may be a number without an extension; ``bare`` takes the code of another country without its plus too."""
    if SCIENTIFIC.match(text) or TWO.search(text) or re.search(r"[A-Za-z]", text):
        return None
    plain = _plain(text)
    parsed = _parsed(plain)
    if bare and BARE.match(plain) and not (parsed and phonenumbers.is_valid_number(parsed)):
        parsed = _parsed(f"+{plain}") or parsed
    return parsed


def _parsed(plain: str) -> PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(plain, "IN")
    except NumberParseException:
        return None
    return None if parsed.extension else parsed


def _is_mobile(parsed: PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in MOBILE


def _region(parsed: PhoneNumber) -> str:
    """Its country; of a code that several share the largest when the number does not tell."""
    code = parsed.country_code or 0
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)


def explain(text: str, countries: frozenset[str] = INDIA) -> str:
    """Why a text is not usable as a mobile number of these countries, for the person who has to mend it."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text))
    if not text.strip():
        return "The phone number is empty."
    if SCIENTIFIC.match(text):
        return f"{text.strip()} was spoilt by a spreadsheet: format the column as text and paste the numbers again."
    if TWO.search(text):
        return "There are two numbers in this cell: keep one."
    shown = f"“{text.strip()[:40]}”"
    if SPREADSHEET_ERROR.match(text.strip()):
        return f"{shown} is an error of the spreadsheet, not a number."
    if not text.strip().strip("#"):
        return f"{shown} is what a spreadsheet shows when a column is too narrow: widen it and save the file again."
    if re.search(r"[^\W\d_]", text):
        return f"{shown} has letters in it."
    return _abroad(text, countries) or f"{shown} {_fault(text, digits, countries)}"


def _fault(text: str, digits: str, countries: frozenset[str]) -> str:
    """What is wrong with a text of digits and signs, as far as India is concerned."""
    if ABROAD.match(_plain(text)) and len(digits) >= 10 and digits.strip("0") and not digits.lstrip("0").startswith("91"):
        return "begins with the code of no country."
    if digits.startswith(("1800", "1860")) and len(digits) in {10, 11}:
        return "is a toll-free number, which takes no SMS."
    if len(national := COUNTRY.sub("", digits, count=1)) != 10:
        return f"has {_digits(len(digits))}; an Indian mobile number has 10."
    if national[0] not in "6789":
        return "is a landline or not a mobile number: Indian mobile numbers begin with 6, 7, 8 or 9."
    if LANDLINE.match(national):
        return "is a landline, which takes no SMS."
    if "IN" not in countries:
        return f"is a number of India (+91); this account sends only to {world.listing(countries)}."
    return "is not an Indian mobile number."


def _digits(count: int) -> str:
    return "no digits" if not count else "1 digit" if count == 1 else f"{count} digits"


def _abroad(text: str, countries: frozenset[str]) -> str:
    """Why a number of another country is not usable; empty for what is none."""
    parsed = _parse(text, countries != INDIA)
    if parsed is None or parsed.country_code == 91:
        return ""
    region = _region(parsed)
    of, code = f"of {world.name(region)}", f"(+{parsed.country_code})"
    shown = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)[:40]
    if region not in countries:
        return f"{shown} is a number {of} {code}; this account sends only to {world.listing(countries)}."
    if not phonenumbers.is_valid_number(parsed):
        return f"{shown} is not a complete number {of} {code}."
    return f"{shown} is not a mobile number {of} {code}."


def last10(text: str | int) -> str:
    """The last ten digits, by which the wire's forms of one number are compared; empty below seven digits."""
    digits = str(text)
    if not (digits.isascii() and digits.isdigit()):
        digits = re.sub(r"[^0-9]", "", digits)
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


def mask_cell(cell: str, is_phone: bool = False) -> str:
    """A cell of a list, masked when it holds a phone number; in a column of numbers they may lack their plus."""
    number = canonical(cell, EVERYWHERE) if is_phone else anywhere(cell)
    return mask(number) if number else cell
