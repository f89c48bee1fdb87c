"""Rows with a header, an hour, a language or a reference of their own: read, held against the registration, sent as they say."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from campaigns import audience, jobs
from campaigns.audience import Unusable, behind, importing, rows, rowwise
from campaigns.insight import recount
from campaigns.models import Campaign, Message, Recipient, RowError, Template
from campaigns.models import rowwise as chosen
from campaigns.models.states import MessageState
from campaigns.sending import control, dispatch, intent, launch, recover, resend, retry, settle
from campaigns.sending.preflight import preflight
from tests import builders
from tests.integration.test_import import imported, read, received, refused
from tests.integration.test_sending import fresh, states

pytestmark = pytest.mark.django_db(transaction=True)

IST = ZoneInfo("Asia/Kolkata")
HINDI = "प्रिय {#var#}, आपका रु {#var#} का भुगतान देय है। -ACME"
MAPPING = {
    "phone": "mobile", "vars": ["name", "amount"], "language": "lang", "header": "from", "schedule": "at", "reference": "ref",
}  # fmt: skip
HEADER = "mobile,name,amount,lang,from,at,ref\n"


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def hour(**after):
    """An hour from now, as people write it, and its second."""
    at = (timezone.now() + timedelta(**after)).astimezone(IST).replace(second=0, microsecond=0)
    return f"{at:%d/%m/%Y %I:%M %p}", int(at.timestamp())


def hindi(**fields):
    return builders.template(**({"body": HINDI, "language": "hi", "dlt_template_id": "1507000000000000009"} | fields))


def draft(translations=(), **fields):
    made = builders.campaign(**({"template": builders.template(language="en")} | fields))
    made.translations.set(translations)
    return made


def file(*lines):
    """Rows of language, header, hour and reference; number, name and amount are made up."""
    return HEADER + "".join(f"98{i:08d},Person {i},{i}.50,{line}\n" for i, line in enumerate(lines))


def launched(campaign):
    launch.launch(campaign, None, accept_warnings=True)
    launch.write_messages(campaign.pk)
    campaign.refresh_from_db()
    return campaign


def pass_time(monkeypatch, **span):
    at = timezone.now() + timedelta(**span)
    monkeypatch.setattr(timezone, "now", lambda: at)


def findings(campaign):
    return {finding.code: finding for finding in preflight(campaign).findings}


# Reading -------------------------------------------------------------------------------------------------------------


def test_what_rows_say_of_themselves_is_kept_with_them():
    at, due = hour(hours=2)
    campaign = draft([hindi()])
    source = imported(file("", f"Hindi,ACMEBK,{at},A-1", "hi-IN,,,", "EN,ACMEIN,,A-3", f",ACMEBK,{at},"), campaign, MAPPING)
    kept = Recipient.objects.filter(source=source).order_by("line")
    assert refused(source) == [
        (2, "INVALID_FORMAT", "", "The row has 4 cells, but the file has 7 columns.", refused(source)[0][4])
    ]
    assert list(kept.values_list("reference", "sender_no", "language_no", "due")) == [
        ("A-1", 1, 1, due), ("", 0, 1, 0), ("A-3", 2, 0, 0), ("", 1, 0, due),
    ]  # fmt: skip
    assert source.rowwise["senders"] == ["ACMEBK", "ACMEIN"]
    assert chosen.planned([source]).rows == {due // 60: 2}


@pytest.mark.parametrize(
    ("line", "code", "column", "words"),
    [
        ("Tamil,,,", "INVALID_FORMAT", "lang", "the campaign has no text in Tamil. It has: English, Hindi."),
        ("Klingon,,,", "INVALID_FORMAT", "lang", "“Klingon”: that is no language known here"),
        (",AD-ACMEIN,,", "INVALID_FORMAT", "from", "without the operator's prefix"),
        (",AB1234,,", "INVALID_FORMAT", "from", "“AB1234”: A service or transactional header has letters only"),
        (f",{'A' * 21},,", "INVALID_FORMAT", "from", "too long for a header"),
        (",,tomorrow,", "INVALID_FORMAT", "at", "“tomorrow” is no date and time. Write such as"),
        (",,31/02/2026 10:00,", "INVALID_FORMAT", "at", "is no possible date and time"),
        (",,30-11-2026,", "INVALID_FORMAT", "at", "has a date but no time"),
        (",,30-11-2090 10:00,", "INVALID_FORMAT", "at", "more than 366 days ahead"),
        (f",,,{'x' * 101}", "INVALID_FORMAT", "ref", "has 101 characters"),
        (",AB\0CDE,,", "INVALID_FORMAT", "from", "letters only"),
        (",,1\0,", "INVALID_FORMAT", "at", "is no date and time"),
        (",,,1\0", "INVALID_FORMAT", "ref", "NUL"),
    ],
)
def test_a_cell_that_cannot_be_kept_refuses_its_row_and_names_its_column(line, code, column, words):
    source = imported(file(line, ",,,"), draft([hindi()]), MAPPING)
    [(number, found, where, why, _)] = refused(source)
    assert (number, found, where, source.accepted) == (2, code, column, 1)
    assert words in why


def test_a_cell_that_no_clock_shows_is_refused_in_the_accounts_zone():
    account = builders.account(time_zone="Europe/Berlin")
    source = imported(file(",,29-03-2026 02:30,", ",,25-10-2026 02:30,"), draft(account=account), MAPPING)
    assert ["does not exist in Europe/Berlin" in row[3] for row in refused(source)] == [True]
    assert Recipient.objects.get(source=source).due == 1792888200  # the first of the two: 00:30 UTC


def test_units_and_checks_are_those_of_the_rows_own_text():
    long = hindi(body="क" * 60 + "{#var#} {#numeric#}")
    source = imported(file("hi,,,", "en,,,"), draft([long]), MAPPING)
    assert list(Recipient.objects.filter(source=source).order_by("line").values_list("units", flat=True)) == [2, 1]
    assert source.findings["UNICODE"] == 1
    words = file("hi,,,", "en,,,").replace("0.50", "ten")
    source = imported(words, draft([long]), MAPPING)
    assert [(line, column) for line, _, column, *_ in refused(source)] == [(2, "amount")]


def test_a_file_may_name_only_so_many_headers(monkeypatch):
    monkeypatch.setattr(rowwise, "MOST_SENDERS", 2)
    source = imported(file(",AAAAAA,,", ",BBBBBB,,", ",CCCCCC,,", ",AAAAAA,,"), draft(), MAPPING)
    assert [(line, code, column) for line, code, column, *_ in refused(source)] == [(4, "QUOTA_EXCEEDED", "from")]


@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_a_reading_that_is_cut_off_anywhere_ends_the_same(monkeypatch, settings, size):
    at, _ = hour(days=3)
    lines = [f"{'hi' if i % 3 else ''},{('', 'ACMEBK', 'ACMECC')[i % 3]},{at if i % 4 else ''},R{i}" for i in range(23)]
    lines[7], lines[11] = "xx,,,", ",,,R11"
    fields = ("line", "number", "cells", "units", "reference", "sender_no", "language_no", "due")

    def outcome(source):
        return (
            list(Recipient.objects.filter(source=source).order_by("line").values_list(*fields)),
            [row[:4] for row in refused(source)],
            source.rowwise["senders"], source.rowwise["planned"], source.findings,
        )  # fmt: skip

    template, translation = builders.template(language="en"), hindi()
    whole = outcome(imported(file(*lines), draft([translation], template=template), MAPPING))
    settings.TASK_BUDGET = 0
    real = rowwise.Reader.check
    monkeypatch.setattr(rowwise.Reader, "check", lambda self, records: real(self, records, size))
    assert outcome(imported(file(*lines), draft([translation], template=template), MAPPING)) == whole


def test_bulky_rows_of_one_language_are_all_read():
    """A run of rows may be longer than what is read in one go."""
    cells = ",".join(["x" * 4_000] * 30)
    wide = "mobile,name,amount,ref," + ",".join(f"c{i}" for i in range(30)) + "\n"
    body = "".join(f"98{i:08d},Person,1,R{i},{cells}\n" for i in range(120))
    mapping = {"phone": "mobile", "vars": ["name", "amount"], "reference": "ref"}
    source = imported(wide + body, draft(), mapping)
    assert (source.accepted, source.rejected) == (120, 0)


def test_a_repeated_or_suppressed_row_is_not_planned():
    at, _ = hour(hours=5)
    text = file(f",,{at},A", f",,{at},B").replace("9800000001", "9800000000")
    source = imported(text, draft(), MAPPING)
    assert (source.accepted, chosen.planned([source]).total) == (1, 1)


def test_a_translation_that_is_changed_while_a_file_is_read_fails_it():
    translation = hindi()
    source = received(file("hi,,,"), draft([translation]))
    audience.start(source, MAPPING)
    translation.body = HINDI + " "
    translation.save()
    assert (read(source).state, "translation was changed" in source.problem) == ("failed", True)


def test_translations_that_do_not_fit_the_template_are_refused_before_reading():
    campaign = draft([hindi(body="एक {#var#}")])
    source = received(file("hi,,,"), campaign)
    with pytest.raises(audience.Unusable, match="has 1 variables"):
        audience.start(source, MAPPING)


# Before the launch ---------------------------------------------------------------------------------------------------


def test_headers_that_differ_from_the_registration_are_counted_and_shown():
    campaign = draft()
    imported(file(",ACMEBK,,", ",ACMEIN,,", ",,,", ",ACMEBK,,"), campaign, MAPPING)
    found = findings(campaign)["ROW_HEADER_DIFFERS"]
    assert (found.level, found.rows) == ("warning", 2)
    shown = [placed.example for placed in found.examples]
    assert [(row["line"], row["column"], row["value"]) for row in shown] == [(2, "from", "ACMEBK"), (5, "from", "ACMEBK")]
    assert [row.example for row in behind.page(campaign, "ROW_HEADER_DIFFERS", "", 10).rows] == shown


def test_rows_behind_a_finding_are_found_by_each_rows_own_text():
    translation = hindi()
    campaign = draft([translation])
    imported(file("hi,,,", "en,,,", ",,,", "hi,,,"), campaign, MAPPING)
    assert [row.example["line"] for row in behind.page(campaign, "UNICODE", "", 10).rows] == [2, 5]
    translation.body = HINDI.replace("रु", "₹")
    translation.save()
    with pytest.raises(Unusable, match="A translation was changed"):
        behind.page(campaign, "UNICODE", "", 10)


def test_hours_are_counted_by_what_becomes_of_them(monkeypatch):
    account = builders.account(window_opens="10:00", window_closes="21:00")
    account.refresh_from_db()
    campaign = draft(account=account, template=builders.template(category="promotional", header="612345"))
    tomorrow = (timezone.now() + timedelta(days=1)).astimezone(IST)
    source = imported(
        file(",,01-01-2026 10:00,", f",,{tomorrow:%Y-%m-%d} 09:59,", f",,{tomorrow:%Y-%m-%d} 10:00,", ",,,"),
        campaign,
        MAPPING,
    )
    found = findings(campaign)
    assert [found[code].rows for code in ("ROWS_PAST_HOUR", "ROWS_BY_HOUR", "ROWS_OUTSIDE_WINDOW")] == [1, 2, 1]
    assert source.accepted == 4
    listed = {
        code: behind.page(campaign, code, "", 10) for code in ("ROWS_PAST_HOUR", "ROWS_BY_HOUR", "ROWS_OUTSIDE_WINDOW")
    }
    assert {code: [row.example["line"] for row in page.rows] for code, page in listed.items()} == {
        "ROWS_PAST_HOUR": [2], "ROWS_BY_HOUR": [3, 4], "ROWS_OUTSIDE_WINDOW": [3],
    }  # fmt: skip
    first = listed["ROWS_PAST_HOUR"].rows[0].example
    assert (first["column"], first["value"]) == ("at", "01-01-2026 10:00")
    campaign.schedule_at = tomorrow.replace(hour=20)
    found = findings(campaign)
    assert (found["ROWS_PAST_HOUR"].rows, "ROWS_BY_HOUR" in found) == (3, False)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"body": HINDI.replace("रु", "₹")}, "TEMPLATE_CHANGED"),
        ({"status": "rejected"}, "TEMPLATE_NOT_APPROVED"),
        ({"valid_until": "2020-01-31"}, "TEMPLATE_EXPIRED"),
    ],
)
def test_a_translation_is_checked_like_the_campaigns_own_template(changes, code):
    translation = hindi()
    campaign = draft([translation])
    imported(file("hi,,,"), campaign, MAPPING)
    assert not [one for one in preflight(campaign).findings if one.level == "error"]
    for name, value in changes.items():
        setattr(translation, name, value)
    translation.save()
    assert findings(campaign)[code].level == "error"


def test_a_file_without_such_columns_says_and_seals_nothing():
    campaign = draft([hindi()])
    source = imported(file("hi,ACMEBK,,X"), campaign, {"phone": "mobile", "vars": ["name", "amount"]})
    assert (source.rowwise, "rowwise" in launch.snapshot(campaign)) == ({}, False)
    assert Recipient.objects.get().reference == ""


# Sending -------------------------------------------------------------------------------------------------------------


def test_rows_of_two_headers_go_out_in_separate_requests(simulator, exotel_account):
    campaign = draft(account=exotel_account)
    imported(file(",ACMEBK,,", ",,,", ",ACMEIN,,", ",ACMEBK,,"), campaign, MAPPING)
    assert dispatch.pump(launched(campaign).account_id)["requests"] == 2
    sent = {entry["number10"][-1]: (entry["from"], entry["custom_field"]) for entry in simulator.ledger()}
    assert {number: sender for number, (sender, _) in sent.items()} == {
        "0": "ACMEBK",
        "1": "ACMEIN",
        "2": "ACMEIN",
        "3": "ACMEBK",
    }
    assert (sent["0"][1] == sent["3"][1], sent["1"][1] == sent["2"][1], len(set(sent.values()))) == (True, True, 2)
    assert (fresh(campaign).state, list(recount.breaches())) == ("finished", [])


def test_rows_of_two_languages_mix_in_a_request_with_their_own_templates(simulator, exotel_account):
    campaign = draft([hindi(), builders.template(language="ta")], account=exotel_account)
    imported(file("hi,,,", ",,,", "EN,,,", "Hindi,,,"), campaign, MAPPING)
    launched(campaign)
    assert not chosen.by_hour(campaign.snapshot)
    assert dispatch.pump(exotel_account.pk)["requests"] == 1
    sent = {entry["number10"][-1]: (entry["dlt_template_id"], entry["body"][:5]) for entry in simulator.ledger()}
    own = (builders.TEMPLATE_ID, "Dear ")
    assert sent == {"0": ("1507000000000000009", "प्रिय"), "1": own, "2": own, "3": ("1507000000000000009", "प्रिय")}


def test_rows_of_the_future_are_not_sent_before_their_time(simulator, exotel_account, monkeypatch):
    (soon, _), (late, _) = hour(hours=1), hour(hours=3)
    campaign = draft(account=exotel_account)
    imported(file(f",,{late},", ",,,", f",,{soon},", ",,01-01-2026 10:00,"), campaign, MAPPING)
    launched(campaign)

    def sent():
        OrmQ.objects.all().delete()
        recover.sweep(recover.Observer())
        rung = [queued.task["func"] for queued in OrmQ.objects.all()].count(jobs.PUMP)
        dispatch.pump(exotel_account.pk)
        return rung, sorted(entry["number10"][-1] for entry in simulator.ledger())

    assert sent() == (1, ["1", "3"])
    assert (states(campaign), fresh(campaign).state) == ({"accepted": 2, "pending": 2}, "running")
    assert sent() == (0, ["1", "3"]), "nobody is woken for what is not due"
    assert not intent.waiting(exotel_account.pk)
    pass_time(monkeypatch, hours=1)
    assert sent() == (1, ["1", "2", "3"])
    pass_time(monkeypatch, hours=1, minutes=50)
    assert sent() == (0, ["1", "2", "3"])
    pass_time(monkeypatch, minutes=11)
    assert sent() == (1, ["0", "1", "2", "3"])
    assert (fresh(campaign).state, list(recount.breaches())) == ("finished", [])


def test_headers_and_hours_of_several_files_are_kept_apart(simulator, exotel_account):
    campaign = draft(account=exotel_account)
    imported(file(",ACMEBK,,", ",ACMECC,,"), campaign, MAPPING)
    imported(file(",ACMECC,,", ",ACMEBK,,").replace("980000", "970000"), campaign, MAPPING)
    imported("mobile,name,amount\n9600000000,Asha,1\n", campaign)
    dispatch.pump(launched(campaign).account_id)
    sent = {entry["number10"]: entry["from"] for entry in simulator.ledger()}
    assert sent == {
        "9800000000": "ACMEBK", "9800000001": "ACMECC", "9700000000": "ACMECC", "9700000001": "ACMEBK",
        "9600000000": "ACMEIN",
    }  # fmt: skip


def test_a_change_of_the_campaigns_header_does_not_reach_rows_with_their_own(simulator, exotel_account):
    campaign = draft(account=exotel_account)
    imported(file(",ACMEIN,,", ",,,"), campaign, MAPPING)
    campaign.sender_id = "ACMENW"
    campaign.save()
    dispatch.pump(launched(campaign).account_id)
    assert {entry["number10"][-1]: entry["from"] for entry in simulator.ledger()} == {"0": "ACMEIN", "1": "ACMENW"}


def waiting_campaign(account=None):
    at, _ = hour(days=2)
    campaign = draft(account=account or builders.account())
    imported(file(",ACMEBK,,A", f",ACMEBK,{at},B", ",,,C"), campaign, MAPPING)
    return launched(campaign)


def test_a_released_message_keeps_its_hour_and_header():
    campaign = waiting_campaign()
    before = list(Message.objects.order_by("id").values_list("due", "sender_no"))
    for _ in range(2):
        settle.not_sent(intent.commit(builders.owner().pk, campaign.account_id)[1], "The connection was refused.")
    assert list(Message.objects.order_by("id").values_list("due", "sender_no")) == before
    assert states(campaign) == {MessageState.PENDING: 3}


def test_pause_resume_and_cancel_work_while_rows_wait_for_their_hour():
    campaign = waiting_campaign()
    control.pause(campaign)
    assert not intent.commit(builders.owner().pk, campaign.account_id)
    control.resume(campaign)
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    assert len(order.ids) == 1
    control.cancel(campaign)
    assert control.wind_up(campaign.pk) == 2
    assert states(campaign) == {"in_flight": 1, "cancelled": 2}


def test_a_retry_keeps_header_language_and_reference_and_goes_at_once(exotel_account, simulator):
    at, _ = hour(minutes=-5)
    campaign = draft([hindi()], account=exotel_account)
    imported(file(f"hi,ACMEBK,{at},A", ",,,B"), campaign, MAPPING)
    launched(campaign)
    dispatch.pump(exotel_account.pk)
    Message.objects.filter(campaign=campaign).update(state="rejected", code="23035", sid=None, delivery="")
    recount.recount(campaign.pk)
    child = retry.make(fresh(campaign)).campaign
    copied = Recipient.objects.filter(campaign=child).order_by("line")
    assert list(copied.values_list("reference", "sender_no", "language_no", "due")) == [("A", 1, 1, 0), ("B", 0, 0, 0)]
    assert "ROWS_PAST_HOUR" not in findings(child)
    assert findings(child)["ROW_HEADER_DIFFERS"].rows == 1
    launched(child)
    dispatch.pump(exotel_account.pk)
    again = simulator.ledger()[2:]
    assert {(entry["from"], entry["dlt_template_id"][-1]) for entry in again} == {("ACMEBK", "9"), ("ACMEIN", "2")}


def test_a_retry_that_must_be_read_again_is_read_by_its_own_columns(exotel_account, simulator):
    campaign = draft([hindi()], account=exotel_account)
    imported(file("hi,ACMEBK,01-01-2026 10:00,A"), campaign, MAPPING)
    launched(campaign)
    Message.objects.filter(campaign=campaign).update(state="rejected", code="23035")
    Campaign.objects.filter(pk=campaign.pk).update(state="finished")
    recount.recount(campaign.pk)
    child = retry.make(fresh(campaign)).campaign
    source = child.imports.get()
    audience.restart(source)
    assert read(source).accepted == 1
    assert Recipient.objects.values_list("reference", "sender_no", "language_no", "due").get(source=source) == ("A", 1, 1, 0)


def test_a_doubtful_message_is_sent_again_at_once_under_its_own_header():
    at, _ = hour(minutes=-5)
    campaign = draft()
    imported(file(f",ACMEBK,{at},A"), campaign, MAPPING)
    launched(campaign)
    intent.commit(builders.owner().pk, campaign.account_id)
    Message.objects.update(state="unconfirmed")
    resend.resend(campaign, list(Message.objects.values_list("pk", flat=True)))
    _, order = intent.commit(builders.owner().pk, campaign.account_id)
    assert (order.batch.sender, len(order.ids)) == ("ACMEBK", 1)


def test_a_batch_of_one_header_spoilt_by_one_message_is_halved_until_it_is_found(simulator, exotel_account):
    campaign = draft(account=exotel_account)
    source = imported(file(*[",ACMEBK,,"] * 5, ",,,"), campaign, MAPPING)
    Recipient.objects.filter(source=source, line=4).update(cells=["9800000002", "", "", "", "ACMEBK", "", ""])
    Template.objects.filter(pk=campaign.template_id).update(body="{#var#}{#var#}")
    dispatch.pump(launched(fresh(campaign)).account_id)
    assert states(campaign) == {"accepted": 5, "rejected": 1}
    assert {entry["from"] for entry in simulator.ledger()} == {"ACMEBK", "ACMEIN"}


def test_each_header_has_its_turn_at_being_first(monkeypatch):
    campaign = draft()
    imported(file(",ACMEBK,,", ",ACMECC,,", ",,,"), campaign, MAPPING)
    launched(campaign)
    firsts = set()
    for _ in range(3):
        pass_time(monkeypatch, seconds=1)
        _, order = intent.commit(builders.owner().pk, campaign.account_id)
        firsts.add(order.batch.sender)
    assert firsts == {"ACMEIN", "ACMEBK", "ACMECC"}


# Cost ----------------------------------------------------------------------------------------------------------------


def claims(campaign):
    """The statements of one intent."""
    owner = builders.owner()
    with CaptureQueriesContext(connection) as queries:
        assert intent.commit(owner.pk, campaign.account_id)
    return [query["sql"] for query in queries.captured_queries]


def test_a_claim_asks_no_more_than_before_where_rows_say_nothing():
    plain = claims(builders.launched(recipients=3))
    assert not [sql for sql in plain if "sender_no" in sql or "due" in sql.replace("issued", "")]
    campaign = draft()
    imported(file(",ACMEBK,,"), campaign, MAPPING)
    assert len(claims(launched(campaign))) <= len(plain) + 1


def test_a_claim_reads_an_exact_range_of_the_index():
    campaign = waiting_campaign()
    Message.objects.filter(campaign=campaign).update(due=2**40)
    [picking] = [sql for sql in claims(waiting_campaign()) if "JOIN campaigns_recipient" in sql][:1]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"EXPLAIN QUERY PLAN {picking}")
        else:
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {picking}")
        plan = " ".join(str(row) for row in cursor.fetchall())
        if connection.vendor != "sqlite":
            cursor.execute("RESET enable_seqscan")
    assert "pending_messages_by_hour" in plan
    assert "TEMP B-TREE" not in plan and "Sort" not in plan


def test_the_good_path_of_files_without_such_columns_is_the_same_function(monkeypatch):
    called = []
    monkeypatch.setattr(importing, "check", lambda *given: called.append(1) or rows.check(*given))
    imported("mobile,name,amount\n9812345670,Asha,10\n")
    assert called and not RowError.objects.exists()
