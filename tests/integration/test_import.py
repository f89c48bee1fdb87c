"""From a file to recipients and row errors: every row counted once, whatever interrupts the reading."""

import codecs
import csv
import io
import random
import uuid
from datetime import timedelta

import pytest
import xlsxwriter
from django.core.management import CommandError, call_command
from django.utils import timezone

from campaigns import audience, leases
from campaigns.audience import importing, rows
from campaigns.models import Campaign, Import, Recipient, RowError, Suppression, Template
from campaigns.models.states import CampaignState, ImportState
from tests import builders
from tests.dying import Killed, dying

pytestmark = pytest.mark.django_db

MAPPING = {"phone": "mobile", "vars": ["name", "amount"]}
HEADER = "mobile,name,amount\n"
GOOD = "9812345670,Asha,10\n9812345671,Ravi,20\n"
COUNTS = ("rows", "accepted", "rejected", "duplicates", "suppressed", "units", "errors", "findings", "examples")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def received(content, campaign=None, name="people.csv"):
    content = content if isinstance(content, bytes) else content.encode()
    return audience.receive(campaign or builders.campaign(), io.BytesIO(content), name, None)


def read(source):
    for _ in range(10_000):
        if audience.run(source.pk):
            break
    source.refresh_from_db()
    return source


def imported(content, campaign=None, mapping=MAPPING, name="people.csv"):
    source = received(content, campaign, name)
    audience.start(source, mapping)
    return read(source)


def kept(source):
    fields = ("line", "number", "cells", "units")
    return [tuple(row) for row in Recipient.objects.filter(source=source).order_by("line").values_list(*fields)]


def refused(source):
    fields = ("line", "code", "column", "message", "cells")
    return [tuple(row) for row in RowError.objects.filter(source=source).order_by("line").values_list(*fields)]


def counts(source):
    return {name: getattr(source, name) for name in COUNTS}


def table(text):
    """A downloaded file as dicts."""
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def people(count, first=0):
    return HEADER + "".join(f"98{first + i:08d},Person {i},{i}.50\n" for i in range(count))


# File: rows, accepted, suppressed, errors by code.
FILES = {
    "plain": (HEADER + GOOD, 2, 2, {}),
    "semicolons and a mark": (codecs.BOM_UTF8 + (HEADER + GOOD).replace(",", ";").encode(), 2, 2, {}),
    "tabs in UTF-16": (codecs.BOM_UTF16_LE + (HEADER + GOOD).replace(",", "\t").encode("utf-16-le"), 2, 2, {}),
    "cp1252 with CRLF": ((HEADER + "9812345670,José,10\n").replace("\n", "\r\n").encode("cp1252"), 1, 1, {}),
    "CR only": ((HEADER + GOOD).replace("\n", "\r"), 2, 2, {}),
    "blank lines": (HEADER + "\n" + GOOD.replace("\n", "\n\n,,\n , ,\n"), 2, 2, {}),
    "a newline in a cell": (HEADER + '9812345670,"Asha\nRao",10\n' + "12345,x,1\n", 2, 1, {"INVALID_PHONE": 1}),
    "short and long rows": (
        HEADER + GOOD + "9812345672\n9812345673,a,1,x\n9812345674,a,1,,\n", 5, 3, {"INVALID_FORMAT": 2},
    ),
    "damage by a spreadsheet": (
        HEADER + "9.87654E+09,a,1\n9812345670.0,a,1\n'9812345671,a,1\n9.8E9,a,1\n#N/A,a,1\n", 5, 2, {"INVALID_PHONE": 3},
    ),
    "missing cells": (
        HEADER + ",a,1\n9812345670,,1\n9812345671,a,\n9812345672,a,1\n", 4, 1, {"MISSING_REQUIRED": 3},
    ),
    "one number in six spellings": (
        HEADER + "".join(
            f"{n},a,1\n"
            for n in ("9812345670", "+919812345670", "09812345670", "98123 45670", "+91-98123-45670", "९८१२३४५६७०")
        ), 6, 1, {"DUPLICATE_ENTRY": 5},
    ),
    "a faulty row does not take the number": (
        HEADER + "9812345670,,1\n9812345670,a,1\n", 2, 1, {"MISSING_REQUIRED": 1},
    ),
    "a value that is too long": (HEADER + f"9812345670,{'x' * 41},1\n", 1, 0, {"INVALID_FORMAT": 1}),
    "NUL late in the file": (HEADER + GOOD * 200 + "9812345672,a\0b,1\n", 401, 2, {"DUPLICATE_ENTRY": 398, "INVALID_FORMAT": 1}),
    "formulas": (HEADER + "9812345670,=1+1,-5\n'+919812345671,'=1+1,'-5\n", 2, 2, {}),
    "other countries": (HEADER + "+14155550123,a,1\n9812345670,a,1\n", 2, 1, {"INVALID_PHONE": 1}),
    "every fault at once": (
        HEADER + GOOD + "98123,a,1\n,a,1\n9812345670,a,1\n9812345672,a\n9812345673,,1\n\n,,\n",
        7, 2, {"INVALID_PHONE": 1, "MISSING_REQUIRED": 2, "DUPLICATE_ENTRY": 1, "INVALID_FORMAT": 1},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "total", "accepted", "errors"), FILES.values(), ids=FILES)
