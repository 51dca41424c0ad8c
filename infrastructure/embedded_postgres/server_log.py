"""PostgreSQL's own log: one file that the server appends to, cut before it can fill the disk."""

import os
import shutil
from pathlib import Path
from typing import IO

MAX_BYTES = 10 * 1024 * 1024
"""The log and its predecessor may each grow to this before the older one is given up."""

TAIL_BYTES = 4096


class ServerLog:
    """The log at `path`, with its predecessor beside it as `path` + `.1`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._previous = path.with_name(path.name + ".1")

    def open_for_server(self) -> IO[bytes]:
        """A descriptor to inherit. In append mode the server goes on at the start once the file is cut."""
        return os.fdopen(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")

    def rotate_if_large(self) -> None:
        """Keep a copy and cut the file; lines written between the two steps are lost, rows never are."""
        if self._path.exists() and self._path.stat().st_size > MAX_BYTES:
            # Unlinked first, so that on a nearly full disk its space is there for the copy.
            self._previous.unlink(missing_ok=True)
            shutil.copyfile(self._path, self._previous)
            os.truncate(self._path, 0)

    def last_lines(self, count: int) -> str:
        """The newest `count` lines, for an operator to read; empty where there is no log yet."""
        if not self._path.exists():
            return ""
        with self._path.open("rb") as log:
            log.seek(max(0, self._path.stat().st_size - TAIL_BYTES))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-count:])
