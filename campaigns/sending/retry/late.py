"""Good news that came after a retry was made: the first try arrived after all, so the person is left in peace."""

from collections.abc import Sequence

from django.db import connection

from campaigns import bulk

REASON = "An earlier try reached this person, or may have"


def reached(earlier: Sequence[int], ids: Sequence[int]) -> set[int]:
    """Which of the messages copied from failures of ``earlier`` campaigns go to people who have not failed there any more.

    People whom an operator added from a file of their own are none of its business.
    """
    if not ids:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.id FROM campaigns_message m JOIN campaigns_recipient r ON r.id = m.recipient_id "
            "JOIN campaigns_import i ON i.id = r.import_id AND i.sha256 = '' "
            f"JOIN campaigns_message e ON e.campaign_id IN ({bulk.marks(earlier)}) AND e.number = m.number "
            f"WHERE m.id IN ({bulk.marks(ids)}) AND e.state NOT IN ('suppressed', 'cancelled') "
            "AND (e.conflict OR NOT (e.state = 'rejected' OR e.delivery = 'failed'))",
            [*earlier, *ids],
        )
        return {row[0] for row in cursor.fetchall()}