def test_every_row_is_counted_once_under_its_code(content, total, accepted, errors):
    source = imported(content)
    assert source.state == ImportState.DONE
    assert (source.rows, source.accepted, source.errors) == (total, accepted, errors)
    assert (source.rejected, source.duplicates) == (sum(errors.values()), errors.get("DUPLICATE_ENTRY", 0))
    assert len(kept(source)) == accepted
    assert len(refused(source)) == total - accepted
    assert source.bytes_read == source.size
    assert source.finished_at


def test_a_recipient_has_its_number_its_cells_and_its_units():
    source = imported(HEADER + '+91 98123 45670,"Asha ""A"" Rao",\'=5\n')
    assert kept(source) == [(2, 919812345670, ["+91 98123 45670", 'Asha "A" Rao', "=5"], 1)]


def test_lines_are_those_of_a_spreadsheet():
    source = imported(HEADER + '9812345670,"two\nlines",1\n\nx,a,1\n9812345670,a,1\n')
    assert [(line, code, column) for line, code, column, *_ in refused(source)] == [
        (4, "INVALID_PHONE", "mobile"),
        (5, "DUPLICATE_ENTRY", ""),
    ]
    assert refused(source)[1][3] == "The number is already in line 2."


def test_the_findings_and_units_are_those_of_the_kept_rows():
    source = imported(HEADER + f"9812345670,मीरा,10\n9812345671,{'x' * 31},10\n9812345670,मीरा,10\n98,मीरा,1\n")
    assert source.findings == {"UNICODE": 1, "VARIABLE_LONG": 1}
    assert source.units == sum(units for *_, units in kept(source))


def test_a_number_of_an_earlier_file_is_named_with_it():
    campaign = builders.campaign()
    imported(HEADER + GOOD, campaign, name="first.csv")
    source = imported(HEADER + GOOD + "9812345672,Meera,30\n", campaign, name="second.csv")
    assert counts(source)["errors"] == {"DUPLICATE_ENTRY": 2}
    assert refused(source)[0][3] == "The number is already in line 2 of first.csv."
    assert [row[1] for row in kept(source)] == [919812345672]


def test_another_campaign_may_have_the_same_number():
    imported(HEADER + GOOD)
    assert imported(HEADER + GOOD).accepted == 2


def test_suppressed_numbers_are_kept_out_and_counted_apart():
    campaign, other = builders.campaign(), builders.account()
    now = timezone.now()
    for number, account, expires in (
        (0, None, None),
        (1, campaign.account, now + timedelta(days=1)),
        (2, campaign.account, now - timedelta(days=1)),
        (3, other, None),
    ):
        Suppression.objects.create(number=919800000000 + number, account=account, expires_at=expires)
    source = imported(people(5) + "9800000000,again,1\n9800000002,again,1\n", campaign)
    assert (source.rows, source.accepted, source.suppressed, source.rejected) == (7, 3, 3, 1)
    assert source.errors == {"DUPLICATE_ENTRY": 1}
    assert [(line, code) for line, code, *_ in refused(source)] == [
        (2, "SUPPRESSED"), (3, "SUPPRESSED"), (7, "SUPPRESSED"), (8, "DUPLICATE_ENTRY"),
    ]  # fmt: skip


