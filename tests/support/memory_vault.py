"""A vault in memory that keeps the port's promises, for tests of what stands above it."""

from datetime import date
from hashlib import sha256

from application.vault import StoredObject, VaultConflict, VaultMissing, checked_name


class MemoryVault:
    """Satisfies `application.vault.Vault` for as long as the process lives."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[bytes, StoredObject]] = {}

    def put(self, name: str, content: bytes, *, retention_class: str, retain_until: date) -> StoredObject:
        """Store once; the same content again answers what exists."""
        stored = StoredObject(
            name=checked_name(name),
            sha256=sha256(content).hexdigest(),
            size_bytes=len(content),
            retention_class=retention_class,
            retain_until=retain_until,
        )
        kept_content, kept = self._objects.setdefault(name, (content, stored))
        if kept_content != content:
            raise VaultConflict("The vault holds other content under that name.")
        return kept

    def get(self, name: str) -> bytes:
        """The content as it was put."""
        if not self.exists(name):
            raise VaultMissing("The vault holds no object of that name.")
        return self._objects[name][0]

    def exists(self, name: str) -> bool:
        """Whether an object of that name is kept."""
        return checked_name(name) in self._objects

    def probe(self) -> None:
        """Memory is always writable."""
