"""What operators hold an SMS against: the templates registered with them (DLT), and the hours for promotional messages."""

from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from campaigns.exotel.simulator import sms

IST = 19_800  # seconds ahead of UTC
DAY, HOUR = 86_400, 3_600
LONGEST_BODY = 2000  # characters
STATES = ("active", "inactive", "blacklisted", "blocked")
FITTING = {  # SmsType: categories of templates
    "transactional": {"transactional", "service_implicit"},
    "transactional_opt_in": {"service_explicit"},
    "promotional": {"promotional"},
}
CATEGORIES = ("", "transactional", "service_implicit", "service_explicit", "promotional")
# What one operator reports and what another does.
NOT_THE_TEXT, INVALID_ID, TOO_LONG = ("23185", "23082"), ("23181", "23182"), ("23186", "23185")
UNKNOWN_ENTITY = ("23281", "23081")
BLOCKED_HEADER, BLOCKED_ENTITY, BLOCKED_TEMPLATE, SCRUBBED, NO_CONSENT = "23080", "23081", "23082", "23083", "23084"
NOT_FOUND, INACTIVE, BLACKLISTED = "23182", "23183", "23184"


@dataclass(frozen=True, slots=True)
class Template:
    id: str
    body: str
    entity: str = ""  # empty allows every one, as does no header and no category
    headers: tuple[str, ...] = ()
    category: str = ""
    state: str = "active"
    consent: bool = True  # whether the people written to have consented, where the category asks for it

    @property
    def parts(self) -> tuple[str, ...]:
        return _parts(self.body)


_parts = lru_cache(maxsize=4096)(sms.fixed_parts)


@dataclass(frozen=True, slots=True)
class Sent:
    """What an operator sees of a message."""

    body: str
    entity: str
    template: str
    header: str
    sms_type: str
    second: bool  # the operator that reports the other code of a pair


def scrub(sent: Sent, registered: dict[str, Template]) -> str:
    """The detailed status code in which a message ends that may not pass, else empty."""
    if not sent.entity:
        return BLOCKED_ENTITY
    if not sent.template:
        return BLOCKED_TEMPLATE
    if not (sent.template.isascii() and sent.template.isdigit()):
        return INVALID_ID[sent.second]
    template = registered.get(sent.template)
    if template is None:
        known = any(one.entity in {"", sent.entity} for one in registered.values())
        return NOT_FOUND if known else UNKNOWN_ENTITY[sent.second]
    return _against(sent, template)


def _against(sent: Sent, template: Template) -> str:
    if template.entity and template.entity != sent.entity:
        return BLOCKED_ENTITY
    if template.state != "active":
        return {"inactive": INACTIVE, "blacklisted": BLACKLISTED, "blocked": SCRUBBED}[template.state]
    if template.headers and sent.header not in template.headers:
        return BLOCKED_HEADER
    if len(sent.body) > LONGEST_BODY:
        return TOO_LONG[sent.second]
    if not sms.is_template(sent.body, template.parts):
        return NOT_THE_TEXT[sent.second]
    if sent.sms_type and template.category and template.category not in FITTING[sent.sms_type]:
        return SCRUBBED
    return "" if template.consent else NO_CONSENT


def opening(at: float, opens: float, closes: float) -> float:
    """When a promotional message may go out: at once within the hours, else when they next begin."""
    local = (at + IST) % DAY
    return at if opens * HOUR <= local < closes * HOUR else at + (opens * HOUR - local) % DAY


def template(template_id: str, given: dict[str, Any]) -> Template:
    """A template made from JSON, where ``header`` is short for one of ``headers``; ValueError says what is wrong."""
    body = given.get("body")
    if not template_id or not isinstance(body, str) or not body:
        raise ValueError("A template needs its DLT id in the address and a text in body.")
    changes = {"body": body} | {name: value for name, value in given.items() if name != "header"}
    if "header" in given:
        changes["headers"] = given["header"] if isinstance(given["header"], list) else [given["header"]]
    if unknown := set(changes) - {item.name for item in fields(Template)} | set(changes) & {"id"}:
        raise ValueError(f"A template has no field {sorted(unknown)[0]}.")
    headers = changes.get("headers", [])
    if not isinstance(headers, list) or not all(isinstance(header, str) for header in headers):
        raise ValueError("headers must be a list of texts.")
    _check_words(changes)
    return replace(Template(template_id, body), **changes | {"headers": tuple(headers)})


def _check_words(changes: dict[str, Any]) -> None:
    if not isinstance(changes.get("entity", ""), str) or not isinstance(changes.get("consent", True), bool):
        raise ValueError("entity must be a text and consent true or false.")
    for name, legal in (("category", CATEGORIES), ("state", STATES)):
        if changes.get(name, legal[0]) not in legal:
            raise ValueError(f"{name} must be one of {', '.join(filter(None, legal))}.")
