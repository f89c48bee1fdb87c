"""Which column is which: guessed from the usual names and from values, and checked before a file is read."""

import pytest

from campaigns.audience.faults import Unusable
from campaigns.audience.mapping import check_mapping, guess_mapping

PHONES = ["9812345670", "+91 98123 45671", "09812345672"]
WORDS = ["Asha", "Ravi", "Meera"]
SPOILT = ["9.87654E+09", "9.81235E+09", "9.8E+09"]
EMPTY = ["", "", ""]


def guess(columns, variables=0):
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return guess_mapping(list(columns), rows, variables)


@pytest.mark.parametrize(
    "name",
    [
        "phone", "Phone", "PHONE NUMBER", "Phone No.", "mobile", "Mobile No.", "mobile_number", "Mobile-No", "mob no", "number",
        "Numbers", "to", "To", "msisdn", "MSISDN", "contact", "Contact No", "contact number", "whatsapp", "WhatsApp Number",
        "cell", "Cell Phone", "Tel.", "telephone", "Customer Mobile", "registered_mobile_no", "Recipient", "मोबाइल", "मोबाइल नंबर",
        "\uff2dobile",
    ],
)  # fmt: skip
def test_the_phone_column_is_known_by_its_usual_names(name):
    assert guess({"customer": WORDS, name: ["12345", "x", "y"], "city": WORDS})["phone"] == name


@pytest.mark.parametrize(
    ("columns", "phone"),
    [
        ({"name": WORDS, "column 2": PHONES}, "column 2"),
        ({"loan": PHONES, "mobile": WORDS}, "mobile"),
        ({"loan": PHONES, "mobile": SPOILT}, "mobile"),
        ({"phone": EMPTY, "column 2": PHONES}, "column 2"),
        ({"number": ["1", "2", "3"], "mobile": PHONES}, "mobile"),
        ({"mobile": PHONES, "whatsapp": PHONES}, "mobile"),
        ({"contact": WORDS, "x": PHONES}, "x"),
        ({"phone model": WORDS, "x": PHONES}, "x"),
        ({"phone": ["022 2345 6789"] * 3, "mobile": PHONES}, "mobile"),
        ({"x": ["9812345670", "none", ""]}, "x"),
        ({"x": ["9812345670", "none", "none"]}, ""),
        ({"name": WORDS, "No.": ["1", "2", "3"]}, ""),
        ({"name": WORDS, "error_code": PHONES}, ""),
    ],
)
def test_names_and_values_decide_together(columns, phone):
    assert guess(columns)["phone"] == phone


@pytest.mark.parametrize(
    ("header", "variables", "chosen"),
    [
        (["mobile", "var1", "var2"], 2, ["var1", "var2"]),
        (["var2", "VAR 1", "mobile", "city"], 2, ["VAR 1", "var2"]),
        (["mobile", "var1", "city"], 2, ["var1", ""]),
        (["mobile", "Variable 1", "Variable 2", "x"], 2, ["Variable 1", "Variable 2"]),
        (["mobile", "2", "1"], 2, ["1", "2"]),
        (["name", "mobile", "amount"], 2, ["name", "amount"]),
        (["name", "mobile", "amount", "city"], 2, ["", ""]),
        (["name", "mobile"], 2, ["", ""]),
        (["mobile", "name", "amount", "error_code", "error_column", "error_reason"], 2, ["name", "amount"]),
        (["mobile", "city"], 0, []),
    ],
)
def test_variables_are_taken_in_order_or_left_open(header, variables, chosen):
    assert guess_mapping(header, [["x"] * len(header)], variables)["vars"] == chosen


HEADER = ["mobile", "name", "amount"]


def test_a_fitting_mapping_is_given_back():
    mapping = {"phone": "mobile", "vars": ["name", "amount"], "more": 1}
    assert check_mapping(HEADER, mapping, 2) == {"phone": "mobile", "vars": ["name", "amount"]}
    assert check_mapping(HEADER, {"phone": "mobile"}, 0) == {"phone": "mobile", "vars": []}
    assert check_mapping(HEADER, {"phone": "mobile", "vars": ["name", "name"]}, 2)["vars"] == ["name", "name"]


