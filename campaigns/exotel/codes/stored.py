"""The code that stands on a message, and the row that explains it.

A message of an Exotel SMS carries the bare number, as operators know it from Exotel. Other families are told apart by a
prefix, because they use the same small numbers for other things.
"""

from campaigns.exotel.codes.table import Code, lookup

SMS = ("exotel", "sms", "status")
SMS_REQUEST = ("exotel", "sms", "request")
PREFIXES = {
    "wa": ("exotel", "whatsapp", "status"),
    "wa-request": ("exotel", "whatsapp", "request"),
    "geniq": ("geniq", "sms", "response"),
    "geniq-reason": ("geniq", "sms", "reason"),
}


def stored(prefix: str, code: str) -> str:
    """The code of a family as a message carries it; empty for none."""
    return f"{prefix}:{code}"[:32] if code else ""


def of_message(code: str) -> Code:
    """The row of a message's code: of its family; of an Exotel SMS its status, else a refused request."""
    prefix, _, bare = code.rpartition(":")
    if prefix in PREFIXES:
        return lookup(*PREFIXES[prefix], bare)
    row = lookup(*SMS, code)
    return row if row.known or not (request := lookup(*SMS_REQUEST, code)).known else request
