"""Conditions on columns: one meaning of each, by table; what cannot be used is named by its rule."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.text import conditions
from campaigns.text.conditions import Wrong, fold, key, matcher, normal, words

COLUMNS = ["mobile", "city", "amount", "joined"]
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


def rule(column, op, value=None):
    return {"column": column, "op": op} | ({} if value is None else {"value": value})


def group(*rules, match="all"):
    return {"match": match, "rules": list(rules)}


def holds(op, value, cell):
    made = normal(group(rule("city", op, value)), COLUMNS, "mobile")
    return matcher(made, COLUMNS)(["9812345670", cell])


MEANINGS = [
    # op, value, cells for which it holds, cells for which it does not
    ("equals", "Pune", ["Pune", "pune", " PUNE\t", "\u00a0Pune\u00a0", "Ｐｕｎｅ"], ["", "Pun", "Pune 1"]),
    ("equals", "Straße", ["STRASSE", "strasse"], ["Strase"]),
    ("equals", "José", ["JOSE\u0301", "josé"], ["Jose"]),
    ("equals", "मुंबई", ["मुंबई", " मुंबई "], ["मुंबइ"]),
    ("equals", "İzmir", ["i̇zmir"], ["izmir"]),
    ("equals", "1,00,000", ["100000", "1,00,000.00", "₹ 1,00,000", "Rs. 100,000/-", "१,००,०००", "+100000"], ["10,000", "1,0,0", "1,00,00"]),
    ("equals", "7", ["7", "7.0"], ["007", "07", "-7", "7 days"]),
    ("equals", "007", ["007"], ["7", "07"]),
    ("equals", "2026-11-28", ["2026-11-28", "28-11-2026", "28/11/2026", "28.11.2026", "2026-11-28 00:00"], ["11-28-2026", "28-11-26", "2026-11-28 10:00"]),
    ("not_equals", "Pune", ["", "Mumbai"], ["PUNE"]),
    ("contains", "une", ["PUNE", "Pune East"], ["", "Mumbai"]),
    ("contains", "बई", ["मुंबई"], ["पुणे"]),
    ("starts_with", "pu", ["Pune", " PU"], ["", "Apu"]),
    ("greater", "50,000", ["50001", "1,00,000", "50,000.01", "₹ 60000", "0060000"], ["50000", "9", "", "many", "2026-11-28", "-99999"]),
    ("less", "-1.5", ["-2", "- 2", "-1,000"], ["-1.5", "0", ""]),
    ("greater", "2026-11-28", ["29-11-2026", "2026-11-28 00:01", "1/1/2027"], ["28-11-2026", "2025-12-31", "30-02-2027", "3000", ""]),
    ("less", "2026-11-28", ["27-11-2026", "1999-01-01"], ["28-11-2026", "0", "soon"]),
    ("empty", None, ["", "  ", "\u00a0\t"], ["0", "-"]),
    ("not_empty", None, ["0", "-"], ["", "  "]),
]  # fmt: skip


@pytest.mark.parametrize(("op", "value", "yes", "no"), MEANINGS, ids=[f"{row[0]} {row[1]}" for row in MEANINGS])
def test_a_condition_means_what_its_words_say(op, value, yes, no):
    assert {cell: holds(op, value, cell) for cell in [*yes, *no]} == dict.fromkeys(yes, True) | dict.fromkeys(no, False)


def test_rules_hold_together_or_each_for_itself_and_groups_within():
    pune, rich, old = rule("city", "equals", "Pune"), rule("amount", "greater", 100), rule("joined", "less", "2020-01-01")
    rows = {name: ["x", *cells] for name, cells in {
        "pune": ["Pune", "1", "2024-01-01"], "rich pune": ["Pune", "900", "2024-01-01"], "old pune": ["Pune", "1", "2019-01-01"],
        "rich": ["Goa", "900", "2024-01-01"], "nobody": ["Goa", "1", "2024-01-01"],
    }.items()}  # fmt: skip

    def chosen(made):
        test = matcher(normal(made, COLUMNS, "mobile"), COLUMNS)
        return [name for name, cells in rows.items() if test(cells)]

    assert chosen(group(pune, rich)) == ["rich pune"]
    assert chosen(group(pune, rich, match="any")) == ["pune", "rich pune", "old pune", "rich"]
    assert chosen(group(pune, group(rich, old, match="any"))) == ["rich pune", "old pune"]
    assert chosen(group(group(pune, rich), group(old), match="any")) == ["rich pune", "old pune"]


def test_cells_that_are_not_there_are_empty():
    test = matcher(normal(group(rule("joined", "empty")), COLUMNS), COLUMNS)
    assert test(["x"]) and test(["x", "a", "b", ""]) and not test(["x", "a", "b", "c"])


WRONG = [
    ([], "The conditions: write"),
    ({"rules": "city"}, "The conditions: write"),
    ({"rules": []}, "there is no rule"),
    ({"match": "none", "rules": [rule("city", "empty")]}, "match is “all” or “any”"),
    ({"match": [], "rules": [rule("city", "empty")]}, "match is “all” or “any”"),
    (group("city"), "Rule 1: write"),
    (group(rule("city", "empty"), rule("", "empty")), "Rule 2: choose a column."),
    (group(rule("town", "empty")), "Rule 1: there is no column “town”. There are: city, amount, joined."),
    (group(rule("mobile", "starts_with", "98")), "holds the phone numbers"),
    (group(rule("city", "like", "x")), "“like” is none of equals"),
    (group(rule("city", {}, "x")), "is none of"),
    (group(rule("city", "equals")), "write a value"),
    (group(rule("city", "equals", "  ")), "write a value"),
    (group(rule("city", "equals", True)), "must be text or a number"),
    (group(rule("city", "equals", ["a"])), "must be text or a number"),
    (group(rule("city", "equals", "x" * 201)), "at most 200"),
    (group(rule("city", "equals", "a\0b")), "no text can carry"),
    (group(rule("city", "equals", "a\ud800")), "no text can carry"),
    (group(rule("amount", "greater", "much")), "neither a number nor a date"),
    (group(rule("amount", "less", "2026-02-30")), "neither a number nor a date"),
    (group(group(group(rule("city", "empty")))), "Rule 1, rule 1: a group stands within a group"),
    (group(group(rule("city", "equals"))), "Rule 1, rule 1: write a value"),
    (group(*[rule("city", "empty")] * 21), "at most 20"),
    (group(*[group(*[rule("city", "empty")] * 7)] * 3), "21 rules; at most 20"),
]


@pytest.mark.parametrize(("given_ones", "sentence"), WRONG)
def test_what_cannot_be_used_is_named_by_its_rule(given_ones, sentence):
    with pytest.raises(Wrong) as raised:
        normal(given_ones, COLUMNS, "mobile")
    assert sentence in str(raised.value)


def test_conditions_are_kept_in_one_form_and_told_in_words():
    loose = {
        "rules": [
            rule("city", "equals", " Pune ") | {"x": 1},
            group(rule("amount", "greater", 5), rule("joined", "empty", "z"), match="any"),
        ]
    }
    made = normal(loose, COLUMNS)
    assert made == normal(made, COLUMNS)
    assert key(made) == key({"rules": made["rules"], "match": "all"}) != key(made | {"match": "any"})
    assert words(made) == "city is “Pune” and (amount is greater than “5” or joined is empty)"
    assert conditions.columns_of(made) == {"city", "amount", "joined"}


@given(texts)
def test_folding_twice_is_folding_once_for_what_is_stored_either_way(text):
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)


@given(texts, texts)
def test_every_cell_is_or_is_not_what_is_asked_for(value, cell):
    if value.strip():
        equal = holds("equals", value, cell)
        assert equal is not holds("not_equals", value, cell)
        assert holds("equals", cell, value) is equal if cell.strip() else not equal
        assert not equal or fold(cell) != fold(value) or holds("contains", value, cell)
        assert not holds("starts_with", value, cell) or holds("contains", value, cell)
    assert holds("empty", None, cell) is not holds("not_empty", None, cell)


@given(st.decimals(-(10**12), 10**12, places=2), st.decimals(-(10**12), 10**12, places=2))
def test_numbers_are_ordered_as_numbers(a, b):
    assert (holds("greater", str(b), str(a)), holds("less", str(b), str(a)), holds("equals", str(b), str(a))) == (
        a > b,
        a < b,
        a == b,
    )


@given(st.text(alphabet="0123456789,.-/ :₹rsRS१२\u0660²", max_size=45))
def test_no_text_of_digits_is_too_strange(cell):
    for op in ("greater", "less", "equals"):
        holds(op, "10", cell)
        holds(op, "2026-11-28", cell)
