"""The simulated authority for tests: in a thread of this process, or as the process that operators run."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from infrastructure.bound_process import bound_command
from infrastructure.stamping.simulated_authority import SimulatedAuthority
from tests.support.house import eventually, free_port


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


class AuthorityProcess:
    """The authority as `billing simulate-authority` runs it; it may be killed and started again."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, whenever it runs."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns once it answers."""
        command = [sys.executable, "-m", "interfaces.cli.main", "simulate-authority"]
        arguments = ["--port", str(self._port), "--state", str(self._state)]
        self._process = subprocess.Popen(
            bound_command([*command, *arguments], death_signal=signal.SIGTERM),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        eventually(self._answers)

    def kill(self) -> None:
        """Ends it as the kernel would (SIGKILL)."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(30)

    def _answers(self) -> bool:
        try:
            return bool(counts(self.url))
        except httpx.TransportError:
            return False


@contextlib.contextmanager
def an_authority_process(state: Path) -> Iterator[AuthorityProcess]:
    """A running one until the end of the block, which it must leave running."""
    authority = AuthorityProcess(state)
    authority.start()
    try:
        yield authority
    finally:
        assert authority.stop() == 0
