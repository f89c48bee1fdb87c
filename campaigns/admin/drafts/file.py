"""Step 1: a name, an account, a template and the file of recipients."""

from io import BytesIO
from typing import IO, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse

from campaigns import audience, audit
from campaigns.admin import shell
from campaigns.admin.drafts import flow
from campaigns.models import Account, Campaign, Import, Template

MB = 1_000_000


class DraftForm(forms.ModelForm):
    file = forms.FileField(label="Recipients", required=False)
    pasted = forms.CharField(
        label="Or paste rows", required=False, strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "mobile, name\n98123 45670, Asha"}),
        help_text="From a spreadsheet or a list, with the line that names the columns.",
    )  # fmt: skip

    class Meta:
        model = Campaign
        fields = ["name", "account", "template", "shorten_links", "short_domain"]
        labels = {"name": "Campaign name", "shorten_links": "Shorten links and count clicks"}
        help_texts = {"name": "Your own word for it, such as KYC reminder November. Recipients never see it."}
        error_messages = {"name": {"required": "Give the campaign a name, so that it can be found again."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows, empty in (
            ("account", Account.objects.order_by("name"), "Choose an account"),
            ("template", Template.objects.filter(archived=False), "Choose a template"),
        ):
            field: forms.ModelChoiceField = self.fields[name]  # type: ignore[assignment]
            field.queryset = rows
            field.empty_label = empty if rows.count() != 1 else None
            field.error_messages["required"] = f"{empty} first."
        self.has_file = bool(self.instance.pk and self.instance.imports.exists())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not (data.get("pasted") or "").strip():
            data["pasted"] = ""
        given = [name for name in ("file", "pasted") if data.get(name)]
        if not given and not self.has_file and "file" not in self.errors:
            self.add_error("file", "Choose the file with the recipients, or paste their rows.")
        if len(given) > 1:
            self.add_error("file", "There are a file and pasted rows: take one of them away and add it afterwards.")
        return data

    def recipients(self) -> tuple[IO[bytes] | File, str] | None:
        """What was uploaded or pasted, and its name."""
        upload: UploadedFile | None = self.cleaned_data["file"]
        if upload:
            return upload, upload.name or "recipients.csv"
        # Half a surrogate pair cannot come from a browser; what it comes from is told that a cell is damaged.
        pasted = self.cleaned_data["pasted"].encode("utf-8", "replace")
        return (BytesIO(pasted), "pasted rows") if pasted else None

    def sentences(self) -> str:
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


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
    given = form.recipients()
    made = form.instance.pk is None
    campaign = form.save()
    try:
        if given:
            audience.receive(campaign, *given, request.user, as_before=True)
    except BaseException:
        if made:
            campaign.delete()
        raise
    audit.record("campaign.create" if made else "campaign.change", campaign, request=request)
    if given is None:
        messages.success(request, "Saved.")
        return flow.next_url(campaign)
    return reverse("admin:draft_columns", args=[campaign.pk])
