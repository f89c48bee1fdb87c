"""No file, however odd, ends in anything but its exact report: what was kept, what was not and why, in these very words."""

import io
from pathlib import Path

import pytest

from campaigns import audience
from campaigns.audience.faults import Unusable
from campaigns.models import Import, Recipient, RowError, Suppression
from campaigns.models.states import ImportState
from tests import builders, hostile_files

pytestmark = pytest.mark.django_db

EXPECTED = Path(hostile_files.__file__).with_name("hostile_files.txt")
MAPPING = {"phone": "mobile", "vars": ["name", "amount"]}
KEPT, REFUSED = 8, 12  # rows that a report names
NAMES = [*hostile_files.FILES, *hostile_files.BY_API]


def expected():
    """Reports by name."""
    blocks = EXPECTED.read_text(encoding="utf-8").split("== ")[1:]
    return dict(block.strip("\n").split("\n", 1) for block in blocks)


@pytest.fixture(autouse=True)
def limits(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    settings.UPLOAD_LIMIT_MB = 5
    return tmp_path


def filename(name):
    ending = "xlsx" if name in hostile_files.WORKBOOKS or name.endswith(".xlsx") else "csv"
    return "people.csv" if name.endswith(".csv") else f"people.{ending}"


def outcome(name):
    """The report of a file that went the way of the API: received, mapped by its columns' names, read to its end."""
    campaign = builders.campaign()
    Suppression.objects.create(number=919800000000)
    try:
        source = received(campaign, name)
        fits = {MAPPING["phone"], *MAPPING["vars"]} <= set(source.header)
        try:
            audience.start(source, MAPPING if fits else source.mapping)
        except Unusable:
            audience.discard(source)
            raise
    except Unusable as fault:
        assert not Import.objects.exists() and not Recipient.objects.exists()
        return f"refused {fault.code}: {fault}"
    while not audience.run(source.pk):
        pass
    source.refresh_from_db()
    if source.state == ImportState.FAILED:
        assert not Recipient.objects.exists() and not RowError.objects.exists()
        return f"failed: {source.problem}"
    return report(source)


def received(campaign, name):
    if name in hostile_files.BY_API:
        return audience.receive_rows(campaign, hostile_files.BY_API[name], None)
    content = hostile_files.FILES[name]
    content = content if isinstance(content, bytes) else content.encode()
    return audience.receive(campaign, io.BytesIO(content), filename(name), None)


def report(source):
    """Counts, then the first rows that were kept and refused."""
    assert source.rows == source.accepted + source.rejected + source.suppressed
    kept = list(Recipient.objects.filter(source=source).order_by("line"))
    refused = list(RowError.objects.filter(source=source).order_by("line"))
    assert (len(kept), len(refused)) == (source.accepted, source.rejected + source.suppressed)
    counts = [f"{n} {code}" for code, n in sorted(source.errors.items())]
    counts += [f"{source.suppressed} suppressed"] if source.suppressed else []
    counts += [f"of these {n} {code}" for code, n in sorted(source.findings.items())]
    how = f"{source.filename} {source.encoding} {source.delimiter!r}"
    return "\n".join([
        f"{how}: {', '.join([f'{source.rows} rows', f'{source.accepted} accepted', *counts])}",
        *(f"{row.line} kept {row.number} {short(row.cells)} {row.units}" for row in kept[:KEPT]),
        *(f"{row.line} {row.code} {row.column}: {seen(row.message)}" for row in refused[:REFUSED]),
    ])  # fmt: skip


def seen(text):
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def short(cells):
    """Cells as they are stored, with what cannot be seen written out."""
    text = seen(" | ".join(cells[:5]))
    return text if len(text) < 160 else f"{text[:150]} ... {len(text)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_its_exact_report(name):
    assert outcome(name) == expected()[name]


def test_the_table_is_whole():
    assert len(NAMES) == len(set(NAMES)) >= 120
    assert sum(map(len, hostile_files.TABLES)) == len(hostile_files.FILES)
    assert set(expected()) == set(NAMES)
