"""The words by which people opt out and in again, as people write them."""

import pytest

from campaigns.text import keywords

STOP, START = keywords.words(keywords.STOP), keywords.words(keywords.START)


@pytest.mark.parametrize(
    "text",
    [
        "STOP", "stop", " Stop ", "STOP.", "stop!!", "“Stop”", "*STOP*", "stop\n", "ＳＴＯＰ", "Unsubscribe", "opt  out", "OPT-OUT", "Opt_out",
        "Band Karo", "BAND\tKARO", "बंद करो", "बंद करो।", "रोकें", "st\u200bop", "STOP ALL", "stop 🙏",
    ],
)  # fmt: skip
def test_a_word_of_leaving_is_known_in_any_spelling(text):
    assert keywords.wish(text, STOP, START) == "stop"


@pytest.mark.parametrize("text", ["STOP sending this", "Stop, please", "unsubscribe me", "band karo yaar", "STOP 1234"])
def test_a_message_that_begins_with_a_word_of_leaving_counts_as_leaving(text):
    assert keywords.wish(text, STOP, START) == "stop"


@pytest.mark.parametrize("text", ["START", "Unstop", "start.", "चालू करो", "opt in"])
def test_coming_back_takes_the_word_alone(text):
    assert keywords.wish(text, STOP, START) == "start"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "👍",
        "Hello",
        "stopped",
        "Don't stop",
        "non stop",
        "start now",
        "starting",
        "please stop",
        "नमस्ते",
        "bandkaro",
        "\x00",
        "STOPS",
    ],
)
def test_anything_else_asks_for_nothing(text):
    assert keywords.wish(text, STOP, START) == ""


def test_a_list_of_words_is_read_with_commas_and_without_empty_ones():
    assert keywords.words(" STOP ,, Band  karo,!,") == {"stop", "band karo"}
    assert keywords.wish("anything", keywords.words(""), keywords.words("")) == ""
