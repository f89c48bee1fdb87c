"""Every status and error code: what it means, who acts, what to do, and where the documents disagree."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from campaigns.admin import shell
from campaigns.exotel import codes
from campaigns.exotel.codes import Code
from campaigns.insight.failures import unexplained
from campaigns.models import CodeNote

# In the order in which an operator meets them.
FAMILIES = {
    ("exotel", "sms", "status"): "SMS status",
    ("exotel", "sms", "lifecycle"): "SMS status words",
    ("exotel", "sms", "request"): "SMS request errors",
    ("exotel", "any", "http"): "HTTP",
    ("exotel", "contacts", "upload"): "Rows of a file",
    ("exotel", "whatsapp", "status"): "WhatsApp status",
    ("exotel", "whatsapp", "lifecycle"): "WhatsApp status words",
    ("exotel", "whatsapp", "request"): "WhatsApp request errors",
    ("exotel", "whatsapp", "dictionary"): "WhatsApp status, the other document",
    ("exotel", "whatsapp", "payment"): "WhatsApp payments",
    ("meta", "whatsapp", "cloud"): "Meta's own WhatsApp errors",
    ("exotel", "voice", "status"): "Voice calls",
    ("exotel", "voice", "ccm"): "Contact centre calls",
    ("geniq", "sms", "response"): "GENIQ request errors",
    ("geniq", "sms", "reason"): "GENIQ receipts",
    ("geniq", "whatsapp", "template"): "GENIQ WhatsApp templates",
}


@dataclass(frozen=True)
class Family:
    name: str
    rows: list[Code]


@shell.needs("campaigns.view_template")
def code_dictionary(request: HttpRequest) -> HttpResponse:
    query, chosen = shell.asked(request, "q", 80), shell.asked(request, "family")
    found = [code for code in codes.every() if chosen in {"", _key(code)} and _matches(code, query)]
    template = "console/_codes.html" if shell.is_fragment(request) else "console/codes.html"
    return shell.render(
        request,
        template,
        title="Code dictionary",
        subtitle="what each code means, who acts and what to do",
        families=_families(found),
        found=len(found),
        total=len(codes.every()),
        query=query,
        unknown=[] if query or chosen else unexplained(),
        may_note=request.user.has_perm("campaigns.change_codenote"),
        chosen=chosen,
        choices=[("", "All families"), *((_key(family.rows[0]), family.name) for family in _families(codes.every()))],
    )


@shell.needs("campaigns.change_codenote")
def note(request: HttpRequest) -> HttpResponse:
    """To the note on a code when there is one, else to a new one with its key filled in."""
    key = {name: shell.asked(request, name, 32) for name in ("provider", "channel", "namespace", "code")}
    found = CodeNote.objects.filter(**key).first()
    if found:
        return redirect("admin:campaigns_codenote_change", found.pk)
    return redirect(f"{reverse('admin:campaigns_codenote_add')}?{urlencode(key)}")


def _families(rows: Iterable[Code]) -> list[Family]:
    known = list(FAMILIES)
    groups: dict[tuple[str, str, str], list[Code]] = {}
    for code in rows:
        groups.setdefault((code.provider, code.channel, code.namespace), []).append(code)
    ordered = sorted(groups, key=lambda key: (known.index(key) if key in known else len(known), key))
    return [Family(FAMILIES.get(key) or " ".join(key).capitalize(), groups[key]) for key in ordered]


def _key(code: Code) -> str:
    return f"{code.provider}.{code.channel}.{code.namespace}"


def _matches(code: Code, query: str) -> bool:
    """All words of the query occur somewhere in the row; a number matches at the beginning of a code."""
    text = " ".join((code.name, *code.aliases, code.title, code.meaning, code.remedy, code.note)).lower()
    return all(code.code.lower().startswith(word) or word in text for word in query.lower().split())
