"""Stored answers: compressed and encrypted, for they repeat what an authorised caller was once told."""

import json
import os
import zlib
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ledger import Answer, Committed, IdempotencyClaim
from domain.kernel.errors import DomainError

_NONCE_BYTES = 12
_COMPRESSED_FROM_BYTES = 512
"""Below, compressing takes longer than it saves."""
_FORMAT = b"answer/1"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class StoredCommand:
    """An idempotency key that has been used: its request, its sealed answer and its position."""

    key_hash: bytes
    request_hash: bytes
    answer: bytes
    position: int


class AnswerSeal:
    """Seals answers with AES-256-GCM under a key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, answer: Answer, key_hash: bytes) -> bytes:
        """The bytes to store for the answer of that key; they open under no other key."""
        plain = _encode([answer.status, answer.body])
        if len(plain) > _COMPRESSED_FROM_BYTES:
            plain = zlib.compress(plain)
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, _FORMAT + key_hash)

    def open(self, sealed: bytes, key_hash: bytes) -> Answer:
        """The answer as it was first given. Raises `cryptography.exceptions.InvalidTag` if altered."""
        nonce, body = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        plain = self._cipher.decrypt(nonce, body, _FORMAT + key_hash)
        if not plain.startswith(b"["):
            plain = zlib.decompress(plain)
        status, content = json.loads(plain)
        return Answer(status, content)

    def replay(self, stored: StoredCommand, claim: IdempotencyClaim) -> Committed:
        """The stored answer to the same request. Raises `IDEMPOTENCY_KEY_REUSED` for another one."""
        if claim.request_hash != stored.request_hash:
            raise DomainError("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used for another request.")
        return Committed(self.open(stored.answer, stored.key_hash), stored.position, replayed=True)
