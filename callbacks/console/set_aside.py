"""Callbacks that could not be applied, and messages whose reports disagree: why, what they held, and another try."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from callbacks import purge
from callbacks.console.paging import page as page_of
from callbacks.console.readable import readable
from callbacks.models import LITERALLY_SET_ASIDE, CallbackEvent
from campaigns import audit, bulk, jobs
from campaigns.admin import outcomes, shell
from campaigns.admin.outcomes import Outcome
from campaigns.admin.pages.message_list import shown_number
from campaigns.admin.words import count
from campaigns.insight import checks
from campaigns.insight.listing import Event, literally
from campaigns.models import Account, Attempt, Message

Result = CallbackEvent.Result
CHUNK = 5_000  # callbacks a transaction


@dataclass(frozen=True)
class Tab:
    key: str
    name: str
    about: str
    empty: str


TABS = (
    Tab(
        Result.QUARANTINED, "Quarantined",
        "They contradict what was sent: a number that was not in the request, or another Sid than Exotel's answer had. "
        "Nothing was changed by them.",
        "No callback contradicts what was sent.",
    ),
    Tab(
        Result.PARKED, "Parked",
        "They name a request that is not known here, as after restoring a backup. Each is tried again by itself for a week.",
        "No callback waits for a request that is not known here.",
    ),
    Tab(
        Result.NONSENSE, "Nonsense",
        "They came to a proven address, but nothing in them could be understood.",
        "Every callback could be understood.",
    ),
    Tab(
        "conflicts", "Conflicts",
        "Messages that were reported both failed and delivered. A handset's receipt is proof, so they count as delivered.",
        "No message was reported both failed and delivered.",
    ),
)  # fmt: skip
BY_KEY = {tab.key: tab for tab in TABS}


@dataclass(frozen=True)
class Row:
    """One callback that was set aside."""

    event: CallbackEvent
    why: str
    held: str
    message: int  # 0 when it is not known
    campaign: int
    about: str  # the campaign or account it came for


@dataclass(frozen=True)
class Conflict:
    message: Message
    number: str
    outcome: Outcome
    reports: list[Event]
    check: str  # what asking Exotel came to


@shell.needs("campaigns.view_campaign")
def page(request: HttpRequest) -> HttpResponse:
    tab = BY_KEY.get(shell.asked(request, "tab", 20) or TABS[0].key)
    if tab is None:
        raise Http404
    shown = page_of(request, _conflicts() if tab.key == "conflicts" else _events(tab))
    is_conflicts = tab.key == "conflicts"
    return shell.render(
        request,
        "console/callbacks/set_aside.html",
        title="Set aside",
        subtitle="callbacks that could not be applied",
        tabs=TABS,
        tab=tab,
        conflicts=_disagreeing(request, shown.rows) if is_conflicts else [],
        rows=[] if is_conflicts else _rows(request, shown.rows),
        late=purge.late(),
        checked=checks.of().sentence if is_conflicts else "",
        newer=_link(tab, shown.newer),
        older=_link(tab, shown.older),
    )


def _events(tab: Tab) -> QuerySet[CallbackEvent]:
    # In the words of the index, without which SQLite does not use it.
    literal = RawSQL(LITERALLY_SET_ASIDE, [], output_field=BooleanField())  # noqa: S611  (no input in it)
    return CallbackEvent.objects.filter(literal, result=tab.key)


def _conflicts() -> QuerySet[Message]:
    return Message.objects.filter(literally("conflict"), conflict=True).select_related("campaign")


def _link(tab: Tab, at: str) -> str:
    return f"?{urlencode({'tab': tab.key})}&{at}" if at else ""


def _disagreeing(request: HttpRequest, found: Iterable[Message]) -> list[Conflict]:
    rows = list(found)
    ids = [row.pk for row in rows]
    reports, asked = checks.reports_of(ids), checks.checks_of(ids)
    return [
        Conflict(
            row, shown_number(request, row.number), outcomes.of_message(row), reports.get(row.pk, []), asked.get(row.pk, "")
        )
        for row in rows
    ]


def _rows(request: HttpRequest, events: Sequence[CallbackEvent]) -> list[Row]:
    messages_of = {event.message_id for event in events if event.message_id}
    known = set(Message.objects.filter(pk__in=messages_of).values_list("pk", flat=True))
    ids = {event.attempt for event in events}
    attempts = {attempt.pk: attempt for attempt in Attempt.objects.filter(pk__in=ids).select_related("campaign")}
    accounts = dict(Account.objects.filter(callback_id__in=ids).values_list("callback_id", "name"))
    whole = shell.sees_numbers(request)
    rows = []
    for event in events:
        attempt = attempts.get(event.attempt)
        rows.append(
            Row(
                event,
                event.reason or "No reason was noted.",
                readable(bytes(event.raw), whole),
                event.message_id if event.message_id in known and event.message_id else 0,
                attempt.campaign_id if attempt else 0,
                attempt.campaign.name if attempt else accounts.get(event.attempt, ""),
            )
        )
    return rows


@require_POST
@shell.needs("campaigns.launch_campaign")
def apply_again(request: HttpRequest) -> HttpResponse:
    """Give one callback or all of a tab to the inbox once more."""
    tab = BY_KEY.get(request.POST.get("tab", ""))
    if tab is None or tab.key == "conflicts":
        raise Http404
    one = request.POST.get("id", "")
    if one and not (one.isascii() and one.isdecimal() and len(one) < 19):
        raise Http404
    rows = _events(tab).filter(pk=int(one)) if one else _events(tab)
    again = _reset(rows)
    if not again:
        messages.info(request, "Nothing was left to apply: it was taken up meanwhile.")
    else:
        audit.record("callback.apply_again", f"callback:{one or tab.key}", request=request, callbacks=again, tab=tab.key)
        jobs.enqueue(jobs.DRAIN)
        messages.success(
            request, f"{count(again, 'callback')} will be applied again. What fails again comes back to this page."
        )
    return redirect(f"{reverse('admin:set_aside')}?{urlencode({'tab': tab.key})}")


def _reset(rows: QuerySet[CallbackEvent]) -> int:
    """Make callbacks wait as if they had just come; by id, so that those set aside anew meanwhile are not taken twice."""
    fresh: dict[str, Any] = {"result": Result.WAITING, "reason": "", "message_id": None, "tries": 0}
    last = done = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        with bulk.transaction():
            done += rows.filter(pk__gt=last, pk__lte=ids[-1]).update(**fresh, next_try_at=None, applied_at=None)
        last = ids[-1]
    return done
