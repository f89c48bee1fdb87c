"""Exotel's SMS API, version 1: send, bulksend and details, in JSON and XML."""

import json
from typing import Any, NamedTuple

from campaigns.exotel.simulator import dlt, forms, links, sms, wire
from campaigns.exotel.simulator.accounts import TRIAL_MESSAGES, Account, listed
from campaigns.exotel.simulator.call import Call
from campaigns.exotel.simulator.desk import Desk, Plan, planned
from campaigns.exotel.simulator.errors import Refused
from campaigns.exotel.simulator.fates import Fate
from campaigns.exotel.simulator.faults import NO_ANSWER
from campaigns.exotel.simulator.forms import Form, Item
from campaigns.exotel.simulator.names import SUBMITTED
from campaigns.exotel.simulator.rows import Message
from campaigns.exotel.simulator.server import Reply, plain

MISSING_BODY, BAD_NUMBER, BAD_SENDER = "23000", "23010", "23072"
TOO_LONG = "23070"
PROMOTIONAL = "promotional"
NOTHING: dict[str, Any] = {}


class Text(NamedTuple):
    """What of an item decides its fate."""

    number10: str
    abroad: bool  # where DLT and India's hours are not known
    body: str  # with its links made short
    sender: str
    sms_type: str
    template: str
    extra: dict[str, Any]


