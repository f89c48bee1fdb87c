"""Takes a file out of its draft again, with all that it brought."""

from django.db import connection, transaction

from campaigns.audience.faults import Unusable
from campaigns.audience.storing import whole_path
from campaigns.models import Campaign, Import, Recipient, RowError
from campaigns.models.states import EDITABLE, ImportState

SLICE = 20_000  # rows a transaction: on SQLite other writers wait meanwhile


def discard(source: Import) -> None:
    """Delete a file, its recipients and its refused rows. Raises Unusable, with nothing changed, when it is in use."""
    with transaction.atomic():
        _take(source)
    for model in (RowError, Recipient):
        while _delete_some(model._meta.db_table, source.pk):
            pass
    Import.objects.filter(pk=source.pk).delete()
    if source.path:
        whole_path(source.path).unlink(missing_ok=True)


def _take(source: Import) -> None:
    """From here on nobody launches with the file or reads it: it counts as failed until it is gone."""
    campaign = Campaign.objects.select_for_update(no_key=True).get(pk=source.campaign_id)
    if campaign.state not in EDITABLE:
        raise Unusable("NOT_A_DRAFT", "The campaign was launched already, so its files stay as they are.")
    still = [ImportState.UPLOADED, ImportState.DONE, ImportState.FAILED]
    values = {"state": ImportState.FAILED, "problem": "Removed from the campaign."}
    if not Import.objects.filter(pk=source.pk, state__in=still).update(**values):
        raise Unusable("BEING_READ", "This file is being read. Remove it when that is done.")


def _delete_some(table: str, import_id: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f'DELETE FROM "{table}" WHERE id IN (SELECT id FROM "{table}" WHERE import_id = %s LIMIT %s)', [import_id, SLICE]
        )
        return cursor.rowcount
