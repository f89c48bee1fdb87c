"""What is done to audiences: made, grown, renamed, archived, deleted, and one person taken out. All of it is audited."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from campaigns import audit
from campaigns.admin import shell
from campaigns.admin.audiences.pages import opened
from campaigns.admin.rows import RowsForm
from campaigns.admin.words import count
from campaigns.audience import Unusable, growing, saved
from campaigns.models import Audience, Import
from campaigns.text import phone

MB = 1_000_000
NAME_HELP = "What these people are to you, such as Customers with a loan."


class NameForm(forms.ModelForm):
    class Meta:
        model = Audience
        fields = ["name"]
        help_texts = {"name": NAME_HELP}
        error_messages = {"name": {"unique": "There is an audience of that name already."}}


class EditForm(NameForm):
    class Meta(NameForm.Meta):
        fields = ["name", "archived"]
        help_texts = {"name": NAME_HELP, "archived": "It is kept, but takes no files and is not offered to campaigns."}


class GrowForm(RowsForm):
    phone = forms.CharField(
        label="Phone column", required=False, max_length=200, help_text="Leave empty: it is found by its name and content."
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("file") and not data["pasted"] and "file" not in self.errors:
            self.add_error("file", "Choose a file with people, or paste their rows.")
        return data


class NewForm(GrowForm, NameForm):
    """A name and the first people."""


@shell.needs("campaigns.add_audience")
def new(request: HttpRequest) -> HttpResponse:
    return _upload(request, Audience(created_by=request.user), "New audience")  # type: ignore[misc]


@shell.needs("campaigns.change_audience")
def grow(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(pk)
    return _upload(request, found, f"Add people to {found.name}")


def _upload(request: HttpRequest, found: Audience, title: str) -> HttpResponse:
    """The same for a new audience and an old one: rows come in, and the page of the audience shows them being read."""
    data, uploads = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form: RowsForm = GrowForm(data, uploads) if found.pk else NewForm(data, uploads, instance=found)
    scripted = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    if request.method == "POST" and form.is_valid():
        try:
            url = _take(request, found, form)
        except Unusable as fault:
            form.add_error("file", str(fault))
        else:
            return JsonResponse({"next": url}) if scripted else redirect(url)
    if request.method == "POST" and scripted:
        return JsonResponse({"error": form.sentences()}, status=422)
    return shell.render(
        request, "console/audiences/upload.html", title=title, form=form, audience=found if found.pk else None,
        limit=settings.UPLOAD_LIMIT_MB * MB, limit_mb=settings.UPLOAD_LIMIT_MB,
    )  # fmt: skip


def _take(request: HttpRequest, found: Audience, form: RowsForm) -> str:
    """Keep the rows; where to go on. Raises Unusable with a sentence, and no new audience, for bad ones."""
    made = found.pk is None
    if made:
        found.save()
    try:
        upload, name = form.recipients() or _nothing()
        growing.receive(found, upload, name, request.user, form.cleaned_data["phone"])
    except BaseException:
        if made:
            found.delete()
            found.pk = None
        raise
    audit.record("audience.create" if made else "audience.grow", found, request=request, name=found.name, file=name)
    return reverse("admin:audience", args=[found.pk])


def _nothing() -> Any:
    raise Unusable("EMPTY", "Choose a file with people, or paste their rows.")


@shell.needs("campaigns.add_audience")
def from_import(request: HttpRequest, pk: int) -> HttpResponse:
    """The people of a campaign's file as a new audience."""
    source = get_object_or_404(Import.objects.select_related("campaign"), pk=pk)
    form = NameForm(shell.posted(request), instance=Audience(created_by=request.user))  # type: ignore[misc]
    if request.method == "POST" and form.is_valid():
        found = form.save()
        try:
            growing.receive_import(found, source, request.user)
        except Unusable as fault:
            found.delete()
            form.add_error(None, str(fault))
        else:
            audit.record("audience.create", found, request=request, name=found.name, file=source.filename)
            return redirect("admin:audience", found.pk)
    return shell.render(request, "console/audiences/from_import.html", title="Save as an audience", form=form, source=source)


@shell.needs("campaigns.change_audience")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(pk)
    name = found.name
    form = EditForm(shell.posted(request), instance=found)
    if request.method == "POST" and form.is_valid():
        if form.changed_data:
            Audience.objects.filter(pk=pk).update(name=found.name, archived=found.archived)
            audit.record("audience.change", found, request=request, fields=sorted(form.changed_data))
            messages.success(request, f"{found.name} is changed.")
        return redirect("admin:audience", pk)
    return shell.render(request, "console/audiences/edit.html", title=f"Change {name}", form=form, audience=opened(pk))


@require_POST
@shell.needs("campaigns.change_audience")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one person out, as when they ask for it."""
    found, typed = opened(pk), request.POST.get("number", "")[:40]
    number = phone.anywhere(typed)
    if not number:
        messages.error(request, f"{phone.explain(typed, phone.EVERYWHERE)} Nobody was removed.")
    elif saved.remove(found, number):
        audit.record("audience.remove_member", found, request=request, number=phone.mask(number))
        messages.success(request, f"{phone.mask(number)} is removed. Campaigns that were given this number keep it.")
    else:
        messages.info(request, f"{phone.mask(number)} is not in {found.name}.")
    return redirect("admin:audience", pk)


@shell.needs("campaigns.delete_audience")
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    found = opened(pk)
    if request.method == "POST":
        try:
            saved.delete(found)
        except Unusable as fault:
            messages.error(request, str(fault))
            return redirect("admin:audience", pk)
        audit.record("audience.delete", found, request=request, name=found.name, members=found.size)
        messages.success(request, f"{found.name} is deleted, with its {count(found.size, 'member')}.")
        return redirect("admin:audiences")
    return shell.render(
        request, "console/audiences/delete.html", title=f"Delete {found.name}?", audience=found, segment=None
    )
