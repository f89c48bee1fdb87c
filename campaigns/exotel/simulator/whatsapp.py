"""Exotel's WhatsApp API, version 2: JSON requests of up to 100 messages, answered one by one in an envelope."""

import json
from typing import Any
from uuid import UUID

from campaigns.exotel.simulator import content, sms
from campaigns.exotel.simulator.accounts import Account
from campaigns.exotel.simulator.call import Call
from campaigns.exotel.simulator.content import Bad, text_of
from campaigns.exotel.simulator.desk import Desk, Plan, planned
from campaigns.exotel.simulator.errors import ERRORS, Refused
from campaigns.exotel.simulator.faults import NO_ANSWER
from campaigns.exotel.simulator.names import DELIVERED, SEEN, SENT
from campaigns.exotel.simulator.rows import Message
from campaigns.exotel.simulator.server import Reply

MOST = 100  # messages a request
NO_CHANNEL, BAD_REQUEST, NOT_FOUND, UNAUTHORIZED = 1001, 100, 404, 1010
STEPS = {SENT: (SENT,), DELIVERED: (SENT, DELIVERED), SEEN: (SENT, DELIVERED, SEEN)}
Given = dict[str, Any]


class Wrong(Exception):
    """The whole request is refused: HTTP status, code and sentence."""

    def __init__(self, status: int, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


class WhatsappApi:
    """Answers /v2/accounts/<sid>/messages and templates."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serve(self, asked: Call) -> Reply:
        """The answer. Raises Refused."""
        desk = self._desk
        sids = desk.accounts.known(asked.request.headers.get("authorization", ""))
        account = desk.enter(asked, asked.sid, sids)
        desk.throttle(asked, account)
        try:
            if asked.request.method == "GET" and asked.resource == "templates" and not asked.action:
                return self._templates(asked)
            if asked.resource != "messages" or asked.action or asked.request.method != "POST":
                raise Wrong(404, NOT_FOUND, "The requested resource is not found.")
            return NO_ANSWER if desk.struck(asked) else self._send(asked, account)
        except Wrong as wrong:
            return self._envelope(asked, wrong.status, _failure(wrong.status, wrong.code, wrong.sentence))

    def error(self, refused: Refused, asked: Call) -> Reply:
        status, text = ERRORS[refused.key]
        if refused.key == 40001:
            status = 402
        code = refused.key if isinstance(refused.key, int) and status != 401 else UNAUTHORIZED
        headers = () if refused.retry_after is None else (("Retry-After", str(refused.retry_after)),)
        failure = _failure(status, code, text.format(value=refused.value))
        return self._envelope(asked, status, failure, headers=headers)

    def _send(self, asked: Call, account: Account) -> Reply:
        whole, items = messages_of(asked.request.body)
        self._desk.refuse(asked, len(items))
        problems = [content.problem(item) for item in items]
        self._desk.charge(asked, account, problems.count(None))
        shown: list[Any] = [
            self._take(asked, account, item, whole) if bad is None else _failure(400, bad.code, bad.sentence)
            for item, bad in zip(items, problems, strict=True)
        ]
        if asked.fault:
            shown = asked.fault.rearranged(shown, self._desk.point(asked))
        total, good = len(items), problems.count(None)
        metadata = {"total": total, "success": good, "failed": total - good}
        return self._envelope(asked, 202, {"whatsapp": {"messages": shown}}, metadata)

    def _take(self, asked: Call, account: Account, item: Given, whole: Given) -> Given:
        desk, number, now = self._desk, self._desk.next_id(asked), self._desk.clock()
        to, told = text_of(item["to"]), whole | _told(item)
        ten, said = sms.number10(to) or to[-10:], json.dumps(item["content"], ensure_ascii=False, sort_keys=True)
        fate = desk.fate(asked, ten, said)
        message = Message(
            number, desk.last_id + 1, desk.ledger.sid(number), account.sid, to, ten, content.shown(item["content"]),
            text_of(item["from"]), text_of(item["content"]["type"]), "", "", told.get("custom_data", ""),
            told.get("status_callback", ""), now, now + fate.delay, desk.fates.outcome(ten, "whatsapp"), 1, "whatsapp", said,
        )  # fmt: skip
        desk.take(asked, message, _reports(message, fate), fate)
        code = int(desk.scenario.whatsapp_item_code)
        return {"code": code, "error_data": None, "status": "success", "data": {"sid": message.sid}}

    def _templates(self, asked: Call) -> Reply:
        if "waba_id=" not in asked.request.query:
            raise Wrong(400, BAD_REQUEST, "waba_id is mandatory.")
        response: Given = {"whatsapp": {"templates": []}}
        return self._envelope(asked, 200, response, {"total": 0, "success": 0, "failed": 0})

    def _envelope(
        self, asked: Call, status: int, response: Given, metadata: Given | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Reply:  # fmt: skip
        point = self._desk.fates.share(b"request", f"{asked.number}|{asked.request.path}")
        body = {
            "request_id": UUID(int=int(point * 2**53)).hex, "method": asked.request.method, "http_code": status,
            "metadata": metadata or {"total": 1, "success": 0, "failed": 1}, "response": response,
        }  # fmt: skip
        return Reply(status, json.dumps(body).encode(), "application/json", headers)


def messages_of(body: bytes) -> tuple[Given, list[Given]]:
    """What holds for all messages (custom_data, status_callback), and the messages. Raises Wrong."""
    given = _parsed(body)
    channel = given.get("whatsapp")
    if not isinstance(channel, dict):
        raise Wrong(400, NO_CHANNEL, "at least one channel is mandatory")
    items = channel.get("messages")
    if not isinstance(items, list) or not items:
        raise Wrong(400, BAD_REQUEST, "whatsapp.messages must be an array of 1 to 100 messages.")
    if len(items) > MOST:
        raise Wrong(400, BAD_REQUEST, f"Not more than {MOST} messages are allowed in one API request.")
    return _told(given) | _told(channel), items


def _parsed(body: bytes) -> Given:
    try:
        given = json.loads(body)
        if b"\\u" in body:  # an escaped half of a surrogate pair, which neither SQLite nor UTF-8 can hold
            given = json.loads(json.dumps(given, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Wrong(400, BAD_REQUEST, "The body is not valid JSON.") from None
    if not isinstance(given, dict):
        raise Wrong(400, BAD_REQUEST, "The body must be a JSON object.")
    return given


def _told(given: Given) -> dict[str, str]:
    """Where reports go and what comes back with them, of a level that says so."""
    return {name: text_of(given[name]) for name in ("custom_data", "status_callback") if given.get(name) not in (None, "")}


def _failure(status: int, code: int, sentence: str) -> Given:
    error = {"code": code, "description": sentence, "message": Bad.title(code)}
    return {"code": status, "error_data": error, "status": "failure", "data": None}


def _reports(message: Message, fate: Any) -> Plan:
    codes = STEPS.get(message.code, (message.code,))
    span = (message.due_at - message.accepted_at) / len(codes)
    return planned([(code, message.accepted_at + span * (i + 1)) for i, code in enumerate(codes)], fate, message.accepted_at)
