"""docs/configuration.md lists every variable that the code reads, and no other; a bad value stops the start."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from exodash import env, logs

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r'"((?:EXODASH|EXOTEL)_[A-Z_]+|DATABASE_URL|PORT|SIMULATOR_PORT)"')


def test_the_page_and_the_code_name_the_same_variables():
    sources = [*(ROOT / "exodash").rglob("*.py"), *(ROOT / "campaigns").rglob("*.py"), *(ROOT / "callbacks").rglob("*.py")]
    read = {name for path in sources for name in NAME.findall(path.read_text(encoding="utf-8"))}
    documented = set(re.findall(r"`([A-Z_]{4,})`", (ROOT / "docs/configuration.md").read_text(encoding="utf-8")))
    assert read == documented


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (env.boolean, "maybe"),
        (lambda name: env.integer(name, 1), "many"),
        (lambda name: env.integer(name, 1, 1, 5), "6"),
        (lambda name: env.integer(name, 1), "-1"),
        (env.keyring, "k1"),
        (env.keyring, "k1:zz"),
        (env.keyring, "k1:abcd"),
        (env.keyring, "k-1:" + "11" * 16),
        (lambda name: env.url(name, ""), "ftp://x"),
        (lambda name: env.url(name, ""), "sms.example.in"),
        (lambda name: env.url(name, ""), "https://user:pw@x"),
        (env.mail, "mail.example.in"),
        (env.mail, "smtp://"),
        (env.mail, "imap://mail.example.in"),
        (env.mail, "smtps://mail.example.in:many"),
        (env.mail, "smtps://mail.example.in/inbox"),
        (env.mail, "smtp://user:secret@mail.example.in"),
        (lambda name: env.database(name, ""), "mysql://x/y"),
        (lambda name: env.database(name, ""), "sqlite:///"),
        (lambda name: env.database(name, ""), "postgres://host"),
    ],
)
def test_a_bad_value_stops_the_start_with_the_name(monkeypatch, reader, value):
    monkeypatch.setenv("EXODASH_TRIED", value)
    with pytest.raises(ImproperlyConfigured, match="EXODASH_TRIED"):
        reader("EXODASH_TRIED")


def test_a_required_variable_must_be_set(monkeypatch):
    monkeypatch.delenv("EXODASH_TRIED", raising=False)
    with pytest.raises(ImproperlyConfigured, match="EXODASH_TRIED"):
        env.text("EXODASH_TRIED")


@pytest.mark.parametrize(
    ("value", "host", "port", "user", "tls", "ssl"),
    [
        ("", "", 25, "", False, False),
        ("smtp://127.0.0.1:2525", "127.0.0.1", 2525, "", False, False),
        ("smtp://me:pw@localhost", "localhost", 25, "me", False, False),
        ("smtp+tls://me%40x.in:p%2Fw@mail.x.in", "mail.x.in", 587, "me@x.in", True, False),
        ("smtps://me:pw@mail.x.in", "mail.x.in", 465, "me", False, True),
    ],
)
def test_the_mail_server_is_one_address(monkeypatch, value, host, port, user, tls, ssl):
    monkeypatch.setenv("EXODASH_TRIED", value)
    made = env.mail("EXODASH_TRIED")
    assert (made["EMAIL_HOST"], made["EMAIL_PORT"], made["EMAIL_HOST_USER"]) == (host, port, user)
    assert (made["EMAIL_USE_TLS"], made["EMAIL_USE_SSL"]) == (tls, ssl)
    assert made["EMAIL_HOST_PASSWORD"] == {"": "", "me": "pw", "me@x.in": "p/w"}[user]


@pytest.mark.parametrize(
    ("value", "name"),
    [("sqlite:////data/x.sqlite3", "/data/x.sqlite3"), ("sqlite:///x.sqlite3", str(env.BASE_DIR / "x.sqlite3"))],
)
def test_sqlite_paths_are_absolute_or_below_the_project(monkeypatch, value, name):
    monkeypatch.setenv("EXODASH_TRIED", value)
    assert env.database("EXODASH_TRIED", "")["NAME"] == name


def test_generated_secrets_are_private_and_kept(tmp_path):
    path = tmp_path / "new" / "secrets.env"
    assert env.generate_secrets(path)
    first = path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    assert not env.generate_secrets(path)
    assert path.read_text() == first


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("sent to +919812345678", "981234"),
        ("sent to 9812345678", "981234"),
        ("POST /callbacks/v1/k1/0123456789abcdef0123456789abcdef.fedc 200", "0123456789abcdef"),
        ("Authorization: Basic ZGVtbzpkZW1v", "ZGVtbzpkZW1v"),
        ("api_token=verysecret", "verysecret"),
        ("signed with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw today", "MfKQ9r8GKYqr"),
    ],
)
def test_logs_hold_no_number_token_or_credential(line, secret):
    assert secret not in logs.redact(line)


def test_logs_keep_what_is_no_secret():
    assert logs.redact("Campaign 12 stopped after 2000 messages") == "Campaign 12 stopped after 2000 messages"
