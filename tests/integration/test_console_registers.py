"""The set-up: secrets are written and never shown, what is sent is linted, and every change leaves its trace."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns.models import Account, ApiToken, AuditEvent, Limiter, Suppression, Template
from campaigns.roles import create_roles
from campaigns.sending import control
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(db):
    client = Client()
    client.force_login(User.objects.create_superuser("asha"))
    return client


def account_form(**changes):
    return {
        "name": "acme1", "provider": "exotel", "base_url": "https://api.in.exotel.com", "account_sid": "acme1",
        "api_key": "key-1", "api_token": "token-1",
        "sender_id": "ACMEIN", "dlt_entity_id": builders.ENTITY, "rate_per_minute": "200", "senders": "4", "cost_per_unit": "0.2000",
        "polls_per_minute": "60", "verify_one_in": "1000", "spike_percent": "20", "missed_minutes": "30",
        "suppress_invalid_after": "2", "suppress_blacklist_after": "1", "suppress_dnd_after": "0", "allowed_links": "",
        "time_zone": "Asia/Kolkata", "window_opens": "10:00", "window_closes": "21:00",
    } | changes  # fmt: skip


def change(account):
    return reverse("admin:campaigns_account_change", args=[account.pk])


def stored(client):
    client.post(reverse("admin:campaigns_account_add"), account_form())
    return Account.objects.get()


def test_credentials_are_sealed_and_never_shown_again(admin_client):
    account = stored(admin_client)
    assert account.api_credentials() == ("key-1", "token-1")
    assert b"token-1" not in bytes(account.credentials)
    text = admin_client.get(change(account)).content.decode()
    assert "token-1" not in text and "key-1" not in text and "Stored. Leave empty to keep it" in text


@pytest.mark.parametrize("register", ["account", "template", "suppression", "alertrule"])
def test_a_new_row_is_offered_with_what_it_would_be_by_itself(admin_client, register):
    """A new account stood in Africa/Abidjan, the first of the zones, and its promotional hours with it."""
    form = admin_client.get(reverse(f"admin:campaigns_{register}_add")).context["adminform"].form
    expected = {f.name: f.get_default() for f in form._meta.model._meta.fields if f.has_default() and f.name in form.fields}
    assert {name: form[name].value() for name in expected} == expected


def test_empty_credentials_keep_the_stored_ones(admin_client):
    account = stored(admin_client)
    admin_client.post(change(account), account_form(api_key="", api_token="", rate_per_minute="150"))
    account.refresh_from_db()
    assert (account.rate_per_minute, account.api_credentials()) == (150, ("key-1", "token-1"))


def test_new_credentials_lift_the_stop_and_are_audited_without_their_text(admin_client):
    account = stored(admin_client)
    Account.objects.update(stopped_at=builders.now(), stop_reason="The API key was refused.")
    admin_client.post(change(account), account_form(api_key="key-2", api_token="token-2"))
    account.refresh_from_db()
    assert (account.stopped_at, account.stop_reason, account.api_credentials()[0]) == (None, "", "key-2")
    trail = AuditEvent.objects.values_list("action", "details")
    assert "account.credentials" in [action for action, _ in trail]
    assert "token-2" not in str(list(trail))


def test_another_change_leaves_the_stop_in_place(admin_client):
    account = stored(admin_client)
    Account.objects.update(stopped_at=builders.now(), stop_reason="The balance is used up.")
    admin_client.post(change(account), account_form(api_key="", api_token="", name="renamed"))
    account.refresh_from_db()
    assert account.stop_reason == "The balance is used up."
    assert "The balance is used up." in admin_client.get(change(account)).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"api_token": ""}, "Enter the API key and the API token together."),
        ({"api_key": "", "api_token": ""}, "without them nothing can be sent"),
        ({"base_url": "https://example.com"}, "is not an Exotel host"),
        ({"base_url": "http://api.exotel.com"}, "Use https"),
        ({"window_opens": "21:00", "window_closes": "10:00"}, "must end after they begin"),
        ({"rate_per_minute": "-1"}, "error"),
        ({"time_zone": "Mars/Base"}, "error"),
    ],
)
def test_an_account_that_cannot_work_is_not_saved(admin_client, changes, words):
    text = admin_client.post(reverse("admin:campaigns_account_add"), account_form(**changes)).content.decode()
    assert words in text and "Nothing was saved yet" in text
    assert not Account.objects.exists()


def test_a_new_sid_needs_its_credentials_again(admin_client):
    account = stored(admin_client)
    text = admin_client.post(change(account), account_form(api_key="", api_token="", account_sid="other")).content.decode()
    assert "belong to the old Sid" in text
    account.refresh_from_db()
    assert account.account_sid == "acme1"


def test_a_stop_is_lifted_by_one_press_once_its_cause_is_mended(admin_client):
    account = stored(admin_client)
    assert "Lift the stop" not in admin_client.get(change(account)).content.decode()
    control.stop_account(account.pk, "The balance is used up.")
    assert "Lift the stop" in admin_client.get(change(account)).content.decode()
    answer = admin_client.post(reverse("admin:campaigns_account_lift", args=[account.pk]))
    assert answer["Location"] == change(account)
    account.refresh_from_db()
    assert account.stopped_at is None
    assert AuditEvent.objects.filter(action="account.resume").count() == 1


def test_whoever_may_not_launch_cannot_lift_a_stop(db):
    create_roles()
    account = builders.account(stopped_at=builders.now(), stop_reason="The balance is used up.")
    user = User.objects.create(username="ravi")
    user.groups.set([Group.objects.get(name="Editor")])
    client = Client()
    client.force_login(user)
    assert client.post(reverse("admin:campaigns_account_lift", args=[account.pk])).status_code == 403
    account.refresh_from_db()
    assert account.stopped_at


def test_another_address_is_tried_at_once(admin_client):
    account = stored(admin_client)
    Limiter.objects.update(blocked_until=2**62, throttles=5)
    admin_client.post(change(account), account_form(api_key="", api_token="", base_url="https://api.exotel.com"))
    limiter = Limiter.objects.get()
    assert (limiter.blocked_until, limiter.throttles) == (0, 0)


def template_form(**changes):
    return {
        "name": "Payment due", "body": builders.BODY, "header": "ACMEIN", "category": "service_implicit",
        "dlt_template_id": builders.TEMPLATE_ID, "dlt_entity_id": builders.ENTITY, "status": "approved",
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"body": "Dear {name}, hello"}, "is not a variable"),
        ({"dlt_template_id": "12a"}, "digits only"),
        ({"header": "VM-ACMEIN"}, "without the operator"),
        ({"category": "promotional"}, "six digits"),
    ],
)
def test_a_template_that_would_be_scrubbed_is_not_saved(admin_client, changes, words):
    text = admin_client.post(reverse("admin:campaigns_template_add"), template_form(**changes)).content.decode()
    assert words in text
    assert not Template.objects.exists()


def test_a_doubtful_template_is_saved_with_its_warnings_shown(admin_client):
    response = admin_client.post(reverse("admin:campaigns_template_add"), template_form(dlt_template_id="123"), follow=True)
    assert Template.objects.get().created_by.username == "asha"
    assert "TEMPLATE_ID_LENGTH" in response.content.decode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("Hello {#var#}", "6 fixed characters and 1 variable · GSM-7"),
        ("नमस्ते {#var#}", "Unicode because of “न”"),
        ("Don’t wait – {#var#}", "Don&#x27;t wait - {#var#}"),
        ("x" * 200, "<strong>2 units</strong>"),
        ("Dear {name}", "is not a variable"),
        ("{#var#}{#var#} hello there", "VARIABLES_ADJACENT"),
        ("", "BODY_EMPTY"),
    ],
)
def test_a_body_is_measured_while_it_is_typed(admin_client, body, words):
    response = admin_client.post(reverse("admin:template_measure"), template_form(body=body))
    assert response.status_code == 200
    assert words in response.content.decode()


def token_form(user, **changes):
    return {"name": "billing", "user": user.pk, "scopes": ["read"], "days": "90"} | changes


def test_a_token_is_shown_once_and_kept_as_a_hash(admin_client):
    asha = User.objects.get()
    text = admin_client.post(reverse("admin:campaigns_apitoken_add"), token_form(asha)).content.decode()
    token = ApiToken.objects.get()
    shown = text.partition('<p class="secret gap-above"><code>')[2].partition("<")[0]
    assert token.digest == ApiToken.hash(shown)
    assert token.expires_at - token.created_at < timedelta(days=91)
    assert shown not in admin_client.get(reverse("admin:campaigns_apitoken_changelist")).content.decode()
    assert shown not in str(list(AuditEvent.objects.values()))


def test_a_token_can_do_no_more_than_its_user(admin_client):
    create_roles()
    viewer = User.objects.create_user("viewer")
    viewer.groups.set(Group.objects.filter(name="Viewer"))
    form = token_form(viewer, scopes=["read", "launch", "numbers"])
    text = admin_client.post(reverse("admin:campaigns_apitoken_add"), form).content.decode()
    assert "viewer may not do this: launch, numbers" in text
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_refused_from_then_on(admin_client):
    token, _ = ApiToken.issue(user=User.objects.get(), name="billing", scopes=["read"])
    url = reverse("admin:campaigns_apitoken_revoke", args=[token.pk])
    assert "cannot be brought back" in admin_client.get(url).content.decode()
    admin_client.post(url)
    token.refresh_from_db()
    assert not token.valid
    assert AuditEvent.objects.get().action == "token.revoke"


@pytest.mark.parametrize(
    ("typed", "number"), [("98123 45670", 919812345670), ("+91-98123-45670", 919812345670), ("12345", None), ("", None)]
)
def test_a_number_is_suppressed_in_any_spelling(admin_client, typed, number):
    form = {"number": typed, "reason": "opt_out", "account": "", "note": "", "expires_at": ""}
    admin_client.post(reverse("admin:campaigns_suppression_add"), form)
    assert list(Suppression.objects.values_list("number", flat=True)) == ([number] if number else [])


def test_a_number_is_not_suppressed_twice(admin_client):
    form = {"number": "9812345670", "reason": "opt_out", "account": "", "note": "", "expires_at": ""}
    for _ in range(2):
        response = admin_client.post(reverse("admin:campaigns_suppression_add"), form)
    assert response.status_code == 200
    assert Suppression.objects.count() == 1


def test_a_suppressed_number_is_found_in_any_spelling_and_deleted_with_a_trace(admin_client):
    row = Suppression.objects.create(number=919812345670)
    found = admin_client.get(reverse("admin:campaigns_suppression_changelist") + "?q=098123+45670").content.decode()
    assert "+91 98123 45670" in found
    admin_client.post(reverse("admin:campaigns_suppression_delete", args=[row.pk]), {"post": "yes"})
    assert not Suppression.objects.exists()
    assert AuditEvent.objects.get().action == "suppression.delete"


def test_the_audit_trail_is_read_and_never_written(admin_client):
    event = AuditEvent.objects.create(actor="system", action="x", subject="y")
    assert admin_client.get(reverse("admin:campaigns_auditevent_add")).status_code == 403
    assert (
        admin_client.post(reverse("admin:campaigns_auditevent_delete", args=[event.pk]), {"post": "yes"}).status_code == 403
    )
    assert AuditEvent.objects.filter(pk=event.pk).exists()


def test_an_administrator_who_is_no_superuser_cannot_make_or_mend_one(admin_client):
    create_roles()
    boss, helper = User.objects.get(), User.objects.create_user("helper", password="correct-horse-battery")
    helper.groups.set(Group.objects.filter(name="Administrator"))
    client = Client()
    client.force_login(helper)
    form = {"username": "helper", "first_name": "", "last_name": "", "email": "", "is_superuser": "on", "is_active": "on"}
    client.post(reverse("admin:auth_user_change", args=[helper.pk]), form)
    helper.refresh_from_db()
    assert not helper.is_superuser
    url = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert (
        client.post(url, {"password1": "mine-now-123456", "password2": "mine-now-123456", "set-password": "yes"}).status_code
        == 403
    )


def test_a_new_user_is_made_in_two_steps(admin_client):
    create_roles()
    form = {"username": "ravi", "password1": "correct-horse-battery", "password2": "correct-horse-battery"}
    response = admin_client.post(reverse("admin:auth_user_add"), form)
    ravi = User.objects.get(username="ravi")
    assert response["Location"] == reverse("admin:auth_user_change", args=[ravi.pk])
    role = Group.objects.get(name="Launcher")
    form = {"username": "ravi", "first_name": "Ravi", "last_name": "", "email": "", "groups": [role.pk], "is_active": "on"}
    admin_client.post(response["Location"], form)
    assert User.objects.get(username="ravi").has_perm("campaigns.launch_campaign")
    url = reverse("admin:auth_user_password_change", args=[ravi.pk])
    form = {
        "usable_password": "true",
        "password1": "another-horse-battery",
        "password2": "another-horse-battery",
        "set-password": "yes",
    }
    admin_client.post(url, form)
    assert User.objects.get(username="ravi").check_password("another-horse-battery")


def test_an_own_password_is_changed_and_asked_for_twice(admin_client):
    asha = User.objects.get()
    asha.set_password("correct-horse-battery")
    asha.save()
    admin_client.force_login(asha)
    form = {
        "old_password": "correct-horse-battery",
        "new_password1": "new-horse-battery",
        "new_password2": "new-horse-battery",
    }
    assert (
        "Your password is changed" in admin_client.post(reverse("admin:password_change"), form, follow=True).content.decode()
    )
    assert User.objects.get().check_password("new-horse-battery")
