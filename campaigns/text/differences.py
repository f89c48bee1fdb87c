"""What was taken out of a text and what was put in, word by word."""

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

TOKEN = re.compile(r"\{#\w+#\}|\s+|(?:(?!\{#)\S)+|\{")


class Piece(NamedTuple):
    kind: Literal["same", "gone", "new"]
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The text in pieces, in order; without those that are new it is the one before, without those gone the one after."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    found: list[Piece] = []
    gone = put = ""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for at, (kind, i1, i2, j1, j2) in enumerate(steps):
        same = "".join(old[i1:i2]) if kind == "equal" else ""
        if kind != "equal":
            gone, put = gone + "".join(old[i1:i2]), put + "".join(new[j1:j2])
        elif same.isspace() and 0 < at < len(steps) - 1:
            gone, put = gone + same, put + same  # a blank between two changes would only cut them up
        else:
            found += [*_changed(gone, put), Piece("same", same)]
            gone = put = ""
    return [*found, *_changed(gone, put)]


def _changed(gone: str, put: str) -> list[Piece]:
    pieces = (Piece("gone", gone), Piece("new", put))
    return [piece for piece in pieces if piece.text]
