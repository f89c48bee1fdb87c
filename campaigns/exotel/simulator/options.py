"""The command line."""

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from campaigns.exotel.simulator.accounts import Account
from campaigns.exotel.simulator.faults import KINDS
from campaigns.exotel.simulator.geniq import PREFIX
from campaigns.exotel.simulator.readings import CHOICES
from campaigns.exotel.simulator.scenario import BUILT_IN, Scenario, changed


def _listed(rows: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"  {name:<21} {text}" for name, text in rows)


DEMO = Account("exodemo1", "demokey", "demotoken")
AFTERWORD = f"""
A scenario file is a JSON object; what it leaves out keeps its usual value:
  {{"outcomes": {{"20005": 90, "23005": 10}}, "numbers": {{"9812345678": "23010"}}, "delay": [1, 12], "latency": [0, 0.1],
   "lost": 0.01, "doubled": 0.05, "early": 0.02, "late": 0.01, "late_by": [86400, 259200], "reordered": 0.1,
   "intermediate": 0.2, "callback_retry_schedule": [30, 120, 600], "promotional_hours": [10, 21], "clock_ahead": 0,
   "clicks": 0.3, "whatsapp_outcomes": {{"30003": 9, "30013": 1}}, "geniq_outcomes": {{"delivered:0": 9, "rejected:6": 1}},
   "faults": [{{"kind": "throttle", "every": 20, "retry_after": 5}}, {{"kind": "reset_after", "at": [3, 7]}}]}}
A fault strikes "every" nth send request, those of the numbers in "at", or a "share" of them. Its kinds:
{_listed(KINDS.items())}
Where documents disagree a scenario may choose (the first is usual); and require_from (of bulksend), last_to_wins and
more_info are true or false, usually false:
{_listed((name, ", ".join(choices)) for name, choices in CHOICES.items())}
While it runs: GET /_sim/stats, /_sim/ledger.ndjson, /_sim/requests.ndjson, /_sim/callbacks.ndjson; POST or PUT
  /_sim/scenario; PUT /_sim/accounts/SID, /_sim/templates/DLT_TEMPLATE_ID. A page for people is at /.
  An account with "scrubbing": true has its messages held against the templates (body, entity, header or headers,
  category, state, consent). "receipt_url" of an account is where GENIQ posts receipts.
The APIs: SMS at /v1/Accounts/SID/Sms, WhatsApp at /v2/accounts/SID/messages, GENIQ at {PREFIX} (token, sms,
  batch_sms; key and token of an account are its key and secret).
"""


def read(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; ``scenario`` and ``accounts`` made of their text. Ends the process with a sentence when one is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m campaigns.exotel.simulator",
        description="A local Exotel: takes SMS requests as Exotel does, reports on them by callback, and sends nothing.",
        epilog=AFTERWORD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=8010, help="port to listen on; 0 takes a free one (default: %(default)s)")
    add(
        "--ledger", default=":memory:", metavar="PATH",
        help="SQLite file of all that is accepted; a restart goes on with it, callbacks still due too (default: memory)",
    )  # fmt: skip
    add("--scenario", default="demo", help=f"a JSON file, or one of {', '.join(BUILT_IN)} (default: %(default)s)")
    add("--seed", type=int, default=1, help="decides every outcome, delay and fault (default: %(default)s)")
    add("--rate", type=int, default=0, help="POST requests that the demo account may make in any 60 s; 0 is no limit")
    add("--account", action="append", default=[], metavar="SID:KEY:TOKEN", help="one more account; may be repeated")
    add("--no-demo-account", action="store_true", help=f"leave out {DEMO.sid} (key {DEMO.key}, token {DEMO.token})")
    add(
        "--callback-host", action="append", default=[], metavar="HOST",
        help="a host besides loopback that may be called back; may be repeated. Callbacks to others are refused and noted",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    try:
        options.scenario = _scenario(options.scenario)
        options.accounts = [_account(text) for text in options.account]
    except ValueError as error:
        parser.error(str(error))
    return options


def _scenario(name: str) -> Scenario:
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        given = json.loads(Path(name).read_text(encoding="utf-8"))
    except OSError:
        raise ValueError(f"{name} is neither a file nor one of {', '.join(BUILT_IN)}.") from None
    except ValueError as error:
        raise ValueError(f"{name} is not JSON: {error}.") from None
    return changed(Scenario(), given)


def _account(text: str) -> Account:
    sid, _, credentials = text.partition(":")
    key, _, token = credentials.partition(":")
    if not (sid and key.isalnum() and token.isalnum()):
        raise ValueError(f"--account {text}: write SID:KEY:TOKEN, with letters and digits in key and token.")
    return Account(sid, key, token)


def _port(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is not a port: write a number from 0 to 65535.")
    return int(text)
