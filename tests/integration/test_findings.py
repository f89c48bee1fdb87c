"""The rows behind each finding: the first ones at once, all of them page by page and as a file, masked for whom they must be."""

import csv
import io

import pytest
from django.urls import reverse

from campaigns import audience
from campaigns.audience import behind
from campaigns.models import AuditEvent, Suppression
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_api import Api
from tests.integration.test_import import HEADER, folder, imported, in_chunks_of, people  # noqa: F401
from tests.people import as_role

pytestmark = pytest.mark.django_db

LONG = "x" * 34
MIXED = (
    HEADER
    + "98123,Short,1\n"  # 2
    + "9812345670,Asha,10\n"
    + f"9812345671,{LONG},10\n"  # 4
    + "9812345670,Asha again,10\n"  # 5
    + "9812345672,मीरा,10\n"  # 6
    + "9812345673,,10\n"  # 7
    + "9812345674,“Ravi”,10\n"  # 8
    + "9812345675 / 9812345676,Two,10\n"  # 9
)
SECOND = people(4, first=100) + "".join(f"98{i},Bad,1\n" for i in range(10, 20)) + "9800000200,café ç,1\n"


@pytest.fixture
def campaign():
    made = builders.campaign()
    Suppression.objects.create(number=919800000101)
    imported(MIXED, made, name="first.csv")
    imported(SECOND, made, name="second.csv")
    return made


def lines(rows):
    return [(row.source.filename, row.example["line"]) for row in rows]


def walk(campaign, code, size):
    """Every page of a code."""
    found, after = [], ""
    while True:
        page = behind.page(campaign, code, after, size)
        assert len(page.rows) <= size
        found, after = found + page.rows, page.after
        if not after:
            return found


def test_findings_have_their_first_rows_and_what_to_do(campaign):
    report = preflight(campaign)
    by_code = {finding["code"]: finding for finding in report.as_dict(whole_numbers=True)["findings"]}
    assert all(finding["remedy"] for finding in by_code.values())
    first = campaign.imports.earliest("pk")
    assert by_code["VARIABLE_LONG"]["examples"] == [
        {"import": first.pk, "file": "first.csv", "line": 4, "number": "+91 98123 45671", "column": "name", "value": LONG,
         "why": "34 characters"},
    ]  # fmt: skip
    assert [(row["file"], row["line"], row["why"]) for row in by_code["UNICODE"]["examples"]] == [
        ("first.csv", 6, "Unicode because of म"), ("first.csv", 8, "Unicode because of “"), ("second.csv", 16, "Unicode because of ç"),
    ]  # fmt: skip
    assert [row["line"] for row in by_code["ROWS_REFUSED"]["examples"]] == [2, 5, 7, 9, 6]
    assert [row["line"] for row in by_code["ROWS_SUPPRESSED"]["examples"]] == [3]


def test_refused_rows_are_told_by_code_the_most_frequent_first(campaign):
    refused = preflight(campaign).as_dict(whole_numbers=True)["refused"]
    assert [(part["code"], part["rows"], len(part["examples"])) for part in refused] == [
        ("INVALID_PHONE", 12, 5), ("DUPLICATE_ENTRY", 1, 1), ("MISSING_REQUIRED", 1, 1), ("SUPPRESSED", 1, 1),
    ]  # fmt: skip
    assert refused[0]["examples"][0]["value"] == "98123"
    assert refused[1]["examples"][0]["why"] == "The number is already in line 3."
    assert all(part["remedy"] for part in refused)


def test_a_code_keeps_its_first_five_rows_however_the_file_is_cut(monkeypatch):
    content = HEADER + "".join(f"98{i},Bad,1\n9812340{i:03d},{'y' * 31},1\n" for i in range(10, 30))
    whole = imported(content)
    in_chunks_of(monkeypatch, 3)
    cut = imported(content)
    assert [row["line"] for row in whole.examples["INVALID_PHONE"]] == [2, 4, 6, 8, 10]
    assert [row["line"] for row in whole.examples["VARIABLE_LONG"]] == [3, 5, 7, 9, 11]
    assert cut.examples == whole.examples


