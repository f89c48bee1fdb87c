"""Looking codes up."""

from dataclasses import replace

from campaigns.exotel.codes import overlay
from campaigns.exotel.codes.rows import Code, Key, Tables, family_of, fold, unknown
from campaigns.exotel.codes.words import SMS_STATUS_WORDS, WHATSAPP_STATUS_WORDS

SMS = ("exotel", "sms", "status")
WHATSAPP = ("exotel", "whatsapp", "status")
BESIDE_STATUS = ("payment", "lifecycle")


def lookup(provider: str, channel: str, namespace: str, code: str | int | None, word: str = "") -> Code:
    """The row for a number, else for a name or alias; what is not in the tables comes back with ``known`` False.

    ``word`` is the status word or detailed status that came with the code. It decides where a number is ambiguous: 23083
    means a scrubbing fault or missing consent (settled as C3), and all numbers of WhatsApp have two meanings, so that there
    a string beginning with EX_ comes first (C11). It gives an unknown code its state.
    """
    key = (provider, channel, namespace, str(code) if code is not None else "")
    return overlay.tables().settled.get(key) or _decided(overlay.tables(), key, word)


def _decided(rows: Tables, key: Key, word: str) -> Code:
    """Where the word has a say: it is asked first for another row, then for a name, at last for a state."""
    if named := _by_word(rows, key, word):
        return named
    found = rows.by_key.get(key)
    if found is None:
        return _by_name(rows, key, word)
    return found if found.known else _stated(found, word)


def _by_word(rows: Tables, key: Key, word: str) -> Code | None:
    """The row that a word names although there is a number."""
    if key[1] == "whatsapp":
        return rows.by_name.get((*key[:3], fold(word))) if _is_detailed(word) else None
    consent = key[:3] == SMS and key[3] in {"23083", ""} and "consent" in word.lower()
    return rows.by_key[*SMS, "23084"] if consent else None


def _by_name(rows: Tables, key: Key, word: str) -> Code:
    family, text = key[:3], key[3]
    found = rows.by_name.get((*family, fold(text or word)))
    if found is None and family == WHATSAPP:
        found = _beside_status(rows, text or word)
    if found is not None:
        return found
    said = word or text
    return unknown(*key, name=said if said.isupper() else "", state=_state(key[1], said))


def _beside_status(rows: Tables, text: str) -> Code | None:
    """A payment or a lifecycle word, which may come in the place of a status."""
    keys = [(*WHATSAPP[:2], namespace, fold(text)) for namespace in BESIDE_STATUS]
    return next((row for key in keys if (row := rows.by_key.get(key) or rows.by_name.get(key))), None)


def _stated(row: Code, word: str) -> Code:
    """A row that an administrator added: what it does to a message, its status word says."""
    return replace(row, name=word if word.isupper() else "", state=_state(row.channel, word or row.code))


def _state(channel: str, word: str) -> str:
    return state_of_whatsapp_word(word) if channel == "whatsapp" else state_of_word(word)


def every(provider: str = "", channel: str = "", namespace: str = "") -> tuple[Code, ...]:
    """All rows, or those of a provider, channel or namespace; those that an administrator added come last."""
    asked = (provider, channel, namespace)
    rows = overlay.tables().by_key.values()
    return tuple(
        row for row in rows if all(not want or want == has for want, has in zip(asked, family_of(row), strict=True))
    )


def failure_class(code: Code) -> str:
    """Which of FAILURE_CLASSES a failure belongs to: whose list, registration, network or text is at fault."""
    if not (code.known or code.overlaid):
        return "unknown"
    by_actor = {"list_owner": "list", "dlt_admin": "dlt", "operator": "content", "nobody": "network", "provider": "provider"}
    return by_actor[code.actor]


def state_of_word(word: str) -> str:
    """The state that a status word of the SMS wire names; empty for a word we do not know."""
    return SMS_STATUS_WORDS.get(word.strip().lower().replace("_", "-"), "")


def state_of_whatsapp_word(word: str) -> str:
    """The state that a word of WhatsApp names: a detailed status (EX_...) or a lifecycle word; empty for another.

    A detailed status that is not in the tables is a failure: the few that are not are all known.
    """
    if not _is_detailed(word):
        return WHATSAPP_STATUS_WORDS.get(word.strip().lower(), "")
    row = overlay.tables().by_name.get((*WHATSAPP, fold(word)))
    return row.state if row else "failed"


def _is_detailed(word: str) -> bool:
    return fold(word).startswith("ex_")
