"""The write-once vault in a folder: encrypted objects that appear whole under their name and never change.

An object is written to `incoming/`, forced to disk and linked to its name, which fails where the name is
taken; then its retention is logged. A crash anywhere leaves no object or a whole one, and the next put of the
same name finishes what is missing. `objects/` and `retention/` are split in 256 by a hash of the name.
"""

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from fcntl import ioctl
from hashlib import sha256
from pathlib import Path

from application.signing import KeyUnusable, Signer
from application.vault import (
    StoredObject,
    VaultConflict,
    VaultMissing,
    VaultUnavailable,
    checked_name,
)
from infrastructure.durable import sync_folder, temporary_name, write_synced
from infrastructure.keys.rings import SecretRing
from infrastructure.vault.envelope import open_object, seal_object
from infrastructure.vault.retention import RetentionEntry, locked_log, signed_line

_LEFT_OVER_AFTER_SECONDS = 3600
_PROBE_BYTES = 64 * 1024
_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_IMMUTABLE = 0x00000010


class FolderVault:
    """Satisfies `application.vault.Vault` on any local file system with hard links.

    `put` costs three forced writes, of which journaling file systems merge two. Threads and processes may
    share a folder. There is no delete.
    """

    def __init__(
        self,
        root: Path,
        master_keys: SecretRing,
        signer: Signer,
        now: Callable[[], datetime],
        *,
        immutable: bool = False,
    ) -> None:
        """`root` must have been initialised; otherwise every call raises VaultUnavailable.

        `signer` signs retention entries, `now` dates them. `immutable` also sets `chattr +i` where the
        process may, so that not even root deletes by mistake; it is off by default, because a data folder
        made by trying the service out must be removable.
        """
        self._incoming = root / "incoming"
        self._objects = root / "objects"
        self._retention = root / "retention"
        self._master_keys = master_keys
        self._signer = signer
        self._now = now
        self._immutable = immutable

    @staticmethod
    def initialise(root: Path) -> None:
        """Lay the folder out once, before its first use. Raises VaultUnavailable.

        It is not part of opening: where a mount is missing, an opened vault must fail, not start anew on the
        disk below.
        """
        with _failures_as_unavailable():
            if (root / "incoming").is_dir():
                return
            for folder in (root, root / "objects", root / "retention"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for shard in range(256):
                (root / "objects" / f"{shard:02x}").mkdir(mode=0o700, exist_ok=True)
                (root / "retention" / f"{shard:02x}.log").touch(mode=0o600)
            sync_folder(root / "objects")
            sync_folder(root / "retention")
            (root / "incoming").mkdir(mode=0o700, exist_ok=True)
            sync_folder(root)

    def put(self, name: str, content: bytes, *, retention_class: str, retain_until: date) -> StoredObject:
        """Store once, durably; see `Vault.put`. Raises VaultConflict, VaultCorrupt, VaultUnavailable."""
        path = self._object_path(checked_name(name))
        with _failures_as_unavailable():
            temporary = None if path.exists() else self._written_beside(name, content)
            try:
                entry = self._settled(name, content, temporary, retention_class, retain_until)
            finally:
                if temporary is not None:
                    temporary.unlink(missing_ok=True)
            if self._immutable:
                _make_immutable(path)
        return StoredObject(
            name=name,
            sha256=sha256(content).hexdigest(),
            size_bytes=len(content),
            retention_class=entry.retention_class,
            retain_until=entry.retain_until,
        )

    def get(self, name: str) -> bytes:
        """The content as it was put. Raises VaultMissing, VaultCorrupt, VaultUnavailable."""
        return open_object(name, self._stored_bytes(name), self._master_keys)

    def exists(self, name: str) -> bool:
        """Whether an object of that name is kept. Raises VaultUnavailable."""
        path = self._object_path(checked_name(name))
        with _failures_as_unavailable():
            try:
                path.stat()
            except FileNotFoundError:
                self._incoming.stat()
                return False
        return True

    def retention_of(self, name: str) -> RetentionEntry | None:
        """The signed entry of the object as it is stored now, or None where there is none that holds."""
        stored = self._stored_bytes(name)
        with _failures_as_unavailable(), locked_log(self._log_path(name), self._signer) as log:
            return log.find(name, sha256(stored).hexdigest())

    def probe(self) -> None:
        """Write, force and remove 64 KiB, and sweep what crashed writers left. Raises VaultUnavailable."""
        with _failures_as_unavailable():
            self._master_keys.current()
            temporary = self._incoming / temporary_name()
            write_synced(temporary, os.urandom(_PROBE_BYTES), mode=0o600)
            temporary.unlink()
            self._sweep()

    def _written_beside(self, name: str, content: bytes) -> Path:
        temporary = self._incoming / temporary_name()
        write_synced(temporary, seal_object(name, content, self._master_keys), mode=0o444)
        return temporary

    def _settled(
        self, name: str, content: bytes, temporary: Path | None, retention_class: str, retain_until: date
    ) -> RetentionEntry:
        """Give the object its name or recognise the one that has it; see to its entry; make both last.

        All under the shard's lock, so that a second writer meets the entry of the first, unless it died.
        """
        path = self._object_path(name)
        with locked_log(self._log_path(name), self._signer) as log:
            won = temporary is not None and _linked(temporary, path)
            stored = path.read_bytes()
            if not won and open_object(name, stored, self._master_keys) != content:
                raise VaultConflict("The vault holds other content under that name.")
            stored_sha256 = sha256(stored).hexdigest()
            entry = None if won else log.find(name, stored_sha256)
            if entry is None:
                entry = RetentionEntry(
                    name=name,
                    stored_sha256=stored_sha256,
                    retention_class=retention_class,
                    retain_until=retain_until,
                    at=self._now(),
                )
                log.append(signed_line(entry, self._signer))
            log.sync()
            sync_folder(path.parent)
        return entry

    def _stored_bytes(self, name: str) -> bytes:
        path = self._object_path(checked_name(name))
        with _failures_as_unavailable():
            try:
                return path.read_bytes()
            except FileNotFoundError:
                self._incoming.stat()
                raise VaultMissing("The vault holds no object of that name.") from None

    def _sweep(self) -> None:
        for left_over in self._incoming.iterdir():
            # Its writer may finish at this very moment.
            with suppress(FileNotFoundError):
                if time.time() - left_over.stat().st_mtime > _LEFT_OVER_AFTER_SECONDS:
                    left_over.unlink()

    def _object_path(self, name: str) -> Path:
        # `~` cannot occur in a name, so two names never share a file.
        return self._objects / _shard(name) / name.replace("/", "~")

    def _log_path(self, name: str) -> Path:
        return self._retention / f"{_shard(name)}.log"


def _shard(name: str) -> str:
    return sha256(name.encode("ascii")).hexdigest()[:2]


def _linked(temporary: Path, path: Path) -> bool:
    """Give the file its final name; False where the name is taken."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    return True


def _make_immutable(path: Path) -> None:
    """Set `chattr +i` where system and file system allow it; mode 0444 stands in any case.

    A file that still has its temporary name is left alone, because that name could not be removed any more.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_nlink == 1:
            (flags,) = struct.unpack("I", ioctl(descriptor, _GET_FLAGS, bytes(4)))
            ioctl(descriptor, _SET_FLAGS, struct.pack("I", flags | _IMMUTABLE))
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL):
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _failures_as_unavailable() -> Iterator[None]:
    """Whatever disk or key refuses now is one error to the application: retry later."""
    try:
        yield
    except OSError as error:
        word = errno.errorcode.get(error.errno or 0, "unknown error")
        raise VaultUnavailable(f"The vault cannot be read or written now ({word}).") from error
    except KeyUnusable as error:
        raise VaultUnavailable(f"The vault cannot be used now: {error}") from error
