"""Every status and error code as data: CSV rows beside this file, keyed (provider, channel, namespace, code).

The same number means different things in different namespaces, so nothing is ever looked up by number alone. A code that
is not in the files is a value, not an error: it is kept as received and takes its state from the status word beside it.
What an administrator corrects or adds is laid over the rows (see overlay); the files stay as shipped.
"""

from campaigns.exotel.codes.overlay import Correction, set_overlay
from campaigns.exotel.codes.rows import Code
from campaigns.exotel.codes.table import every, failure_class, lookup, state_of_whatsapp_word, state_of_word
from campaigns.exotel.codes.words import FAILURE_CLASSES, GENERIC_CODES, SMS_STATUS_WORDS, WHATSAPP_STATUS_WORDS

__all__ = [
    "FAILURE_CLASSES",
    "GENERIC_CODES",
    "SMS_STATUS_WORDS",
    "WHATSAPP_STATUS_WORDS",
    "Code",
    "Correction",
    "every",
    "failure_class",
    "lookup",
    "set_overlay",
    "state_of_whatsapp_word",
    "state_of_word",
]
