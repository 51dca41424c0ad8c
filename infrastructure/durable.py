"""Files that are whole or absent: written beside, forced to disk, then given their name without replacing."""

import os
import secrets
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Force the folder's entries to disk, so that a name just given survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes) -> None:
    """Write every byte; a disk that fills on the way raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def write_new(path: Path, content: bytes, *, mode: int) -> int:
    """Write a new file; the caller forces it to disk by the descriptor returned and closes that.

    It stays open in between, because a write-back that fails is told to it and may not be to a later one. On
    failure the file is removed.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(descriptor, content)
        os.fchmod(descriptor, mode)
    except OSError:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return descriptor


def write_synced(path: Path, content: bytes, *, mode: int) -> None:
    """Write a new file and force its bytes to disk; the caller syncs the folder. On failure it is removed."""
    descriptor = write_new(path, content, mode=mode)
    try:
        os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def temporary_name() -> str:
    """A file name that no other writer uses and that shows a left-over for what it is."""
    return f".tmp-{secrets.token_hex(12)}"