class SmsApi:
    """Answers /v1/Accounts/<sid>/Sms."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def serve(self, asked: Call) -> Reply:
        """The answer. Raises Refused."""
        desk, request = self._desk, asked.request
        sids = desk.accounts.known(request.headers.get("authorization", ""))
        if asked.version != "v1":
            raise Refused("version", asked.version)
        if asked.accounts != "accounts":
            raise Refused("accounts")
        account = desk.enter(asked, asked.sid, sids)
        if asked.resource != "sms":
            raise Refused(34009)
        if not asked.action:
            raise Refused(40500)
        desk.throttle(asked, account)
        if request.method == "GET":
            return self._details(asked, account)
        if request.method != "POST" or asked.action not in {"send", "bulksend"} or asked.of:
            raise Refused(40502)
        return NO_ANSWER if desk.struck(asked) else self._send(asked, account)

    def error(self, refused: Refused, asked: Call) -> Reply:
        return wire.error(refused, asked.as_json, self._desk.scenario)

    def _details(self, asked: Call, account: Account) -> Reply:
        if asked.action != "messages" or not asked.of:
            raise Refused(40501)
        message = self._desk.ledger.find(account.sid, asked.of)
        if message is None or message.channel != "sms":
            if self._desk.scenario.unknown_sid == "404":
                raise Refused("unknown_sid")
            return plain(200, "No matching results")
        readings = self._desk.scenario
        sender = account.shown_sender(message.sender)
        shown = wire.details(message, sender, asked.as_json, self._desk.clock(), readings)
        shown = shown if readings.captured else wire.otherwise(shown, readings, message)
        return wire.answer(200, [shown], asked.as_json, bare=True)

    def _send(self, asked: Call, account: Account) -> Reply:
        readings, request = self._desk.scenario, asked.request
        content_type = request.headers.get("content-type", "")
        form = forms.read(asked.action == "bulksend", request.body, request.query, readings.last_to_wins, content_type)
        self._desk.refuse(asked, len(form.items))
        forms.check(form, readings.require_from, account.international)
        self._look_up_types(form)
        _check_senders(account, form)
        taken = [not _problem(account, item) for item in form.items]
        self._check_trial(account, form, sum(taken))
        self._desk.charge(asked, account, sum(taken))
        now = self._desk.clock()
        shown: list[Any] = [
            self._take(asked, account, form, item, now) if good else _not_taken(account, item)
            for item, good in zip(form.items, taken, strict=True)
        ]
        if not readings.captured:
            messages = iter(asked.messages)
            shown = [wire.otherwise(one, readings, next(messages) if one["Sid"] else None) for one in shown]
        if asked.fault:
            shown = asked.fault.rearranged(shown, self._desk.point(asked))
        return wire.answer(200 if all(taken) else 207, shown, asked.as_json, form.bare)

    def _look_up_types(self, form: Form) -> None:
        """One reading: without SmsType, a text that is no registered template is promotional."""
        if self._desk.scenario.untyped_sms == "taken":
            return
        for item in form.items:
            if not form.of(item, "SmsType"):
                body, known = item.get("Body", ""), self._desk.templates.values()
                fits = next((one for one in known if sms.is_template(body, one.parts)), None)
                item["SmsType"] = _type_of(fits) if fits else PROMOTIONAL

    def _check_trial(self, account: Account, form: Form, messages: int) -> None:
        """Raise Refused for what a trial account may not do."""
        if not account.trial:
            return
        if any(form.of(item, "SmsType") == PROMOTIONAL for item in form.items):
            raise Refused(40000)
        allowed = {sms.subscriber(number) for number in listed(account.whitelist)}
        if not account.kyc and not {sms.subscriber(item.get("To", "")) for item in form.items} <= allowed:
            raise Refused(340030)
        if self._desk.ledger.tally.messages[account.sid] + messages > TRIAL_MESSAGES:
            raise Refused(40404)

    def _take(self, asked: Call, account: Account, form: Form, item: Item, now: float) -> wire.Shown:
        desk, outer = self._desk, form.outer
        text, number = self._read(form, item), desk.next_id(asked)
        fate = desk.fate(asked, text.number10, text.body)
        held = text.sms_type == PROMOTIONAL and not text.abroad
        opens = dlt.opening(now, *desk.scenario.promotional_hours) if held else now
        if opens > now:
            fate = fate._replace(early=False)
        message = Message(
            number, desk.last_id + 1, desk.ledger.sid(number), account.sid, item["To"], text.number10, text.body,
            text.sender, text.sms_type, outer.get("DltEntityId", ""), text.template, outer.get("CustomField", ""),
            outer.get("StatusCallback", ""), now, opens + fate.delay, self._outcome(account, form, text),
            sms.units(text.body, outer.get("EncodingType", "")), "sms", json.dumps(text.extra) if text.extra else "",
        )  # fmt: skip
        desk.take(asked, message, _reports(message, fate), fate)
        if text.extra.get("links") and (clicks := links.clicks(message, text.extra, desk.fates)):
            desk.report(asked, message, clicks, fate, text.extra["click_url"])
        return wire.accepted(message, account.shown_sender(message.sender), asked.as_json)

    def _read(self, form: Form, item: Item) -> Text:
        ten, body, extra = sms.subscriber(item["To"]), item["Body"], NOTHING
        if form.outer.get("ShortenUrl", "").lower() == "true":
            domain, fates = form.outer.get("ShortenUrlParams[CustomDomain]", ""), self._desk.fates
            short, found = links.shortened(body, domain, lambda nth: links.key(fates, f"{ten}|{body}|{nth}"))
            body, extra = short, links.wanted(form.outer, found) if found else NOTHING
        if form.outer.get("StatusCallbackContentType", "").lower().startswith("application/json"):
            extra = extra | {"json": True}
        sender, sms_type, template = (form.of(item, name) for name in ("From", "SmsType", "DltTemplateId"))
        return Text(ten, sms.foreign(item["To"]), body, sender, sms_type, template, extra)

    def _outcome(self, account: Account, form: Form, text: Text) -> str:
        fates, registered = self._desk.fates, self._desk.templates
        header = account.sending_header(text.sender) if account.headers or account.scrubbing else ""
        if account.scrubbing and not text.abroad:
            if text.extra.get("header", "") not in {"", header}:
                return dlt.BLOCKED_HEADER
            entity, second = form.outer.get("DltEntityId", ""), self._second(text.number10)
            seen = dlt.Sent(text.body, entity, text.template, header, text.sms_type, second)
            return dlt.scrub(seen, registered) or fates.outcome(text.number10)
        template = None if text.abroad else registered.get(text.template)
        if template is not None and not sms.is_template(text.body, template.parts):
            return dlt.NOT_THE_TEXT[self._second(text.number10)]
        if not account.may_use(header):
            return BAD_SENDER
        return TOO_LONG if len(text.body) > dlt.LONGEST_BODY else fates.outcome(text.number10)

    def _second(self, ten: str) -> bool:
        """Which of two codes for one thing is reported depends on the operator, that is on the number."""
        return self._desk.fates.share(b"operator", ten) < 0.5


def _reports(message: Message, fate: Fate) -> Plan:
    steps = [(message.code, message.due_at)]
    if fate.intermediate and not fate.early:
        steps = [(SUBMITTED, (message.accepted_at + message.due_at) / 2), *steps]
    return planned(steps, fate, message.accepted_at)


def _type_of(template: dlt.Template) -> str:
    return next((kind for kind, categories in dlt.FITTING.items() if template.category in categories), "transactional")


def _check_senders(account: Account, form: Form) -> None:
    """Raise Refused when the account has no sender for what is to be sent."""
    if not account.headers:
        return
    promotional = [form.of(item, "SmsType") == PROMOTIONAL for item in form.items]
    if any(promotional) and not account.international and not account.has_promotional_header():
        raise Refused(40300)
    senders = {account.sending_header(form.of(item, "From")) for item in form.items}
    if account.international and not all(promotional) and not all(map(account.may_use, senders)):
        raise Refused(40301)


def _problem(account: Account, item: Item) -> str:
    """The detailed status code of an item that cannot be taken, else empty."""
    if not item.get("Body"):
        return MISSING_BODY
    return "" if sms.reachable(item.get("To", ""), account.international) else BAD_NUMBER


def _not_taken(account: Account, item: Item) -> wire.Shown:
    return wire.refused(account.sid, sms.shown(item.get("To", "")), item.get("Body", ""), _problem(account, item))
