"""What a WhatsApp message may hold: each kind of content looked at as far as the provider looks before it takes it."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from campaigns.exotel.codes import lookup
from campaigns.exotel.simulator import sms

# S002's numbers: no capture shows those of an item that is not taken.
BAD_VALUE, MISSING, NUMBER, UNSUPPORTED, BAD_LINK = 100, 101, 102, 104, 105
LONGEST_TEXT = 4096
MOST_BUTTONS, MOST_ROWS = 3, 10
Given = dict[str, Any]


class Bad(NamedTuple):
    """Why an item is not taken."""

    code: int
    sentence: str

    @staticmethod
    def title(code: int) -> str:
        return lookup("exotel", "whatsapp", "request", code).name or "REQUEST_REFUSED"


def text_of(value: Any) -> str:
    """A value as text: numbers as they are written, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def problem(item: Any) -> Bad | None:
    """What is wrong with one message, the first thing only."""
    if not isinstance(item, dict):
        return Bad(BAD_VALUE, "A message must be an object.")
    for name in ("from", "to", "content"):
        if not item.get(name):
            return Bad(MISSING, f"{name} is mandatory.")
    to = text_of(item["to"])
    if not (sms.number10(to) or sms.foreign(to)):
        return Bad(NUMBER, "to is not a phone number.")
    return _of_content(item["content"])


def _of_content(content: Any) -> Bad | None:
    if not isinstance(content, dict):
        return Bad(BAD_VALUE, "content must be an object.")
    kind = content.get("type")
    if not isinstance(kind, str) or not kind:
        return Bad(MISSING, "content.type is mandatory.")
    if kind not in CHECKS:
        return Bad(UNSUPPORTED, f"content.type {kind[:50]} is not supported.")
    held = content.get(kind)
    if held is None or held in ({}, [], ""):
        return Bad(MISSING, f"content.{kind} is mandatory.")
    if not isinstance(held, list if kind == "contacts" else dict):
        return Bad(BAD_VALUE, f"content.{kind} has the wrong type.")
    return CHECKS[kind](held)


def _text(held: Given) -> Bad | None:
    body = held.get("body")
    if not isinstance(body, str) or not body:
        return Bad(MISSING, "text.body is mandatory.")
    return Bad(BAD_VALUE, f"text.body has more than {LONGEST_TEXT} characters.") if len(body) > LONGEST_TEXT else None


def _media(held: Given) -> Bad | None:
    link = held.get("link")
    if not isinstance(link, str) or not link:
        return None if held.get("id") else Bad(MISSING, "A link is mandatory.")
    return None if link.lower().startswith(("http://", "https://")) else Bad(BAD_LINK, "link must be a URL.")


def _location(held: Given) -> Bad | None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        try:
            good = abs(float(held[name])) <= most
        except KeyError:
            return Bad(MISSING, f"location.{name} is mandatory.")
        except (TypeError, ValueError, OverflowError):
            good = False
        if not good:
            return Bad(BAD_VALUE, f"location.{name} is out of range.")
    return None


def _contacts(held: list[Any]) -> Bad | None:
    good = all(isinstance(one, dict) and one.get("name") for one in held)
    return None if good else Bad(MISSING, "Each contact needs a name.")


def _interactive(held: Given) -> Bad | None:
    action = held.get("action")
    if not isinstance(held.get("type"), str) or not isinstance(action, dict):
        return Bad(MISSING, "interactive needs a type and an action.")
    buttons, sections = action.get("buttons"), action.get("sections")
    if isinstance(buttons, list) and len(buttons) > MOST_BUTTONS:
        return Bad(BAD_VALUE, f"Not more than {MOST_BUTTONS} buttons are allowed.")
    if held["type"] == "list" and not isinstance(sections, list):
        return Bad(MISSING, "A list needs sections.")
    rows = [section.get("rows") for section in sections if isinstance(section, dict)] if isinstance(sections, list) else []
    many = sum(len(one) for one in rows if isinstance(one, list)) > MOST_ROWS
    return Bad(BAD_VALUE, f"Not more than {MOST_ROWS} rows are allowed.") if many else None


def _template(held: Given) -> Bad | None:
    language = held.get("language")
    if not isinstance(held.get("name"), str) or not held["name"]:
        return Bad(MISSING, "template.name is mandatory.")
    if not isinstance(language, dict) or not isinstance(language.get("code"), str) or not language["code"]:
        return Bad(MISSING, "template.language.code is mandatory.")
    components = held.get("components", [])
    good = isinstance(components, list) and all(isinstance(one, dict) and one.get("type") for one in components)
    return None if good else Bad(BAD_VALUE, "template.components must be a list of objects with a type.")


CHECKS: dict[str, Callable[[Any], Bad | None]] = {
    "text": _text, "image": _media, "video": _media, "audio": _media, "document": _media, "sticker": _media,
    "location": _location, "contacts": _contacts, "interactive": _interactive, "template": _template,
}  # fmt: skip


def shown(content: Given) -> str:
    """The content as a line for people: the text, the template's name, the link."""
    held = content[content["type"]]
    if isinstance(held, dict):
        return str(held.get("body") or held.get("caption") or held.get("name") or held.get("link") or content["type"])[:4096]
    return str(content["type"])
