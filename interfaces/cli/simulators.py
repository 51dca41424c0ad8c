"""What the commands of simulators have in common: a file, a port of this machine, an end at a signal."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

import typer


class Simulator(Protocol):
    """A server that listens on 127.0.0.1 since it was made, and serves until it is stopped."""

    def serve(self) -> None:
        """Serves until `stop` is called in another thread."""
        ...

    def stop(self) -> None:
        """Ends serving."""
        ...


SimulatorT = TypeVar("SimulatorT", bound=Simulator)


def listening(make: Callable[[Path, int], SimulatorT], file: Path, port: int) -> SimulatorT:
    """The simulator that keeps its state in that file. A port that is taken is wrong usage."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        return make(file, port)
    except OSError as error:
        raise typer.BadParameter(f"127.0.0.1:{port} cannot be listened on ({error.strerror}).") from None


def serve_until_signal(simulator: Simulator) -> None:
    """Serves until SIGTERM or SIGINT."""
    serving = threading.Thread(target=simulator.serve, daemon=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    serving.start()
    stopped.wait()
    simulator.stop()