@pytest.mark.parametrize("size", [1, 2, 5, 50])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("INVALID_PHONE", [("first.csv", 2), ("first.csv", 9), *(("second.csv", i) for i in range(6, 16))]),
        ("DUPLICATE_ENTRY", [("first.csv", 5)]),
        ("SUPPRESSED", [("second.csv", 3)]),
        ("UNICODE", [("first.csv", 6), ("first.csv", 8), ("second.csv", 16)]),
        ("VARIABLE_LONG", [("first.csv", 4)]),
        ("MANY_UNITS", []),
        ("NOTHING_LIKE_IT", []),
        ("", [("first.csv", i) for i in (2, 5, 7, 9)] + [("second.csv", i) for i in range(6, 16)]),
    ],
)
def test_every_row_of_a_code_is_found_once_in_order(campaign, code, expected, size):
    assert lines(walk(campaign, code, size)) == expected
    assert behind.counted(campaign, code) == len(expected)


def test_rows_of_many_units_are_found():
    campaign = builders.campaign(template=builders.template(body="x" * 470 + " {#var#} {#var#}"))
    imported(HEADER + "9812345670,a,1\n9812345671,मीरा,1\n", campaign)
    [only] = preflight(campaign).refused or [None]
    assert only is None
    assert lines(walk(campaign, "MANY_UNITS", 10)) == [("people.csv", 2), ("people.csv", 3)]
    assert [row.example["why"] for row in walk(campaign, "MANY_UNITS", 10)] == ["4 units", "8 units"]


def test_a_page_of_rare_rows_ends_in_time_and_the_next_goes_on(monkeypatch):
    campaign = builders.campaign()
    imported(people(40) + "9812345671,मीरा,10\n", campaign)
    monkeypatch.setattr(behind, "PORTION", 7)
    monkeypatch.setattr(behind, "PATIENCE", 0)
    first = behind.page(campaign, "UNICODE", "", 10)
    assert (first.rows, bool(first.after)) == ([], True)
    assert lines(walk(campaign, "UNICODE", 10)) == [("people.csv", 42)]


@pytest.mark.parametrize("cursor", ["x", "1", "1-", "-1", "1-2-3", "1" * 30 + "-1", "१-१"])
def test_a_cursor_that_is_none_is_refused(campaign, cursor):
    with pytest.raises(audience.Unusable):
        behind.page(campaign, "UNICODE", cursor, 10)


def test_rows_checked_against_another_text_are_not_shown(campaign):
    campaign.template.body += " "
    campaign.template.save()
    with pytest.raises(audience.Unusable, match="Read the file again"):
        behind.page(campaign, "UNICODE", "", 10)
    assert behind.page(campaign, "INVALID_PHONE", "", 10).rows


def table(answer):
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode().removeprefix("\ufeff"))))


def test_the_api_gives_them_page_by_page_and_masks_numbers(campaign):
    api = Api("read")
    page = api.get(f"/campaigns/{campaign.pk}/rows/", code="UNICODE", page_size="2").json()
    assert [(row["line"], row["number"], row["code"]) for row in page["results"]] == [
        (6, "+91 98••• ••672", "UNICODE"), (8, "+91 98••• ••674", "UNICODE"),
    ]  # fmt: skip
    rest = api.client.get(page["next"], headers=api.headers).json()
    assert [row["file"] for row in rest["results"]] == ["second.csv"]
    assert rest["next"] is None
    refused = api.get(f"/campaigns/{campaign.pk}/rows/", code="INVALID_PHONE").json()["results"]
    assert refused[1]["value"] == "98•••••675 / 98•••••676"
    whole = Api("read", "numbers").get(f"/campaigns/{campaign.pk}/rows/", code="UNICODE").json()["results"]
    assert whole[0]["number"] == "+91 98123 45672"


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"cursor": "x"}, 400, "cursor"), ({"code": "a b"}, 400, "code"), ({"page_size": "0"}, 400, "page_size"),
        ({"code": "\x00"}, 400, "code"), ({}, 200, None),
    ],
)  # fmt: skip
def test_the_api_says_what_is_wrong_with_a_question(campaign, query, status, field):
    answer = Api("read").get(f"/campaigns/{campaign.pk}/rows/", **query)
    assert answer.status_code == status
    assert answer.json().get("field") == field


