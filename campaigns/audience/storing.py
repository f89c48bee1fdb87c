"""An upload on its way to disk: copied once, and measured, hashed and its encoding proved while it passes."""

import codecs
import hashlib
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File

from campaigns.audience.faults import Unusable

FOLDER = "imports"  # below MEDIA_ROOT
BLOCK = 1 << 20
HEAD = 4096  # bytes that are looked at for the kind of file
MB = 1_000_000
BOMS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
FALLBACK = "Windows-1252"  # what spreadsheets on Windows save, and what no byte order or check can prove
SAVE_AS = "Open it, save it as CSV (“CSV UTF-8” in Excel) and upload that file."
KINDS = (  # first bytes in lower case
    (codecs.BOM_UTF32_LE, "UTF-32 text"),  # looked for before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "UTF-32 text"),
    (b"pk\x03\x04", "an Excel workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls) or one locked with a password"),
    (b"%pdf", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"{\\rtf", "a Word document"),
    (b"<?xml", "XML"),
    (b"<html", "a web page"),
    (b"<!doctype", "a web page"),
    (b"<table", "a web page"),
    (b"begin:vcard", "a contact card"),
    (b"\x89png", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"gif8", "a picture"),
)
JSON = re.compile(rb"[\[{]\s*[\"{]")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
# A character of UTF-8 beyond ASCII. Windows-1252 text has none by chance, so one of them beside bytes that are not
# UTF-8 means two encodings in one file, and reading it as either would spoil names in silence.
WELL_FORMED = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
UNDEFINED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")  # no characters in Windows-1252


@dataclass(frozen=True, slots=True)
class Stored:
    path: str  # below MEDIA_ROOT
    size: int  # bytes
    sha256: str
    encoding: str  # a codec's name, fit to be shown


def whole_path(path: str) -> Path:
    return Path(settings.MEDIA_ROOT) / path


def store(upload: IO[bytes] | File, name: str) -> Stored:
    """Copy an upload to a random name. Raises Unusable, leaving nothing behind, when it is no text or too large."""
    path = f"{FOLDER}/{secrets.token_hex(16)}.csv"
    target = whole_path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch(mode=0o600, exist_ok=False)
        with target.open("wb") as file:
            size, sha256, encoding = _copy(_blocks(upload, name), file.write, name)
        if encoding == FALLBACK:
            _prove_single_encoding(target, name)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise Unusable("NOT_STORED", f"{name} could not be stored on this server: {error.strerror or error}.") from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Stored(path, size, sha256, encoding)


@contextmanager
def kept(upload: IO[bytes] | File, name: str) -> Iterator[Stored]:
    """A stored upload, which is deleted again when what is to hold it cannot be made."""
    stored = store(upload, name)
    try:
        yield stored
    except BaseException:
        whole_path(stored.path).unlink(missing_ok=True)
        raise


def _blocks(upload: IO[bytes] | File, name: str) -> Iterator[bytes]:
    limit, size = settings.UPLOAD_LIMIT_MB * MB, 0
    while block := upload.read(BLOCK):
        size += len(block)
        if size > limit:
            raise Unusable(
                "TOO_LARGE",
                f"{name} is larger than {settings.UPLOAD_LIMIT_MB} MB. Split it: a campaign takes several files.",
            )
        yield block


def _copy(blocks: Iterator[bytes], write: Callable[[bytes], int], name: str) -> tuple[int, str, str]:
    """Size, hash and encoding of what went by."""
    size, digest, proof = 0, hashlib.sha256(), None
    for block in blocks:
        proof = proof or _Proof(recognise(block[:HEAD], name), name)
        proof.feed(block)
        digest.update(block)
        write(block)
        size += len(block)
    if proof is None:
        raise Unusable("EMPTY", f"{name} is empty.")
    proof.feed(b"")
    return size, digest.hexdigest(), proof.encoding


class _Proof:
    """Decodes a whole file as it passes. What was taken for UTF-8 may turn out to be Windows-1252 instead."""

    def __init__(self, encoding: str, name: str) -> None:
        self.encoding = encoding
        self._name = name
        self._decoder = codecs.getincrementaldecoder(encoding)()

    def feed(self, block: bytes) -> None:
        """Take the next bytes, or none at the end; raises Unusable when they are not of the encoding."""
        if self.encoding == FALLBACK:
            return
        try:
            self._decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            if self.encoding != "UTF-8":
                raise Unusable(
                    "ENCODING", f"{self._name} is damaged: it is no valid {self.encoding} text. {SAVE_AS}"
                ) from None
            self.encoding = FALLBACK


def recognise(head: bytes, name: str) -> str:
    """The encoding that the first bytes speak for; raises Unusable when they are no text."""
    start = head.lstrip().lower()
    kind = next((kind for magic, kind in KINDS if start.startswith(magic)), "JSON" if JSON.match(start) else "")
    if kind:
        raise Unusable("NOT_TEXT", f"{name} is {kind}, not a CSV file. {SAVE_AS}")
    for mark, encoding in BOMS:
        if head.startswith(mark):
            return encoding
    pairs = max(len(head) // 2, 1)
    low, high = head[1::2].count(0), head[::2].count(0)
    # Digits, separators and Latin letters have a zero byte in UTF-16; always on the same side of the pair.
    if min(low, high) <= max(low, high) / 10 and max(low, high) >= pairs / 10:
        return "UTF-16-LE" if low > high else "UTF-16-BE"
    # A few in a text are damage of single rows, which are named when they are read.
    if len(CONTROL.findall(head)) > len(head) // 100 + 2:
        raise Unusable("NOT_TEXT", f"{name} is not a text file. {SAVE_AS}")
    return "UTF-8"


def _prove_single_encoding(path: Path, name: str) -> None:
    """Refuse a file that is neither all UTF-8 nor all Windows-1252, naming the first line that is not UTF-8."""
    first, mixed = 0, False
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(BLOCK), b""), 1):
            if line.isascii():
                continue
            mixed = mixed or bool(WELL_FORMED.search(line) or UNDEFINED.search(line))
            first = first or (0 if _is_utf8(line) else number)
            if mixed and first:
                raise Unusable(
                    "ENCODING",
                    f"The letters of {name} cannot be read for certain: line {first} is not UTF-8. {SAVE_AS}",
                )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
