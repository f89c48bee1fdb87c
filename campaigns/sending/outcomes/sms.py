"""Answers of the SMS API: an array of messages in any order, matched by number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from campaigns.exotel.codes import SMS_STATUS_WORDS, lookup
from campaigns.exotel.errors import ExotelError
from campaigns.exotel.line import Answer
from campaigns.exotel.reports import DeliveryReport, error_of, has_number_for_sid, items, of_item
from campaigns.sending.outcomes.kinds import ItemResult, Kind, Outcome, answered
from campaigns.sending.outcomes.refusals import refused, unanswered


class Entry(NamedTuple):
    """One item of an answer and what could be read of it. ``sid`` is None for none, empty for an unusable one."""

    item: dict[str, Any]
    sid: str | None
    number10: str
    report: DeliveryReport | None


def classify(result: Answer | ExotelError, numbers: Sequence[str]) -> Outcome:
    """The outcome for a batch whose messages went to these last-ten-digit numbers, all different."""
    if isinstance(result, ExotelError):
        return unanswered(result, len(numbers))
    if 200 <= result.status < 300:
        entries = _without_damage([Entry(item, *of_item(item)) for item in items(result.body) or ()])
        matched, strays = _match(entries, numbers)
        return answered([_item(i, matched.get(i)) for i in range(len(numbers))], result.status, strays)
    app_code, _ = error_of(result)
    return refused(result, app_code, lookup("exotel", "sms", "request", app_code), len(numbers))


def _without_damage(entries: Sequence[Entry]) -> Sequence[Entry]:
    """A number among Sids that are texts is damage, and makes that Sid unusable: every report would contradict it.

    Where all Sids are numbers, that is how they are written.
    """
    numbered = [entry for entry in entries if entry.sid and entry.sid.isdigit() and has_number_for_sid(entry.item)]
    if not numbered or len(numbered) == sum(1 for entry in entries if entry.sid):
        return entries
    return [entry._replace(sid="") if entry in numbered else entry for entry in entries]


def _match(entries: Sequence[Entry], numbers: Sequence[str]) -> tuple[dict[int, Entry], list[dict[str, Any]]]:
    """Items to messages by number. A Sid counts once, and of two items for one number the one with a Sid.

    Position decides only for an item that names no number, in an answer of the batch's length whose other items all stand
    in their own place: order is not promised.
    """
    place_of = {number: i for i, number in enumerate(numbers)}
    in_order = len(entries) == len(numbers) and all(
        entry.number10 in {"", number} for entry, number in zip(entries, numbers, strict=True)
    )
    matched: dict[int, Entry] = {}
    strays: list[dict[str, Any]] = []
    sids: set[str] = set()
    for at, entry in enumerate(entries):
        place = place_of.get(entry.number10, at if in_order else None)
        rival = matched.get(place) if place is not None else None
        repeated = bool(entry.sid) and entry.sid in sids
        sids.add(entry.sid or "")
        if place is None or repeated or (rival and (rival.sid or not entry.sid)):
            strays.append(entry.item)
            continue
        if rival:
            strays.append(rival.item)
        matched[place] = entry
    return matched, strays


def _item(index: int, entry: Entry | None) -> ItemResult:
    if entry is None:
        return ItemResult(index, Kind.UNCONFIRMED)
    report = entry.report
    if entry.sid:
        return ItemResult(index, Kind.ACCEPTED, entry.sid, report.code if report else "", report)
    if entry.sid is None and report and report.state == SMS_STATUS_WORDS.get(report.word) == "failed":
        return ItemResult(index, Kind.REJECTED, code=report.code or "failed", report=report)
    return ItemResult(index, Kind.UNCONFIRMED, report=report)
