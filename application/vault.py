"""The write-once vault as the application knows it: objects by name, written once, never deleted by us."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol
from uuid import UUID

from domain.kernel.facts import Value

_OBJECT_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_OBJECT_NAME_MAX_LENGTH = 200


class VaultError(Exception):
    """The vault could not do what was asked; the text is a sentence free of paths and content."""


class VaultUnavailable(VaultError):
    """The vault cannot read or write now (full, read-only, not mounted, key unreadable): retry later."""


class VaultConflict(VaultError):
    """The name holds other bytes already, and an object is never replaced."""


class VaultCorrupt(VaultError):
    """The stored object is malformed, does not authenticate, or its key is lost or damaged."""


class VaultMissing(VaultError):
    """There is no object of that name."""


@dataclass(frozen=True)
class SubjectSecret:
    """A key of a person, 32 bytes; without it an object that was sealed for that person does not open."""

    key_id: UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Deposit:
    """An object to be stored: its name, its bytes, how long it must stand, and for whom it is sealed."""

    name: str
    content: bytes
    retention_class: str
    retain_until: date
    sealed_for: SubjectSecret | None = None


class StoredObject(Value):
    """An object as it is kept: `sha256` (hex) and `size_bytes` are of the content before encryption."""

    name: str
    sha256: str
    size_bytes: int
    retention_class: str
    retain_until: date


class Vault(Protocol):
    """Keeps bytes under a name until their retention ends.

    A name is `documents/<documentId>/document.pdf`: segments of letters, digits, `.`, `_`, `-` that do not
    begin with `.` or `-`, joined by `/`, up to 200 characters; any other raises ValueError.
    Every method raises VaultUnavailable where the store cannot be reached now.
    """

    def put(self, deposit: Deposit) -> StoredObject:
        """Store once, durably. The same content again answers what exists, its retention as first given.

        Raises VaultConflict where the name holds other content, VaultCorrupt where it holds damaged bytes.
        """
        ...

    def put_all(self, deposits: Sequence[Deposit]) -> list[StoredObject | VaultError]:
        """What `put` answers or raises for each; cheaper, for it waits for the disk once for all of them."""
        ...

    def get(self, name: str, sealed_for: SubjectSecret | None = None) -> bytes:
        """The content as it was put, for the same person. Raises VaultMissing, VaultCorrupt."""
        ...

    def exists(self, name: str) -> bool:
        """Whether an object of that name is kept, intact or not."""
        ...

    def probe(self) -> None:
        """Return if an object could be written now, by really writing; otherwise VaultUnavailable."""
        ...


def checked_name(name: str) -> str:
    """The name itself where it is an object name; ValueError for anything else, `..` included."""
    if len(name) > _OBJECT_NAME_MAX_LENGTH or not _OBJECT_NAME.fullmatch(name):
        raise ValueError("The name is not a vault object name.")
    return name
