"""The menu in the operator's words; each reader sees what their role opens."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.urls import reverse

from campaigns.models import Account

LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PLACES = {"api.in.exotel.com": "Mumbai", "api.exotel.com": "Singapore"}


@dataclass(frozen=True)
class Entry:
    name: str
    route: str
    permission: str
    also: tuple[str, ...] = ()  # beginnings of other routes under which this entry is lit


@dataclass(frozen=True)
class Link:
    name: str
    url: str
    current: bool


@dataclass(frozen=True)
class Group:
    name: str
    links: list[Link]


MENU: list[tuple[str, list[Entry]]] = [
    (
        "",
        [
            Entry("Dashboard", "index", "campaigns.view_campaign"),
            Entry("New campaign", "draft_new", "campaigns.add_campaign", ("draft_",)),
            Entry("Campaigns", "campaigns", "campaigns.view_campaign", ("campaign",)),
            Entry("Messages", "messages", "campaigns.view_campaign", ("message",)),
            Entry("Unconfirmed", "unconfirmed", "campaigns.view_campaign", ("unconfirmed",)),
            Entry("Alerts", "alerts", "campaigns.view_campaign"),
        ],
    ),
    (
        "Set-up",
        [
            Entry("Audiences", "audiences", "campaigns.view_audience", ("audience",)),
            Entry("Templates", "campaigns_template_changelist", "campaigns.view_template", ("campaigns_template",)),
            Entry(
                "Suppression", "campaigns_suppression_changelist", "campaigns.view_suppression", ("campaigns_suppression",)
            ),
            Entry("Accounts", "campaigns_account_changelist", "campaigns.view_account", ("campaigns_account",)),
            Entry("Webhooks", "webhooks", "campaigns.view_webhook", ("webhook",)),
            Entry("Alert rules", "campaigns_alertrule_changelist", "campaigns.view_alertrule", ("campaigns_alertrule",)),
            Entry("Code dictionary", "codes", "campaigns.view_template", ("campaigns_codenote",)),
        ],
    ),
    (
        "People & audit",
        [
            Entry("Users", "auth_user_changelist", "auth.view_user", ("auth_user",)),
            Entry("Roles", "auth_group_changelist", "auth.view_group", ("auth_group",)),
            Entry("API tokens", "campaigns_apitoken_changelist", "campaigns.view_apitoken", ("campaigns_apitoken",)),
            Entry("Audit trail", "campaigns_auditevent_changelist", "campaigns.view_auditevent", ("campaigns_auditevent",)),
        ],
    ),
]


def extend(entries: Iterable[tuple[str, Entry]]) -> None:
    """Put entries of another room at the end of the groups they name."""
    by_group = dict(MENU)
    for group, entry in entries:
        by_group[group].append(entry)


def groups(request: HttpRequest) -> Iterator[Group]:
    here = request.resolver_match.url_name or "" if request.resolver_match else ""
    lit = _lit(here)
    for name, entries in MENU:
        links = [
            Link(entry.name, reverse(f"admin:{entry.route}"), entry is lit)
            for entry in entries
            if request.user.has_perm(entry.permission)
        ]
        if links:
            yield Group(name, links)


def _lit(here: str) -> Entry | None:
    """The one entry that is lit: the exact route, else the longest beginning."""
    entries = [entry for _, entries in MENU for entry in entries]
    exact = next((entry for entry in entries if entry.route == here), None)
    begun = [(len(start), entry) for entry in entries for start in entry.also if here.startswith(start)]
    return exact or max(begun, key=lambda pair: pair[0], default=(0, None))[1]


def where() -> str:
    """The account and where it sends, under the product's name; a simulator is named as one."""
    accounts = list(Account.objects.order_by("id").values_list("name", "base_url")[:2])
    if not accounts:
        return "No account yet"
    if len(accounts) > 1:
        return f"{Account.objects.count()} accounts"
    name, base_url = accounts[0]
    host = urlsplit(base_url).hostname or ""
    place = "nothing reaches a phone" if host in LOOPBACK else PLACES.get(host, host)
    return f"{name} · {place}"
