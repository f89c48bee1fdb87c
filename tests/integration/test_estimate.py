"""What was estimated before launch against what reports said afterwards."""

from decimal import Decimal

import pytest
from django.urls import reverse

from campaigns.insight import counts
from campaigns.insight.estimate import estimate
from campaigns.models import QUARTER, Count
from tests import builders
from tests.integration.test_api import Api
from tests.people import as_role

pytestmark = pytest.mark.django_db
NOW = 1_800_000_000 // QUARTER


def sent(campaign, moves):
    """Messages moved from pending to what became of them: (state, delivery, messages, units by estimate, units now)."""
    for state, delivery, n, before, now in moves:
        Count.objects.create(campaign=campaign, quarter=0, state="pending", n=-n, units=-before)
        Count.objects.create(campaign=campaign, quarter=NOW, state=state, delivery=delivery, n=n, units=now)


@pytest.mark.parametrize(
    ("moves", "due", "difference"),
    [
        ([], 0, 0),
        ([("accepted", "", 4, 4, 4)], 4, 0),
        ([("accepted", "delivered", 4, 4, 7)], 4, 3),
        ([("accepted", "delivered", 4, 4, 3), ("unconfirmed", "", 2, 2, 2)], 6, -1),
        ([("accepted", "delivered", 4, 4, 6), ("rejected", "", 3, 3, 3), ("cancelled", "", 3, 3, 3)], 4, 2),
    ],
)
def test_actual_units_are_held_against_the_estimate_of_what_was_handed_over(moves, due, difference):
    campaign = builders.launched(recipients=10)
    sent(campaign, moves)
    found = estimate(campaign, counts.for_campaign(campaign))
    assert (found.messages, found.units, found.units_due, found.difference) == (10, 10, due, difference)
    assert found.cost_difference == Decimal(campaign.snapshot["cost_per_unit"]) * difference


def test_the_page_and_the_api_show_both():
    campaign = builders.launched(recipients=10)
    sent(campaign, [("accepted", "delivered", 4, 4, 7)])
    text = as_role("Viewer").get(reverse("admin:campaign", args=[campaign.pk])).content.decode()
    assert "Estimated before launch, for 10 messages" in text and "More than estimated" in text
    told = Api("read").get(f"/campaigns/{campaign.pk}/").json()
    assert (told["units"], told["estimate"]["units"], told["estimate"]["difference"]) == (7, 10, 3)


def test_a_draft_has_an_estimate_and_no_difference():
    campaign = builders.campaign(recipients=10)
    told = Api("read").get(f"/campaigns/{campaign.pk}/").json()["estimate"]
    assert (told["units"], told["units_due"], told["difference"]) == (10, 0, 0)


def test_messages_that_are_not_written_yet_are_not_due():
    campaign = builders.launched(recipients=10)
    Count.objects.create(campaign=campaign, quarter=0, state="pending", n=-6, units=-6)
    found = estimate(campaign, counts.for_campaign(campaign))
    assert (found.units_due, found.difference) == (0, 0)
