"""Starts processes that end when the process that started them ends, even by kill -9 (Linux).

The module is also the launcher: `bound_command()` wraps a command in a fresh, single-threaded
`python -I -S bound_process.py`, which drops privileges, asks the kernel for a death signal and only then
becomes the wanted program. Such code must not run between fork and exec of a process that has threads, hence
the extra exec.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO, Any

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h."""

GUARD_GRACE_SECONDS = 10.0
"""How long the guard of an orphaned process group waits for its leader before it kills the group."""

EXIT_CANNOT_RUN = 126
"""The launcher's exit status when the wanted program could not be started, as a shell would say it."""


@dataclass(frozen=True)
class Account:
    """An account of the operating system; `name` is None for a uid that has no entry in its user database."""

    uid: int
    gid: int
    name: str | None


def bound_command(
    argv: Sequence[str],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    working_directory: Path | None = None,
    guard_fd: int | None = None,
) -> list[str]:
    """The command line that runs `argv`, bound to the thread and process that start it.

    `death_signal` reaches the program when that thread ends. `account` (only root may name one) is taken on
    after `working_directory` was entered, which therefore may lie below folders closed to that account.
    `guard_fd` is the read end of a pipe whose write end only the calling process holds: its closing starts a
    guard's clock, after which the whole process group is killed, programs forked by `argv` included. Start
    such a command with `start_new_session=True` and `pass_fds=(guard_fd,)`.
    """
    request = {
        "argv": list(argv),
        "death_signal": int(death_signal),
        "account": None if account is None else asdict(account),
        "working_directory": None if working_directory is None else str(working_directory),
        "guard_fd": guard_fd,
        "parent_pid": os.getpid(),
    }
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), json.dumps(request)]


def start_from_lasting_thread(
    command: Sequence[str], *, env: Mapping[str, str], output: IO[bytes] | int
) -> "Popen[bytes]":
    """Start `command` from a thread that lives as long as the started process or this one.

    The kernel sends the death signal when the starting *thread* ends, so that a caller in a short-lived
    thread would take the program along. The process leads a session of its own, out of Ctrl-C's reach;
    `output` takes both its stdout and stderr. Raises OSError.
    """
    started: Future[Popen[bytes]] = Future()

    def keep() -> None:
        try:
            process = Popen(  # noqa: S603 - the command is the caller's own.
                command, env=env, stdin=DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
        except OSError as error:
            started.set_exception(error)
            return
        started.set_result(process)
        process.wait()

    threading.Thread(target=keep, name="bound-process", daemon=True).start()
    return started.result()


def _launch(request: Mapping[str, Any]) -> None:
    """Become the requested program; never returns."""
    guard_fd = request["guard_fd"]
    if guard_fd is not None:
        _fork_guard(guard_fd)
        os.set_inheritable(guard_fd, False)  # noqa: FBT003 - it takes no keyword.
    if request["working_directory"] is not None:
        os.chdir(request["working_directory"])
    libc = ctypes.CDLL(None, use_errno=True)
    account = request["account"]
    if account is not None:
        os.setgroups([])
        os.setgid(account["gid"])
        os.setuid(account["uid"])
    # A change of credentials clears the death signal, so it is asked for afterwards.
    if libc.prctl(PR_SET_PDEATHSIG, request["death_signal"], 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    # The parent may have died before that, and then no signal would ever come.
    if os.getppid() != request["parent_pid"]:
        raise SystemExit(EXIT_CANNOT_RUN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(request["argv"][0], request["argv"])  # noqa: S606 - there is no shell to want here.


def _fork_guard(guard_fd: int) -> None:
    """Leave a guard in this process group, forked twice so that the program never meets it as a child."""
    leader_pid = os.getpid()
    middle_pid = os.fork()
    if middle_pid == 0:
        if os.fork() == 0:
            _guard(guard_fd, leader_pid)
        os._exit(0)
    os.waitpid(middle_pid, 0)


def _guard(guard_fd: int, leader_pid: int) -> None:
    """Wait until the pipe's writer is gone, give the leader its grace, then kill the group and oneself."""
    for ignored in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    # Held open, the program's output would never reach its end for whoever reads it.
    null_fd = os.open(os.devnull, os.O_RDWR)
    for standard_fd in (0, 1, 2):
        os.dup2(null_fd, standard_fd)
    os.read(guard_fd, 1)
    deadline = time.monotonic() + GUARD_GRACE_SECONDS
    while time.monotonic() < deadline and _is_alive(leader_pid):
        time.sleep(0.05)
    os.killpg(leader_pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    """A dead process that its new parent has not buried yet is still listed, with the state Z."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    try:
        _launch(wanted)
    except OSError as failure:
        sys.stderr.write(f"{wanted['argv'][0]} could not be started: {failure}\n")
        raise SystemExit(EXIT_CANNOT_RUN) from failure
