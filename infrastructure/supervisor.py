"""Runs child processes until a signal: restarts the ones that die, stops all stage by stage at the end.

No child outlives its supervisor, and no grandchild its parent. A child leads a session and process group of
its own, so that Ctrl-C reaches the supervisor alone. What it forks (a server's workers) stays in that group:

- the child ends, however: the supervisor kills what is left of the group before it starts the child again;
- the supervisor ends by kill -9: the kernel sends SIGTERM to the child, which stops its own workers as it
  always does, and a guard in the group, waiting for the supervisor's pipe to close, kills the group once the
  child has gone, or after ten seconds. A grandchild that leaves the group is its parent's to look after.
"""

import math
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType

import structlog

from infrastructure.bound_process import bound_command

TICK_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 5.0
HEALTHY_AFTER_SECONDS = 5.0
"""Whoever lived as long was killed rather than broken, and is started again after the shortest delay."""
STOP_PATIENCE_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True)
class Child:
    """A process to keep running; `env` is added to the supervisor's own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]


class Supervisor:
    """Keeps the children of all `stages` running; `on_tick` is called about every 200 ms.

    Stages are started in their order and stopped in the reverse one, the children of a stage all at once. An
    exception of `on_tick` stops the children and is raised to the caller of `run_until_signal`.
    """

    def __init__(self, stages: Sequence[Sequence[Child]], on_tick: Callable[[], None]) -> None:
        self._stages = stages
        self._on_tick = on_tick
        self._signal_came = False

    def run_until_signal(self) -> None:
        """Run until SIGTERM or SIGINT, then return when every child has gone. Only for the main thread."""
        guard_fd, lifeline_fd = os.pipe()
        handlers = {wanted: signal.signal(wanted, self._note) for wanted in (signal.SIGTERM, signal.SIGINT)}
        running: list[list[_RunningChild]] = []
        try:
            for stage in self._stages:
                running.append([])
                for child in stage:
                    running[-1].append(_RunningChild(child, guard_fd))
            everyone = [each for started in running for each in started]
            while not self._signal_came:
                for each in everyone:
                    each.restart_if_dead()
                self._on_tick()
                _sleep_until_death(everyone)
        finally:
            for started in reversed(running):
                _stop_all(started)
            os.close(guard_fd)
            os.close(lifeline_fd)
            for wanted, handler in handlers.items():
                signal.signal(wanted, handler)

    def _note(self, _signal_number: int, _frame: FrameType | None) -> None:
        self._signal_came = True


def _stop_all(children: "Sequence[_RunningChild]") -> None:
    """Tell all to end before any is waited for."""
    for each in children:
        each.tell_to_stop()
    deadline = time.monotonic() + STOP_PATIENCE_SECONDS
    for each in children:
        each.end_before(deadline)


def _sleep_until_death(running: "Sequence[_RunningChild]") -> None:
    """Sleep for a tick, or until a child dies or the delay of a dead one is over."""
    alive = [each.death_fd for each in running if each.death_fd is not None]
    select.select(alive, [], [], min([TICK_SECONDS, *(each.restart_in_seconds() for each in running)]))


class _RunningChild:
    """A started child: running, or dead and waiting for its next start.

    `death_fd` becomes readable when the child dies; None while it waits.
    """

    def __init__(self, child: Child, guard_fd: int) -> None:
        self._child = child
        self._guard_fd = guard_fd
        self._delay_seconds = FIRST_DELAY_SECONDS
        self._restart_at: float | None = None
        self.death_fd: int | None = None
        self._start()

    def restart_in_seconds(self) -> float:
        """What is left of the delay of a dead child; infinite for one that runs."""
        return math.inf if self._restart_at is None else max(self._restart_at - time.monotonic(), 0.0)

    def restart_if_dead(self) -> None:
        """Notice a death, and start the child again once its delay is over."""
        if self._restart_at is None:
            if self._has_ended():
                self._clear_up()
        elif time.monotonic() >= self._restart_at:
            self._start()

    def tell_to_stop(self) -> None:
        """Ask the child to end."""
        if self._restart_at is None:
            # Not send_signal(), which may reap.
            os.kill(self._process.pid, signal.SIGTERM)

    def end_before(self, deadline: float) -> None:
        """Wait for the child that was told to end, until `deadline` (monotonic); then end its whole group."""
        if self._restart_at is not None:
            return
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(0.02)
        if not self._has_ended():
            _log.warning("child.killed", child=self._child.name, pid=self._process.pid)
        self._kill_group()

    def _start(self) -> None:
        command = bound_command(self._child.argv, death_signal=signal.SIGTERM, guard_fd=self._guard_fd)
        environment = {**os.environ, **self._child.env}
        self._process = subprocess.Popen(  # noqa: S603 - the program names its own children.
            command, env=environment, pass_fds=(self._guard_fd,), start_new_session=True
        )
        self.death_fd = os.pidfd_open(self._process.pid)
        self._started_at = time.monotonic()
        self._restart_at = None
        _log.info("child.started", child=self._child.name, pid=self._process.pid)

    def _has_ended(self) -> bool:
        """Look without reaping: until then the group's number cannot be given to anybody else."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _clear_up(self) -> None:
        self._kill_group()
        if time.monotonic() - self._started_at >= HEALTHY_AFTER_SECONDS:
            self._delay_seconds = FIRST_DELAY_SECONDS
        self._restart_at = time.monotonic() + self._delay_seconds
        _log.warning(
            "child.died",
            child=self._child.name,
            exit_code=self._process.returncode,
            restart_in_seconds=self._delay_seconds,
        )
        self._delay_seconds = min(2 * self._delay_seconds, LONGEST_DELAY_SECONDS)

    def _kill_group(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self.death_fd is not None:
            os.close(self.death_fd)
            self.death_fd = None
