"""The webhooks, one webhook with its log, and one delivery: what was sent and what was answered."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from campaigns.admin import shell
from campaigns.admin.webhooks import health
from campaigns.admin.webhooks.forms import SINCE
from campaigns.hooks import rules
from campaigns.models import Webhook, WebhookDelivery

SIZE = 25
State = WebhookDelivery.State


@shell.needs("campaigns.view_webhook")
def index(request: HttpRequest) -> HttpResponse:
    hooks = Webhook.objects.select_related("account")
    return shell.render(
        request,
        "console/webhooks/list.html",
        title="Webhooks",
        subtitle="other systems that are told what happens here",
        rows=[(hook, health.of(hook), [health.TYPES.get(event, event) for event in hook.events]) for hook in hooks],
    )


@shell.needs("campaigns.view_webhook")
def page(request: HttpRequest, pk: int) -> HttpResponse:
    hook = hook_or_404(pk)
    return shell.render(
        request,
        "console/webhooks/page.html",
        title=hook.name,
        hook=hook,
        health=health.of(hook),
        told=[health.TYPES.get(event, event) for event in hook.events],
        since=SINCE.items(),
        tries=rules.TRIES,
        **_log(request, hook),
    )


@shell.needs("campaigns.view_webhook")
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """The log alone, asked for again and again while something is under way."""
    hook = hook_or_404(pk)
    return shell.render(request, "console/webhooks/_log.html", hook=hook, health=health.of(hook), **_log(request, hook))


@shell.needs("campaigns.view_webhook")
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(WebhookDelivery.objects.select_related("webhook"), pk=pk)
    whole = shell.sees_numbers(request)
    return shell.render(
        request,
        "console/webhooks/delivery.html",
        title=health.row(found).name,
        row=health.row(found),
        delivery=found,
        body=health.shown_body(found.body, whole),
        answer=health.shown_answer(found.answer, whole),
    )


def hook_or_404(pk: int) -> Webhook:
    return get_object_or_404(Webhook.objects.select_related("account"), pk=pk)


def _log(request: HttpRequest, hook: Webhook) -> dict[str, Any]:
    state = shell.asked(request, "state", 10)
    state = state if state in State.values else ""
    before = shell.asked_id(request, "before")
    every = WebhookDelivery.objects.filter(webhook=hook).defer("body")
    rows = every.filter(state=state) if state else every
    found = list(_from(rows, before)[: SIZE + 1])
    shown = found[:SIZE]
    return {
        "rows": [health.row(one) for one in shown],
        "state": state,
        "tabs": [("", "All"), *State.choices],
        "failed": every.filter(state=State.FAILED).exists(),
        "moving": not before and hook.enabled and any(one.state == State.WAITING for one in shown),
        "newest": _link(hook, state) if before else "",
        "older": _link(hook, state, shown[-1].pk) if len(found) > SIZE else "",
    }


def _from(rows: QuerySet[WebhookDelivery], before: int) -> QuerySet[WebhookDelivery]:
    return (rows.filter(pk__lt=before) if before else rows).order_by("-pk")


def _link(hook: Webhook, state: str, before: int = 0) -> str:
    kept = "&".join([*([f"state={state}"] if state else []), *([f"before={before}"] if before else [])])
    return reverse("admin:webhook", args=[hook.pk]) + (f"?{kept}" if kept else "")
