"""What became of the rows of a file, in words with the code behind them."""

from dataclasses import dataclass

from campaigns.admin import outcomes
from campaigns.admin.outcomes import Segment
from campaigns.admin.words import count
from campaigns.models import Import
from campaigns.text.cost import cost, indian, rupees

DUPLICATE = "DUPLICATE_ENTRY"
RECENT = "RECENTLY_MESSAGED"
WORDS = {
    "INVALID_PHONE": "without a usable number",
    "MISSING_REQUIRED": "with an empty value",
    "INVALID_FORMAT": "in a wrong form",
    "QUOTA_EXCEEDED": "over the limit",
    "INVALID_EMAIL": "with a wrong e-mail address",
}


@dataclass(frozen=True)
class Reason:
    count: int
    words: str
    code: str


@dataclass(frozen=True)
class Line:
    count: int
    what: str
    why: str = ""
    reasons: tuple[Reason, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Summary:
    lines: list[Line]
    segments: list[Segment]
    label: str


def summary(source: Import) -> Summary:
    unusable = source.rejected - source.duplicates
    price = rupees(cost(source.units, source.campaign.rate))
    lines = [Line(source.accepted, "ready to send", f"one message each, {count(source.units, 'unit')}, about {price}")]
    if unusable:
        lines.append(Line(unusable, "not usable", reasons=_reasons(source.errors)))
    if source.duplicates:
        why = "the same number stands further up, and the first row counts"
        lines.append(Line(source.duplicates, "repeated", why, code=DUPLICATE))
    if source.suppressed > source.recent:
        barred = source.suppressed - source.recent
        lines.append(Line(barred, "suppressed", "opted out, or blocked by their number: see Suppression"))
    if source.recent:
        span = count(source.terms.get("recent_days", 0), "day")
        why = f"got a message from {source.campaign.account.name} in the last {span}"
        lines.append(Line(source.recent, "left out", why, code=RECENT))
    parts = [
        (outcomes.DELIVERED, source.accepted),
        (outcomes.FAILED, unusable),
        (outcomes.DND, source.duplicates),
        (outcomes.AWAITING, source.suppressed),
    ]
    words = ", ".join(f"{indian(line.count)} {line.what}" for line in lines)
    return Summary(lines, outcomes.segments(parts, source.rows), f"{indian(source.rows)} rows: {words}")


def _reasons(errors: dict[str, int]) -> tuple[Reason, ...]:
    rows = [Reason(n, WORDS.get(code, "refused"), code) for code, n in errors.items() if code != DUPLICATE and n]
    return tuple(sorted(rows, key=lambda reason: -reason.count))
