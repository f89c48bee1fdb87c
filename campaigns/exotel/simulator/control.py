"""Looking and steering over HTTP: /_sim/ in JSON, and a page for people at /."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

from campaigns.exotel.simulator import accounts, dlt, names, page, scenario
from campaigns.exotel.simulator.desk import Desk
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.ledger import Ledger
from campaigns.exotel.simulator.server import Reply, Request

MOST_LINES = 10_000
Action = Callable[[str, Request], Any]


class Control:
    """``handle`` answers everything that is not the provider's; wrong input gets 400 with a sentence."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self._desk, self._ledger, self._seed = desk, desk.ledger, seed
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "health"): lambda rest, request: {"ok": True, "seed": seed},
            ("GET", "stats"): lambda rest, request: self._ledger.tally.as_json(),
            ("GET", "ledger.ndjson"): lambda rest, request: _lines(request, lambda *cut: message_lines(self._ledger, *cut)),
            ("GET", "requests.ndjson"): lambda rest, request: _lines(
                request, lambda *cut: self._ledger.page("request", *cut)
            ),
            ("GET", "callbacks.ndjson"): lambda rest, request: _lines(
                request, lambda *cut: self._ledger.page("callback", *cut)
            ),
            ("GET", "scenario"): lambda rest, request: scenario.as_json(desk.fates.scenario),
            ("POST", "scenario"): lambda rest, request: self._play(desk.fates.scenario, _json(request)),
            ("PUT", "scenario"): lambda rest, request: self._play(scenario.Scenario(), _json(request)),
            ("GET", "accounts"): lambda rest, request: [accounts.as_json(one) for one in desk.accounts.all()],
            ("PUT", "accounts"): lambda rest, request: self._put_account(rest, _json(request)),
            ("GET", "templates"): lambda rest, request: [_shown(one) for one in desk.templates.values()],
            ("PUT", "templates"): lambda rest, request: self._put_template(rest, _json(request)),
        }

    def handle(self, request: Request) -> Reply:
        if request.path == "/":
            latest = self._ledger.page("message", max(self._ledger.messages - page.LATEST, 0), page.LATEST)
            return Reply(200, page.render(self._ledger.tally.as_json(), latest), "text/html; charset=utf-8")
        name, _, rest = request.path.removeprefix("/_sim/").partition("/")
        action = self._actions.get((request.method, name))
        if action is None:
            known = any(name == other for _, other in self._actions)
            return _answer({"error": f"{request.method} {request.path} is not offered."}, 405 if known else 404)
        try:
            made = action(rest, request)
        except ValueError as error:
            return _answer({"error": str(error)}, 400)
        return made if isinstance(made, Reply) else _answer(made)

    def _play(self, base: scenario.Scenario, changes: dict[str, Any]) -> dict[str, Any]:
        """Amend a scenario, or the built-in one that ``base`` names, and play it from now on."""
        name = changes.pop("base", None)
        if name is not None and (not isinstance(name, str) or name not in scenario.BUILT_IN):
            raise ValueError(f"base must be one of {', '.join(scenario.BUILT_IN)}.")
        play = scenario.changed(scenario.BUILT_IN[name] if name else base, changes)
        self._desk.play(Fates(play, self._seed))
        return scenario.as_json(self._desk.scenario)

    def _put_account(self, sid: str, changes: dict[str, Any]) -> dict[str, Any]:
        if not sid or "/" in sid:
            raise ValueError("The address must end in the account's sid.")
        account = accounts.changed(self._desk.accounts.get(sid), sid, changes)
        self._ledger.keep_account(account)
        self._desk.accounts.put(account)
        return accounts.as_json(account)

    def _put_template(self, template_id: str, given: dict[str, Any]) -> dict[str, Any]:
        template = dlt.template(template_id, given)
        self._ledger.keep_template(template)
        self._desk.templates[template.id] = template
        return _shown(template)


def _shown(template: dlt.Template) -> dict[str, Any]:
    return {"dlt_template_id": template.id, **{name: value for name, value in asdict(template).items() if name != "id"}}


def message_lines(ledger: Ledger, after: int, limit: int) -> list[dict[str, Any]]:
    """Accepted messages after an id, with the outcome each has been given and how its callbacks fared."""
    rows = ledger.page("message", after, limit)
    fared = ledger.deliveries(rows[0]["id"], rows[-1]["id"]) if rows else {}
    for row in rows:
        row["status"], row["name"] = names.in_channel(row["channel"], row["code"])
        row["callbacks_sent"], row["callbacks_acknowledged"] = fared.get(row["id"], (0, 0))
    return rows


def _lines(request: Request, rows: Callable[[int, int], Iterable[dict[str, Any]]]) -> Reply:
    query = parse_qs(request.query)
    after, limit = (query.get(name, [usual])[-1] for name, usual in (("after", "0"), ("limit", "5000")))
    if not (after.isdecimal() and limit.isdecimal()) or len(after) > 18 or len(limit) > 18:
        raise ValueError("after and limit must be whole numbers from 0.")
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows(int(after), min(int(limit), MOST_LINES)))
    return Reply(200, "".join(lines).encode("utf-8", "replace"), "application/x-ndjson")


def _json(request: Request) -> dict[str, Any]:
    try:
        given = json.loads(request.body)
        json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair could not be kept
    except (ValueError, RecursionError):
        raise ValueError("The body must be a JSON object.") from None
    if not isinstance(given, dict):
        raise ValueError("The body must be a JSON object.")
    return given


def _answer(data: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode(), "application/json")
