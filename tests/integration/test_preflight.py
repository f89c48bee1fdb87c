"""What is found before a launch: each finding with its level, and none where nothing is wrong."""

import pytest

from campaigns.sending.preflight import preflight
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["pending", "rejected", "inactive"])
def test_a_template_that_is_not_approved_cannot_be_launched(status):
    campaign = builders.campaign(recipients=1, template=builders.template(status=status))
    assert "TEMPLATE_NOT_APPROVED" in {finding.code for finding in preflight(campaign).findings if finding.level == "error"}


@pytest.mark.parametrize(("until", "blocked"), [("2020-01-31", True), ("2099-01-31", False), (None, False)])
def test_a_template_whose_registration_is_over_cannot_be_launched(until, blocked):
    campaign = builders.campaign(recipients=1, template=builders.template(valid_until=until))
    campaign.template.refresh_from_db()
    assert ("TEMPLATE_EXPIRED" in {finding.code for finding in preflight(campaign).findings}) == blocked


LINK = "Pay at acme.example/pay?id={#var#}, {#var#}. -ACME"


@pytest.mark.parametrize(
    ("body", "allowed", "expected"),
    [
        (LINK, "", {("info", "LINKS_UNCHECKED")}),
        (LINK, "acme.example", set()),
        (LINK, "acme.example/pay?\nother.example", set()),
        (LINK, "other.example", {("error", "LINK_NOT_WHITELISTED")}),
        (builders.BODY, "", set()),
        (builders.BODY, "other.example", set()),
    ],
)
def test_the_links_of_the_text_are_those_of_the_whitelist(body, allowed, expected):
    account = builders.account(allowed_links=allowed)
    campaign = builders.campaign(recipients=1, account=account, template=builders.template(body=body))
    found = {(finding.level, finding.code) for finding in preflight(campaign).findings if "LINK" in finding.code}
    assert found == expected
