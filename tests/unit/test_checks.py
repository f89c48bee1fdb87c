"""Each misconfiguration that would lose messages, or let somebody in, is named by a check of its own."""

import pytest

from exodash import checks


@pytest.mark.parametrize(
    ("check", "change", "found"),
    [
        (checks.cluster, {}, []),
        (
            checks.cluster,
            {"Q_CLUSTER": {"retry": 100, "timeout": 90, "queue_limit": 4, "bulk": 1, "workers": 4}},
            ["exodash.E001"],
        ),
        (checks.failpoints, {}, []),
        (checks.failpoints, {"FAILPOINTS": ["intent.before:kill"]}, ["exodash.E006"]),
        (checks.failpoints, {"FAILPOINTS": ["intent.before:kill:2", "import.committed:hang"], "DEBUG": True}, []),
        (checks.failpoints, {"FAILPOINTS": ["intent.before:kill", "nowhere:kill"], "DEBUG": True}, ["exodash.E007"]),
        (checks.failpoints, {"FAILPOINTS": ["intent.before:explode"], "DEBUG": True}, ["exodash.E007"]),
        (checks.failpoints, {"FAILPOINTS": ["intent.before:kill:x"], "DEBUG": True}, ["exodash.E007"]),
        (checks.failpoints, {"FAILPOINTS": ["intent.before"], "DEBUG": True}, ["exodash.E007"]),
        (checks.owner_timeout, {}, []),
        (checks.owner_timeout, {"OWNER_TIMEOUT": 30}, ["exodash.W001"]),
        (checks.public_url, {"PUBLIC_URL": "https://sms.example.in"}, []),
        (checks.public_url, {"PUBLIC_URL": "http://127.0.0.1:8000"}, ["exodash.E002"]),
        (checks.public_url, {"PUBLIC_URL": "http://sms.example.in"}, ["exodash.E003"]),
        (checks.debug, {"DEBUG": False}, []),
        (checks.debug, {"DEBUG": True}, ["exodash.E004"]),
        (checks.webhook_hosts, {"WEBHOOK_HOSTS": []}, []),
        (checks.webhook_hosts, {"WEBHOOK_HOSTS": ["127.0.0.1"]}, ["exodash.W003"]),
        (checks.simulator_hosts, {"EXOTEL_HOSTS": ["api.exotel.com", "api.in.exotel.com"]}, []),
        (
            checks.simulator_hosts,
            {"EXOTEL_HOSTS": ["api.exotel.com", "api.in.exotel.com", "127.0.0.1:8010"]},
            ["exodash.W002"],
        ),
    ],
)
def test_a_check_finds_its_misconfiguration_and_nothing_else(settings, check, change, found):
    for name, value in change.items():
        setattr(settings, name, value)
    assert [message.id for message in check()] == found


def test_production_is_safe_without_saying_so(settings):
    assert not settings.DEBUG
    assert settings.SESSION_COOKIE_HTTPONLY and settings.SECURE_CONTENT_TYPE_NOSNIFF
    assert settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]["default-src"] == ["'self'"]
