"""Answers of the WhatsApp API: items in the order of the request, which is all that says whose they are."""

from collections.abc import Sequence

from campaigns.exotel.codes import lookup
from campaigns.exotel.codes.stored import stored
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.line import Answer
from campaigns.exotel.whatsapp_reports import Result, error_code, results
from campaigns.sending.outcomes.kinds import ItemResult, Kind, Outcome, alike, answered
from campaigns.sending.outcomes.refusals import refused, unanswered

FAILED = frozenset({"failure", "failed", "error"})


def classify(result: Answer | ExotelError, numbers: Sequence[str]) -> Outcome:
    """The outcome for a batch of messages, one for each number, in the request's order."""
    if isinstance(result, ExotelError):
        return unanswered(result, len(numbers))
    if not 200 <= result.status < 300:
        code = error_code(result.body)
        return refused(result, code, lookup("exotel", "whatsapp", "request", code), len(numbers))
    found = results(result.body) or []
    strays = [{"sid": item.sid, "status": item.word, "code": item.code} for item in found]
    if len(found) != len(numbers):
        return answered(alike(len(numbers), "unknown"), result.status, strays)
    sids = [item.sid for item in found if item.sid]
    return answered([_item(i, item, sids) for i, item in enumerate(found)], result.status)


def _item(index: int, item: Result, sids: Sequence[str]) -> ItemResult:
    if item.sid and sids.count(item.sid) == 1:
        return ItemResult(index, Kind.ACCEPTED, item.sid)
    if item.sid is None and item.word in FAILED:
        return ItemResult(index, Kind.REJECTED, code=stored("wa", item.code or "failed"))
    return ItemResult(index, Kind.UNCONFIRMED)
