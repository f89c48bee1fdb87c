"""Files of recipients on their way in: received, mapped, read row by row, and the refused rows given back."""

from campaigns.audience import behind
from campaigns.audience.discarding import discard
from campaigns.audience.faults import Unusable
from campaigns.audience.importing import restart, run, start
from campaigns.audience.mapping import guess_mapping
from campaigns.audience.receiving import receive, receive_rows
from campaigns.audience.refused import errors_csv

__all__ = [
    "Unusable",
    "behind",
    "discard",
    "errors_csv",
    "guess_mapping",
    "receive",
    "receive_rows",
    "restart",
    "run",
    "start",
]