def in_chunks_of(monkeypatch, size):
    monkeypatch.setattr(importing, "check", lambda records, plan: rows.check(records, plan, size))


MIXED = people(40) + "".join(
    [
        "98,short,1\n",
        "\n",
        ",,\n",
        "9800000003,again,1\n",
        ",nobody,1\n",
        "9800000060,मीरा,1\n",
        "9800000060,मीरा,1\n",
        "1\n",
    ]
)


@pytest.fixture
def undisturbed():
    source = imported(MIXED)
    return counts(source), kept(source), refused(source)


@pytest.mark.parametrize("where", ["before the chunk", "inside its transaction", "after its commit"])
@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_a_reading_that_is_killed_goes_on_with_the_same_result(monkeypatch, undisturbed, where, size):
    source = received(MIXED)
    audience.start(source, MAPPING)
    write, count = importing.write, importing._count
    chance = random.Random(size)

    in_chunks_of(monkeypatch, size)
    if where == "inside its transaction":
        monkeypatch.setattr(importing, "_count", dying(count, chance, before=True))
    else:
        monkeypatch.setattr(importing, "write", dying(write, chance, before=where == "before the chunk"))
    for _ in range(200):
        try:
            if audience.run(source.pk):
                break
        except Killed:
            continue
    source.refresh_from_db()
    assert source.state == ImportState.DONE
    assert (counts(source), kept(source), refused(source)) == undisturbed


def test_a_long_file_is_read_in_several_turns(monkeypatch, settings, undisturbed):
    settings.TASK_BUDGET = 0
    in_chunks_of(monkeypatch, 5)
    source = received(MIXED)
    audience.start(source, MAPPING)
    assert not audience.run(source.pk)
    source.refresh_from_db()
    assert (source.state, source.rows) == (ImportState.RUNNING, 5)
    assert 0 < source.bytes_read <= source.size
    read(source)
    assert (counts(source), kept(source), refused(source)) == undisturbed


def test_one_process_at_a_time_reads_a_file():
    source = received(HEADER + GOOD)
    audience.start(source, MAPPING)
    somebody = uuid.uuid4()
    leases.take(f"import:{source.pk}", somebody)
    assert audience.run(source.pk)
    source.refresh_from_db()
    assert (source.state, source.rows) == (ImportState.QUEUED, 0)
    leases.give_back(f"import:{source.pk}", somebody)
    assert read(source).accepted == 2


def test_a_reader_that_lost_its_turn_writes_nothing(monkeypatch):
    """It slept while another process read the file by another mapping."""
    source = received(people(20))
    audience.start(source, MAPPING)
    other = {"phone": "mobile", "vars": ["amount", "name"]}

    def overtaken(records, plan):
        monkeypatch.setattr(importing, "check", rows.check)
        audience.restart(source, other)
        importing._read(source.pk, lambda: True)
        return rows.check(records, plan)

    monkeypatch.setattr(importing, "check", overtaken)
    assert audience.run(source.pk)
    source.refresh_from_db()
    assert (source.state, source.accepted, source.mapping) == (ImportState.DONE, 20, other)
    assert len(kept(source)) == 20


@pytest.mark.parametrize("state", [ImportState.UPLOADED, ImportState.DONE, ImportState.FAILED])
def test_a_job_for_a_file_that_is_not_waiting_does_nothing(state):
    source = received(HEADER + GOOD)
    Import.objects.filter(pk=source.pk).update(state=state)
    assert audience.run(source.pk)
    assert kept(source) == []
    assert audience.run(987_654)


