"""Two texts in one: what was taken out, what was put in, and nothing lost of either."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.text.differences import Piece, differences


def said(before, after):
    marks = {"same": "{}", "gone": "[-{}-]", "new": "[+{}+]"}
    return "".join(marks[piece.kind].format(piece.text) for piece in differences(before, after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Pay now. -ACME", "Pay now. -ACME", "Pay now. -ACME"),
        ("Pay now. -ACME", "Pay today. -ACME", "Pay [-now.-][+today.+] -ACME"),
        ("Pay Rs {#var#}. -ACME", "Pay {#var#}. -ACME", "Pay[- Rs-] {#var#}. -ACME"),
        ("Pay {#var#}. -ACME", "Pay {#numeric#}. -ACME", "Pay [-{#var#}-][+{#numeric#}+]. -ACME"),
        ("one two three end", "un deux trois end", "[-one two three-][+un deux trois+] end"),
        ("a  b", "a b", "a[-  -][+ +]b"),
        ("", "new", "[+new+]"),
        ("gone", "", "[-gone-]"),
        ("नमस्ते {#var#}", "नमस्कार {#var#}", "[-नमस्ते-][+नमस्कार+] {#var#}"),
    ],
)
def test_what_changed_stands_out_word_by_word(before, after, expected):
    assert said(before, after) == expected


WORDS = st.lists(st.sampled_from(["a", "b", " ", "  ", "\n", "{#var#}", "{", "#", "x{#var#}y"]), max_size=20).map("".join)


@given(WORDS, WORDS)
def test_each_text_can_be_read_back(before, after):
    pieces = differences(before, after)
    assert "".join(text for kind, text in pieces if kind != "new") == before
    assert "".join(text for kind, text in pieces if kind != "gone") == after
    assert all(text for _, text in pieces)


def test_equal_texts_are_one_piece():
    assert differences("a b c", "a b c") == [Piece("same", "a b c")]
