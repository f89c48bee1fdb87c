"""Segments of an audience: a few rules on its columns, with a count before they are kept. It works without scripts."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.audiences.pages import opened
from campaigns.audience import counting, saved
from campaigns.audience.counting import Counted
from campaigns.models import Audience, Segment
from campaigns.text import conditions as rules

BLANK = 3  # lines that are offered beyond those filled in
NAME = 120
MATCHES = {"all": "all of these hold", "any": "any of these holds"}


@dataclass(frozen=True)
class Line:
    column: str = ""
    op: str = "equals"
    value: str = ""


@dataclass
class Builder:
    """What stands in the form."""

    name: str
    match: str
    lines: list[Line]
    kept: dict[str, Any] | None = None  # conditions with groups, which the form cannot show: made by REST
    problem: str = ""
    counted: Counted | None = None

    def conditions(self, audience: Audience) -> dict[str, Any]:
        """Raises Wrong with a sentence."""
        if self.kept is not None:
            return self.kept
        given = [{"column": line.column, "op": line.op, "value": line.value} for line in self.lines if line.column]
        return rules.normal({"match": self.match, "rules": given}, audience.columns, audience.phone)


@shell.needs("campaigns.change_audience")
def new(request: HttpRequest, pk: int) -> HttpResponse:
    return _build(request, Segment(audience=opened(pk), created_by=request.user))  # type: ignore[misc]


@shell.needs("campaigns.change_audience")
def edit(request: HttpRequest, pk: int, segment: int) -> HttpResponse:
    return _build(request, segment_or_404(pk, segment))


@shell.needs("campaigns.change_audience")
def delete(request: HttpRequest, pk: int, segment: int) -> HttpResponse:
    found = segment_or_404(pk, segment)
    if request.method == "POST":
        audit.record("segment.delete", found, request=request, name=found.name)
        found.delete()
        messages.success(request, f"{found.name} is deleted. Its people stay in the audience.")
        return redirect("admin:audience", pk)
    return shell.render(
        request, "console/audiences/delete.html", title=f"Delete {found.name}?", audience=found.audience, segment=found
    )


def segment_or_404(pk: int, segment: int) -> Segment:
    return get_object_or_404(Segment.objects.select_related("audience"), pk=segment, audience=opened(pk))


def _build(request: HttpRequest, segment: Segment) -> HttpResponse:
    audience = segment.audience
    builder = _posted(request, segment) if request.method == "POST" else _stored(segment)
    deed = request.POST.get("do", "")
    if deed in {"count", "save"}:
        try:
            conditions = builder.conditions(audience)
            if deed == "save" and _save(request, segment, builder, conditions):
                return redirect("admin:audience", audience.pk)
            builder.counted = counting.count(audience, conditions)
        except rules.Wrong as why:
            builder.problem = str(why)
    filled = [line for line in builder.lines if line.column]
    blank = BLANK if deed == "more" or len(filled) < BLANK else 1
    builder.lines = [*filled, *[Line()] * min(blank, rules.MOST_RULES - len(filled))]
    return shell.render(
        request, "console/audiences/segment.html",
        title=f"Segment {segment.name}" if segment.pk else "New segment",
        audience=audience, segment=segment, builder=builder,
        columns=[column for column in audience.columns if column != audience.phone], ops=rules.OPS.items(),
        matches=MATCHES.items(), words=rules.words(builder.kept) if builder.kept else "",
    )  # fmt: skip


def _stored(segment: Segment) -> Builder:
    given: dict[str, Any] = segment.conditions if segment.pk else {"match": "all", "rules": []}
    if any("rules" in rule for rule in given["rules"]):
        return Builder(segment.name, given["match"], [], kept=given)
    lines = [Line(rule["column"], rule["op"], rule.get("value", "")) for rule in given["rules"]]
    return Builder(segment.name, given["match"], lines)


def _posted(request: HttpRequest, segment: Segment) -> Builder:
    kept = _stored(segment).kept
    parts = [request.POST.getlist(name)[: rules.MOST_RULES] for name in ("column", "op", "value")]
    lines = [Line(*(part.replace("\x00", "") for part in line)) for line in zip(*parts, strict=False)]
    name = " ".join(request.POST.get("name", "").replace("\x00", "").split())
    return Builder(name, request.POST.get("match", "all"), lines, kept)


def _save(request: HttpRequest, segment: Segment, builder: Builder, conditions: dict[str, Any]) -> bool:
    """Keep it; False, with the problem named, when its name cannot be used."""
    others = Segment.objects.filter(audience=segment.audience, name=builder.name).exclude(pk=segment.pk)
    if not builder.name or len(builder.name) > NAME:
        builder.problem = f"Give the segment a name of at most {NAME} characters."
    elif others.exists():
        builder.problem = f"There is a segment “{builder.name}” already: take another name."
    if builder.problem:
        return False
    made = segment.pk is None
    segment.name, segment.conditions = builder.name, conditions
    saved.save_segment(segment)
    audit.record(f"segment.{'create' if made else 'change'}", segment, request=request, name=segment.name)
    messages.success(request, f"{segment.name} is saved.")
    return True
