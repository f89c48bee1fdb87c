"""Rows of people as a form takes them: a file, or pasted from a spreadsheet."""

from io import BytesIO
from typing import IO, Any

from django import forms
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile


class RowsForm(forms.Form):
    file = forms.FileField(label="Recipients", required=False)
    pasted = forms.CharField(
        label="Or paste rows", required=False, strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "mobile, name\n98123 45670, Asha"}),
        help_text="From a spreadsheet or a list, with the line that names the columns.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not (data.get("pasted") or "").strip():
            data["pasted"] = ""
        if data.get("file") and data["pasted"]:
            self.add_error("file", "There are a file and pasted rows: take one of them away and add it afterwards.")
        return data

    def recipients(self) -> tuple[IO[bytes] | File, str] | None:
        """What was uploaded or pasted, and its name."""
        upload: UploadedFile | None = self.cleaned_data["file"]
        if upload:
            return upload, upload.name or "recipients.csv"
        # Half a surrogate pair cannot come from a browser; what it comes from is told that a cell is damaged.
        pasted = self.cleaned_data["pasted"].encode("utf-8", "replace")
        return (BytesIO(pasted), "Pasted list") if pasted else None

    def sentences(self) -> str:
        return " ".join(str(error) for errors in self.errors.values() for error in errors)
