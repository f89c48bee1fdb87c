"""What is done to webhooks: made, changed, tested, given a new secret, replayed, deleted. All of it is audited."""

from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.webhooks.forms import SINCE, ReplayForm, SecretForm, WebhookForm
from campaigns.admin.webhooks.pages import hook_or_404
from campaigns.admin.words import count
from campaigns.hooks import desk
from campaigns.models import Webhook, WebhookDelivery


@shell.needs("campaigns.add_webhook")
def new(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(shell.posted(request), instance=Webhook(), user=request.user)
    if request.method == "POST" and form.is_valid():
        hook: Webhook = form.save(commit=False)
        hook.created_by = request.user  # type: ignore[assignment]
        try:
            with transaction.atomic():
                text = desk.create(hook)
                audit.record("webhook.create", hook, request=request, name=hook.name, events=hook.events)
        except desk.Impossible as why:
            form.add_error(None, str(why))
        else:
            return _secret(request, hook, text, f"{hook.name} is ready")
    return shell.render(request, "console/webhooks/form.html", title="New webhook", form=form, hook=None)


@shell.needs("campaigns.change_webhook")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    hook = hook_or_404(pk)
    form = WebhookForm(shell.posted(request), instance=hook, user=request.user)
    if request.method == "POST" and form.is_valid():
        if form.changed_data:
            with transaction.atomic():
                desk.change(form.save(commit=False), form.changed_data)
                audit.record("webhook.change", hook, request=request, fields=sorted(form.changed_data))
            messages.success(request, f"{hook.name} is changed.")
        return redirect("admin:webhook", hook.pk)
    name = Webhook.objects.values_list("name", flat=True).get(pk=pk)
    return shell.render(request, "console/webhooks/form.html", title=f"Change {name}", form=form, hook=hook)


@shell.needs("campaigns.change_webhook")
def secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask how long the old one goes on, then show the new one, this once."""
    hook = hook_or_404(pk)
    form = SecretForm(shell.posted(request))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            text = desk.rotate(hook, form.cleaned_data["keep"])
            audit.record("webhook.rotate", hook, request=request, keep_hours=form.cleaned_data["keep"])
        return _secret(request, hook, text, f"The new secret of {hook.name}")
    return shell.render(request, "console/webhooks/secret_form.html", title="New signing secret", form=form, hook=hook)


def _secret(request: HttpRequest, hook: Webhook, text: str, title: str) -> HttpResponse:
    return shell.render(request, "console/webhooks/secret.html", title=title, hook=hook, text=text)


@require_POST
@shell.needs("campaigns.change_webhook")
def test(request: HttpRequest, pk: int) -> HttpResponse:
    hook = hook_or_404(pk)
    try:
        with transaction.atomic():
            desk.test(hook)
            audit.record("webhook.test", hook, request=request)
    except desk.Impossible as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "A test is on its way: its answer comes into the log below.")
    return redirect("admin:webhook", hook.pk)


@require_POST
@shell.needs("campaigns.change_webhook")
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(WebhookDelivery.objects.select_related("webhook"), pk=pk)
    with transaction.atomic():
        desk.replay(found)
        audit.record("webhook.replay", found.webhook, request=request, delivery=found.event_id)
    once = "" if found.webhook.enabled else " once the webhook is switched on"
    messages.success(request, f"It is sent again{once}, with the id and body that it had.")
    return redirect("admin:webhook_delivery", found.pk)


@require_POST
@shell.needs("campaigns.change_webhook")
def replay_failed(request: HttpRequest, pk: int) -> HttpResponse:
    hook, form = hook_or_404(pk), ReplayForm(request.POST)
    if not form.is_valid():
        messages.error(request, f"Choose since when: {', '.join(SINCE.values())}. Nothing was sent.")
        return redirect("admin:webhook", hook.pk)
    hours = form.cleaned_data["hours"]
    with transaction.atomic():
        again = desk.replay_failed(hook, timezone.now() - timedelta(hours=hours) if hours else None)
        audit.record("webhook.replay", hook, request=request, deliveries=again)
    if again:
        more = " Press again for the rest." if again == desk.REPLAYED else ""
        messages.success(request, f"{count(again, 'request')} will be sent again, with the ids and bodies they had.{more}")
    else:
        messages.info(request, "Nothing has failed for good in that time.")
    return redirect("admin:webhook", hook.pk)


@shell.needs("campaigns.delete_webhook")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    hook = hook_or_404(pk)
    if request.method == "POST":
        with transaction.atomic():
            audit.record("webhook.delete", hook, request=request, name=hook.name)
            hook.delete()
        messages.success(request, f"{hook.name} is deleted, with its log.")
        return redirect("admin:webhooks")
    return shell.render(request, "console/webhooks/delete.html", title=f"Delete {hook.name}?", hook=hook)
