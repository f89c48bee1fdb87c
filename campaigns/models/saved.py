"""Saved audiences: people with columns, kept by themselves, grown by files and used by many campaigns."""

from django.conf import settings
from django.db import models

from campaigns.models.states import ImportState

READING = frozenset({ImportState.QUEUED, ImportState.RUNNING})


class Audience(models.Model):
    """A named list. Columns are only ever added, at the end, so a place among them never means another one."""

    name = models.CharField(max_length=120, unique=True)
    columns = models.JSONField(default=list)  # names in the order of first use
    phone = models.CharField(max_length=200, blank=True)  # the column of the numbers; empty before the first file
    size = models.PositiveIntegerField(default=0)  # members, kept by each change and never counted
    version = models.PositiveIntegerField(default=0)  # grows with every change of the members; counts are of one version
    archived = models.BooleanField(default=False)
    deleting = models.BooleanField(default=False)  # its members are being removed; it shows nowhere any more
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(null=True)  # when members were last added, changed or removed

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AudienceFile(models.Model):
    """A file, or a list of rows, on its way into an audience. Files of one audience are read one after the other."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="files")
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.QUEUED)
    filename = models.CharField(max_length=255)
    path = models.CharField(max_length=255)  # below MEDIA_ROOT; empty once it is read, for then it is deleted
    size = models.BigIntegerField(default=0)  # bytes
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    header = models.JSONField(default=list)
    phone = models.CharField(max_length=200)  # the file's own column of the numbers
    places = models.JSONField(default=list)  # of each of its columns among the audience's; null for one that is left out
    bytes_read = models.BigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)  # rows about a number that was there already
    refused = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)  # why nothing of the file was taken
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.filename


class AudienceMember(models.Model):
    """One person. Its keys are not checked by the database: see Recipient."""

    audience = models.ForeignKey(Audience, models.DO_NOTHING, related_name="members", db_index=False, db_constraint=False)
    number = models.BigIntegerField()  # E.164 digits, 919812345670
    # As typed, in the order of the audience's columns; shorter where columns were added later.
    cells = models.JSONField(default=list)
    file = models.ForeignKey(AudienceFile, models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False)
    line = models.PositiveIntegerField()  # of that file, which said last what the cells are

    class Meta:
        constraints = [
            # used for finding the people of a file who are there already
            models.UniqueConstraint(fields=["audience", "number"], name="member_number_unique_in_audience"),
        ]
        indexes = [
            models.Index(fields=["audience", "id"], name="members_in_order")
        ]  # used for counting, pages and campaigns


class AudienceRowError(models.Model):
    """One refused row of a file, with all its cells so that it can be downloaded, mended and uploaded again."""

    file = models.ForeignKey(AudienceFile, models.CASCADE, related_name="row_errors", db_index=False)
    line = models.PositiveIntegerField()
    code = models.CharField(max_length=20)
    column = models.CharField(max_length=120, blank=True)
    message = models.CharField(max_length=300)
    cells = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["file", "line"], name="audience_errors_in_file_order")]  # used for the download


class Segment(models.Model):
    """Those members of an audience for whom conditions on its columns hold: see text/conditions.py."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="segments")
    name = models.CharField(max_length=120)
    conditions = models.JSONField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["audience", "name"], name="segment_name_unique_in_audience")]

    def __str__(self) -> str:
        return self.name


class SegmentCount(models.Model):
    """For how many members conditions hold, or how far counting them is. It can be resumed after ``last_id``."""

    audience = models.ForeignKey(Audience, models.CASCADE, related_name="counts")
    key = models.CharField(max_length=64)  # of the conditions
    conditions = models.JSONField()
    version = models.PositiveIntegerField()  # of the audience
    looked = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    last_id = models.BigIntegerField(default=0)
    done = models.BooleanField(default=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["audience", "key"], name="one_count_per_conditions")]


def waiting() -> set[int]:
    """Audiences with something to do in the background."""
    reading = AudienceFile.objects.exclude(path="").values_list("audience_id", flat=True)
    counting = SegmentCount.objects.filter(done=False).values_list("audience_id", flat=True)
    return {*reading, *counting, *Audience.objects.filter(deleting=True).values_list("pk", flat=True)}
