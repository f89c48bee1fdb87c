"""One row that a count of the checks is about: where it stands, whose it is, and the cell that matters.

The first rows of each code are kept with an import, all of them are found again on demand; both are shown by this.
"""

import re
from typing import NamedTuple, TypedDict

from campaigns.text.phone import display, mask

FIRST = 5  # rows that are kept for each code
LONGEST = 80  # characters of a cell that are kept
# Ten and more digits, whatever stands between them: what may be a phone number, or two in one cell.
NUMBER = re.compile(r"\d(?:[ .()\-\u00a0]*\d){9,}")


class Example(TypedDict):
    line: int  # as a spreadsheet numbers it
    number: int  # 0: none could be read
    column: str  # empty: the row as a whole
    value: str  # of that column
    why: str


# A call, because one of the names is a word of the language.
ShownExample = TypedDict(
    "ShownExample",
    {"import": int, "file": str, "line": int, "number": str, "column": str, "value": str, "why": str},
)


class Placed(NamedTuple):
    source: int
    file: str
    example: Example


def shown(placed: Placed, whole: bool) -> ShownExample:
    """For a reader, from whom phone numbers are hidden unless ``whole``, in cells and sentences too."""
    example = placed.example
    number = example["number"]
    return {
        "import": placed.source,
        "file": placed.file,
        "line": example["line"],
        "number": (display(number) if whole else mask(number)) if number else "",
        "column": example["column"],
        "value": example["value"] if whole else veil(example["value"]),
        "why": example["why"] if whole else veil(example["why"]),
    }


def veil(text: str) -> str:
    """A text whose phone numbers show their first two and last three digits alone."""
    return NUMBER.sub(_veiled, text)


def _veiled(found: re.Match[str]) -> str:
    text, digits = found.group(), sum(map(str.isdigit, found.group()))
    out, at = [], 0
    for char in text:
        at += char.isdigit()
        out.append("•" if char.isdigit() and 2 < at <= digits - 3 else char)
    return "".join(out)
