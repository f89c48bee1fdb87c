"""The total order over status reports: a message's delivery is the maximum over all it ever received.

Because the order is total and depends on nothing but the report itself, any order, repetition or split of the same reports
ends in the same place.
"""

from datetime import datetime
from functools import lru_cache

from campaigns.exotel.codes import GENERIC_CODES
from campaigns.exotel.reports import DeliveryReport
from campaigns.models.states import RANK


def standing(report: DeliveryReport) -> int:
    """The report's place in the order, a positive 63-bit number; 0 when it says nothing about delivery.

    From the highest digit: what it proves (1), a specific code before a generic one (1), its DateSent in seconds (10),
    its code (6). So of two failures the one that says why wins, then the later one.
    """
    return _standing(report.state, report.code, report.date_sent)


@lru_cache(4096)  # reports of one moment come together
def _standing(state: str, code: str, date_sent: datetime | None) -> int:
    rank = RANK.get(state, 0)
    if not rank:
        return 0
    specific = int(bool(code) and code not in GENERIC_CODES)
    sent = int(date_sent.timestamp()) if date_sent else 0
    sent = min(max(sent, 0), 9_999_999_999)
    number = int(code) % 1_000_000 if code.isascii() and code.isdigit() else 0
    return ((rank * 10 + specific) * 10_000_000_000 + sent) * 1_000_000 + number
