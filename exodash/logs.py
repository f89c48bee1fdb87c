"""Keeps phone numbers, tokens and credentials out of every log line."""

import logging
import re

NUMBER = re.compile(r"(?<![0-9a-fA-F-])\+?(?:91|0)?[6-9]\d{7}(\d{2})(?![0-9a-fA-F-])")
CALLBACK_TOKEN = re.compile(r"(/callbacks/v1/[^/\s]+/)\S+")
SIGNING_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
CREDENTIAL = re.compile(
    r"(?i)((?:authorization|api[_-]?key|api[_-]?token|password|secret)\S*\s*[:=]\s*)(?:(?:basic|token)\s+)?\S+"
)


def redact(text: str) -> str:
    text = CALLBACK_TOKEN.sub(r"\1-", text)
    text = SIGNING_SECRET.sub("whsec_***", text)
    text = CREDENTIAL.sub(r"\1***", text)
    return NUMBER.sub(r"********\1", text)


class Redact(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True
