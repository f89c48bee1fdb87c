"""The signed callback address. Unit tests have no database, so whatever passes here costs no query."""

import asyncio
import random
import string
import uuid
from urllib.parse import quote, unquote

import pytest

from callbacks.ingest import Ingest
from campaigns.sending import callback_urls

ATTEMPT = uuid.UUID("0123456789abcdef0123456789abcdef")
RING = {"k2": b"\x22" * 32, "k1": b"\x11" * 32}


@pytest.fixture(autouse=True)
def ring(settings):
    settings.CALLBACK_KEYS = dict(RING)
    settings.PUBLIC_URL = "https://sms.example.in"


def path(attempt=ATTEMPT):
    return callback_urls.sign(attempt).removeprefix("https://sms.example.in")


def test_an_address_is_the_public_one_with_key_attempt_and_proof():
    assert callback_urls.sign(ATTEMPT).startswith(f"https://sms.example.in/callbacks/v1/k2/{ATTEMPT.hex}.")


@pytest.mark.parametrize("attempt", [ATTEMPT, uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.uuid4()])
def test_a_signed_address_proves_its_attempt(attempt):
    assert callback_urls.verify(path(attempt)) == attempt


def test_the_proof_does_not_depend_on_the_key_of_django(settings):
    before = path()
    settings.SECRET_KEY = "changed"
    assert path() == before


def test_new_addresses_use_the_newest_key_and_old_ones_are_still_accepted(settings):
    old = path()
    settings.CALLBACK_KEYS = {"k3": b"\x33" * 32, **RING}
    assert "/k3/" in path()
    assert callback_urls.verify(path()) == callback_urls.verify(old) == ATTEMPT


def test_an_address_under_a_key_that_was_taken_out_is_refused(settings):
    old = path()
    settings.CALLBACK_KEYS = {"k3": b"\x33" * 32}
    assert callback_urls.verify(old) is None


def test_a_key_id_that_was_given_another_key_is_refused(settings):
    old = path()
    settings.CALLBACK_KEYS = {"k2": b"\x33" * 32}
    assert callback_urls.verify(old) is None


def test_the_proof_of_one_attempt_does_not_fit_another():
    own, other = path(), path(uuid.uuid4())
    assert callback_urls.verify(own.split(".")[0] + "." + other.split(".")[1]) is None


def test_the_proof_under_one_key_does_not_fit_another():
    assert callback_urls.verify(path().replace("/k2/", "/k1/")) is None


def test_no_single_changed_character_is_accepted():
    good = path()
    changed = [
        good[:i] + other + good[i + 1 :]
        for i in range(len(good))
        for other in "0123456789abcdefgkGF/.%-"
        if other != good[i]
    ]
    assert len(changed) > 1_500
    assert [forged for forged in changed if callback_urls.verify(forged)] == []


def test_no_flipped_bits_are_accepted():
    good, source = path().encode(), random.Random(2)
    accepted = []
    for _ in range(20_000):
        forged = bytearray(good)
        for _ in range(source.choice([1, 1, 1, 2, 8])):
            forged[source.randrange(len(forged))] ^= 1 << source.randrange(8)
        text = forged.decode("utf-8", "replace")
        if text != path() and callback_urls.verify(text):
            accepted.append(text)
    assert accepted == []


def test_no_truncated_address_is_accepted():
    good = path()
    assert [good[:i] for i in range(len(good)) if callback_urls.verify(good[:i])] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda good: good + "/",
        lambda good: good + "0",
        lambda good: good + "\n",
        lambda good: " " + good,
        lambda good: good.upper(),
        lambda good: good.replace("/callbacks", "/Callbacks"),
        lambda good: "/" + good,
        lambda good: good.replace("/v1/", "/v1//"),
        lambda good: good.replace("/v1/", "/v2/"),
        lambda good: good.replace(".", "%2e"),
        lambda good: good.replace(".", ""),
        lambda good: good.replace("/k2/", "//"),
        lambda good: good.replace("/k2/", "/" + "k" * 17 + "/"),
        lambda good: good.split(".")[0] + ".",
        lambda good: good.split(".")[0] + "." + "0" * 32,
        lambda good: good.translate({ord(str(i)): 0xFF10 + i for i in range(10)}),
        lambda good: "/callbacks/v1/",
        lambda good: "",
        lambda good: "/callbacks/v1/k2/" + "a" * 100_000,
    ],
)
def test_whatever_else_is_not_an_address_is_refused(change):
    assert callback_urls.verify(change(path())) is None