BROKEN = {
    "a quote that is never closed": '9899999999,"Asha,10\n9899999998,Ravi,20\n',
    "a quote closed rows later": '9899999999,"Asha' + "\n9899999998,Ravi,20" * 60 + '",10\n',
    "a cell of 6,000 characters": f"9899999999,{'x' * 6_000},10\n",
    "a cell beyond csv's own limit": f'9899999999,"{"x" * 200_000}",10\n',
}


@pytest.mark.parametrize("row", BROKEN.values(), ids=BROKEN)
def test_a_file_whose_rows_cannot_be_told_apart_is_not_kept_at_all(monkeypatch, row):
    in_chunks_of(monkeypatch, 10)
    campaign = builders.campaign()
    before = imported(HEADER + GOOD, campaign)
    source = imported(people(35) + "1,x,1\n" + row + GOOD, campaign)
    assert source.state == ImportState.FAILED
    assert "Line 38:" in source.problem
    assert kept(source) == refused(source) == []
    assert counts(source) == dict.fromkeys(COUNTS, 0) | {"errors": {}, "findings": {}, "examples": {}}
    assert len(kept(before)) == 2


def test_a_file_of_millions_of_empty_rows_ends_with_a_sentence(monkeypatch):
    monkeypatch.setattr(importing, "EMPTY_ROWS", 100)
    assert imported(people(50) + "\n,,\n" * 50).accepted == 50
    source = imported(people(50) + "\n,,\n" * 50 + "\n" + GOOD)
    assert source.state == ImportState.FAILED
    assert "more than 100 empty rows" in source.problem
    assert kept(source) == []


def test_a_file_that_is_gone_fails_with_a_sentence(folder):
    source = received(HEADER + GOOD)
    audience.start(source, MAPPING)
    (folder / source.path).unlink()
    assert "Upload it again" in read(source).problem


def test_a_template_changed_on_the_way_fails_with_a_sentence():
    source = received(HEADER + GOOD)
    audience.start(source, MAPPING)
    Template.objects.update(version=2)
    assert "template was changed" in read(source).problem
    audience.restart(source)
    assert read(source).accepted == 2
    assert source.template_version == 2


def test_nothing_is_read_into_a_campaign_that_is_no_draft():
    source = received(HEADER + GOOD)
    audience.start(source, MAPPING)
    Campaign.objects.update(state=CampaignState.PAUSED)
    assert "launched before" in read(source).problem
    assert kept(source) == []
    for again in (audience.start, audience.restart):
        with pytest.raises(audience.Unusable) as unusable:
            again(source, MAPPING)
        assert unusable.value.code == "NOT_A_DRAFT"


UNUSABLE = {
    "empty": (b"", "EMPTY"),
    "no workbook": (b"PK\x03\x04\x14\x00", "WORKBOOK"),
    "header only": (HEADER, "NO_ROWS"),
    "names alike": ("mobile,name,name\n1,2,3\n", "HEADER_REPEATED"),
    "no header": ("9812345670,Asha,10\n9812345671,Ravi,20\n", "NO_HEADER"),
    "no phone column": ("name,city\nAsha,Pune\n", "NO_PHONE_COLUMN"),
    "open quote": (HEADER + '9812345670,"Asha,10\n', "QUOTES"),
}


@pytest.mark.parametrize(("content", "code"), UNUSABLE.values(), ids=UNUSABLE)
def test_an_unusable_file_leaves_neither_row_nor_file(folder, content, code):
    with pytest.raises(audience.Unusable) as unusable:
        received(content)
    assert unusable.value.code == code
    assert not Import.objects.exists()
    assert list(folder.glob("imports/*")) == []


@pytest.mark.parametrize(
    ("allowed", "lines"),
    [("", []), ("acme.example", [4]), ("acme.example/pay", [3, 4])],
)
def test_a_link_in_a_value_must_be_whitelisted_when_the_account_says_which_are(allowed, lines):
    campaign = builders.campaign(account=builders.account(allowed_links=allowed))
    values = ["acme.example/pay/1", "https://acme.example/x", "www.evil.test", "Pune/Mumbai"]
    text = HEADER + "".join(f"98123456{i},Asha,{value}\n" for i, value in enumerate(values, 70))
    source = imported(text, campaign)
    assert [line for line, *_ in refused(source)] == lines
    assert all(code == "INVALID_FORMAT" and column == "amount" for _, code, column, *_ in refused(source))


