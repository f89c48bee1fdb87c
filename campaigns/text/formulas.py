"""Cells that a spreadsheet would run as a formula: guarded on the way out, given back as they were on the way in."""

# What Excel, LibreOffice and Google Sheets begin a formula with, the full-width forms that some of them fold, and the
# white space they skip before it.
TRIGGERS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def guard(cell: str) -> str:
    """The cell with an apostrophe in front when a spreadsheet might run it."""
    return "'" + cell if cell.startswith(TRIGGERS) else cell


def unguard(cell: str) -> str:
    """The cell without the apostrophe that ``guard`` put there."""
    return cell[1:] if cell[:1] == "'" and cell.startswith(TRIGGERS, 1) else cell
