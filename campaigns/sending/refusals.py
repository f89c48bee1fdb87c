"""The rows of a draft that are left out, by reason, and the first rows behind any count of the checks."""

from collections import Counter
from collections.abc import Sequence

from campaigns.models import Import
from campaigns.text.cost import indian
from campaigns.text.dlt import Finding
from campaigns.text.examples import FIRST, Placed
from campaigns.text.remedies import remedy

SUPPRESSED, RECENT = "SUPPRESSED", "RECENTLY_MESSAGED"
SUMS = {"ROWS_SUPPRESSED": SUPPRESSED, "ROWS_RECENT": RECENT}
SENTENCES = {
    "INVALID_PHONE": "Rows without a usable mobile number: {}.",
    "MISSING_REQUIRED": "Rows with an empty cell that the text needs: {}.",
    "INVALID_FORMAT": "Rows whose cells or values do not fit: {}.",
    "DUPLICATE_ENTRY": "Rows whose number stands further up already: {}.",
    SUPPRESSED: "Rows whose number is on the suppression list: {}.",
    RECENT: "Rows whose person got a message lately: {}.",
}


def by_code(imports: Sequence[Import]) -> list[Finding]:
    """A finding for each reason, the most frequent first."""
    counts: Counter[str] = Counter()
    for source in imports:
        counts.update(source.errors)
        counts[SUPPRESSED] += source.suppressed - source.recent
        counts[RECENT] += source.recent
    return [
        Finding(
            "info", code, SENTENCES.get(code, "Rows refused: {}.").format(indian(n)), n, remedy(code), first(imports, code)
        )
        for code, n in counts.most_common()
        if n
    ]


def first(imports: Sequence[Import], code: str) -> tuple[Placed, ...]:
    """The first rows of the files, in their order, that a code was counted for."""
    found = [placed for source in sorted(imports, key=lambda source: source.pk) for placed in _of(source, code)]
    return tuple(found[:FIRST])


def _of(source: Import, code: str) -> list[Placed]:
    if code == "ROWS_REFUSED":
        codes = [name for name in source.errors if name in source.examples]
    else:
        codes = [SUMS.get(code, code)]
    rows = [row for name in codes for row in source.examples.get(name, ())]
    return [Placed(source.pk, source.filename, row) for row in sorted(rows, key=lambda row: row["line"])]
