"""The simulated authority for tests: in a thread of this process, or as the process that operators run."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from infrastructure.stamping.simulated_authority import SimulatedAuthority
from tests.support.simulator_process import SimulatorProcess


@contextlib.contextmanager
def an_authority(state: Path) -> Iterator[SimulatedAuthority]:
    """A running authority until the end of the block."""
    authority = SimulatedAuthority(state)
    thread = threading.Thread(target=authority.serve, daemon=True)
    thread.start()
    try:
        yield authority
    finally:
        authority.stop()
        thread.join()


def faults(url: str, *told: dict[str, Any]) -> None:
    """Lets these go wrong from now on, and nothing else."""
    answer = httpx.put(f"{url}/simulator/faults", json=list(told), trust_env=False)
    assert answer.status_code == 200, answer.text


def counts(url: str) -> dict[str, int]:
    """How many stamps the authority gave, and how many requests came."""
    counted: dict[str, int] = httpx.get(f"{url}/simulator/counts", trust_env=False).json()
    return counted


class AuthorityProcess(SimulatorProcess):
    """The authority as `billing simulate-authority` runs it."""

    def __init__(self, state: Path) -> None:
        super().__init__("simulate-authority", state, counts)


@contextlib.contextmanager
def an_authority_process(state: Path) -> Iterator[AuthorityProcess]:
    """A running one until the end of the block, which it must leave running."""
    authority = AuthorityProcess(state)
    authority.start()
    try:
        yield authority
    finally:
        assert authority.stop() == 0
