"""The small vocabularies of the code tables."""

STATES = frozenset({"queued", "sending", "submitted", "at_operator", "failed", "delivered", "read", ""})
ACTORS = frozenset({"operator", "dlt_admin", "list_owner", "provider", "nobody"})
EFFECTS = frozenset({"stop_account", "stop_campaign", "split", "throttle", "unknown", ""})
CHARGES = frozenset({"yes", "no", "unknown"})
FAILURE_CLASSES = ("list", "dlt", "network", "provider", "content", "unknown")

# The wire's status words (documents S001 and S003). "sent" is said of messages that reached the handset and of those that
# reached only the operator; without a code the honest reading is the lesser one.
SMS_STATUS_WORDS = {
    "queued": "queued",
    "sending": "sending",
    "submitted": "submitted",
    "sent": "at_operator",
    "delivered": "delivered",
    "failed": "failed",
    "failed-dnd": "failed",
    "undelivered": "failed",
    "expired": "failed",
}
# Codes that say little: of two failures of one message a specific one is shown rather than these.
GENERIC_CODES = frozenset({"23060", "24010", "24990"})
# The lifecycle words of WhatsApp (document S002), and "seen" of S000. "sent" is no more than handed over.
WHATSAPP_STATUS_WORDS = {
    "accepted": "queued",
    "queued": "queued",
    "sent": "submitted",
    "delivered": "delivered",
    "read": "read",
    "seen": "read",
    "failed": "failed",
}
