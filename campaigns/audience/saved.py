"""What people do to saved audiences and their segments, and how a campaign is given one."""

import time
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from campaigns import jobs
from campaigns.audience import counting
from campaigns.audience.faults import Unusable
from campaigns.audience.importing import ACTIVE
from campaigns.audience.reading import LINES, SAMPLE_CELL
from campaigns.audience.receiving import Someone, propose
from campaigns.models import Audience, AudienceMember, Campaign, Import, Segment
from campaigns.models.saved import READING
from campaigns.models.states import ImportState
from campaigns.text import conditions as rules

NAME = 120


def normal(audience: Audience, conditions: Any) -> dict[str, Any]:
    """Conditions on an audience's columns as they are kept; nothing stands for everyone. Raises conditions.Wrong."""
    return rules.normal(conditions, audience.columns, audience.phone) if conditions else {}


def choose(
    campaign: Campaign, audience: Audience, conditions: Mapping[str, Any], user: Someone, *,
    segment: str = "", as_before: bool = False,
) -> Import:  # fmt: skip
    """Give a draft the people of an audience. They are written down as a file when it is read, and stay as they were then.

    Raises Unusable with a sentence when there is nobody, or when it cannot be said yet who there is.
    """
    if audience.archived or audience.deleting:
        raise Unusable("ARCHIVED", f"{audience.name} is archived: take it out of the archive first.")
    if audience.files.filter(state__in=READING).exists():
        raise Unusable("BEING_READ", f"A file is being read into {audience.name}. Choose it when that is done.")
    if not audience.size:
        raise Unusable("EMPTY", f"{audience.name} has no members yet: add a file to it first.")
    counted = counting.count(audience, conditions)
    if counted.done and not counted.found:
        raise Unusable("NOBODY", f"Nobody in {audience.name} fits “{rules.words(conditions)[:200]}”. Nothing was added.")
    sample = _sample(audience, conditions)
    mapping = propose(campaign, audience.columns, sample, as_before)
    part = segment or (rules.words(conditions) if conditions else "")
    return Import.objects.create(
        campaign=campaign, state=ImportState.UPLOADED, filename=f"Audience {audience.name}{part and f', {part}'}"[:255],
        path="", header=audience.columns, sample=sample, mapping={**mapping, "phone": audience.phone}, audience=audience,
        conditions=dict(conditions), created_by=user if isinstance(user, User) else None,
    )  # fmt: skip


def _sample(audience: Audience, conditions: Mapping[str, Any]) -> list[list[str]]:
    """The first members for whom the conditions hold, of those looked at in a second; for people to know the columns by."""
    until = time.monotonic() + counting.SECONDS
    width, found = len(audience.columns), []
    holds = rules.matcher(conditions, audience.columns) if conditions else None
    for portion in counting.members(audience.pk):
        for _, cells in portion:
            if holds is None or holds(cells):
                found.append([cell[:SAMPLE_CELL] for cell in cells] + [""] * (width - len(cells)))
                if len(found) == LINES:
                    return found
        if found or time.monotonic() > until:
            return found
    return found


def save_segment(segment: Segment) -> None:
    """Keep a segment, and see to it that it is counted."""
    segment.save()
    counting.count(segment.audience, segment.conditions)


def delete(audience: Audience) -> None:
    """From here on it shows nowhere; its people are removed in the background. Raises Unusable while it is being used."""
    with transaction.atomic():
        Audience.objects.select_for_update().get(pk=audience.pk)
        if Import.objects.filter(audience=audience, path="", state__in=ACTIVE).exists():
            raise Unusable("IN_USE", "A campaign is being given its people just now. Delete it when that is done.")
        gone = f"{audience.name[: NAME - 30]} (deleted {audience.pk})"  # the name is free again at once
        Audience.objects.filter(pk=audience.pk).update(deleting=True, name=gone)
        jobs.enqueue(jobs.AUDIENCE, audience.pk)


def remove(audience: Audience, number: int) -> bool:
    """Take one person out of an audience; whether they were in it. Campaigns that have them keep them."""
    with transaction.atomic():
        Audience.objects.select_for_update().get(pk=audience.pk)
        gone, _ = AudienceMember.objects.filter(audience=audience, number=number).delete()
        if gone:
            values = {"size": F("size") - 1, "version": F("version") + 1, "changed_at": timezone.now()}
            Audience.objects.filter(pk=audience.pk).update(**values)
            counting.renew(audience.pk)
    return bool(gone)
