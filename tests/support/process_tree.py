"""Processes as the kernel lists them: who descends from whom, and who belongs to a house."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

_PROC = Path("/proc")


def living() -> dict[int, int]:
    """Every process that is not a zombie, with its parent."""
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal()]
    return {pid: parent for pid in pids if (parent := _parent_of(pid)) is not None}


def is_alive(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    return _parent_of(pid) is not None


def descendants(pid: int, parents: Mapping[int, int]) -> list[int]:
    """Those of `living()` who descend from a process, parents before their children."""
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    generation = [pid]
    while generation:
        generation = [child for parent in generation for child in children.get(parent, [])]
        found += generation
    return found


def command_of(pid: int) -> str:
    """A process's command line, its words separated by spaces; empty when it has gone."""
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_text().replace("\0", " ").strip()
    return ""


def listeners(port: int) -> int:
    """How many sockets listen on a TCP port of 127.0.0.1; several processes may share one."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(1 for row in rows if row[1] == f"0100007F:{port:04X}" and row[3] == "0A")


def processes_of(data_dir: Path) -> list[int]:
    """The living processes that were started for a house, whoever their parent is now, PostgreSQL's included.

    All but PostgreSQL's carry the data folder in their environment; those work in its cluster.
    """
    mark = f"BILLING_DATA_DIR={data_dir}\0".encode()
    cluster = data_dir / "postgres"
    found = []
    for pid in living():
        entry = _PROC / str(pid)
        with contextlib.suppress(OSError):
            works_there = cluster.exists() and (entry / "cwd").samefile(cluster)
            if pid != os.getpid() and (works_there or mark in (entry / "environ").read_bytes()):
                found.append(pid)
    return found


def _parent_of(pid: int) -> int | None:
    """None for one that has gone or is a zombie."""
    with contextlib.suppress(OSError):
        state, parent = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
        return None if state == "Z" else int(parent)
    return None
