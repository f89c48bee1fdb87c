"""How far a sheet reaches, told from its XML as it passes.

The reader of workbooks takes memory for every cell of the rectangle that the filled ones span, so one stray cell in
XFD1048576 would end the process.
"""

import re

MOST_CELLS = 20_000_000  # 32 bytes each, before their texts
NAME = rb"<(?:\w+:)?"
CELL = re.compile(NAME + rb"c(?=[\s/>])([^<>]*)(>?)")
ROW = re.compile(NAME + rb"row(?=[\s/>])([^<>]*)(>?)")
NUMBER = re.compile(rb"""(?:^|\s)r\s*=\s*["']\s*[A-Za-z]*(\d+)""")
SEVEN = re.compile(rb"\d{7}")
LETTERS = re.compile(rb"""(?:^|\s)r\s*=\s*["']\s*([A-Za-z]*)\s*["']""")
WHOLE = re.compile(rb"""[^"']*(?:"[^"]*"[^"']*|'[^']*'[^"']*)*""")
DIGITS = b"0123456789"
LONGEST = 65_536  # bytes of a tag
MOST_DIGITS, MOST_LETTERS = 18, 12  # of a reference; no sheet has more


class Extent:
    """The furthest row and column of all that was fed; ``odd`` for tags that no spreadsheet writes.

    Unless it is to be exact, which takes twice as long, the row may be too great by what no narrow sheet minds.
    """

    def __init__(self, exact: bool = False) -> None:
        self.exact = exact
        self.rows = self.columns = 0
        self.odd = self.fed = False
        self._left = b""
        self._in_row = 0  # cells without a name, of the row that is not over

    @property
    def cells(self) -> int:
        return self.rows * self.columns

    def feed(self, block: bytes) -> None:
        self.fed = True
        text = self._left + block
        begun = text.rfind(b"<")
        self._left = text[begun:] if begun >= 0 and b">" not in text[begun:] else b""
        text = text[: len(text) - len(self._left)]
        tags = CELL.findall(text)
        # Those with nothing in them are only formatted and take no memory.
        cells = [attributes for attributes, _ in tags if attributes[-1:] != b"/"]
        shapes = {attributes.translate(None, DIGITS) for attributes in cells}
        found = [(shape, LETTERS.search(shape)) for shape in shapes]
        self.columns = max([self.columns, *(_column(match[1]) for _, match in found if match)])
        self._reach(b"\n".join(cells))
        # A bracket within quotes ends a tag for us and not for the reader.
        whole = all(end for _, end in tags) and all(WHOLE.fullmatch(shape) for shape in shapes)
        self.odd |= len(self._left) > LONGEST or not whole
        if self._in_row or not all(match for _, match in found):
            self._count_nameless(text)

    def _reach(self, attributes: bytes) -> None:
        if not self.exact and not SEVEN.search(attributes):
            self.rows = max(self.rows, 999_999)
            return
        self.rows = max([self.rows, *(int(row[:MOST_DIGITS]) for row in set(NUMBER.findall(attributes)))])

    def _count_nameless(self, text: bytes) -> None:
        """Cells may go without a name: then their row has it, and they stand side by side."""
        self._reach(b"\n".join(attributes for attributes, _ in ROW.findall(text)))
        self.rows = max(self.rows, 1)
        counts = [len(CELL.findall(row)) for row in re.split(NAME + rb"row(?=[\s/>])", text)]
        counts[0] += self._in_row
        self._in_row = counts[-1]
        self.columns = max([self.columns, *counts])


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper()[:MOST_LETTERS]:
        number = number * 26 + letter - 64
    return number
