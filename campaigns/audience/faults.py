"""What can be wrong with a whole file. A fault of one row is a RowError row instead."""


class Unusable(Exception):
    """Nothing of a file was taken; the text says in one sentence why and what to do. The code is for programs."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Broken(Exception):
    """The rows of a file cannot be told apart, or not be taken, from some line on; the text names the line."""

    def __init__(self, sentence: str, code: str = "QUOTES") -> None:
        super().__init__(sentence)
        self.code = code


def unbalanced(line: int) -> Broken:
    return Broken(
        f'Line {line}: the quotation marks (") there do not pair up, so the rows after it cannot be told apart. '
        'Mend that line (a mark inside a cell is written twice, "") and upload the file again.'
    )


def endless_cell(line: int) -> Broken:
    return Broken(
        f"Line {line}: a cell there goes on for more than 5,000 characters or 50 lines. Most often a quotation mark "
        '(") is opened and not closed. Mend that line and upload the file again.'
    )


def long_cell(line: int, column: int = 0, characters: int = 0) -> Broken:
    """A cell of one line that no message can use; without its column and length where the reader gave up in it."""
    said = f"the cell in column {column} has {characters:,} characters" if column else "a cell there is too long to be read"
    return Broken(f"Line {line}: {said}; at most 5,000 are taken. Shorten it and upload the file again.", "CELL_LONG")
