"""Subjects' keys as the ledger keeps them: each wrapped by a versioned master key, or a tombstone.

A key is stored in the transaction of the first event that it seals, so that it exists exactly when something
hangs on it. That lands only where no erasure was committed since the keys were read.
"""

import os
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.ports import Ids
from application.signing import KeyUnusable
from domain.kernel.privacy import RetentionClass
from infrastructure.eventstore.sealing import OpeningKeys, SubjectKey
from infrastructure.keys.rings import SecretRing

_NONCE_BYTES = 12
_CACHED_CIPHERS = 10_000
_BATCH_KEYS = 500

LIVE_KEYS = """
SELECT key_id, subject, retention_class, master_key_id, wrapped_key FROM ledger.subject_key
WHERE subject = ANY($1::text[]) AND wrapped_key IS NOT NULL AND erase_after IS NULL
"""

SELECT_KEYS_BY_ID = "SELECT key_id, master_key_id, wrapped_key FROM ledger.subject_key WHERE key_id = ANY(%s)"

_SELECT_OLD_KEYS = """
SELECT key_id, master_key_id, wrapped_key FROM ledger.subject_key
WHERE wrapped_key IS NOT NULL AND master_key_id <> %s LIMIT %s FOR UPDATE
"""

_REWRAP = """
UPDATE ledger.subject_key AS k SET master_key_id = n.master_key_id, wrapped_key = n.wrapped_key
FROM unnest(%s::uuid[], %s::text[], %b::bytea[]) AS n(key_id, master_key_id, wrapped_key)
WHERE k.key_id = n.key_id
"""


class SubjectKeyRow(NamedTuple):
    """A new row of `ledger.subject_key`."""

    key_id: UUID
    subject: str
    retention_class: RetentionClass
    master_key_id: str
    wrapped_key: bytes
    created_at: datetime

    @property
    def as_live(self) -> tuple[UUID, str, RetentionClass, str, bytes]:
        """As `LIVE_KEYS` will show it."""
        return self[:5]


class SubjectNotLoaded(Exception):
    """A fact holds data of a subject whose keys were not loaded: load them and decide again."""

    def __init__(self, subject: str) -> None:
        super().__init__("a subject's keys are not loaded")
        self.subject = subject


class SubjectKeyWrap:
    """Wraps subjects' keys by the current master key, and unwraps them by the one they name."""

    def __init__(self, masters: SecretRing) -> None:
        self._masters = masters
        self._ciphers: OrderedDict[bytes, AESGCM] = OrderedDict()

    def current_master_id(self) -> str:
        """The id of the master key that wraps new keys. Raises `KeyUnusable`."""
        return self._masters.current_id()

    def wrap(self, key_id: UUID, key: bytes) -> tuple[str, bytes]:
        """The current master key's id and the wrapped key. Raises `KeyUnusable`."""
        master = self._masters.current()
        nonce = os.urandom(_NONCE_BYTES)
        return master.key_id, nonce + AESGCM(master.secret).encrypt(nonce, key, key_id.bytes)

    def unwrap(self, key_id: UUID, master_key_id: str, wrapped: bytes) -> bytes:
        """The key itself. Raises `KeyUnusable` where the master key or the wrapped one is damaged."""
        master = self._masters.by_id(master_key_id)
        try:
            return AESGCM(master.secret).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], key_id.bytes)
        except InvalidTag:
            raise KeyUnusable("subject", "corrupt") from None

    def cipher(self, key_id: UUID, master_key_id: str, wrapped: bytes) -> AESGCM:
        """The key ready for use; unwrapping is remembered for as long as the stored bytes are the same."""
        known = self._ciphers.get(wrapped)
        if known is None:
            known = self._ciphers[wrapped] = AESGCM(self.unwrap(key_id, master_key_id, wrapped))
            if len(self._ciphers) > _CACHED_CIPHERS:
                self._ciphers.popitem(last=False)
        return known

    def opening(self, rows: Iterable[tuple[Any, ...]]) -> OpeningKeys:
        """Keys to open with, from rows selected with `SELECT_KEYS_BY_ID`; None for tombstones."""
        return {
            key_id: None if wrapped is None else self.cipher(key_id, master_key_id, bytes(wrapped))
            for key_id, master_key_id, wrapped in rows
        }


def rewrap_keys(connection: psycopg.Connection[Any], wrap: SubjectKeyWrap) -> int:
    """Wraps all keys anew that are not wrapped by the current master key; returns how many there were.

    In small transactions: a kill leaves each key wrapped by one master key or the other. Raises
    `KeyUnusable`.
    """
    rewrapped = 0
    while True:
        with connection.transaction():
            old = connection.execute(_SELECT_OLD_KEYS, (wrap.current_master_id(), _BATCH_KEYS)).fetchall()
            new = [(key_id, *wrap.wrap(key_id, wrap.unwrap(key_id, *rest))) for key_id, *rest in old]
            if not new:
                return rewrapped
            connection.execute(_REWRAP, [list(column) for column in zip(*new, strict=True)])
        rewrapped += len(new)


class BatchKeys:
    """The keys with which one batch seals, as they are on its basis; new ones are in `minted`."""

    def __init__(
        self,
        wrap: SubjectKeyWrap,
        ids: Ids,
        at: datetime,
        subjects: Iterable[str],
        rows: Iterable[tuple[Any, ...]],
    ) -> None:
        """`rows` are what `LIVE_KEYS` gave for these subjects."""
        self._wrap = wrap
        self._ids = ids
        self._at = at
        self._subjects = frozenset(subjects)
        self._keys = {
            (subject, retention_class): SubjectKey(key_id, wrap.cipher(key_id, master_key_id, bytes(wrapped)))
            for key_id, subject, retention_class, master_key_id, wrapped in rows
        }
        self.minted: list[SubjectKeyRow] = []

    def key_for(self, subject: str, retention_class: RetentionClass) -> SubjectKey:
        """The subject's key of that class, made if need be. Raises `SubjectNotLoaded`, `KeyUnusable`."""
        if subject not in self._subjects:
            raise SubjectNotLoaded(subject)
        key = self._keys.get((subject, retention_class))
        if key is None:
            key = self._keys[subject, retention_class] = self._mint(subject, retention_class)
        return key

    def nonce(self) -> bytes:
        """12 random bytes."""
        return os.urandom(_NONCE_BYTES)

    def _mint(self, subject: str, retention_class: RetentionClass) -> SubjectKey:
        key_id, secret = self._ids.new(), AESGCM.generate_key(256)
        master_key_id, wrapped = self._wrap.wrap(key_id, secret)
        self.minted.append(SubjectKeyRow(key_id, subject, retention_class, master_key_id, wrapped, self._at))
        return SubjectKey(key_id, AESGCM(secret))
