"""PINs and passwords: argon2id, then sealed, so that what the ledger shows helps nobody to guess.

A PIN has so few values that any hash of it can be searched through. The hash is therefore encrypted under a
key that is not in the database: auditors, replicas and backups hold nothing to try PINs against.
"""

import asyncio
import base64
import os
import unicodedata

import argon2
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

AT_ONCE = 2
"""So many hashes are computed at once in a process: each takes 19 MiB and some 50 ms of a core."""

_TIME_COST = 2
_MEMORY_COST_KIB = 19 * 1024
_PARALLELISM = 1
"""OWASP's first choice for argon2id (2 passes, 19 MiB, 1 lane)."""

_NONCE_BYTES = 12
_FORMAT = "verifier/1"


class SealedArgon2:
    """Satisfies `application.ports.Secrets`; `key` (32 bytes) seals the hashes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._hasher = argon2.PasswordHasher(
            time_cost=_TIME_COST, memory_cost=_MEMORY_COST_KIB, parallelism=_PARALLELISM
        )
        self._turns = asyncio.Semaphore(AT_ONCE)
        # Made of random bytes, it fits no secret, and to find that out takes as long as with any other.
        salt, digest = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
        self._nobodys = f"$argon2id$v=19$m={_MEMORY_COST_KIB},t={_TIME_COST},p={_PARALLELISM}${salt}${digest}"

    async def verifier(self, credential_id: str, secret: str) -> str:
        """What to keep of a secret: a salted hash, sealed for this credential."""
        async with self._turns:
            hashed = await asyncio.to_thread(self._hasher.hash, _as_typed_anywhere(secret))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, hashed.encode(), _bound(credential_id))
        return base64.b64encode(nonce + sealed).decode()

    async def matches(self, credential_id: str, verifier: str | None, secret: str) -> bool:
        """Whether the secret is the one kept; takes as long where None is kept.

        Raises `cryptography.exceptions.InvalidTag` where the verifier is another credential's, or altered.
        """
        async with self._turns:
            return await asyncio.to_thread(self._matches, credential_id, verifier, _as_typed_anywhere(secret))

    def _matches(self, credential_id: str, verifier: str | None, secret: str) -> bool:
        hashed = self._nobodys if verifier is None else self._opened(credential_id, verifier)
        try:
            return self._hasher.verify(hashed, secret) and verifier is not None
        except argon2.exceptions.VerifyMismatchError:
            return False

    def _opened(self, credential_id: str, verifier: str) -> str:
        sealed = base64.b64decode(verifier, validate=True)
        opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(credential_id))
        return opened.decode()


def _as_typed_anywhere(secret: str) -> str:
    """Keyboards differ in how they compose a letter with its accent (RFC 8265 §4.2.2)."""
    return unicodedata.normalize("NFC", secret)


def _bound(credential_id: str) -> bytes:
    return f"{_FORMAT}\n{credential_id}".encode()
