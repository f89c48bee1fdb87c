"""What the checks found, as an operator sees it: by weight, each with its first rows and the way to all of them."""

import re
from dataclasses import dataclass

from campaigns.sending.preflight import Preflight
from campaigns.text.dlt import Finding
from campaigns.text.examples import ShownExample, shown

GROUPS = (
    ("error", "To mend first", "A campaign with one of these cannot be launched."),
    ("warning", "To weigh", "You can launch all the same, once you have said so below."),
    ("info", "Good to know", ""),
)
COUNT_AT_END = re.compile(r": [\d,]+\.\Z")
SUMS = frozenset({"ROWS_REFUSED", "ROWS_SUPPRESSED", "ROWS_RECENT"})  # shown in their parts


@dataclass(frozen=True)
class Shown:
    finding: Finding
    examples: list[ShownExample]
    several_files: bool

    @property
    def words(self) -> str:
        """The sentence without the number of rows at its end, which stands beside it."""
        return COUNT_AT_END.sub(".", self.finding.message) if self.finding.rows else self.finding.message

    @property
    def more(self) -> int:
        """Rows that are not among the first ones."""
        return self.finding.rows - len(self.examples)


@dataclass(frozen=True)
class Group:
    level: str
    title: str
    meaning: str
    findings: list[Shown]


def refused(report: Preflight, whole_numbers: bool) -> list[Shown]:
    """Rows that are left out, by reason."""
    return [show(finding, whole_numbers) for finding in report.refused]


def groups(report: Preflight, whole_numbers: bool) -> list[Group]:
    """The heaviest first; a kind of which there is none is left out."""
    made = [
        Group(level, title, meaning, [show(finding, whole_numbers) for finding in report.findings if _is(finding, level)])
        for level, title, meaning in GROUPS
    ]
    return [group for group in made if group.findings]


def _is(finding: Finding, level: str) -> bool:
    return finding.level == level and finding.code not in SUMS


def show(finding: Finding, whole_numbers: bool) -> Shown:
    examples = [shown(placed, whole_numbers) for placed in finding.examples]
    several = len({example["import"] for example in examples}) > 1
    return Shown(finding, examples, several)