@pytest.mark.parametrize("prefix", callback_urls.PREFIXES)
def test_clicks_and_incoming_messages_have_paths_of_their_own_and_the_same_token(prefix):
    own = callback_urls.sign(ATTEMPT, prefix).removeprefix("https://sms.example.in")
    assert own == path().replace("/callbacks/v1/", prefix)
    assert callback_urls.verify(own) == ATTEMPT


@pytest.mark.parametrize(
    "prefix", ["/callbacks/click/", "/callbacks/", "/callbacks/v1/clicks/", "/callbacks/Clicks/", "/clicks/"]
)
def test_any_other_path_proves_nothing(prefix):
    assert callback_urls.verify(path().replace("/callbacks/v1/", prefix)) is None


# 100,000 forgeries through the ingest -----------------------------------------------------------------------------------


def changed(text, source):
    i = source.randrange(len(text))
    return text[:i] + source.choice("0123456789abcdef" + string.printable + "\x00é०ａ") + text[i + 1 :]


def other_case(text, source):
    return "".join(letter.upper() if source.random() < 0.2 else letter for letter in text)


def wide(text, source):
    """Digits and letters that look alike and count as digits elsewhere."""
    return "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() and source.random() < 0.1 else letter for letter in text)


def shuffled(text, source):
    return "".join(source.sample(text, len(text)))


def random_hex(_, source):
    return f"{source.getrandbits(128):032x}"


PARTS = ["prefix", *["kid", "attempt", "mac"] * 5]
WAYS = [
    changed,
    lambda text, source: changed(changed(text, source), source),
    lambda text, source: text[: source.randrange(len(text))],
    lambda text, source: text + source.choice("0123456789abcdef/.% \n\r\x00"),
    other_case,
    wide,
    shuffled,
    random_hex,
    lambda text, source: text[::-1],
    lambda text, source: "",
    lambda text, source: text * 2,
    lambda text, source: quote(quote(text, safe="")).replace("%", "%25", 1) + "%00",  # encoded twice
    lambda text, source: text.encode().decode("utf-16-le", "replace"),
]


def forgery(source, attempts):
    """The path of a real address with one or two of its parts forged, or put together from two addresses."""
    one, other = (path(attempt).split("/") for attempt in source.sample(attempts, 2))
    names, macs = one[4].split("."), other[4].split(".")
    parts = {"prefix": source.choice(callback_urls.PREFIXES), "kid": one[3], "attempt": names[0], "mac": names[1]}
    if source.random() < 0.2:
        parts["mac"] = macs[1]
    elif source.random() < 0.1:
        parts["kid"] = source.choice(["k1", "k3", "K2", "k2k2", "..", "%6b2", "٢"])
    else:
        for name in {*source.choices(PARTS, k=source.choice([1, 1, 2]))}:
            parts[name] = source.choice(WAYS)(parts[name], source)
    made = f"{parts['prefix']}{parts['kid']}/{parts['attempt']}.{parts['mac']}"
    # As a server hands it on: what was percent-encoded is decoded once.
    return unquote(quote(made, safe="/%", errors="replace")) if source.random() < 0.3 else made


def test_of_100_000_forged_addresses_none_is_accepted():
    """Through the ingest itself; there is no database here, so whatever is refused costs no query."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    source = random.Random(seed)
    attempts = [uuid.UUID(int=source.getrandbits(128)) for _ in range(50)]
    real = {path(attempt).replace("/callbacks/v1/", prefix) for attempt in attempts for prefix in callback_urls.PREFIXES}
    forged = set()
    while len(forged) < 100_000:
        forged.add(forgery(source, attempts))
        forged -= real
    passed_on, answers = [], []

    async def django(scope, receive, send):
        passed_on.append(scope["path"])

    async def receive():
        return {"type": "http.request", "body": b"Status=sent"}

    async def send(event):
        answers.append(event.get("status", event.get("body")))

    async def ask():
        for one in sorted(forged):
            scope = {"type": "http", "method": "POST", "path": one, "headers": [], "query_string": b""}
            await ingest(scope, receive, send)

    ingest = Ingest(django)
    asyncio.run(ask())
    assert {*answers} == {404, b"Not found.\n"}
    assert len(answers) // 2 + len(passed_on) == 100_000
    assert len(answers) > 180_000, "too few of them reached the proof"
    assert not any(one.startswith(callback_urls.PREFIXES) for one in passed_on)
    assert ingest._writer._thread is None, "something was to be stored"
