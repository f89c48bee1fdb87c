"""E-mail about alerts, to a real mail server: who gets what, how often, and what a dead server costs."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from campaigns import jobs, tasks
from campaigns.insight import mailing
from campaigns.models import Alert, AlertRule, AuditEvent
from campaigns.sending import control
from tests import builders
from tests.machine import free_port
from tests.mailbox import Mailbox
from tests.people import as_role

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def mailbox(settings, transactional_db):
    AlertRule.create_defaults()
    AlertRule.objects.update(recipients="ops@x.in\nboss@x.in")
    made = Mailbox().start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", made.port, 5
    yield made
    made.stop()


@pytest.fixture
def account(transactional_db):
    return builders.account(name="Acme")


def notice(account, kind="failed_rate", text="6 of 100 messages failed."):
    Alert.notice(kind, account, text)
    return Alert.objects.latest("id")


def later(**by):
    """So much time passes for all alerts."""
    for alert in Alert.objects.all():
        for name in ("mailed_at", "mail_next_at", "closed_at"):
            if at := getattr(alert, name):
                setattr(alert, name, at - timedelta(**by))
        alert.save()


def text(mail):
    return mail.get_content()


def test_an_alert_is_written_to_all_recipients_of_its_rule_with_where_to_look(mailbox, account):
    notice(account)
    assert mailing.send() == {"sent": 1, "failed": 0}
    (mail,) = mailbox.mails
    assert mail["to"] == "ops@x.in, boss@x.in" and mail["from"].endswith("@127.0.0.1>")
    assert mail["subject"] == "[Exodash] Acme: 6 of 100 messages failed."
    assert "Error: Acme" in text(mail) and "/alerts/" in text(mail)


def test_a_stop_by_the_machine_is_written_about_too(mailbox):
    campaign = builders.launched(recipients=1, name="Diwali")
    control.stop_campaign(campaign.pk, campaign.account_id, "Exotel refused 40 messages.")
    mailing.send()
    assert mailbox.mails[0]["subject"] == "[Exodash] Campaign Diwali: Exotel refused 40 messages."


def test_many_alerts_are_one_mail_and_different_recipients_are_two(mailbox, account):
    AlertRule.objects.filter(kind="throttled").update(recipients="net@x.in")
    for kind in ("failed_rate", "auth_error", "low_balance", "throttled"):
        notice(account, kind, f"About {kind}.")
    assert mailing.send() == {"sent": 2, "failed": 0}
    by_reader = {mail["to"]: mail for mail in mailbox.mails}
    digest = by_reader["ops@x.in, boss@x.in"]
    assert digest["subject"].startswith("[Exodash] 3 alerts, the first: Acme: About failed_rate.")
    assert all(f"About {kind}." in text(digest) for kind in ("failed_rate", "auth_error", "low_balance"))
    assert "About throttled." not in text(digest) and "About throttled." in text(by_reader["net@x.in"])


def test_a_flood_is_one_mail_of_bounded_length(mailbox):
    for i in range(120):
        notice(builders.account(name=f"Client {i}"), text="x" * 400)
    mailing.send()
    (mail,) = mailbox.mails
    assert "... and 70 more." in text(mail) and len(text(mail)) < 50_000


def test_a_matter_is_not_written_about_again_before_its_time(mailbox, account):
    notice(account)
    for _ in range(3):
        mailing.send()
        notice(account, text="7 of 100 messages failed.")
    assert len(mailbox.mails) == 1
    later(minutes=59)
    mailing.send()
    assert len(mailbox.mails) == 1
    later(minutes=2)
    mailing.send()
    assert [mail["subject"] for mail in mailbox.mails][1:] == ["[Exodash] Acme: 7 of 100 messages failed."]


def test_a_matter_that_comes_and_goes_is_not_written_about_again_either(mailbox, account):
    for _ in range(5):
        notice(account).over()
        mailing.send()
        notice(account)
        mailing.send()
        Alert.objects.get(closed_at=None).over()
    assert len(mailbox.mails) == 1
    notice(account)
    later(minutes=61)
    mailing.send()
    assert len(mailbox.mails) == 2


def test_what_was_acknowledged_is_not_written_about(mailbox, account):
    notice(account).acknowledge(User.objects.create_user("ravi"))
    assert not mailing.waiting()
    assert mailing.send() == {"sent": 0, "failed": 0}


@pytest.mark.parametrize("change", [{"recipients": ""}, {"enabled": False}])
def test_a_rule_without_readers_or_switched_off_sends_nothing(mailbox, account, change):
    AlertRule.objects.filter(kind="failed_rate").update(**change)
    notice(account)
    assert mailing.send() == {"sent": 0, "failed": 0}


def test_the_rule_of_the_account_says_who_is_told(mailbox, account):
    AlertRule.objects.create(kind="failed_rate", account=account, recipients="acme@x.in")
    quiet = builders.account(name="Quiet")
    AlertRule.objects.create(kind="failed_rate", account=quiet, recipients="")
    for one in (account, quiet, builders.account(name="Other")):
        notice(one)
    mailing.send()
    assert {mail["to"]: mail["subject"].split(":")[0] for mail in mailbox.mails} == {
        "acme@x.in": "[Exodash] Acme", "ops@x.in, boss@x.in": "[Exodash] Other",
    }  # fmt: skip


def test_a_dead_server_costs_a_job_and_the_mail_goes_out_once_it_lives(mailbox, account, caplog):
    mailbox.stop()
    notice(account)
    assert mailing.send() == {"sent": 0, "failed": 1}
    assert not mailing.waiting()  # not before a minute
    later(minutes=1)
    assert mailing.send() == {"sent": 0, "failed": 1}
    later(minutes=1, seconds=30)
    assert not mailing.waiting()  # the second wait is longer
    mailbox.start()
    later(minutes=1)
    assert mailing.send() == {"sent": 1, "failed": 0}
    alert = Alert.objects.get()
    assert (len(mailbox.mails), alert.mail_tries, alert.mail_next_at) == (1, 0, None)
    assert "could not be reached" in caplog.text


def test_a_server_that_refuses_is_tried_again_and_its_words_reach_no_log(mailbox, account, caplog):
    mailbox.refuse = "550 no such user ops@x.in"
    notice(account)
    assert mailing.send() == {"sent": 0, "failed": 1}
    assert "refused the recipients (550)" in caplog.text and "ops@x.in" not in caplog.text
    mailbox.refuse = ""
    later(minutes=2)
    assert mailing.send() == {"sent": 1, "failed": 0}


def test_of_several_jobs_at_once_one_writes(mailbox, account):
    mailbox.delay = 0.2
    notice(account)
    ready, results = threading.Barrier(4), []

    def work():
        ready.wait()
        results.append(mailing.send())
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(mailbox.mails), sum(result["sent"] for result in results)) == (1, 1)


def test_the_tick_rings_for_a_mail_and_never_waits_for_the_server(mailbox, account, settings):
    settings.EMAIL_PORT = free_port()
    tasks.tick()
    assert not OrmQ.objects.exists()
    notice(account)
    tasks.tick()
    assert [job.func() for job in OrmQ.objects.all()] == [jobs.MAIL]
    assert tasks.mail_alerts() == {"sent": 0, "failed": 1}


def test_without_a_server_nothing_is_tried_and_the_page_says_so(mailbox, account, settings):
    settings.EMAIL_HOST = ""
    notice(account)
    tasks.tick()
    assert not OrmQ.objects.exists() and mailing.send() == {"sent": 0, "failed": 0}
    rule = AlertRule.objects.get(kind="failed_rate")
    client = as_role("Administrator")
    url = reverse("admin:campaigns_alertrule_change", args=[rule.pk])
    assert "No mail server is set" in client.get(url).content.decode()
    assert "No mail server is set" in test_mail(client, rule)


def test_mail(client, rule):
    return client.post(reverse("admin:alert_rule_test", args=[rule.pk]), follow=True).content.decode()


test_mail.__test__ = False


def test_a_test_mail_goes_to_the_saved_recipients_and_says_how_that_went(mailbox):
    rule, client = AlertRule.objects.get(kind="throttled"), as_role("Administrator")
    assert "handed to the mail server for ops@x.in, boss@x.in" in test_mail(client, rule)
    assert mailbox.mails[0]["subject"] == "[Exodash] Test: Throttled requests"
    assert AuditEvent.objects.filter(action="alertrule.test").count() == 1
    mailbox.refuse = "550 <script>"
    assert "refused the recipients (550)." in test_mail(client, rule)
    mailbox.stop()
    assert "could not be reached" in test_mail(client, rule)
    AlertRule.objects.filter(pk=rule.pk).update(recipients="")
    assert "has no recipients" in test_mail(client, rule)
    assert AuditEvent.objects.filter(action="alertrule.test").count() == 1


def test_no_name_can_write_headers_of_its_own(mailbox):
    account = builders.account(name="Acme\nBcc: all@x.in")
    notice(account)
    mailing.send()
    (mail,) = mailbox.mails
    assert mail["bcc"] is None and "Acme Bcc: all@x.in" in mail["subject"]


def test_alerts_are_shown_with_when_they_were_mailed(mailbox, account):
    notice(account)
    mailing.send()
    assert "e-mail" in as_role("Viewer").get("/alerts/").content.decode()
    mailbox.stop()
    Alert.objects.update(mailed_at=None, mail_next_at=timezone.now() - timedelta(seconds=1))
    mailing.send()
    assert "e-mail failed, tried 1 time" in as_role("Editor").get("/alerts/").content.decode()


def test_old_alerts_that_nobody_closes_do_not_hide_new_ones(mailbox, account):
    now = timezone.now()
    Alert.objects.bulk_create(
        Alert(
            kind="failed_rate", matter=f"m{i}", text="Old.", raised_at=now - timedelta(days=1), noticed_at=now, mailed_at=now
        )
        for i in range(510)
    )
    notice(account)
    assert mailing.send() == {"sent": 1, "failed": 0}
    assert mailbox.mails[0]["subject"].startswith("[Exodash] Acme:")
