"""A campaign's failures become a draft of their own, in one transaction: pressed twice, it is made once."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Q, Sum
from django.utils import timezone

from campaigns.models import Campaign, Import, Recipient
from campaigns.models.states import ImportState
from campaigns.sending import control, spending
from campaigns.sending.preflight_rows import HEADER_DIFFERS
from campaigns.sending.retry.outlook import ALLOWED, judge, limits, not_now
from campaigns.sending.retry.pool import Pool, chosen, listing, parameters, pool, sort
from campaigns.sending.retry.rules import affordable
from campaigns.text.cost import cost

SHOWN = 20  # rows of the sample that an operator recognises columns by
MANY_UNITS = 3
NAME = 120


class Impossible(control.Refused):
    """The state allows it, but what is asked for cannot be had."""


@dataclass(frozen=True, slots=True)
class Made:
    campaign: Campaign
    recipients: int
    units: int
    cost: Decimal  # rupees, at the account's present rate


def make(campaign: Campaign, user: Any = None, *, max_cost: Decimal | None = None, name: str = "") -> Made:
    """Make a draft of the failures that may be sent again. Raises Refused with a sentence, and nothing made.

    The account's lock makes presses take turns: the second finds the people of the first taken.
    """
    with control.account_lock(campaign.account_id):
        parent = Campaign.objects.select_related("account").get(pk=campaign.pk)
        if parent.purged_at:
            raise control.Refused("purged", "The messages of this campaign were purged, so nothing of it can be sent again.")
        if parent.state not in ALLOWED:
            raise control.Refused("wrong_state", not_now(parent))
        found = pool(parent, limits(max_cost))
        child = _draft(found, user, name)
        if not (found.codes and _copy(found, child, _imports(found, child))):
            _refuse(found)
        return _checked(found, child, user)


def _draft(found: Pool, user: Any, name: str) -> Campaign:
    parent = found.campaign
    child = Campaign.objects.create(
        name=name.strip()[:NAME] or f"{found.members[0].name[: NAME - 10]}, try {len(found.members) + 1}",
        account=parent.account, template_id=parent.template_id, channel=parent.channel, sender_id=parent.sender_id,
        priority=parent.priority, shorten_links=parent.shorten_links, short_domain=parent.short_domain,
        retry_of=parent, created_by=user if isinstance(user, User) else None,
    )  # fmt: skip
    child.translations.set(parent.translations.all())
    return child


def _imports(found: Pool, child: Campaign) -> dict[int, int]:
    """An import of the child for each of the parent's: how cells are read goes with it, and there is no file."""
    sources = Import.objects.filter(campaign=found.campaign, state=ImportState.DONE).order_by("pk")
    now = timezone.now()
    return {
        source.pk: Import.objects.create(
            campaign=child, state=ImportState.DONE, filename=f"retry of campaign {found.campaign.pk}",
            header=source.header, mapping=_at_once(source.mapping), rowwise=_at_once(source.rowwise),
            template_version=source.template_version, terms=source.terms | {"recent_days": 0},
            created_by=child.created_by, finished_at=now,
        ).pk
        for source in sources
    }  # fmt: skip


def _at_once(chosen: dict[str, Any]) -> dict[str, Any]:
    """What the rows chose for themselves, without their hours: those have come."""
    return {name: value for name, value in chosen.items() if name not in {"schedule", "planned"}}


def _copy(found: Pool, child: Campaign, imports: dict[int, int]) -> int:
    """Copy the recipients of the chosen failures, in the order they were sent; how many."""
    if not imports:
        return 0
    places = " ".join(f"WHEN {source} THEN {copy}" for source, copy in imports.items())
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_recipient "
            "(campaign_id, import_id, line, number, cells, units, reference, sender_no, language_no, due) "
            f"SELECT {child.pk}, CASE r.import_id {places} END, r.line, r.number, r.cells, r.units, r.reference, "
            "r.sender_no, r.language_no, 0 FROM campaigns_message m "
            f"JOIN campaigns_recipient r ON r.id = m.recipient_id WHERE r.import_id IN ({listing(imports)}) "
            f"AND {chosen(found)} ORDER BY m.id",
            parameters(found),
        )
        return int(cursor.rowcount)


def _refuse(found: Pool) -> NoReturn:
    """Say why nothing can be sent again. The empty draft goes with the transaction."""
    verdict = judge(found, sort(found))
    raise (control.Refused if verdict.code == "already_retried" else Impossible)(verdict.code, verdict.why)


def _checked(found: Pool, child: Campaign, user: object) -> Made:
    """Write what was copied into the imports, unless it costs too much."""
    people, units = _tally(child)
    price = cost(units, child.rate)
    decision = affordable(people, price, found.limits)
    if not decision.may:
        raise Impossible("over_cost", decision.reason)
    for finding in spending.findings(child, price, user):
        raise Impossible("spend_limit", f"{finding.message} Nothing was made.")
    return Made(child, people, units, price)


def _tally(child: Campaign) -> tuple[int, int]:
    """Set the counts of the child's imports; people and units of all."""
    copied = Recipient.objects.filter(campaign=child).values_list("source").order_by()
    sums = copied.annotate(n=Count("pk"), size=Sum("units"), long=Count("pk", filter=Q(units__gt=MANY_UNITS)))
    named = dict(Import.objects.filter(campaign=child).values_list("pk", "rowwise"))
    people = units = 0
    for pk, rows, size, long in sums:
        found = {"MANY_UNITS": long, HEADER_DIFFERS: _differing(pk, named[pk], child.template.header)}
        findings = {code: n for code, n in found.items() if n}
        Import.objects.filter(pk=pk).update(rows=rows, accepted=rows, units=size, findings=findings, sample=_sample(pk))
        people, units = people + rows, units + size
    Import.objects.filter(campaign=child, accepted=0).delete()
    return people, units


def _differing(import_id: int, chosen: dict[str, Any], header: str) -> int:
    """Rows that name another header than the template's."""
    places = [place for place, sender in enumerate(chosen.get("senders", []), 1) if sender != header]
    return Recipient.objects.filter(source=import_id, sender_no__in=places).count() if places else 0


def _sample(import_id: int) -> list[list[str]]:
    return list(Recipient.objects.filter(source=import_id).order_by("pk").values_list("cells", flat=True)[:SHOWN])
