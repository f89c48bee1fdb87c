"""The words by which a person opts out or in again: case, spaces and punctuation make no difference."""

import unicodedata
from collections.abc import Collection

STOP = "STOP, STOPALL, STOP ALL, UNSUBSCRIBE, OPT OUT, OPTOUT, BAND KARO, BAND KAREN, बंद करो, बंद करें, रोकें"
START = "START, UNSTOP, OPT IN, SUBSCRIBE, CHALU KARO, चालू करो, चालू करें"


def folded(text: str) -> str:
    """Lower case, one space between words, nothing but letters and digits: " Stop!! " is "stop"."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(map(_plain, plain)).split())


def _plain(char: str) -> str:
    kind = unicodedata.category(char)
    if kind == "Cf":  # joiners and marks of direction stand inside words
        return ""
    return char if kind[0] in "LMN" else " "


def words(listed: str) -> frozenset[str]:
    """The words of a list with commas."""
    return frozenset(filter(None, map(folded, listed.split(","))))


def wish(text: str, stop: Collection[str], start: Collection[str]) -> str:
    """What a message asks for: "stop", "start" or nothing.

    One that begins with a word of leaving counts as leaving ("STOP sending this"); coming back takes the whole message,
    because a wrong guess would send to somebody who left.
    """
    said = folded(text)
    if said in stop:
        return "stop"
    if said in start:
        return "start"
    return "stop" if any(said.startswith(f"{word} ") for word in stop) else ""
