"""Credentials at rest: AES-256-GCM under a keyring from the environment, bound to what they belong to.

The stored form is ``kid`` ``:`` 12 bytes of nonce, then the sealed text. New values use the first key; old keys only open.
"""

import os
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class Unreadable(Exception):
    """The stored credentials cannot be opened with the present keyring."""


def _cipher(kid: str) -> AESGCM:
    return AESGCM(sha256(settings.SECRETS_KEYS[kid]).digest())


def seal(text: str, owner: str) -> bytes:
    kid = next(iter(settings.SECRETS_KEYS))
    nonce = os.urandom(12)
    return kid.encode() + b":" + nonce + _cipher(kid).encrypt(nonce, text.encode(), owner.encode())


def open_sealed(sealed: bytes, owner: str) -> str:
    """The text; raises Unreadable with a sentence for the operator."""
    kid, _, rest = sealed.partition(b":")
    if not sealed:
        raise Unreadable("No API key and token are stored for this account: enter them on the account's page.")
    try:
        return _cipher(kid.decode()).decrypt(rest[:12], rest[12:], owner.encode()).decode()
    except (KeyError, InvalidTag, UnicodeDecodeError, ValueError):
        raise Unreadable(
            "The stored API key and token cannot be read with the keys in EXODASH_SECRETS_KEYS: "
            "restore the old key there, or enter them again on the account's page."
        ) from None
