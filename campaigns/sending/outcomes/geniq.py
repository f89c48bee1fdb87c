"""GENIQ's answers: one responseCode for the request, and for several numbers a message id each."""

from collections.abc import Sequence

from campaigns.exotel.codes import Code, lookup
from campaigns.exotel.codes.stored import stored
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.geniq import TOKEN_REFUSED, recipients, response_code
from campaigns.exotel.line import Answer
from campaigns.sending.outcomes.kinds import ItemResult, Kind, Outcome, alike, answered
from campaigns.sending.outcomes.refusals import refused, unanswered

SUCCESS = "0"
KINDS = {"throttle": "throttled", "stop_account": "stop_account", "stop_campaign": "stop_campaign", "split": "split"}


def classify(result: Answer | ExotelError, numbers: Sequence[str]) -> Outcome:
    """The outcome for a batch whose messages went to these last-ten-digit numbers, all different.

    GENIQ's code decides, with whatever HTTP status it comes.
    """
    if isinstance(result, ExotelError):
        return unanswered(result, len(numbers))
    code = response_code(result)
    if code == SUCCESS and 200 <= result.status < 300:
        return answered(_items(result, numbers), result.status)
    if code in TOKEN_REFUSED:
        reason = "GENIQ's access token had run out. Nothing was sent; it goes on with a new one by itself."
        return Outcome("not_sent", alike(len(numbers), "not_sent"), result.status, code, reason=reason)
    row = lookup("geniq", "sms", "response", code)
    if not row.known:
        return refused(result, code, row, len(numbers))
    return _refused(result, code, row, len(numbers))


def _refused(result: Answer, code: str, row: Code, size: int) -> Outcome:
    kind, reason = KINDS.get(row.effect, "unknown"), f"{row.title} (GENIQ {code}): {row.meaning} {row.remedy}"
    if kind == "split" and size == 1:
        return Outcome(
            "answered", [ItemResult(0, Kind.REJECTED, code=stored("geniq", code))], result.status, code, reason=reason
        )
    return Outcome(kind, alike(size, kind), result.status, code, reason=reason)


def _items(result: Answer, numbers: Sequence[str]) -> list[ItemResult]:
    ids = dict(recipients(result))
    if len(numbers) == 1 and "" in ids:
        ids[numbers[0]] = ids[""]
    taken = [ids.get(number) for number in numbers]
    return [
        ItemResult(i, Kind.ACCEPTED, found) if found and taken.count(found) == 1 else ItemResult(i, Kind.UNCONFIRMED)
        for i, found in enumerate(taken)
    ]
