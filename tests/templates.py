"""``make lint``: every template compiles, and none holds what the content policy forbids."""

import os
import re
import sys
from pathlib import Path

from tests import environment  # noqa: F401

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exodash.settings")

import django
from django.template import TemplateSyntaxError
from django.template.loader import get_template

ROOT = Path(__file__).resolve().parent.parent / "templates"
FORBIDDEN = {
    r"<[^>]+\sstyle\s*=": "a style attribute",
    r"<style\b": "an inline style sheet",
    r"<[^>]+\son[a-z]+\s*=": "an inline event handler",
    r"<script(?![^>]*\bsrc=)(?![^>]*application/json)": "an inline script",
    r"hx-on": "hx-on, which needs eval",
    r"https?://(?!www\.w3\.org)[^\s\"'{]*\.(?:js|css)": "a file from another host",
}


def problems():
    for path in sorted(ROOT.rglob("*.html")):
        name = str(path.relative_to(ROOT))
        try:
            get_template(name)
        except TemplateSyntaxError as error:
            yield f"{name}: {error}"
        text = path.read_text(encoding="utf-8")
        for pattern, what in FORBIDDEN.items():
            for match in re.finditer(pattern, text, re.IGNORECASE):
                yield f"{name}:{text[: match.start()].count(chr(10)) + 1}: {what}"


if __name__ == "__main__":
    django.setup()
    found = list(problems())
    print("\n".join(found) or "templates: all compile, none breaks the content policy")
    sys.exit(bool(found))
