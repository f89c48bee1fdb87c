"""What pages read: counters that add up, buckets in local hours, failures with their meaning, lists and files that tell the truth."""

import csv
import datetime as dt
import io
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.utils import timezone

from campaigns.exotel.reports import from_fields
from campaigns.insight import counts, export, failures, listing, recount, series, squash
from campaigns.models import Count, Message
from campaigns.sending import evidence, intent
from campaigns.sending.outcomes import ItemResult, Kind, Outcome
from campaigns.sending.settle import settle
from campaigns.text.window import IST
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)
CODES = ["20005", "20005", "20006", "23005", "23082", "23010", ""]  # of the first seven messages; the last gets no report


@pytest.fixture
def campaign():
    """Ten messages: seven accepted with the reports of CODES, one rejected, one unconfirmed, one still waiting."""
    made = builders.launched(recipients=10)
    nine = list(Message.objects.order_by("id").values_list("id", flat=True))[:9]
    _, order = intent.commit(builders.owner().pk, made.account_id, nine)
    results = [ItemResult(i, Kind.ACCEPTED, f"sid{i}") for i in range(7)]
    results += [ItemResult(7, Kind.REJECTED, code="23000"), ItemResult(8, Kind.UNCONFIRMED)]
    settle(order, Outcome("answered", results, 207))
    reports = [report(order, i, code) for i, code in enumerate(CODES) if code]
    evidence.apply(reports)
    made.refresh_from_db()
    return made


def report(order, i, code):
    word = "failed" if code.startswith("23") else "sent"
    fields = {"SmsSid": f"sid{i}", "To": order.numbers[i], "Status": word, "DetailedStatusCode": code, "SmsUnits": "1"}
    return evidence.Evidence.of(order.attempt.pk, from_fields(fields, "callback"), timezone.now())


def test_a_campaign_counts_by_state_and_by_delivery(campaign):
    found = counts.for_campaign(campaign)
    assert (found.total, found.settled) == (10, 9)
    assert {word: n for word, n in found.state.items() if n} == {
        "pending": 1,
        "accepted": 7,
        "rejected": 1,
        "unconfirmed": 1,
    }
    assert found.delivery == {"awaiting": 1, "delivered": 2, "read": 0, "at_operator": 1, "failed": 3, "conflict": 0}
    assert (found.units, str(found.cost), found.dnd) == (8, "1.6000", 1)


def test_several_campaigns_cost_one_query(campaign, django_assert_num_queries):
    others = [builders.campaign() for _ in range(3)]
    with django_assert_num_queries(1):
        found = counts.for_campaigns([campaign, *others])
    assert [found[other.pk].total for other in others] == [0, 0, 0]


def test_a_running_campaign_has_a_rate_and_an_end_and_a_draft_has_neither(campaign):
    going = counts.progress(campaign, counts.for_campaign(campaign))
    assert going.percent == 90 and going.rate_per_minute > 0 and going.eta > timezone.now()
    draft = builders.campaign()
    assert counts.progress(draft, counts.for_campaign(draft)) == counts.Progress(0.0, None, 0.0)


def test_outcomes_over_time_are_disjoint_and_add_up(campaign):
    now = timezone.now()
    buckets = series.series(now - dt.timedelta(hours=23), now + dt.timedelta(minutes=1), "hour", IST, campaign=campaign)
    assert len(buckets) in {24, 25}
    sums = {name: sum(getattr(bucket, name) for bucket in buckets) for name in series.Bucket.__slots__ if name != "at"}
    assert sums == {"delivered": 2, "at_operator": 1, "dnd": 1, "failed": 3, "awaiting": 1, "unconfirmed": 1}
    assert all(bucket.at.minute == 0 and bucket.at.tzinfo is IST for bucket in buckets)


def test_totals_say_what_was_sent_and_what_it_cost(campaign):
    now = timezone.now()
    found = series.totals(now - dt.timedelta(hours=1), now + dt.timedelta(minutes=15), account=campaign.account)
    assert (found.sent, found.delivered, found.at_operator, found.dnd, found.failed, found.dlt) == (9, 2, 1, 1, 3, 1)
    assert (found.awaiting, found.unconfirmed, found.final, str(found.cost)) == (1, 1, 7, "1.6000")


@pytest.mark.parametrize(
    ("zone", "start", "end", "by", "edges"),
    [
        (
            "Asia/Kolkata",
            (2026, 11, 20, 20, 0),
            (2026, 11, 20, 22, 0),
            "hour",
            3,
        ),  # 01:30 to 03:30 local touches three hours
        ("America/New_York", (2026, 11, 1, 4, 0), (2026, 11, 1, 8, 0), "hour", 4),  # one of them twice by name
        ("America/New_York", (2026, 3, 8, 5, 0), (2026, 3, 9, 4, 0), "day", 1),  # a day of 23 hours
        ("Asia/Kolkata", (2026, 11, 18, 18, 30), (2026, 11, 20, 18, 30), "day", 2),
    ],
)
def test_buckets_are_local_hours_and_days(zone, start, end, by, edges):
    span = [dt.datetime(*moment, tzinfo=dt.UTC) for moment in (start, end)]
    assert len(series.series(*span, by, ZoneInfo(zone))) == edges


