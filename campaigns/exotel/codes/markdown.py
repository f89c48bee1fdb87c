"""docs/status-codes.md, written from the shipped rows: ``manage.py codes --markdown > docs/status-codes.md``."""

from collections.abc import Iterable, Iterator

from campaigns.exotel.codes.rows import Code, family_of

INTRODUCTION = """\
# Status codes

Printed by `manage.py codes --markdown`; change `campaigns/exotel/codes/*.csv`, not this page.

## How a code is looked up

By provider, channel, family and code together, never by the number alone: 1001, 400 or 30004 mean different things in
different families. Names and the names of other documents (aliases) lead to the same row.

- **SMS**: the number decides. Of 23083 the name beside it decides between a scrubbing fault and missing consent.
- **WhatsApp**: the string (`EX_...`) decides before the number, because two documents give the numbers different meanings.
  An `EX_` string that is not listed is a failure, unless its number is listed.
- **A code that is not listed** is kept as it was received and takes its state from the status word beside it. An
  administrator can give it a meaning, or correct the words of a listed one; the rows here stay as they are.

A message that was *handed over* or is *at the operator* has not been shown to have arrived; only *delivered* and *read*
say so.

## Who must act

| who | is |
|---|---|
| Operator | whoever runs campaigns and the account: text, template, balance, credentials |
| DLT admin | whoever keeps headers, templates and consent on the DLT portal |
| List owner | whoever keeps the list: wrong numbers, people who want no messages |
| Provider | Exotel, Meta or GENIQ: ask them with the Sid of one message |
| Nobody | nothing to do, or it passes by itself |

*Again* says whether the same message may arrive when it is sent once more. It is never said of a fault of the list or of
DLT.

## Where documents disagree

S000 to S004 are the five documents that the product was made from: Exotel's error dictionary, bulk SMS, WhatsApp status
codes, SMS details, and GENIQ's error codes. LEG is Exotel's own page of WhatsApp error codes, META Meta's list for its Cloud
API, GENIQ that provider's newer list, HTTP the standard, 3P what others saw on the wire. Notes name the matter:

| | matter | settled |
|---|---|---|
| C1 | two names for one SMS failure | S001's and S003's names; those of S000 are aliases |
| C2 | what 23080 to 23083 mean | as S001 and S003; a DLT fault either way |
| C3 | the number of missing consent | 23084; on 23083 the name decides |
| C4 | SMS codes that one document only has | all are kept |
| C5 | whether 20006 is the end | it is, and may still rise to 20005; counted apart from delivered |
| C6 | the word sent | at the operator on SMS, handed over on WhatsApp; never delivery |
| C8 | how a throttle is told | 429, and 503 with 35006 or 40405 |
| C9 | a Sid that Exotel does not know | 200 with a text and 404 both mean not found |
| C10 | too low a balance | 403 with 40001 and 402 both stop the account |
| C11 | WhatsApp's 30004 to 30041 | as Exotel's own page; the string comes first |
| C12 | S002's WhatsApp numbers | carried as documented, not seen on any wire |
| C13 | when the day of promotions begins | 10:00 |
| C14 | failed-dnd or failed_dnd | both are taken |
| C16 | messages in a request | 100 |
| C18 | whether bulksend must name a header | it always does here; the simulator takes one without |
| C19 | what decides | of a request the HTTP status, of a message the DetailedStatusCode |
| C20 | GENIQ's small numbers | three families |
"""
TITLES = {  # in the order of the page
    ("exotel", "sms", "status"): "Exotel SMS: what became of a message",
    ("exotel", "sms", "lifecycle"): "Exotel SMS: status words",
    ("exotel", "sms", "request"): "Exotel SMS: errors of a request",
    ("exotel", "any", "http"): "Exotel: HTTP status",
    ("exotel", "whatsapp", "status"): "Exotel WhatsApp: what became of a message",
    ("exotel", "whatsapp", "lifecycle"): "Exotel WhatsApp: lifecycle words",
    ("exotel", "whatsapp", "payment"): "Exotel WhatsApp: payments",
    ("exotel", "whatsapp", "request"): "Exotel WhatsApp: errors of a request",
    ("meta", "whatsapp", "cloud"): "Meta: errors of WhatsApp's Cloud API",
    ("exotel", "whatsapp", "dictionary"): "Exotel WhatsApp: the error dictionary's own meanings",
    ("exotel", "contacts", "upload"): "Exotel: rows of an uploaded list",
    ("exotel", "voice", "status"): "Exotel voice: call status",
    ("exotel", "voice", "ccm"): "Exotel voice: contact centre",
    ("geniq", "sms", "response"): "GENIQ: response codes",
    ("geniq", "sms", "reason"): "GENIQ: reason codes of receipts",
    ("geniq", "whatsapp", "template"): "GENIQ: managing WhatsApp templates",
}
ACTORS = {
    "operator": "Operator",
    "dlt_admin": "DLT admin",
    "list_owner": "List owner",
    "provider": "Provider",
    "nobody": "Nobody",
}
STATES = {"submitted": "handed over", "at_operator": "at the operator"}
HEAD = "| Code | Says | Meaning | What to do | Who must act | Message | Again | Sources |\n|---|---|---|---|---|---|---|---|"


def page(rows: Iterable[Code]) -> str:
    """The page over these rows, one table a family."""
    families: dict[tuple[str, str, str], list[Code]] = {}
    for row in rows:
        families.setdefault(family_of(row), []).append(row)
    order = list(TITLES)
    known = sorted(families, key=lambda key: (order.index(key) if key in TITLES else len(order), key))
    return "\n".join([INTRODUCTION, *(line for key in known for line in _section(key, families[key]))])


def _section(key: tuple[str, str, str], rows: list[Code]) -> Iterator[str]:
    yield f"## {TITLES.get(key) or ' '.join(key)}\n"
    yield f"`{'/'.join(key)}`, {len(rows)} codes.\n"
    yield HEAD
    yield from map(_line, rows)
    yield ""
    notes = [row for row in rows if row.note]
    if notes:
        yield "Notes:\n"
        yield from (f"- `{row.code}` {row.note}" for row in notes)
        yield ""


def _line(row: Code) -> str:
    name = "" if row.name == row.code else f"<br>`{row.name}`"
    aliases = "".join(f"<br>also `{alias}`" for alias in row.aliases)
    cells = (
        f"`{row.code}`{name}{aliases}",
        row.title,
        row.meaning,
        row.remedy,
        ACTORS[row.actor],
        STATES.get(row.state, row.state) or "-",
        "yes" if row.retryable else "no",
        ", ".join(row.sources),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
