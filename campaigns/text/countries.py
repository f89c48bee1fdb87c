"""Countries by their ISO regions: what they are called, and how a person writes which of them may be sent to."""

import csv
import re
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

import phonenumbers

NAMES: dict[str, str] = {}  # ISO region: name as it stands in a sentence
with Path(__file__).with_name("countries.csv").open(encoding="utf-8", newline="") as _file:
    NAMES |= {row["region"]: row["name"] for row in csv.DictReader(_file)}
EVERYWHERE = frozenset(NAMES)
INDIA = frozenset({"IN"})
FEW = 4  # names in a sentence
_BY_NAME = {name.removeprefix("the ").casefold(): region for region, name in NAMES.items()}
_CODE = re.compile(r"(?:\+|00)?([0-9]{1,3})\Z")


@lru_cache(maxsize=256)
def parse(text: str) -> frozenset[str]:
    """The regions of a list such as ``IN, GB, +971``; raises ValueError with a sentence on the first that is none.

    A calling code stands for all that share it: +1 is the United States, Canada and most of the Caribbean.
    """
    found: set[str] = set()
    for entry in re.split(r"[,;\n]+", text):
        if word := " ".join(entry.split()):
            found |= _regions(word)
    if not found:
        raise ValueError("Name at least one country, such as IN for India.")
    return frozenset(found)


def _regions(word: str) -> frozenset[str]:
    if code := _CODE.match(word):
        regions = EVERYWHERE.intersection(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code[1]), ()))
    else:
        plain = word.casefold().removeprefix("the ")
        regions = EVERYWHERE.intersection([_BY_NAME.get(plain, word.upper())])
    if not regions:
        raise ValueError(f"“{word[:40]}” is no country known here: write codes such as IN, GB or +971, with commas between.")
    return regions


def written(regions: Collection[str]) -> str:
    """IN, AE, GB: the form that is kept."""
    return ", ".join(sorted(regions, key=lambda region: (region != "IN", region)))


def name(region: str) -> str:
    """The United Kingdom, as it stands in a sentence."""
    return NAMES.get(region, "another country")


def listing(regions: Collection[str]) -> str:
    """India, Nepal and 3 other countries"""
    names = [name(region) for region in written(regions).split(", ")]
    if len(names) > FEW:
        names[FEW - 1 :] = [f"{len(names) - FEW + 1} other countries"]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
