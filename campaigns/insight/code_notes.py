"""What administrators have written about codes, in the form in which the code dictionary takes it."""

from campaigns.exotel.codes import Correction
from campaigns.models import CodeNote

FIELDS = ("title", "meaning", "remedy", "actor", "retryable")


def corrections() -> dict[tuple[str, str, str, str], Correction]:
    """All notes by the key of their code; there are tens of them, not thousands."""
    rows = CodeNote.objects.order_by("id").values_list("provider", "channel", "namespace", "code", *FIELDS)
    return {(provider, channel, namespace, code): Correction(*said) for provider, channel, namespace, code, *said in rows}
