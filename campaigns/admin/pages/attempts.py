"""The requests that carried a campaign, as they went: nothing secret was ever stored of them."""

from dataclasses import dataclass

from campaigns.admin.words import span
from campaigns.models import Attempt, Campaign
from campaigns.models.states import AttemptPhase

SHOWN = 20
# Outcome.kind: the class of its colour and its word.
OUTCOMES = {
    "answered": ("delivered", "Answered"),
    "split": ("warning", "Sent again in halves"),
    "throttled": ("warning", "Not sent: slower"),
    "not_sent": ("warning", "Not sent"),
    "stop_account": ("failed", "Not sent: account stopped"),
    "stop_campaign": ("failed", "Not sent: campaign stopped"),
    "unknown": ("unconfirmed", "Unknown"),
}


@dataclass(frozen=True)
class AttemptRow:
    row: Attempt
    key: str
    word: str
    took: str


def last_attempts(campaign: Campaign) -> list[AttemptRow]:
    attempts = Attempt.objects.filter(campaign=campaign).order_by("-started_at")[:SHOWN]
    return [_row(attempt) for attempt in attempts]


def _row(attempt: Attempt) -> AttemptRow:
    key, word = OUTCOMES.get(attempt.outcome, ("awaiting", AttemptPhase(attempt.phase).label))
    if attempt.phase == AttemptPhase.UNKNOWN:
        key, word = OUTCOMES["unknown"]
    if not attempt.finished_at:
        return AttemptRow(attempt, key, word, "–")
    seconds = (attempt.finished_at - attempt.started_at).total_seconds()
    took = f"{seconds * 1000:.0f} ms" if seconds < 1 else span(attempt.finished_at - attempt.started_at)
    return AttemptRow(attempt, key, word, took)
