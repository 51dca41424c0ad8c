"""Ends what a killed server left behind, so that a new one may open the same cluster."""

import os
import signal
import time
from pathlib import Path

from infrastructure.embedded_postgres.errors import PostgresUnavailable

WAIT_SECONDS = 15.0
"""Longer than an orphaned postmaster needs to end: it kills its own stragglers after five seconds."""


def end_survivors(cluster: Path) -> None:
    """Return when no PostgreSQL process works in `cluster`, and drop the lock file of the one that did.

    The caller holds the data directory's lock. A postmaster still there is either about to end, as its death
    signal has come, or was started by hand, and is waited for, not killed. Processes without a postmaster are
    killed: their transactions were never committed, or are in the write-ahead log. The lock file goes because
    PostgreSQL would believe it wherever its process id is in use again, as after the restart of a container.
    Raises PostgresUnavailable when something stays.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    postmaster_pid = _postmaster_pid(cluster)
    while remaining := _postgres_processes_in(cluster):
        if time.monotonic() > deadline:
            raise PostgresUnavailable(
                f"PostgreSQL still works in {cluster} as process {remaining[0]}, supervised by nobody. "
                f"Stop it (kill -QUIT {remaining[0]}) and start again."
            )
        if postmaster_pid not in remaining:
            for pid in remaining:
                _kill(pid)
        time.sleep(0.02)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _postmaster_pid(cluster: Path) -> int | None:
    try:
        first_line = (cluster / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    # A killed postmaster may have left the file empty.
    return int(first_line) if first_line.isdecimal() else None


def _postgres_processes_in(cluster: Path) -> list[int]:
    """Every process of a server has its cluster as the working directory, and all of them are found by it."""
    wanted = cluster.stat()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            directory = (entry / "cwd").stat()
            name = (entry / "comm").read_text().strip()
        except OSError:
            # It has just ended, or belongs to another account and so cannot be one of ours.
            continue
        if name == "postgres" and os.path.samestat(directory, wanted):
            found.append(int(entry.name))
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        # It ended by itself, which is all that was wanted.
        return
