"""Accounts, tokens and commands: secrets sealed, hosts fixed, everything safe to run twice."""

import json
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from campaigns.management import demo
from campaigns.models import Account, ApiToken, secrets
from campaigns.models.account import check_base_url
from tests import builders

pytestmark = pytest.mark.django_db


def test_credentials_are_sealed_and_bound_to_their_account():
    account = builders.account()
    account.set_credentials("topkey", "toptoken")
    account.save()
    stored = bytes(Account.objects.get(pk=account.pk).credentials)
    assert b"topkey" not in stored and b"toptoken" not in stored
    assert Account.objects.get(pk=account.pk).api_credentials() == ("topkey", "toptoken")
    other = builders.account()
    other.credentials = stored
    with pytest.raises(secrets.Unreadable, match="enter them again"):
        other.api_credentials()


def test_an_old_key_still_opens_and_a_lost_one_is_a_sentence(settings):
    sealed = secrets.seal("text", "owner")
    settings.SECRETS_KEYS = {"s2": b"n" * 32, **settings.SECRETS_KEYS}
    assert secrets.open_sealed(sealed, "owner") == "text"
    settings.SECRETS_KEYS = {"s2": b"n" * 32}
    with pytest.raises(secrets.Unreadable, match="EXODASH_SECRETS_KEYS"):
        secrets.open_sealed(sealed, "owner")


@pytest.mark.parametrize("url", ["https://api.in.exotel.com", "https://api.exotel.com/", "http://127.0.0.1:8010"])
def test_exotels_own_addresses_are_taken(url):
    check_base_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example", "http://api.exotel.com", "https://user:pw@api.exotel.com", "https://api.exotel.com.evil.example",
        "https://api.exotel.com/v1", "ftp://api.exotel.com", "https://169.254.169.254", "https://api.exotel.com:99999", "", "x",
    ],
)  # fmt: skip
def test_credentials_are_sent_to_no_other_host(url):
    with pytest.raises(ValidationError):
        check_base_url(url)


def test_a_token_is_shown_once_and_kept_as_a_hash():
    get_user_model().objects.create_user("asha")
    out = StringIO()
    call_command("create_api_token", "asha", scopes="read,write", stdout=out)
    text = out.getvalue().strip()
    token = ApiToken.objects.get()
    assert text.startswith("exd_") and token.digest == ApiToken.hash(text) and text not in str(vars(token))
    assert (token.scopes, token.allows("read"), token.allows("launch")) == (["read", "write"], True, False)


@pytest.mark.parametrize(("user", "scopes"), [("nobody", "read"), ("asha", "fly"), ("asha", "")])
def test_a_token_for_nobody_or_nothing_is_refused(user, scopes):
    get_user_model().objects.create_user("asha")
    with pytest.raises(CommandError):
        call_command("create_api_token", user, scopes=scopes)
    assert not ApiToken.objects.exists()


def test_bootstrap_may_run_any_number_of_times(monkeypatch, settings, tmp_path):
    settings.STATIC_ROOT, settings.DATA_DIR = tmp_path / "static", tmp_path
    monkeypatch.setenv("EXODASH_ADMIN_PASSWORD", "correct-horse-battery")
    for _ in range(2):
        call_command("bootstrap", "--demo", stdout=StringIO())
    assert get_user_model().objects.filter(is_superuser=True).count() == 1
    assert set(Group.objects.values_list("name", flat=True)) == {"Viewer", "Editor", "Launcher", "Auditor", "Administrator"}
    assert Account.objects.count() == 1
    settings.SIMULATOR_PORT = 9999
    call_command("bootstrap", "--demo", stdout=StringIO())
    assert Account.objects.get().base_url == "http://127.0.0.1:9999"


def test_an_account_is_made_from_the_environment_once(monkeypatch, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "static"
    monkeypatch.setenv("EXODASH_ADMIN_PASSWORD", "correct-horse-battery")
    monkeypatch.setenv("EXOTEL_ACCOUNT_SID", "acme1")
    monkeypatch.setenv("EXOTEL_API_KEY", "k")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "t")
    monkeypatch.setenv("EXOTEL_RATE_PER_MINUTE", "150")
    for _ in range(2):
        call_command("bootstrap", stdout=StringIO(), stderr=StringIO())
    account = Account.objects.get()
    assert (account.account_sid, account.rate_per_minute, account.api_credentials()) == ("acme1", 150, ("k", "t"))


def test_the_sample_has_a_thousand_rows_with_honest_mistakes(tmp_path):
    demo.write_sample(tmp_path / "sample.csv")
    lines = (tmp_path / "sample.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == demo.ROWS + 1
    assert sum("E+09" in line for line in lines) == 2


def test_codes_are_printed_for_people_and_for_programs():
    out = StringIO()
    call_command("codes", "sms/status", "--json", stdout=out)
    rows = json.loads(out.getvalue())
    assert {
        "provider",
        "channel",
        "namespace",
        "code",
        "name",
        "aliases",
        "state",
        "final",
        "retryable",
        "meaning",
        "remedy",
    } <= set(rows[0])
    with pytest.raises(CommandError):
        call_command("codes", "no-such-family")


def test_a_draft_is_launched_from_the_command_line_after_the_same_checks():
    with pytest.raises(CommandError, match="nobody to send to"):
        call_command("launch_campaign", builders.campaign().pk)
    with pytest.raises(CommandError, match="no campaign"):
        call_command("launch_campaign", 4242)
    campaign = builders.campaign(recipients=1)
    call_command("launch_campaign", campaign.pk, "--accept-warnings", stdout=StringIO())
    with pytest.raises(CommandError, match="not launched again"):
        call_command("launch_campaign", campaign.pk, "--accept-warnings")


@pytest.mark.parametrize(
    ("provider", "url", "fits"),
    [
        ("exotel", "https://api.exotel.com", True), ("exotel", "https://api.geniq.io", False),
        ("geniq", "https://api.geniq.io", True), ("geniq", "https://api.in.exotel.com", False),
        ("geniq", "http://127.0.0.1:8010", True),
    ],
)  # fmt: skip
def test_one_providers_credentials_never_go_to_anothers_host(provider, url, fits):
    account = Account(name="a", account_sid="a", provider=provider, base_url=url)
    account.clean_fields(exclude=["credentials"])
    if fits:
        account.clean()
    else:
        with pytest.raises(ValidationError, match="is not an address of"):
            account.clean()