def workbook(rows):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"in_memory": True}) as book:
        sheet = book.add_worksheet("People")
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    return data.getvalue()


def test_a_workbook_is_read_like_the_file_it_could_have_been_saved_as():
    rows = [["mobile", "name", "amount"], [9812345670, "Asha", 10], ["98123 45671", "Ravi", 20.5], [22, "Meera", 1]]
    source = imported(workbook(rows), name="people.xlsx")
    assert (source.filename, source.accepted, source.errors) == ("people.xlsx, sheet People", 2, {"INVALID_PHONE": 1})
    assert [cells for _, _, cells, *_ in kept(source)] == [["9812345670", "Asha", "10"], ["98123 45671", "Ravi", "20.5"]]
    assert RowError.objects.get().line == 4


def test_a_received_file_waits_for_its_columns():
    source = received(HEADER + GOOD)
    assert (source.state, source.mapping) == (ImportState.UPLOADED, MAPPING)
    assert (source.encoding, source.delimiter, source.size) == ("UTF-8", ",", len(HEADER + GOOD))
    assert source.header == ["mobile", "name", "amount"]
    assert source.sample == [["9812345670", "Asha", "10"], ["9812345671", "Ravi", "20"]]
    assert kept(source) == []


def test_people_are_shown_the_columns_as_they_matched_them_for_the_last_file_like_it():
    template = builders.template()
    other = {"phone": "mobile", "vars": ["amount", "name"]}

    def proposed(content, as_before=True, **fields):
        campaign = builders.campaign(template=template, **fields)
        return audience.receive(campaign, io.BytesIO(content.encode()), "people.csv", None, as_before=as_before).mapping

    imported(HEADER + GOOD, builders.campaign(template=template), mapping=other)
    assert proposed(HEADER + GOOD) == other
    assert proposed(HEADER + GOOD, as_before=False) == MAPPING, "a program, which sees no proposal"
    more = "mobile,name,amount,city\n9812345670,Asha,1,Pune\n"
    assert proposed(more) != other, "other columns"
    assert received(HEADER + GOOD).mapping == MAPPING, "another template"
    template.body = "Pay {#var#}, {#var#}. -ACME"
    template.save()
    assert proposed(HEADER + GOOD) == MAPPING, "another version"


def test_a_nul_in_the_first_rows_can_be_stored_on_both_databases():
    source = received(HEADER + "9812345670," + "x" * 4_500 + ",1\n9812345671,a\0b,1\n")
    assert source.sample == [["9812345670", "x" * 200, "1"], ["9812345671", "a\ufffdb", "1"]]


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({}, "NO_PHONE_COLUMN"),
        ({"phone": "tel", "vars": ["name", "amount"]}, "UNKNOWN_COLUMN"),
        ({"phone": "mobile", "vars": ["name"]}, "WRONG_VARIABLES"),
        ({"phone": "mobile", "vars": ["name", ""]}, "VARIABLE_NOT_CHOSEN"),
    ],
)
def test_a_mapping_that_does_not_fit_starts_nothing(mapping, code):
    source = received(HEADER + GOOD)
    with pytest.raises(audience.Unusable) as unusable:
        audience.start(source, mapping)
    assert unusable.value.code == code
    assert Import.objects.get(pk=source.pk).state == ImportState.UPLOADED


def test_a_file_is_started_once():
    source = imported(HEADER + GOOD)
    with pytest.raises(audience.Unusable) as unusable:
        audience.start(source, MAPPING)
    assert unusable.value.code == "STARTED_BEFORE"
    assert len(kept(source)) == 2


