"""What DLT demands: each rule with a template that breaks it, and one that breaks none."""

import pytest

from campaigns.text import dlt
from campaigns.text.render import parse

GOOD = {"body": "Dear {#var#}, your order is ready for you. -ACME", "header": "ACMEIN", "category": "service_implicit"}
GOOD |= {"entity_id": "1" * 19, "template_id": "2" * 19}
RULES = [
    ({}, []),
    ({"entity_id": "12a"}, [("error", "ENTITY_ID_NOT_NUMERIC")]),
    ({"template_id": ""}, [("error", "TEMPLATE_ID_NOT_NUMERIC")]),
    ({"template_id": "१" * 19}, [("error", "TEMPLATE_ID_NOT_NUMERIC")]),
    ({"entity_id": "1" * 18}, [("warning", "ENTITY_ID_LENGTH")]),
    ({"header": "ACME1N"}, [("error", "HEADER_NOT_LETTERS")]),
    ({"header": "ACME"}, [("warning", "HEADER_LENGTH")]),
    ({"header": "AD-ACMEIN"}, [("error", "HEADER_AFFIX")]),
    ({"header": "ACMEIN-P"}, [("error", "HEADER_AFFIX")]),
    ({"category": "promotional"}, [("error", "HEADER_NOT_NUMERIC")]),
    ({"category": "promotional", "header": "612345"}, []),
    ({"category": "promotional", "header": "912345"}, [("warning", "HEADER_CATEGORY")]),
    ({"body": "Dear {#var}, your order is ready"}, [("error", "VARIABLE_MALFORMED")]),
    ({"body": "x" * 2001}, [("error", "BODY_TOO_LONG")]),
    ({"body": " "}, [("error", "BODY_EMPTY")]),
    ({"body": "Your order for today is {#var#}{#var#} and will be with you soon"}, [("warning", "VARIABLES_ADJACENT")]),
    ({"body": "Hi {#var#}, {#var#} by {#var#}"}, [("warning", "MOSTLY_VARIABLE")]),
    ({"body": "Your order  is ready"}, [("warning", "DOUBLE_SPACE")]),
    ({"body": "Your order <b> is ready"}, [("warning", "ANGLE_BRACKETS")]),
    ({"body": "Your order { is ready"}, [("warning", "BRACES")]),
    ({"body": "Your order is ready }"}, [("warning", "BRACES")]),
    ({"body": "Dear {{#var#}}, your order is ready"}, [("error", "VARIABLE_MALFORMED")]),
    ({"body": "Your order is ready: bit.ly/x"}, [("warning", "PUBLIC_SHORTENER")]),
]


@pytest.mark.parametrize(("change", "expected"), RULES, ids=str)
def test_each_rule_is_found_and_no_other(change, expected):
    findings = dlt.check_template(**{**GOOD, **change})
    assert [(finding.level, finding.code) for finding in findings] == expected
    assert all(len(finding.message) > 20 for finding in findings)


@pytest.mark.parametrize(
    ("category", "sms_type"),
    [
        ("transactional", "transactional"), ("service_implicit", "transactional"), ("service_explicit", "transactional_opt_in"),
        ("promotional", "promotional"),
    ],
)  # fmt: skip
def test_the_category_decides_the_sms_type(category, sms_type):
    assert dlt.sms_type(category) == sms_type


@pytest.mark.parametrize(
    ("kind", "value", "codes"),
    [
        ("var", "x" * 30, []), ("var", "x" * 31, ["VARIABLE_LONG"]), ("var", "x" * 41, ["VARIABLE_TOO_LONG"]),
        ("numeric", "1,250.50", []), ("numeric", "12a", ["VARIABLE_TYPE"]), ("alphanumeric", "AB 12", []),
        ("url", "https://acme.example/pay?x=1", []), ("url", "not a url", ["VARIABLE_TYPE"]), ("email", "a@b.in", []),
        ("email", "a@b", ["VARIABLE_TYPE"]), ("cbn", "1800 123 456", []), ("cbn", "call me", ["VARIABLE_TYPE"]),
    ],
)  # fmt: skip
def test_values_are_held_to_length_and_kind(kind, value, codes):
    found = dlt.check_values(parse(f"Your value is {{#{kind}#}} today"), [value])
    assert [code for _, _, code in found] == codes
