"""How the console writes numbers, money, people and codes."""

from decimal import Decimal
from typing import Any

from django import template

from campaigns.admin import menu, words
from campaigns.exotel.codes import Code
from campaigns.text import cost, languages

register = template.Library()
register.filter("count", words.count)
register.filter("language", languages.name)

# Words of the code dictionary for whoever must act.
ACTORS = {
    "operator": "You",
    "dlt_admin": "DLT admin",
    "list_owner": "List owner",
    "provider": "Exotel",
    "nobody": "Nobody",
}
LEVELS = {"error": "Mend", "warning": "Weigh", "info": "Note"}
STATES = {
    "queued": ("awaiting", "Awaiting"),
    "sending": ("awaiting", "Awaiting"),
    "submitted": ("awaiting", "Awaiting"),
    "at_operator": ("operator", "At operator"),
    "failed": ("failed", "Failed"),
    "delivered": ("delivered", "Delivered"),
    "read": ("delivered", "Read"),
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


@register.simple_tag(takes_context=True)
def rail(context: template.Context) -> dict[str, Any]:
    """What the navigation shows this reader."""
    request = context["request"]
    return {"groups": list(menu.groups(request)), "where": menu.where()}


@register.filter
def indian(number: int | None) -> str:
    """1,00,000"""
    return cost.indian(number or 0)


@register.filter
def rupees(amount: Decimal) -> str:
    return cost.rupees(amount)


@register.filter
def share(part: float) -> str:
    """A part of one as per cent: whole numbers from 10 % on, one digit below."""
    return f"{100 * part:.0f} %" if part >= 0.0995 else f"{100 * part:.1f} %"


@register.filter
def unlocalised(number: float) -> str:
    """For attributes that a browser reads as a number."""
    return f"{number:.4f}"


@register.filter
def actor(word: str) -> str:
    return ACTORS.get(word, word.replace("_", " ").capitalize() or "Unknown")


@register.filter
def level_word(level: str) -> str:
    return LEVELS.get(level, level.capitalize())


@register.filter
def delimiter(character: str) -> str:
    return DELIMITERS.get(character, character or "one column")


@register.filter
def state_key(code: Code) -> str:
    """The colour class of what a code says of a message."""
    return STATES.get(code.state, ("awaiting", ""))[0]


@register.filter
def state_word(code: Code) -> str:
    return STATES.get(code.state, ("", code.state))[1]
