"""Keys of subjects for tests: in memory and the same at each run, or wrapped by a master key."""

import hashlib
import tempfile
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.vault import SubjectSecret
from domain.kernel.privacy import RetentionClass
from infrastructure.eventstore.sealing import SubjectKey
from infrastructure.eventstore.subject_keys import SubjectKeyWrap
from infrastructure.keys.rings import SecretRing

_NAMESPACE = UUID("7d7c7f0a-8c2e-5a53-9a55-3d1b0a6e1c01")


class MemoryKeys(Mapping[UUID, AESGCM | None]):
    """Makes keys to seal with, and gives them to open with until they are erased.

    Keys and nonces are the same in each run, so that what is sealed can be compared byte for byte.
    """

    def __init__(self) -> None:
        self._nonces = 0
        self._keys: dict[tuple[str, RetentionClass], SubjectKey] = {}
        self._by_id: dict[UUID, AESGCM | None] = {}

    def key_for(self, subject: str, retention_class: RetentionClass) -> SubjectKey:
        """The subject's key of that class."""
        key = self._keys.get((subject, retention_class))
        if key is None:
            name = f"{subject}/{retention_class}/{len(self._by_id)}"
            secret = hashlib.sha256(name.encode()).digest()
            key = self._keys[subject, retention_class] = SubjectKey(uuid5(_NAMESPACE, name), AESGCM(secret))
            self._by_id[key.key_id] = key.cipher
        return key

    def nonce(self) -> bytes:
        """The next of a row of nonces."""
        self._nonces += 1
        return self._nonces.to_bytes(12, "big")

    def has(self, subject: str, retention_class: RetentionClass) -> bool:
        """Whether a key was made."""
        return (subject, retention_class) in self._keys

    def erase(self, subject: str, retention_class: RetentionClass) -> UUID:
        """Destroys a key; the next one is another."""
        key_id = self._keys.pop((subject, retention_class)).key_id
        self._by_id[key_id] = None
        return key_id

    async def by_id(self, key_ids: Collection[UUID]) -> dict[UUID, SubjectSecret | None]:
        """The keys as files take them; None for erased ones."""
        return {
            key_id: None if self._by_id[key_id] is None else SubjectSecret(key_id, key_id.bytes * 2)
            for key_id in key_ids
        }

    def __getitem__(self, key_id: UUID) -> AESGCM | None:
        return self._by_id[key_id]

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)


@cache
def master_keys() -> SecretRing:
    """A ring of master keys that lasts as long as the test run."""
    folder = Path(tempfile.mkdtemp(prefix="billing-test-keys-")) / "subjects"
    folder.mkdir()
    ring = SecretRing(folder)
    ring.rotate()
    return ring


def a_wrap() -> SubjectKeyWrap:
    """What a process of its own would wrap and unwrap with."""
    return SubjectKeyWrap(master_keys())


def store_key(
    connection: psycopg.Connection[Any], master_key_id: str, wrapped: bytes | None = b"wrapped"
) -> None:
    """Stores a subject's key, as the first event of a person does; without its bytes an erased one."""
    connection.execute(
        "INSERT INTO ledger.subject_key"
        " (key_id, subject, retention_class, master_key_id, wrapped_key, created_at, erased_at)"
        " VALUES (gen_random_uuid(), 'party:buyer-17', 'FISCAL', %s, %s, now(),"
        " CASE WHEN %s THEN now() END)",
        (master_key_id, wrapped, wrapped is None),
    )