def test_the_same_file_is_recognised_by_its_content(folder):
    campaign = builders.campaign()
    imported(HEADER + GOOD, campaign, name="first.csv")
    with pytest.raises(audience.Unusable, match=r"as first\.csv \(2 rows\)") as unusable:
        received(HEADER + GOOD, campaign, name="other name.csv")
    assert unusable.value.code == "FILE_REPEATED"
    assert len(list((folder / "imports").iterdir())) == 1
    received(HEADER + GOOD)
    received(HEADER + GOOD + "\n", campaign)


def test_a_file_that_was_not_read_may_come_again():
    campaign = builders.campaign()
    first = received(HEADER + GOOD, campaign)
    received(HEADER + GOOD, campaign)
    audience.start(first, MAPPING)
    with pytest.raises(audience.Unusable, match="being read"):
        received(HEADER + GOOD, campaign)


def test_a_restart_reads_the_file_again_by_the_new_mapping(monkeypatch):
    monkeypatch.setattr(importing, "SLICE", 7)
    campaign = builders.campaign()
    other = imported(people(3, first=500), campaign)
    source = imported(people(30) + "98,x,1\n9800000001,,1\n9800000002,again,1\n", campaign)
    before = kept(source)
    audience.restart(source, {"phone": "mobile", "vars": ["amount", "amount"]})
    assert (source.state, source.rows, source.errors) == (ImportState.QUEUED, 0, {})
    read(source)
    assert (source.rows, source.accepted, source.errors) == (33, 30, {"INVALID_PHONE": 1, "DUPLICATE_ENTRY": 2})
    assert [row[:3] for row in kept(source)] == [row[:3] for row in before]
    assert len(refused(source)) == 3
    assert len(kept(other)) == 3


def test_a_restart_keeps_the_mapping_unless_told_and_refuses_a_bad_one():
    source = imported(HEADER + GOOD)
    with pytest.raises(audience.Unusable):
        audience.restart(source, {"phone": "tel"})
    assert Import.objects.get(pk=source.pk).state == ImportState.DONE
    audience.restart(source)
    assert read(source).mapping == MAPPING


FAULTY = (
    HEADER
    + GOOD
    + "98123,=HYPERLINK(1),+5\n\uff1d1,@SUM(1),-5\n9812345672,,10\n9812345673,a\n9812345674,a,1,more\n9812345670,again,1\n"
)


def test_the_refused_rows_come_back_with_the_reason_and_without_formulas():
    source = imported(FAULTY)
    text = "".join(audience.errors_csv(source))
    lines = table(text)
    assert list(lines[0])[:6] == ["mobile", "name", "amount", "error_code", "error_column", "error_reason"]
    assert [(row["mobile"], row["name"], row["amount"], row["error_code"]) for row in lines] == [
        ("98123", "'=HYPERLINK(1)", "'+5", "INVALID_PHONE"),
        ("'\uff1d1", "'@SUM(1)", "'-5", "INVALID_PHONE"),
        ("9812345672", "", "10", "MISSING_REQUIRED"),
        ("9812345673", "a", "", "INVALID_FORMAT"),
        ("9812345674", "a", "1", "INVALID_FORMAT"),
        ("9812345670", "again", "1", "DUPLICATE_ENTRY"),
    ]
    assert lines[4][None] == ["more"]
    assert lines[2]["error_column"] == "name"
    assert text.startswith("\ufeff")


def test_refused_rows_uploaded_again_unmended_are_refused_for_the_same_reasons():
    first = imported(HEADER + "98123,=HYPERLINK(1),+5\n+91 98,@x,-5\n9812345672,,10\n")
    text = "".join(audience.errors_csv(first))
    second = received(text)
    assert second.mapping == MAPPING
    audience.start(second, second.mapping)
    read(second)
    assert second.errors == first.errors
    assert [row[4][:3] for row in refused(second)] == [row[4] for row in refused(first)]
    assert "".join(audience.errors_csv(second)) == text


