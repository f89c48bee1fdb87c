"""The console's pages about what comes back. exodash/urls.py offers them to the console, which does not know this room."""

from callbacks.console import incoming, set_aside
from campaigns.admin.menu import Entry

PAGES = [
    ("set-aside/", set_aside.page, "set_aside"),
    ("set-aside/again/", set_aside.apply_again, "set_aside_again"),
    ("replies/", incoming.page, "replies"),
]
ENTRIES = [
    ("", Entry("Replies", "replies", "campaigns.view_campaign")),
    ("", Entry("Set aside", "set_aside", "campaigns.view_campaign", ("set_aside",))),
]
