"""Template bodies as DLT registers them: fixed text and typed variables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_BODY = 2000  # characters; Exotel refuses more
KINDS = {"var": "var", "numeric": "numeric", "number": "numeric", "alphanumeric": "alphanumeric", "url": "url"}
KINDS |= {"urlott": "urlott", "cbn": "cbn", "email": "email"}
VARIABLE = re.compile(r"\{#([a-z]+)#\}")
DOUBLED = re.compile(r"\{\{#[a-z]+#\}+|\{#[a-z]+#\}\}+")
# Other brackets are text like any other unless they stand around #..#; braces of full width look like the real ones.
SUSPECT = re.compile(
    r"\{\{.{0,60}?\}\}|\{\{|\}\}|\{[^{}]{0,30}\}|\{#|#\}"
    r"|[｛﹛][^｛｝﹛﹜]{0,30}[｝﹜]|[｛﹛]#|#[｝﹜]|[\[<]\s*#[^#\[\]<>]{1,30}#\s*[\]>]|\(\s*#\s*[A-Za-z]+\s*#\s*\)"
)
SPACE = re.compile(r"[\r\n\t\f\v\x85\u2028\u2029]+")
# Control characters, the zero-width space, the soft hyphen, what embeds and overrides directions, the byte-order mark:
# nobody sees them, and one of them would make a text Unicode at more than double its units. The zero-width joiners stay:
# Indian scripts are written with them. So do the marks of direction beside letters that run to the left.
UNSEEN = re.compile(r"[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]+")
MARKS = re.compile(r"[\u200e\u200f]+")
TO_THE_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
JOINERS = "\u200c\u200d"
SURROGATE = re.compile(r"[\ud800-\udfff]")


class TemplateError(ValueError):
    """A body that is not a registered template's; the text names the fragment and where it stands."""


@dataclass(frozen=True, slots=True)
class Template:
    body: str
    parts: tuple[str, ...]  # fixed text before, between and after the variables
    kinds: tuple[str, ...]

    @property
    def variables(self) -> int:
        return len(self.kinds)


@lru_cache(maxsize=256)
def parse(body: str) -> Template:
    """The template, or TemplateError when something looks like a variable and is none."""
    if doubled := DOUBLED.search(body):
        raise _malformed(doubled.group(), doubled.start())
    pieces = VARIABLE.split(body)
    parts, names = tuple(pieces[::2]), pieces[1::2]
    at = 0
    for part, name in zip(parts, [*names, ""], strict=True):
        if suspect := SUSPECT.search(part):
            raise _malformed(suspect.group(), at + suspect.start())
        if name and name not in KINDS:
            raise TemplateError(
                f"“{{#{name}#}}” at character {at + len(part) + 1} is not a kind of variable that DLT knows."
            )
        at += len(part) + len(name) + 4
    return Template(body, parts, tuple(KINDS[name] for name in names))


def _malformed(fragment: str, at: int) -> TemplateError:
    return TemplateError(
        f"“{fragment}” at character {at + 1} is not a variable. Write {{#var#}}, exactly as the template is registered."
    )


def render(template: Template, values: Sequence[str]) -> str:
    """The message text; exactly one value for each variable."""
    if len(values) != len(template.kinds):
        raise ValueError(f"The template has {len(template.kinds)} variables, but {len(values)} values were given.")
    out = [template.parts[0]]
    for value, part in zip(values, template.parts[1:], strict=True):
        out += (value, part)
    return "".join(out)


def clean(value: str) -> str:
    """A cell as it goes into a text: ends stripped, line breaks and tabs as one space, without what nobody sees.

    Raises ValueError for what no SMS can carry: NUL, and halves of surrogate pairs.
    """
    value = value.strip()
    if value.isascii() and value.isprintable():
        return value
    if "\x00" in value:
        raise ValueError("The value holds a NUL character.")
    if SURROGATE.search(value):
        raise ValueError("The value holds half of a character.")
    value = UNSEEN.sub("", value)
    if not TO_THE_LEFT.search(value):
        value = MARKS.sub("", value)
    value = SPACE.sub(" ", value).strip()
    return value if value.strip(JOINERS) else ""
