"""The names of codes as each channel writes them."""

from functools import lru_cache

from campaigns.exotel.codes import lookup
from campaigns.exotel.simulator.readings import Readings

QUEUED, SENDING, SUBMITTED = "21010", "21015", "21020"
NO_CONSENT, SCRUBBED = "23084", "23083"
WORDS = {
    QUEUED: "queued",
    SENDING: "sending",
    SUBMITTED: "submitted",
    "20005": "sent",
    "20006": "sent",
    "23005": "failed-dnd",
}
SENT, DELIVERED, SEEN = "30001", "30002", "30003"
# The legacy names, which the observed callbacks carry. From 30001 on, without a gap.
WHATSAPP = (
    "SENT DELIVERED SEEN", "SYSTEM_ERROR NUMBER_ERROR SETUP_ERROR RATE_LIMIT_HIT SPAM_RATE_LIMIT_HIT TOO_MANY_REQUEST",
    "INVALID_REQUEST UNKNOWN_ERROR INVALID_RECIPIENT INCAPABLE_RECIPIENT RECIPIENT_BLOCKED UNSUPPORTED_MESSAGE",
    "MEDIA_DOWNLOAD_ERROR MEDIA_UPLOAD_ERROR REENGAGEMENT_ERROR INVALID_PARAM MISSING_PARAM INVALID_PARAM_VALUE",
    "TEMPLATE_ERROR TEMPLATE_PARAM_ERROR TEMPLATE_NOT_FOUND TEMPLATE_TEXT_TOO_LONG INVALID_TEMPLATE_NAMESPACE",
    "MESSAGE_PENDING_TOO_LONG MESSAGE_EXPIRED MESSAGE_TOO_LONG WEBHOOK_ERROR SECTION_COUNT_ERROR ROWS_COUNT_ERROR",
    "PRODUCT_COUNT_ERROR CATALOGUE_NOT_FOUND CATALOGUE_NOT_LINKED MISSING_PRODUCT PRODUCT_NOT_FOUND",
    "PRODUCT_COMPLIANCE_ERROR INVALID_HEADER MISSING_COMPLIANCE CHAR_POLICY_VIOLATION",
)  # fmt: skip
WHATSAPP_NAMES = {
    str(30001 + i): f"EX_{'MESSAGE_' if i < 3 else ''}{name}" for i, name in enumerate(" ".join(WHATSAPP).split())
}
WHATSAPP_WORDS = {SENT: "sent", DELIVERED: "delivered", SEEN: "seen"}


def word(code: str) -> str:
    """The Status that goes with the detailed status code of an SMS."""
    return WORDS.get(code, "failed")


@lru_cache(maxsize=4096)
def name(code: str) -> str:
    """The DetailedStatus; of a code that no document has, something that says so."""
    return lookup("exotel", "sms", "status", code).name or f"UNDOCUMENTED_{code}"


def told(code: str, readings: Readings) -> tuple[str, str, str]:
    """Status, DetailedStatus and code of an SMS as the chosen reading has them."""
    status = readings.dnd_word if code == "23005" else word(code)
    if code == NO_CONSENT and readings.consent == SCRUBBED:
        return status, "FAILED_DLT_CONSENT", SCRUBBED
    return status, name(code), code


def whatsapp(code: str) -> str:
    return code if code.startswith("EX_") else WHATSAPP_NAMES.get(code, f"EX_UNDOCUMENTED_{code}")


def number(code: str) -> int | None:
    """The number of a WhatsApp state; some were seen by name alone."""
    return int(code) if code.isdecimal() else None


def in_channel(channel: str, code: str) -> tuple[str, str]:
    """Status and name of a code for people, whatever the channel."""
    if channel == "whatsapp":
        return WHATSAPP_WORDS.get(code, "failed"), whatsapp(code)
    if channel == "geniq":
        return code.partition(":")[0], code
    return word(code), name(code)
