"""The retention log: one signed line for each stored object, only ever appended.

Lines are JSON: the entry, and a signature over its canonical bytes. The log is split by the shards of the
folder, so that looking for one object reads a small file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from fcntl import LOCK_EX, flock
from pathlib import Path

from pydantic import ValidationError

from application.signing import Signature, SignatureInvalid, Signer
from domain.kernel.canonical import canonical_json
from domain.kernel.facts import Utc, Value
from infrastructure.durable import write_all

_DOMAIN = b"billing-docs vault retention v1\n"


class RetentionEntry(Value):
    """How long an object must stand: its name, the SHA-256 (hex) of its stored bytes, its class and times."""

    name: str
    stored_sha256: str
    retention_class: str
    retain_until: date
    at: Utc


class SignedRetentionEntry(Value):
    """A line of the log."""

    entry: RetentionEntry
    signature: Signature


class RetentionLog:
    """One shard's log while its lock is held, against other threads and processes alike."""

    def __init__(self, descriptor: int, signer: Signer) -> None:
        """`descriptor` is open for appending and reading."""
        self._descriptor = descriptor
        self._signer = signer

    def append(self, line: bytes) -> None:
        """Add one signed line; `synced` makes it last."""
        size = os.fstat(self._descriptor).st_size
        # A writer that died within its line left no line end; the log is never cut, so a new line is begun.
        torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"
        write_all(self._descriptor, b"\n" * torn + line)

    def find(self, name: str, stored_sha256: str) -> RetentionEntry | None:
        """The first entry of that object whose signature holds, or None."""
        size = os.fstat(self._descriptor).st_size
        marker = f'"name":"{name}"'.encode()
        for line in os.pread(self._descriptor, size, 0).split(b"\n"):
            entry = self._verified(line) if marker in line else None
            if entry is not None and (entry.name, entry.stored_sha256) == (name, stored_sha256):
                return entry
        return None

    def _verified(self, line: bytes) -> RetentionEntry | None:
        try:
            signed = SignedRetentionEntry.model_validate_json(line)
            self._signer.verify(_payload(signed.entry), signed.signature)
        except (ValidationError, SignatureInvalid):
            return None
        return signed.entry


@contextmanager
def locked_log(path: Path, signer: Signer) -> Iterator[RetentionLog]:
    """Hold a shard's log; the system frees the lock of a process that dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    try:
        flock(descriptor, LOCK_EX)
        yield RetentionLog(descriptor, signer)
    finally:
        os.close(descriptor)


def sync_log(path: Path) -> None:
    """Force what was appended to a shard's log, by whomever, to disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def signed_line(entry: RetentionEntry, signer: Signer) -> bytes:
    """The log's line for an entry. Raises KeyUnusable."""
    signature = signer.sign(_payload(entry))
    signed = SignedRetentionEntry(entry=entry, signature=signature)
    return canonical_json(signed.model_dump(mode="json", by_alias=True)) + b"\n"


def _payload(entry: RetentionEntry) -> bytes:
    return _DOMAIN + canonical_json(entry.model_dump(mode="json", by_alias=True))
