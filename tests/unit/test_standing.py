"""The total order over reports (statuses.md, "Applying"): what proves more is greater, and nothing but the report counts."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.exotel.reports import DeliveryReport, from_fields
from campaigns.models.states import DELIVERY_OF, RANK, Delivery
from campaigns.sending.standing import standing

DAY = datetime(2026, 11, 21, tzinfo=UTC)


def report(state, code="", sent=None, **more):
    values = {"source": "callback", "sid": "s", "to": "", "number10": "", "word": "", "name": "", "units": None} | more
    return DeliveryReport(code=code, state=state, date_sent=sent, **values)


LADDER = [
    report("queued", "21010", datetime(2030, 1, 1, tzinfo=UTC)),
    report("sending", "21015", DAY),
    report("submitted", "21020", DAY),
    report("at_operator", "20006", DAY),
    report("failed", "24990", datetime(2030, 1, 1, tzinfo=UTC)),  # generic: says little, however late
    report("failed", "23050", DAY),
    report("failed", "23035", DAY.replace(hour=1)),  # later
    report("failed", "23050", DAY.replace(hour=1)),  # the same moment: the greater code
    report("delivered", "", None),
    report("delivered", "20005", DAY),
    report("read", "", None),
]


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(LADDER)), ids=range(len(LADDER) - 1))
def test_what_proves_more_stands_higher(lower, higher):
    assert standing(lower) < standing(higher)


@pytest.mark.parametrize("code", ["23060", "24010", "24990", ""])
def test_a_failure_that_says_why_stands_above_one_that_does_not(code):
    assert standing(report("failed", code, DAY.replace(year=2030))) < standing(report("failed", "23010"))


@pytest.mark.parametrize("state", ["", "unheard-of"])
def test_a_report_that_says_nothing_of_delivery_has_no_standing(state):
    assert standing(report(state, "99999", DAY)) == 0


@pytest.mark.parametrize(
    ("word", "code", "state"),
    [
        ("sent", "20005", "delivered"), ("sent", "20006", "at_operator"), ("sent", "", "at_operator"),
        ("delivered", "", "delivered"), ("failed", "23050", "failed"), ("failed-dnd", "23005", "failed"),
        ("failed_dnd", "", "failed"), ("queued", "21010", "queued"), ("submitted", "21020", "submitted"),
        ("failed", "99999", "failed"), ("sent", "99999", "at_operator"), ("telepathy", "", ""), ("telepathy", "20005", "delivered"),
    ],
)  # fmt: skip
def test_words_and_codes_of_the_wire_stand_where_their_state_does(word, code, state):
    told = from_fields({"Status": word, "DetailedStatusCode": code, "SmsSid": "s", "To": "09800000001"}, "callback")
    assert told.state == state
    assert (standing(told) > 0) == (state in RANK)


def test_the_order_of_states_is_the_order_of_what_they_prove():
    proved = [Delivery.AWAITING, Delivery.AT_OPERATOR, Delivery.FAILED, Delivery.DELIVERED, Delivery.READ]
    by_rank = [DELIVERY_OF[state] for state in sorted(RANK, key=RANK.get)]
    assert list(dict.fromkeys(by_rank)) == proved


DATES = st.one_of(
    st.none(), st.datetimes(datetime(1971, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)), st.just(DAY)
)
CODES = st.one_of(st.sampled_from(["", "20005", "23050", "24990", "x", "٢٣", "9" * 32]), st.text(max_size=32))
REPORTS = st.builds(report, st.sampled_from([*RANK, ""]), CODES, DATES)


@given(REPORTS)
def test_every_standing_fits_a_signed_64_bit_column(told):
    assert 0 <= standing(told) < 2**63


@given(REPORTS, REPORTS)
def test_the_state_decides_before_anything_else(one, other):
    if RANK.get(one.state, 0) < RANK.get(other.state, 0):
        assert standing(one) < standing(other)


@given(REPORTS)
def test_nothing_but_state_code_and_date_counts(told):
    twin = report(told.state, told.code, told.date_sent, source="poll", sid="", to="x", word="w", name="n", units=3)
    assert standing(twin) == standing(told)
