"""Which countries may be sent to, as people write them, and numbers of them and of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.text import countries
from campaigns.text.phone import EVERYWHERE, INDIA, anywhere, canonical, explain

ABROAD = frozenset({"IN", "GB", "US", "SG"})


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("IN", "IN"),
        ("gb, in", "IN, GB"),
        ("India; +44", "IN, GB, GG, IM, JE"),
        ("+971\nNepal", "AE, NP"),
        ("00977", "NP"),
        ("The United Kingdom", "GB"),
        ("DR Congo, Côte d'Ivoire", "CD, CI"),
        (" IN ,, IN ", "IN"),
    ],
)
def test_countries_are_written_in_many_ways_and_kept_in_one(text, kept):
    assert countries.written(countries.parse(text)) == kept
    assert countries.parse(kept) == countries.parse(text)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "at least one"),
        (" , ", "at least one"),
        ("IN, Atlantis", "“Atlantis”"),
        ("+999", "“+999”"),
        ("+0", "“+0”"),
        ("XX", "“XX”"),
        ("IN GB", "“IN GB”"),
    ],
)
def test_what_is_no_country_is_named(text, word):
    with pytest.raises(ValueError, match="country") as error:
        countries.parse(text)
    assert word in str(error.value)


@pytest.mark.parametrize(
    ("regions", "words"),
    [({"IN"}, "India"), ({"GB", "IN"}, "India and the United Kingdom"), ({"NP", "IN", "LK"}, "India, Sri Lanka and Nepal"),
     (EVERYWHERE, "India, Ascension Island, Andorra and 242 other countries")],
)  # fmt: skip
def test_countries_are_listed_as_a_sentence_has_them(regions, words):
    assert countries.listing(regions) == words


NUMBERS = [
    ("+44 7400 123456", 447400123456),
    ("0044 7400 123456", 447400123456),
    ("447400123456", 447400123456),
    ("447400123456.0", 447400123456),
    ("+1 (415) 555-2671", 14155552671),
    ("+65 9123 4567", 6591234567),
    ("98123 45670", 919812345670),
    ("+91 98123 45670", 919812345670),
    ("07400 123456", 917400123456),  # without a country code it is Indian
    ("6295123456", 916295123456),
    ("4155552671", 0),
    ("+44 20 7946 0958", 0),
    ("+971 50 123 4567", 0),
    ("+1 416 555 0123", 0),  # Canada, which has the code of the United States
    ("+44 7400 123456 x5", 0),
    ("44740012345", 0),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers_of_the_countries_that_are_sent_to(text, number):
    assert canonical(text, ABROAD) == number


@pytest.mark.parametrize("text", ["+447400123456", "447400123456", "00447400123456", "+14155552671"])
def test_an_account_that_sends_to_india_takes_no_other_number(text):
    assert canonical(text) == canonical(text, INDIA) == canonical(text, frozenset({"IN"})) == 0


REFUSALS = [
    ("+44 20 7946 0958", INDIA, "+44 20 7946 0958 is a number of the United Kingdom (+44); this account sends only to India."),
    ("00447400123456", INDIA, "+44 7400 123456 is a number of the United Kingdom (+44); this account sends only to India."),
    ("+1 416 555 0123", ABROAD, "+1 416-555-0123 is a number of Canada (+1); this account sends only to India, the United "
                                "Kingdom, Singapore and the United States."),
    ("971501234567", ABROAD, "+971 50 123 4567 is a number of the United Arab Emirates (+971); this account sends only to "
                             "India, the United Kingdom, Singapore and the United States."),
    ("+44 20 7946 0958", ABROAD, "+44 20 7946 0958 is not a mobile number of the United Kingdom (+44)."),
    ("+44 7911 123456", frozenset({"GB"}), "+44 7911 123456 is a number of Guernsey (+44); this account sends only to the United Kingdom."),
    ("+44 7400", ABROAD, "+44 7400 is not a complete number of the United Kingdom (+44)."),
    ("98123 45670", frozenset({"GB"}), "“98123 45670” is a number of India (+91); this account sends only to the United Kingdom."),
    ("98123", ABROAD, "“98123” has 5 digits; an Indian mobile number has 10."),
    ("+999 12345678", ABROAD, "“+999 12345678” begins with the code of no country."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "regions", "sentence"), REFUSALS)
def test_a_refusal_names_the_country(text, regions, sentence):
    assert canonical(text, regions) == 0
    assert explain(text, regions) == sentence


@given(st.text(alphabet="+0123456789 -()", max_size=20), st.sampled_from([INDIA, ABROAD, EVERYWHERE, frozenset({"NP"})]))
def test_a_number_that_is_taken_comes_back_from_its_own_digits(text, regions):
    number = canonical(text, regions)
    assert explain(text, regions)
    if number:
        assert canonical(f"+{number}", regions) == number == anywhere(f"+{number}")


@pytest.mark.parametrize(
    ("text", "number"), [("+447400123456", 447400123456), ("447400123456", 0), ("9812345670", 919812345670), ("order 12", 0)]
)
def test_a_search_takes_numbers_of_any_country_with_their_plus(text, number):
    assert anywhere(text) == number