@pytest.mark.parametrize(
    ("mapping", "variables", "code", "words"),
    [
        ({}, 0, "NO_PHONE_COLUMN", "holds the phone numbers"),
        ({"phone": ""}, 0, "NO_PHONE_COLUMN", "holds the phone numbers"),
        ({"phone": "tel"}, 0, "UNKNOWN_COLUMN", "no column “tel”. It has: mobile, name, amount"),
        ({"phone": "mobile", "vars": ["name", "city"]}, 2, "UNKNOWN_COLUMN", "no column “city”"),
        ({"phone": "mobile", "vars": ["name"]}, 2, "WRONG_VARIABLES", "2 variables, but 1 column is chosen"),
        ({"phone": "mobile", "vars": ["name", "amount"]}, 1, "WRONG_VARIABLES", "1 variable, but 2 columns are chosen"),
        ({"phone": "mobile", "vars": ["name", ""]}, 2, "VARIABLE_NOT_CHOSEN", "variable 2 of"),
        ({"phone": "mobile", "vars": []}, 2, "VARIABLE_NOT_CHOSEN", "variable 1, 2 of"),
        ({"phone": "mobile"}, 2, "VARIABLE_NOT_CHOSEN", "variable 1, 2 of"),
        ({"phone": "mobile", "vars": ["", "", ""]}, 2, "VARIABLE_NOT_CHOSEN", "variable 1, 2 of"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_with_what_to_do(mapping, variables, code, words):
    with pytest.raises(Unusable) as refused:
        check_mapping(HEADER, mapping, variables)
    assert refused.value.code == code
    assert words in str(refused.value)


OWN = {
    "language": ("Language", ["Hindi", "", "en"]), "header": ("Sender ID", ["ACMEIN", "", "ACMEBK"]),
    "schedule": ("Send at", ["30-11-2026 10:00", "", ""]), "reference": ("Ref. No.", ["A1", "A2", "A3"]),
}  # fmt: skip


def test_optional_columns_are_known_by_their_names_and_cells():
    columns = {"mobile": PHONES, "name": WORDS, **dict(OWN.values())}
    expected = {kind: name for kind, (name, _) in OWN.items()}
    assert guess(columns, 1) == {"phone": "mobile", "vars": ["name"], **expected}


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("language", ["lang", "LANGUAGE", "Language code", "Preferred Language", "locale", "भाषा"]),
        ("header", ["header", "Sender", "sender_id", "SenderID", "SMS Header", "Header ID"]),
        ("schedule", ["schedule", "Scheduled at", "send_at", "Send on", "Schedule Date Time", "send time", "scheduled_for"]),
        ("reference", ["ref", "Reference", "Reference No.", "reference_id", "External ID", "customer ref", "client_ref_id"]),
    ],
)  # fmt: skip
def test_the_usual_names_of_optional_columns(kind, names):
    for name in names:
        assert guess({"mobile": PHONES, name: OWN[kind][1]})[kind] == name


@pytest.mark.parametrize(
    "column",
    [
        ("Language", WORDS),
        ("sender", ["Mr. A. Rao", "x", "-"]),
        ("schedule", WORDS),
        ("reference", EMPTY),
        ("from", ["ACMEIN"] * 3),
    ],
)
def test_a_column_whose_cells_do_not_bear_its_name_out_is_left_alone(column):
    assert guess({"mobile": PHONES, **dict([column])}) == {"phone": "mobile", "vars": []}


def test_what_fills_a_variable_is_not_taken_for_something_else():
    assert guess({"mobile": PHONES, "name": WORDS, "reference": WORDS}, 2) == {
        "phone": "mobile",
        "vars": ["name", "reference"],
    }
    assert guess({"mobile": PHONES, "name": WORDS, "reference": WORDS}, 1) == {
        "phone": "mobile", "vars": ["name"], "reference": "reference",
    }  # fmt: skip


def test_optional_columns_are_checked_and_empty_ones_left_out():
    mapping = {"phone": "mobile", "vars": ["name"], "reference": "amount", "header": "", "schedule": None}
    assert check_mapping(HEADER, mapping, 1) == {"phone": "mobile", "vars": ["name"], "reference": "amount"}
    with pytest.raises(Unusable, match="no column “when”") as refused:
        check_mapping(HEADER, {**mapping, "schedule": "when"}, 1)
    assert refused.value.code == "UNKNOWN_COLUMN"
