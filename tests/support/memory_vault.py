"""A vault in memory that keeps the port's promises, for tests of what stands above it."""

from collections.abc import Sequence
from hashlib import sha256

from application.vault import (
    Deposit,
    StoredObject,
    SubjectSecret,
    VaultConflict,
    VaultCorrupt,
    VaultError,
    VaultMissing,
    checked_name,
)


class MemoryVault:
    """Satisfies `application.vault.Vault` for as long as the process lives."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, StoredObject]] = {}
        self._sealed_for: dict[str, SubjectSecret | None] = {}

    def put(self, deposit: Deposit) -> StoredObject:
        """Store once; the same content again answers what exists."""
        stored = StoredObject(
            name=checked_name(deposit.name),
            sha256=sha256(deposit.content).hexdigest(),
            size_bytes=len(deposit.content),
            retention_class=deposit.retention_class,
            retain_until=deposit.retain_until,
        )
        self._sealed_for.setdefault(deposit.name, deposit.sealed_for)
        kept_content, kept = self._objects.setdefault(deposit.name, (deposit.content, stored))
        if kept_content != deposit.content:
            raise VaultConflict("The vault holds other content under that name.")
        return kept

    def put_all(self, deposits: Sequence[Deposit]) -> list[StoredObject | VaultError]:
        """Store each once; a refusal stands in the place of what was refused."""
        for deposit in deposits:
            checked_name(deposit.name)
        outcomes: list[StoredObject | VaultError] = []
        for deposit in deposits:
            try:
                outcomes.append(self.put(deposit))
            except VaultError as error:
                outcomes.append(error)
        return outcomes

    def get(self, name: str, sealed_for: SubjectSecret | None = None) -> bytes:
        """The content as it was put, for the same person."""
        if not self.exists(name):
            raise VaultMissing("The vault holds no object of that name.")
        if self._sealed_for.get(name) not in (None, sealed_for):
            raise VaultCorrupt("The object does not open with that key.")
        return self._objects[name][0]

    def content(self, name: str) -> bytes:
        """What tests look at, without a key."""
        return self._objects[name][0]

    def exists(self, name: str) -> bool:
        """Whether an object of that name is kept."""
        return checked_name(name) in self._objects

    def probe(self) -> None:
        """Memory is always writable."""
