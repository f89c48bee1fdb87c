"""The rows of the ledger."""

from typing import NamedTuple


class Request(NamedTuple):
    id: int
    number: int  # of send requests alone, which faults count by; 0 for others
    at: float
    account: str
    method: str
    path: str
    messages: int  # accepted
    http_status: int  # 0 when it never got an answer
    fault: str


class Message(NamedTuple):
    id: int
    request_id: int
    sid: str
    account: str
    to: str  # as received
    number10: str
    body: str
    sender: str
    sms_type: str
    dlt_entity_id: str
    dlt_template_id: str
    custom_field: str
    status_callback: str
    accepted_at: float
    due_at: float  # when it reaches its outcome
    code: str  # the outcome
    units: int
    channel: str = "sms"  # or whatsapp, geniq
    extra: str = ""  # JSON of what few messages have: links, the content of a WhatsApp message


class Callback(NamedTuple):
    """``code`` is a message's state, or ``click:<link>:<clicks so far>``.

    ``state`` is waiting, acknowledged, failed (given up), lost (never sent) or refused (its host is not allowed).
    """

    id: int
    message_id: int
    code: str
    due_at: float
    state: str
    tries: int = 0
    http_status: int | None = None  # of the last try; 0 when there was no answer
    sent_at: float | None = None


def part_id(sid: str, part: int) -> str:
    """GENIQ counts the parts of a long message one by one: the id of the nth from 0."""
    return f"{sid}{part:02d}" if part else sid
