"""What people ask for themselves: to be left out, and to be written to again."""

from datetime import datetime

from django.utils import timezone

from campaigns.models import Account, Suppression

OPT_OUT = Suppression.Reason.OPT_OUT


def opt_out(account: Account, number: int, channel: str, at: datetime) -> Suppression | None:
    """Suppress a number for good because its owner asks for it; None when it is suppressed for good already."""
    note = f"Asked by {channel} on {timezone.localtime(at):%-d %b %Y}"
    made = {"reason": OPT_OUT, "note": note, "own_wish": True}
    row, new = Suppression.objects.get_or_create(account=account, number=number, defaults=made)
    if new:
        return row
    if row.expires_at is None:
        return None
    # Somebody listed it for a time. That stays theirs to take back, unless it is over.
    over = row.expires_at <= timezone.now()
    row.note = note if over else f"{note}; before: {row.get_reason_display()}. {row.note}"[:200]
    row.reason, row.own_wish, row.expires_at = OPT_OUT, over, None
    row.save()
    return row


def opt_in(account: Account, number: int) -> int | None:
    """Take back what the person's own word began, and nothing that others decided; the id of the row that is gone."""
    row = Suppression.objects.filter(account=account, number=number, reason=OPT_OUT, own_wish=True).first()
    if row is None:
        return None
    pk = row.pk
    row.delete()
    return pk
