"""Answers that are no success, and no answers: what they mean for a whole batch, whichever API gave them."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from campaigns.exotel.codes import Code, lookup
from campaigns.exotel.errors import ExotelError, NotSent
from campaigns.exotel.line import Answer
from campaigns.sending.outcomes.kinds import UNSETTLED, ItemResult, Kind, Outcome, alike

SHORTEST_WAIT, LONGEST_WAIT = 1.0, 900.0  # seconds
THROTTLES_503 = frozenset({"40405", "35006"})
REFUSALS = frozenset({401, 402, 403, 404, 405, *range(300, 400)})
OF_400 = {"stop_account": "stop_account", "stop_campaign": "stop_campaign", "throttle": "throttled"}
REDIRECTED = (
    "The account's Exotel address leads on to another one, which is not followed because it would be given the credentials. "
    "Nothing was sent. Correct the Exotel address on the account's page, then press Resume."
)


def unanswered(error: ExotelError, size: int) -> Outcome:
    """No answer: nothing was sent, or nobody knows."""
    kind = "not_sent" if isinstance(error, NotSent) else "unknown"
    return Outcome(kind, alike(size, kind), reason=error.reason)


def refused(answer: Answer, app_code: str, code: Code, size: int) -> Outcome:
    """An answer that is no success; ``code`` is the row of its ``app_code``, known or not."""
    kind, reason = _kind(answer.status, app_code, code), _sentence(answer.status, app_code, code)
    if kind == "split" and size == 1:
        rejected = [ItemResult(0, Kind.REJECTED, code=app_code or str(answer.status))]
        return Outcome("answered", rejected, answer.status, app_code, reason=reason)
    wait = retry_after(answer.headers.get("retry-after", "")) if kind == "throttled" else None
    return Outcome(kind, alike(size, kind), answer.status, app_code, wait, reason)


def _kind(status: int, app_code: str, code: Code) -> str:
    if code.effect == "unknown":
        return "unknown"
    if status == 400:
        return OF_400.get(code.effect, "split")
    if status == 429:
        return code.effect if code.effect in {"stop_account", "stop_campaign"} else "throttled"
    if status in REFUSALS:
        return "stop_campaign" if code.effect == "stop_campaign" else "stop_account"
    return "throttled" if status == 503 and app_code in THROTTLES_503 else "unknown"


def _sentence(status: int, app_code: str, code: Code) -> str:
    """What happened and what to do, from the row of the code, else of the HTTP status, else in general."""
    row = code if code.known else lookup("exotel", "any", "http", status)
    if not row.known:
        return f"HTTP {status}: {REDIRECTED if status in REFUSALS else UNSETTLED}"
    name = code.code if code.known else f"HTTP {status}" + (f", code {app_code}" if app_code else "")
    return f"{row.title} ({name}): {row.meaning} {row.remedy}"


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Seconds asked for by a Retry-After header, clamped; None when it is absent or says nothing usable."""
    value = value.strip()
    try:
        if value.replace(".", "", 1).isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)
