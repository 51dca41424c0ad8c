"""A simulator as the process that operators run; it may be killed and started again."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from infrastructure.bound_process import bound_command
from tests.support.house import eventually, free_port


class SimulatorProcess:
    """What `billing <command>` runs; it is up once `ask` gets an answer from its address."""

    def __init__(
        self,
        command: str,
        state: Path,
        ask: Callable[[str], Any],
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`settings` are environment variables to add."""
        self._command = command
        self._state = state
        self._ask = ask
        self._settings = settings or {}
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, whenever it runs."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Returns once it answers."""
        command = [sys.executable, "-m", "interfaces.cli.main", self._command]
        arguments = ["--port", str(self._port), "--state", str(self._state)]
        self._process = subprocess.Popen(
            bound_command([*command, *arguments], death_signal=signal.SIGTERM),
            env={**os.environ, **self._settings},
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
            return bool(self._ask(self.url))
        except httpx.TransportError:
            return False
