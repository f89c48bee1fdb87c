"""Every finding says what to do about it."""

import ast
from pathlib import Path

import pytest

from campaigns.audience import rows
from campaigns.sending.preflight import ROW_FINDINGS
from campaigns.sending.refusals import SENTENCES
from campaigns.text.remedies import REMEDIES

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("ENTITY_ID", "TEMPLATE_ID")  # codes that are put together: f"{code}_LENGTH"


def codes_of(tree):
    """The codes of all findings that a file makes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            code = node.args[1]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield code.value
            elif isinstance(code, ast.JoinedStr):
                yield from (f"{part}{code.values[-1].value}" for part in PARTS)


FOUND = sorted({
    code
    for path in (ROOT / "campaigns").rglob("*.py")
    for code in codes_of(ast.parse(path.read_text(encoding="utf-8")))
})  # fmt: skip
OF_ROWS = [*ROW_FINDINGS, *SENTENCES, rows.INVALID_PHONE, rows.DUPLICATE_ENTRY, rows.MISSING_REQUIRED, rows.INVALID_FORMAT]


@pytest.mark.parametrize("code", sorted({*FOUND, *OF_ROWS, rows.SUPPRESSED}))
def test_a_finding_says_what_to_do(code):
    assert len(REMEDIES[code]) > 20
    assert REMEDIES[code].endswith(".")


def test_the_findings_of_the_product_were_seen():
    assert {"NO_SENDER", "HEADER_AFFIX", "ENTITY_ID_LENGTH", "ROWS_REFUSED"} <= set(FOUND)
    assert len(FOUND) > 35
