"""The write-once vault in a folder: encrypted objects that appear whole under their name and never change.

An object is written to `incoming/`, forced to disk and linked to its name, which fails where the name is
taken; then its retention is logged. A crash anywhere leaves no object or a whole one, and the next put of the
same name finishes what is missing. `objects/` and `retention/` are split in 256 by a hash of the name.

Objects that are put together take these steps together, so that one disk write serves many of them.
"""

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from fcntl import ioctl
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from application.signing import KeyUnusable, Signer
from application.vault import (
    Deposit,
    StoredObject,
    SubjectSecret,
    VaultConflict,
    VaultCorrupt,
    VaultError,
    VaultMissing,
    VaultUnavailable,
    checked_name,
)
from infrastructure.durable import sync_folder, temporary_name, write_new, write_synced
from infrastructure.keys.rings import SecretKey, SecretRing
from infrastructure.vault.envelope import open_object, seal_object
from infrastructure.vault.retention import RetentionEntry, locked_log, signed_line, sync_log

_LEFT_OVER_AFTER_SECONDS = 3600
_PROBE_BYTES = 64 * 1024
_GET_FLAGS = 0x80086601
_SET_FLAGS = 0x40086602
_IMMUTABLE = 0x00000010


class _Draft(NamedTuple):
    """An object's encrypted form under its temporary name, open until it is on disk."""

    path: Path
    descriptor: int
    stored_sha256: str


class FolderVault:
    """Satisfies `application.vault.Vault` on any local file system with hard links.

    An object costs three forced writes, of which journaling file systems merge those of objects put together.
    Threads and processes may share a folder. There is no delete.
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

    def put(self, deposit: Deposit) -> StoredObject:
        """Store once, durably; see `Vault.put`. Raises VaultConflict, VaultCorrupt, VaultUnavailable."""
        (outcome,) = self.put_all([deposit])
        if isinstance(outcome, VaultError):
            raise outcome
        return outcome

    def put_all(self, deposits: Sequence[Deposit]) -> list[StoredObject | VaultError]:
        """Store each once, durably; see `Vault.put_all`."""
        for deposit in deposits:
            checked_name(deposit.name)
        try:
            return self._put_together(deposits)
        except VaultUnavailable as error:
            if len(deposits) == 1:
                return [error]
        # What the disk refuses of one must not keep the others out.
        return [outcome for deposit in deposits for outcome in self.put_all([deposit])]

    def get(self, name: str, sealed_for: SubjectSecret | None = None) -> bytes:
        """The content as it was put. Raises VaultMissing, VaultCorrupt, VaultUnavailable."""
        return open_object(name, self._stored_bytes(name), self._master_keys, sealed_for)

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
        with _failures_as_unavailable(), locked_log(self._log_path(_shard(name)), self._signer) as log:
            return log.find(name, sha256(stored).hexdigest())

    def probe(self) -> None:
        """Write, force and remove 64 KiB, and sweep what crashed writers left. Raises VaultUnavailable."""
        with _failures_as_unavailable():
            self._master_keys.current()
            temporary = self._incoming / temporary_name()
            write_synced(temporary, os.urandom(_PROBE_BYTES), mode=0o600)
            temporary.unlink()
            self._sweep()

    def _put_together(self, deposits: Sequence[Deposit]) -> list[StoredObject | VaultError]:
        with _failures_as_unavailable():
            master = self._master_keys.current()
            with ExitStack() as cleanup:
                drafts = [self._draft(deposit, master, cleanup) for deposit in deposits]
                for draft in drafts:
                    if draft is not None:
                        os.fsync(draft.descriptor)
                outcomes = [self._settled(*pair) for pair in zip(deposits, drafts, strict=True)]
                # Objects and entries of another writer may not have reached the disk either.
                for shard in {_shard(deposit.name) for deposit in deposits}:
                    sync_log(self._log_path(shard))
                    sync_folder(self._objects / shard)
            if self._immutable:
                for deposit in deposits:
                    _make_immutable(self._object_path(deposit.name))
        return outcomes

    def _draft(self, deposit: Deposit, master: SecretKey, cleanup: ExitStack) -> _Draft | None:
        """Write the object beside, unless its name is taken; `cleanup` closes and removes the file."""
        if self._object_path(deposit.name).exists():
            return None
        sealed = seal_object(deposit.name, deposit.content, master, deposit.sealed_for)
        path = self._incoming / temporary_name()
        descriptor = write_new(path, sealed, mode=0o444)
        cleanup.callback(path.unlink, missing_ok=True)
        cleanup.callback(os.close, descriptor)
        return _Draft(path, descriptor, sha256(sealed).hexdigest())

    def _settled(self, deposit: Deposit, draft: _Draft | None) -> StoredObject | VaultError:
        """Give the object its name or recognise the one that has it, and see to its entry.

        All under the shard's lock, so that a second writer meets the entry of the first, unless it died.
        """
        name = deposit.name
        path = self._object_path(name)
        with locked_log(self._log_path(_shard(name)), self._signer) as log:
            if draft is not None and _linked(draft.path, path):
                entry = None
                stored_sha256 = draft.stored_sha256
            else:
                stored = path.read_bytes()
                try:
                    kept = open_object(name, stored, self._master_keys, deposit.sealed_for)
                    if kept != deposit.content:
                        return VaultConflict("The vault holds other content under that name.")
                except VaultCorrupt as error:
                    return error
                stored_sha256 = sha256(stored).hexdigest()
                entry = log.find(name, stored_sha256)
            if entry is None:
                entry = RetentionEntry(
                    name=name,
                    stored_sha256=stored_sha256,
                    retention_class=deposit.retention_class,
                    retain_until=deposit.retain_until,
                    at=self._now(),
                )
                log.append(signed_line(entry, self._signer))
        return StoredObject(
            name=name,
            sha256=sha256(deposit.content).hexdigest(),
            size_bytes=len(deposit.content),
            retention_class=entry.retention_class,
            retain_until=entry.retain_until,
        )

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

    def _log_path(self, shard: str) -> Path:
        return self._retention / f"{shard}.log"


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