def test_a_quarter_counts_in_the_hour_that_holds_it():
    made = builders.campaign()
    at = dt.datetime(2026, 11, 20, 10, 45, tzinfo=IST)
    Count.objects.create(
        campaign=made, quarter=int(at.timestamp()) // 900, state="accepted", delivery="delivered", n=5, units=5
    )
    span = (dt.datetime(2026, 11, 20, 9, tzinfo=IST), dt.datetime(2026, 11, 20, 12, tzinfo=IST))
    assert [bucket.delivered for bucket in series.series(*span, "hour", IST)] == [0, 5, 0]


def test_failures_come_by_code_with_meaning_and_share(campaign):
    found = failures.failures(campaign=campaign)
    assert [(failure.code, failure.count) for failure in found] == [("23000", 1), ("23005", 1), ("23010", 1), ("23082", 1)]
    assert all(failure.title and failure.remedy and failure.share == 0.25 for failure in found)
    assert {failure.failure_class for failure in found} == {"content", "list", "dlt"}


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ({}, 10), ({"status": "accepted"}, 7), ({"status": "pending"}, 1), ({"status": "delivered"}, 2), ({"status": "failed"}, 3),
        ({"status": "dnd"}, 1), ({"status": "conflict"}, 0), ({"code": "23082"}, 1), ({"phone": "98000 00002"}, 1),
        ({"phone": "+919800000999"}, 0), ({"status": "failed", "code": "23010"}, 1),
    ],
)  # fmt: skip
def test_lists_filter(campaign, asked, number):
    assert len(listing.page(campaign, **asked).rows) == number


def test_pages_go_forth_and_back_without_gap_or_repeat(campaign):
    ids = sorted(Message.objects.values_list("id", flat=True), reverse=True)
    first = listing.page(campaign, size=4)
    second = listing.page(campaign, size=4, cursor=first.next)
    third = listing.page(campaign, size=4, cursor=second.next)
    assert [row.pk for page in (first, second, third) for row in page.rows] == ids
    assert (first.previous, third.next) == (None, None)
    back = listing.page(campaign, size=4, cursor=third.previous)
    assert [row.pk for row in back.rows] == [row.pk for row in second.rows]


def test_a_message_tells_its_story_in_order(campaign):
    message = Message.objects.get(campaign=campaign, code="23082")
    texts = [event.text for event in listing.history(message)]
    assert texts[0].startswith("Prepared") and texts[1].startswith("Handed to Exotel in a request of 9")
    assert any("Accepted by Exotel as sid4" in text for text in texts)
    assert any("differs from the DLT template" in text for text in texts)


def test_the_file_tells_one_word_and_one_reason_a_row(campaign):
    rows = list(csv.DictReader(io.StringIO("".join(export.report_csv(campaign, True)).lstrip("\ufeff"))))
    words = [row["status"] for row in rows]
    assert words == [
        "delivered", "delivered", "at operator", "do not disturb", "failed", "failed", "awaiting", "rejected", "unconfirmed", "waiting",
    ]  # fmt: skip
    assert rows[4]["name"] == "TEMPLATE_BLOCKED_BY_DLT" and "DLT" in rows[4]["reason"]
    assert rows[0]["mobile"] == "919800000000" and rows[0]["sent_at"].endswith("+05:30")


def test_masked_files_hold_no_whole_number(campaign):
    assert "98000000" not in "".join(export.report_csv(campaign, False))


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "＋1"])
def test_no_cell_becomes_a_formula(cell):
    assert export.guard(cell) == "'" + cell


def test_squashing_changes_no_sum_and_loses_no_row_that_comes_meanwhile(campaign, monkeypatch):
    monkeypatch.setattr(squash, "ENOUGH", 1)
    before = recount.counted(campaign.pk)
    for _ in range(40):
        Count.objects.create(campaign=campaign, quarter=1, state="accepted", delivery="delivered", n=1, units=1)
        Count.objects.create(campaign=campaign, quarter=1, state="accepted", delivery="delivered", n=-1, units=-1)
    assert squash.squash() > 60
    assert recount.counted(campaign.pk) == before


def test_a_recount_finds_and_mends_what_was_lost(campaign, capsys):
    assert list(recount.breaches()) == []
    Count.objects.filter(state="rejected").delete()
    assert any("differ from a recount" in sentence for sentence in recount.breaches())
    with pytest.raises(SystemExit):
        call_command("check_invariants")
    call_command("recount", campaign.pk)
    assert list(recount.breaches()) == []


def test_each_broken_rule_is_named(campaign):
    Message.objects.filter(state="unconfirmed").update(state="in_flight")
    Message.objects.filter(delivery="delivered").update(delivery="awaiting")
    found = " ".join(recount.breaches())
    assert "without a request on the wire" in found
    assert "lower than one of their reports" in found
