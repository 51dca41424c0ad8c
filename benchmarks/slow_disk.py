"""A disk as slow as real ones: every flush of PostgreSQL's log is made to last a millisecond at least.

The server's `fdatasync` is one of ours, which calls the real one and sleeps for what is missing. That takes a
C compiler. Without one `commit_delay` does the sleeping, which is not the same: commits that arrive meanwhile
join the group that is waiting, while a real flush makes them wait for the next.
"""

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from benchmarks.results import percentile
from infrastructure.embedded_postgres.binaries import programs_for
from infrastructure.embedded_postgres.places import server_account

FSYNC_SECONDS = 0.001
"""What one flush of the write-ahead log is made to last, as on a good networked or consumer disk."""

_SOURCE = Path(__file__).with_name("slow_disk.c")


@dataclass(frozen=True)
class SlowDisk:
    """What a flush takes the disk itself (seconds), what slows it down, and what to set on the server."""

    flush_seconds: float
    means: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """For the reader of the figures."""
        made_to_last = f", made to last {FSYNC_SECONDS * 1e6:.0f} µs by {self.means}" if self.means else ""
        return f"{self.flush_seconds * 1e6:.0f} µs by the disk{made_to_last}"


@contextlib.contextmanager
def slow_disk(folder: Path) -> Iterator[SlowDisk]:
    """Slows the disk down for servers that are started meanwhile, where it is too fast; `folder` is on it."""
    flush_seconds = measured_flush_seconds(folder)
    compiler = shutil.which("cc")
    if flush_seconds >= FSYNC_SECONDS:
        yield SlowDisk(flush_seconds, "")
    elif compiler is None:
        missing_microseconds = round((FSYNC_SECONDS - flush_seconds) * 1e6)
        settings = {"commit_delay": str(missing_microseconds), "commit_siblings": "0"}
        yield SlowDisk(flush_seconds, "commit_delay", settings)
    else:
        with tempfile.TemporaryDirectory(prefix="billing-slow-disk-") as name:
            programs = _programs(Path(name), compiler)
            with patch.dict(os.environ, {"PG_BIN": str(programs)}):
                yield SlowDisk(flush_seconds, "a slower fdatasync")


def _programs(folder: Path, compiler: str) -> Path:
    """The server's programs, wrapped so that they flush slowly."""
    account = server_account(folder / "none")
    programs = programs_for(None if account.uid == os.geteuid() else account)
    folder.chmod(0o755)
    library = folder / "slow_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE)], check=True)
    for program in ("postgres", "initdb"):
        wrapper = folder / program
        wrapper.write_text(
            "#!/bin/sh\n"
            f"export LD_PRELOAD={shlex.quote(str(library))}\n"
            f"export BILLING_FLUSH_NANOSECONDS={round(FSYNC_SECONDS * 1e9)}\n"
            f'exec {shlex.quote(str(programs / program))} "$@"\n'
        )
        wrapper.chmod(0o755)
    return folder


def measured_flush_seconds(folder: Path) -> float:
    """The median of fdatasync after writing 8 kB into a file that has its size already, as a log's has."""
    path = folder / "flushed"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, bytes(8192 * 400), 0)
        os.fsync(descriptor)
        taken = []
        for number in range(400):
            os.pwrite(descriptor, b"x" * 8192, number * 8192)
            started = time.perf_counter()
            os.fdatasync(descriptor)
            taken.append(time.perf_counter() - started)
    finally:
        os.close(descriptor)
        path.unlink()
    return percentile(taken, 0.5)