def test_the_file_has_the_original_columns_the_place_and_the_reason(campaign):
    rows = table(Api("export", "numbers").get(f"/campaigns/{campaign.pk}/rows.csv", code="UNICODE"))
    assert [(row["mobile"], row["name"], row["file"], row["line"], row["error_code"]) for row in rows] == [
        ("9812345672", "मीरा", "first.csv", "6", "UNICODE"),
        ("9812345674", "“Ravi”", "first.csv", "8", "UNICODE"),
        ("9800000200", "café ç", "second.csv", "16", "UNICODE"),
    ]
    masked = table(Api("export").get(f"/campaigns/{campaign.pk}/rows.csv"))
    assert len(masked) == 14
    assert "9812345670" not in str(masked) and "9812345675" not in str(masked)
    assert Api("read").get(f"/campaigns/{campaign.pk}/rows.csv").status_code == 403
    assert AuditEvent.objects.filter(action="campaign.export_rows").count() == 2


def console(role, campaign, name="admin:campaign_rows", **query):
    return as_role(role).get(reverse(name, args=[campaign.pk]), query)


def test_the_console_shows_them_whole_or_masked(campaign):
    text = console("Launcher", campaign, code="VARIABLE_LONG").content.decode()
    assert "+91 98123 45671" in text and "34 characters" in text and "Shorten these values" in text
    text = console("Viewer", campaign, code="VARIABLE_LONG").content.decode()
    assert "45671" not in text and "Download all" not in text
    assert console("Viewer", campaign, "admin:campaign_rows_file", code="UNICODE").status_code == 403
    assert "98123 45672" not in str(table(console("Editor", campaign, "admin:campaign_rows_file", code="UNICODE")))


def test_the_console_pages_and_says_what_is_wrong(campaign, monkeypatch):
    monkeypatch.setattr("campaigns.admin.pages.rows.SIZE", 10)
    text = console("Launcher", campaign, code="INVALID_PHONE").content.decode()
    after = text.partition("after=")[2].partition('"')[0]
    assert "second.csv" in text and "first.csv" in text
    assert "“9819” has 4 digits" in console("Launcher", campaign, code="INVALID_PHONE", after=after).content.decode()
    answer = console("Launcher", campaign, code="UNICODE", after="zzz")
    assert answer.status_code == 422 and "no such page" in answer.content.decode()
    campaign.template.body += " "
    campaign.template.save()
    answer = console("Launcher", campaign, "admin:campaign_rows_file", code="UNICODE")
    assert answer.status_code == 422 and "Read the file again" in answer.content.decode()


def test_the_review_lays_errors_first_and_links_all_rows(campaign):
    campaign.account.credentials = b""
    campaign.account.save()
    text = as_role("Launcher").get(reverse("admin:draft_review", args=[campaign.pk])).content.decode()
    order = [text.index(words) for words in ("To mend first", "NO_CREDENTIALS", "To weigh", "VARIABLE_LONG", "Good to know",
                                             "Rows that are left out", "INVALID_PHONE")]  # fmt: skip
    assert order == sorted(order)
    assert "First 5 of 12 rows" in text
    assert f"{reverse('admin:campaign_rows', args=[campaign.pk])}?code=INVALID_PHONE" in text
    assert "Copy API key and token" in text
