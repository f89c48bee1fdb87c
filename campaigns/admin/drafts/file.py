"""Step 1: a name, an account, a template and the file of recipients."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from campaigns import audience, audit
from campaigns.admin import shell
from campaigns.admin.audiences import choices
from campaigns.admin.drafts import flow
from campaigns.admin.rows import RowsForm
from campaigns.audience import saved
from campaigns.models import Account, Campaign, Import, Template

MB = 1_000_000


class DraftForm(RowsForm, forms.ModelForm):
    saved = forms.ChoiceField(label="Or a saved audience", required=False)

    class Meta:
        model = Campaign
        fields = ["name", "account", "template", "skip_recent_days", "shorten_links", "short_domain"]
        labels = {"name": "Campaign name", "shorten_links": "Shorten links and count clicks",
                  "skip_recent_days": "Leave out people who got a message in the last … days"}  # fmt: skip
        help_texts = {"name": "Your own word for it, such as KYC reminder November. Recipients never see it."}
        error_messages = {"name": {"required": "Give the campaign a name, so that it can be found again."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["saved"].choices = choices.offered()  # type: ignore[attr-defined]
        for name, rows, empty in (
            ("account", Account.objects.order_by("name"), "Choose an account"),
            ("template", Template.objects.filter(archived=False), "Choose a template"),
        ):
            field: forms.ModelChoiceField = self.fields[name]  # type: ignore[assignment]
            field.queryset = rows
            field.empty_label = empty if rows.count() != 1 else None
            field.error_messages["required"] = f"{empty} first."
        self.has_file = bool(self.instance.pk and self.instance.imports.exists())

    def clean_skip_recent_days(self) -> int:
        return self.cleaned_data["skip_recent_days"] or 0

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        given = any(data.get(name) for name in ("file", "pasted"))
        if not given and not data.get("saved") and not self.has_file and not {"file", "saved"} & set(self.errors):
            self.add_error("file", "Choose the file with the recipients, or paste their rows.")
        if given and data.get("saved"):
            self.add_error("file", "There are rows and a saved audience: take one of them away and add it afterwards.")
        return data


@shell.needs("campaigns.add_campaign")
def new(request: HttpRequest) -> HttpResponse:
    return _step(request, Campaign(created_by=request.user), [])  # type: ignore[misc]


@flow.on_draft
def change(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    return _step(request, campaign, flow.files(campaign))


@shell.needs("campaigns.add_campaign")
def template_body(request: HttpRequest) -> HttpResponse:
    """The text of the template that was just picked, and how many variables it has."""
    template = Template.objects.filter(pk=shell.asked_id(request, "template")).first()
    return shell.render(request, "console/drafts/_template.html", chosen_template=template)


def _step(request: HttpRequest, campaign: Campaign, sources: list[Import]) -> HttpResponse:
    form = DraftForm(*((request.POST, request.FILES) if request.method == "POST" else ()), instance=campaign)
    scripted = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    if request.method == "POST" and form.is_valid():
        try:
            url = _save(request, form)
        except audience.Unusable as fault:
            form.add_error("file", str(fault))
        else:
            return JsonResponse({"next": url}) if scripted else redirect(url)
    if request.method == "POST" and scripted:
        return JsonResponse({"error": form.sentences()}, status=422)
    return flow.render(
        request, "draft_file", "console/drafts/file.html", campaign if campaign.pk else None, sources,
        form=form,
        limit=settings.UPLOAD_LIMIT_MB * MB,
        limit_mb=settings.UPLOAD_LIMIT_MB,
        chosen_template=_chosen_template(form),
    )  # fmt: skip


def _chosen_template(form: DraftForm) -> Template | None:
    """The template whose text is shown: the chosen one, or the one that is selected because there is no other."""
    field: forms.ModelChoiceField = form.fields["template"]  # type: ignore[assignment]
    offered, chosen = Template.objects.filter(archived=False), str(form["template"].value() or "")
    if chosen.isdecimal() and len(chosen) < 19:
        return offered.filter(pk=chosen).first()
    return offered.first() if field.empty_label is None else None


def _save(request: HttpRequest, form: DraftForm) -> str:
    """Keep the draft and its file; where to go on. Raises Unusable with a sentence, and no new draft, for a bad file.

    Not one transaction: storing a large file takes seconds, in which nobody else could write to SQLite.
    """
    given, chosen = form.recipients(), choices.chosen(form.cleaned_data["saved"])
    made = form.instance.pk is None
    campaign = form.save()
    try:
        if given:
            audience.receive(campaign, *given, request.user, as_before=True)
        if chosen:
            people, segment = chosen
            name, conditions = (segment.name, segment.conditions) if segment else ("", {})
            saved.choose(campaign, people, conditions, request.user, segment=name, as_before=True)
    except BaseException:
        if made:
            campaign.delete()
        raise
    audit.record("campaign.create" if made else "campaign.change", campaign, request=request)
    if given is None and chosen is None:
        messages.success(request, "Saved.")
        return flow.next_url(campaign)
    return reverse("admin:draft_columns", args=[campaign.pk])