def test_refused_rows_mended_and_uploaded_again_add_only_what_is_new():
    campaign = builders.campaign()
    first = imported(FAULTY, campaign)
    lines = table("".join(audience.errors_csv(first)))
    lines[0]["mobile"] = "'+919812345675"
    lines[2]["name"] = "Meera"
    out = io.StringIO()
    writer = csv.DictWriter(out, [name for name in lines[0] if name], extrasaction="ignore")
    writer.writeheader()
    writer.writerows(lines)
    second = received("\ufeff" + out.getvalue(), campaign, "mended.csv")
    audience.start(second, second.mapping)
    read(second)
    assert [(row[1], row[2][1]) for row in kept(second)] == [
        (919812345675, "=HYPERLINK(1)"), (919812345672, "Meera"), (919812345674, "a"),
    ]  # fmt: skip
    assert Recipient.objects.filter(campaign=campaign).count() == 5


def test_rows_by_api_go_the_way_of_a_file():
    campaign = builders.campaign()
    data = [
        {"mobile": 9812345670, "name": "Asha, the \"first\"", "amount": 10.5},
        {"name": "Ravi\nRao", "mobile": "+91 98123 45671", "amount": "20", "city": "Pune"},
        {"mobile": None, "name": "x"},
        {},
    ]  # fmt: skip
    source = audience.receive_rows(campaign, data, None)
    assert source.header == ["mobile", "name", "amount", "city"]
    audience.start(source, MAPPING)
    read(source)
    assert (source.rows, source.accepted, source.errors) == (3, 2, {"MISSING_REQUIRED": 1})
    assert kept(source)[0][2] == ["9812345670", 'Asha, the "first"', "10.5", ""]
    assert kept(source)[1][2] == ["+91 98123 45671", "Ravi\nRao", "20", "Pune"]
    with pytest.raises(audience.Unusable) as unusable:
        audience.receive_rows(campaign, data, None)
    assert unusable.value.code == "FILE_REPEATED"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ([], "EMPTY"),
        ([{}], "EMPTY"),
        ([{"name": "Asha"}], "NO_PHONE_COLUMN"),
        ([{"mobile": ["9812345670"]}], "INVALID_ROWS"),
        ([{"mobile": "9812345670", "name": {"first": "Asha"}}], "INVALID_ROWS"),
        ([{"mobile": "9812345670", "name": "\ud83d"}], "ENCODING"),
        ([{"mobile": "9812345670", " mobile": "x"}], "HEADER_REPEATED"),
    ],
)
def test_unusable_rows_by_api_are_refused_with_a_sentence(data, code):
    with pytest.raises(audience.Unusable) as unusable:
        audience.receive_rows(builders.campaign(), data, None)
    assert unusable.value.code == code
    assert not Import.objects.exists()


def run_command(*arguments):
    out = io.StringIO()
    call_command("import_recipients", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_reads_a_file_to_its_end_and_prints_the_counts(tmp_path):
    campaign = builders.campaign()
    path = tmp_path / "people.csv"
    path.write_text(people(1_200) + "98,x,1\n9800000001,x,1\n")
    printed = run_command(campaign.pk, path, "--phone", "mobile", "--vars", "name, amount")
    assert printed.splitlines() == [
        "people.csv: 1,202 rows, 1,200 accepted, 2 rejected, 0 suppressed, 1,200 units.",
        "  DUPLICATE_ENTRY 1",
        "  INVALID_PHONE 1",
    ]


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("name\nAsha\n", (), "looks like phone numbers"),
        (HEADER + GOOD, ("--phone", "tel"), "no column “tel”"),
        (people(30) + '9812345670,"x,1\n', (), "Line 32:"),
    ],
)
def test_the_command_says_in_a_sentence_what_is_wrong(tmp_path, content, options, words):
    path = tmp_path / "people.csv"
    path.write_text(content)
    with pytest.raises(CommandError, match=words):
        run_command(builders.campaign().pk, path, *options)


def test_the_command_needs_a_campaign_and_a_file(tmp_path):
    with pytest.raises(CommandError, match="no campaign 987654"):
        run_command(987_654, tmp_path / "people.csv")
    with pytest.raises(CommandError, match="No such file"):
        run_command(builders.campaign().pk, tmp_path / "people.csv")
