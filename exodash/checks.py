"""System checks for each misconfiguration that would lose messages or let somebody in. Run by every management command."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from campaigns import failpoints as points

LOCAL = {"127.0.0.1", "localhost", "::1"}


@register()
def cluster(**_: Any) -> list[CheckMessage]:
    """The visibility timeout must outlast waiting and running, or django-q2 runs jobs twice at once."""
    q: dict[str, Any] = settings.Q_CLUSTER
    waiting = -(-(q["queue_limit"] + q["bulk"]) // q["workers"])
    if q["retry"] <= q["timeout"] * (1 + waiting):
        return [
            Error(
                f"Q_CLUSTER retry ({q['retry']} s) does not outlast the wait and the run of a job "
                f"({q['timeout'] * (1 + waiting)} s).",
                hint="Raise retry or lower queue_limit.",
                id="exodash.E001",
            )
        ]
    return []


@register()
def failpoints(**_: Any) -> list[CheckMessage]:
    """A process that is to die on purpose must never be one that sends to people."""
    if settings.FAILPOINTS and not settings.DEBUG:
        return [
            Error(
                "EXODASH_FAILPOINTS is set: processes would die, fail or hang on purpose.",
                hint="Unset it. It is for tests, under EXODASH_DEBUG alone.",
                id="exodash.E006",
            )
        ]
    if wrong := points.wrong():
        return [Error(f"EXODASH_FAILPOINTS names no such point or action: {', '.join(wrong)}.", id="exodash.E007")]
    return []


@register()
def owner_timeout(**_: Any) -> list[CheckMessage]:
    """A sender is called dead after twice the longest request, else a slow answer would look like a crash."""
    if settings.OWNER_TIMEOUT < 90:
        return [
            Warning(
                f"EXODASH_OWNER_TIMEOUT is {settings.OWNER_TIMEOUT} s; a request may take 45 s.",
                hint="Leave it at 90 outside of tests.",
                id="exodash.W001",
            )
        ]
    return []


@register(deploy=True)
def public_url(**_: Any) -> list[CheckMessage]:
    """Exotel must be able to reach the callback address, over https."""
    url = urlsplit(settings.PUBLIC_URL)
    if url.hostname in LOCAL:
        return [
            Error(
                "EXODASH_PUBLIC_URL points at this machine itself, so no delivery status can come in.",
                hint="Set the https address under which Exotel reaches this installation.",
                id="exodash.E002",
            )
        ]
    if url.scheme != "https":
        return [
            Error(
                "EXODASH_PUBLIC_URL is not https: numbers and callback tokens could be read on the way.",
                id="exodash.E003",
            )
        ]
    return []


@register(deploy=True)
def debug(**_: Any) -> list[CheckMessage]:
    if settings.DEBUG:
        return [Error("EXODASH_DEBUG is on: error pages would show settings and rows.", id="exodash.E004")]
    return []


@register(deploy=True)
def webhook_hosts(**_: Any) -> list[CheckMessage]:
    if settings.WEBHOOK_HOSTS:
        return [
            Warning(
                f"EXODASH_WEBHOOK_HOSTS lets webhooks call {', '.join(settings.WEBHOOK_HOSTS)}, inside and without https.",
                hint="It is for tests and development: leave it empty.",
                id="exodash.W003",
            )
        ]
    return []


@register(deploy=True)
def simulator_hosts(**_: Any) -> list[CheckMessage]:
    extra = settings.EXOTEL_HOSTS[2:]
    if extra:
        return [
            Warning(
                f"EXODASH_ALLOWED_EXOTEL_HOSTS lets accounts send credentials and messages to {', '.join(extra)}.",
                id="exodash.W002",
            )
        ]
    return []


@register()
def callback_networks(**_: Any) -> list[CheckMessage]:
    """Behind a proxy that is not counted, every callback seems to come from the proxy, and all would be refused."""
    if settings.CALLBACK_NETWORKS and settings.SECURE_PROXY_SSL_HEADER and not settings.TRUSTED_PROXIES:
        return [
            Warning(
                "EXODASH_CALLBACK_NETWORKS is set behind a proxy (EXODASH_BEHIND_PROXY), but EXODASH_TRUSTED_PROXIES is 0.",
                hint="Set EXODASH_TRUSTED_PROXIES to the number of proxies in front, or callbacks may be refused.",
                id="exodash.W003",
            )
        ]
    return []
