"""The page for people: totals and the latest messages."""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from campaigns.exotel.simulator import names, sms, wire

LATEST = 50
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1c2430;background:#fff}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem;"
    "border-bottom:1px solid #dde3ea;vertical-align:top}td:last-child{overflow-wrap:anywhere}th{font-weight:600}"
)
LINKS = ("stats", "ledger.ndjson", "requests.ndjson", "callbacks.ndjson", "scenario", "accounts", "templates")


def render(totals: Mapping[str, Any], latest: Iterable[Mapping[str, Any]]) -> bytes:
    """``latest`` are rows of the ledger, oldest first."""
    sums = "".join(_row("td", name.replace("_", " "), _plain(value)) for name, value in totals.items())
    messages = "".join(
        _row(
            "td",
            wire.ist(row["accepted_at"]),
            row["account"],
            sms.shown(row["to"]),
            names.in_channel(row["channel"], row["code"])[1],
            row["body"],
        )
        for row in reversed(list(latest))
    )
    links = " &middot; ".join(f'<a href="/_sim/{name}">{name}</a>' for name in LINKS)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Exotel simulator</title><style>{STYLE}</style><h1>Exotel simulator</h1>"
        f"<p>Requests sent here are answered as Exotel would, and reach no phone.</p><p>{links}</p>"
        f"<h2>Totals</h2><table>{sums}</table><h2>Latest messages</h2>"
        f"<table>{_row('th', 'Accepted (IST)', 'Account', 'To', 'Outcome', 'Text')}{messages}</table></html>"
    ).encode("utf-8", "replace")


def _row(kind: str, *cells: object) -> str:
    return f"<tr>{''.join(f'<{kind}>{escape(str(cell))}</{kind}>' for cell in cells)}</tr>"


def _plain(value: object) -> str:
    return (
        ", ".join(f"{name}: {_plain(one)}" for name, one in value.items()) if isinstance(value, dict) else json.dumps(value)
    )
