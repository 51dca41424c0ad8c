"""Where the peers are installed: apart from the project, so that their versions never bend ours."""

import importlib.metadata
from pathlib import Path

FOLDER = Path(__file__).with_name(".venv")
"""What `make bench-peers` builds from requirements.txt."""


def python() -> Path:
    """The interpreter that sees the peers."""
    return FOLDER / "bin" / "python"


def is_installed() -> bool:
    """Whether there are peers to measure; `make bench-peers` leaves its mark when all are installed."""
    return any(FOLDER.glob(".complete-*"))


def version(package: str) -> str:
    """The installed version of a peer's package. Raises StopIteration where it is not installed."""
    folders = [str(folder) for folder in FOLDER.glob("lib/python*/site-packages")]
    return next(iter(importlib.metadata.Distribution.discover(name=package, path=folders))).version
