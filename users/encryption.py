"""Secrets that the server itself must be able to read, encrypted in the database.

Fernet (AES-128-CBC with HMAC-SHA256) under a key derived from SECRET_KEY, so a copy of the database
alone is not enough. To change SECRET_KEY: put the old one into SECRET_KEY_FALLBACKS, restart, run
`manage.py reencrypt_secrets`, and drop the old one once nothing else (sessions) needs it.
"""

import base64
from collections.abc import Iterator
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"lexiflow: secrets at rest"


class UnreadableSecretError(Exception):
    """It was encrypted with a SECRET_KEY that is neither the current one nor a fallback."""


def encrypt(text: str) -> bytes:
    return _box().encrypt(text.encode())


def decrypt(secret: bytes | memoryview) -> str:
    """Raises UnreadableSecretError."""
    try:
        return _box().decrypt(bytes(secret)).decode()
    except InvalidToken:
        raise UnreadableSecretError from None


def reencrypt(secret: bytes | memoryview) -> bytes:
    """The same under the current SECRET_KEY. Raises UnreadableSecretError."""
    try:
        return _box().rotate(bytes(secret))
    except InvalidToken:
        raise UnreadableSecretError from None


def _box() -> MultiFernet:
    return _box_of(tuple(_secret_keys()))


def _secret_keys() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


@cache
def _box_of(secret_keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key)) for key in secret_keys])


def _derived(secret_key: str) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(kdf.derive(secret_key.encode()))
