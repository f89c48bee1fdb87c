"""A file of recipients on its way in: the import, its refused rows, and the recipients it made."""

from django.conf import settings
from django.db import models

from campaigns.models.states import ImportState


class Import(models.Model):
    """One uploaded file (or list of JSON rows) and how it is read. It can be resumed after ``rows`` rows."""

    campaign = models.ForeignKey("Campaign", models.CASCADE, related_name="imports")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    filename = models.CharField(max_length=255)
    path = models.CharField(max_length=255)  # below MEDIA_ROOT
    size = models.BigIntegerField(default=0)  # bytes
    sha256 = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    header = models.JSONField(default=list)  # the file's column names
    sample = models.JSONField(default=list)  # the first rows, for the operator to recognise columns by
    # {"phone": column name, "vars": [column name, ...]} and, where a column gives it: language, header, schedule, reference
    mapping = models.JSONField(default=dict)
    rowwise = models.JSONField(default=dict)  # what its rows chose for themselves: see models.rowwise
    template_version = models.PositiveIntegerField(default=0)  # the rows were checked against this one
    terms = models.JSONField(default=dict)  # and by these: see Campaign.terms
    bytes_read = models.BigIntegerField(default=0)  # of size; the progress bar
    rows = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)  # duplicates included
    duplicates = models.PositiveIntegerField(default=0)
    suppressed = models.PositiveIntegerField(default=0)
    recent = models.PositiveIntegerField(default=0, db_default=0)  # of the suppressed: got a message lately
    errors = models.JSONField(default=dict)  # {code: rows}
    findings = models.JSONField(default=dict)  # {code: rows}: rows kept but worth a look (long values, Unicode ...)
    examples = models.JSONField(default=dict)  # {code: [first rows]} of errors, suppressed and findings: text/examples.py
    units = models.BigIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)  # why the whole file was refused
    # Where its people were taken from when it was no file; null in conditions: from none, empty: everyone.
    audience = models.ForeignKey("Audience", models.SET_NULL, null=True, related_name="imports")
    conditions = models.JSONField(null=True, default=None)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.filename


class RowError(models.Model):
    """One refused row, with all its cells so that it can be downloaded, mended and uploaded again."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="row_errors", db_column="import_id", db_index=False)
    line = models.PositiveIntegerField()  # as a spreadsheet numbers it: the header is line 1
    code = models.CharField(max_length=20)
    column = models.CharField(max_length=120, blank=True)
    message = models.CharField(max_length=300)
    cells = models.JSONField(default=list)

    class Meta:
        indexes = [
            models.Index(fields=["source", "line"], name="row_errors_in_file_order"),  # used for the download
            models.Index(fields=["source", "code", "line"], name="row_errors_of_one_code"),  # used for the page of a reason
        ]


class Recipient(models.Model):
    """One usable row: a canonical number and its cells, units already counted against the template.

    Its two keys are not checked by the database: on PostgreSQL the checks took a third of an import's time.
    """

    campaign = models.ForeignKey("Campaign", models.CASCADE, related_name="recipients", db_index=False, db_constraint=False)
    source = models.ForeignKey(
        Import, models.CASCADE, related_name="recipients", db_column="import_id", db_index=False, db_constraint=False
    )
    line = models.PositiveIntegerField()
    number = models.BigIntegerField()  # E.164 digits, 919812345670
    cells = models.JSONField(default=list)  # as typed, in the order of the import's header
    units = models.PositiveSmallIntegerField(default=1)
    # What the row says of itself. The database fills in what a file has no column for, at no cost to its reading.
    reference = models.CharField(max_length=100, db_default="")  # the customer's own id for the row
    sender_no = models.PositiveSmallIntegerField(db_default=0)  # place in rowwise["senders"] from 1; 0 is the campaign's
    language_no = models.PositiveSmallIntegerField(db_default=0)  # place in rowwise["languages"] from 1; 0 as well
    due = models.BigIntegerField(db_default=0)  # seconds since 1970, not to be sent before; 0 is at once

    class Meta:
        constraints = [
            # one message a person: used for finding repeated numbers while a file is read
            models.UniqueConstraint(fields=["campaign", "number"], name="recipient_number_unique_in_campaign"),
        ]
        indexes = [
            models.Index(
                fields=["campaign", "id"], name="recipients_in_order"
            ),  # used for writing messages and for previews
            models.Index(fields=["source"], name="recipients_of_import"),  # used for reading a file again
        ]
