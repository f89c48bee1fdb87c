"""Whether the files of a draft were read by the terms that hold now, and who was left out by them."""

from collections.abc import Iterator, Sequence

from campaigns.models import Campaign, Import
from campaigns.text import countries
from campaigns.text.cost import indian
from campaigns.text.dlt import Finding


def findings(campaign: Campaign, done: Sequence[Import]) -> Iterator[Finding]:
    now = campaign.terms()
    if any(_left_out_otherwise(item, now) for item in done):
        yield Finding(
            "error", "RECENT_CHANGED",
            "The choice to leave out people with a recent message was changed after the recipients were read. Read the file "
            "again to check it.",
        )  # fmt: skip
    read = frozenset().union(*(countries.parse(item.terms.get("countries") or "IN") for item in done))
    if gone := read - campaign.account.countries:
        yield Finding(
            "error", "COUNTRIES_CHANGED",
            f"The recipients were read while the account sent to {countries.listing(gone)} too. Read the file again."
        )  # fmt: skip
    if recent := sum(item.recent for item in done):
        yield Finding("info", "ROWS_RECENT", f"{_words(campaign)}: {indian(recent)}.", recent)


def _left_out_otherwise(item: Import, now: dict[str, object]) -> bool:
    then, days = item.terms, item.terms.get("recent_days", 0)
    return bool(days != now["recent_days"] or (days and then.get("account") != now["account"]))


def _words(campaign: Campaign) -> str:
    days = campaign.skip_recent_days
    span = "day" if days == 1 else f"{days} days"
    return f"Left out because they got a message from {campaign.account.name} in the last {span}"
