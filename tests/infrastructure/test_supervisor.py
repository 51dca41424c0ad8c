"""The supervisor keeps real processes running and leaves none behind, however it ends."""

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infrastructure.supervisor import HEALTHY_AFTER_SECONDS

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]

SUPERVISE = """
    import json, sys, time
    from pathlib import Path
    from infrastructure.supervisor import Child, Supervisor
    request = json.loads(sys.argv[1])
    ticks = Path(request["directory"]) / "ticks"
    def tick():
        with ticks.open("a") as file:
            file.write(f"{time.monotonic()}\\n")
        if request["fail"]:
            raise RuntimeError("the tick failed")
    stages = [[Child(name, argv, {"CHILD": name})] for name, argv in request["children"]]
    if request["together"]:
        stages = [[child for stage in stages for child in stage]]
    Supervisor(stages, tick).run_until_signal()
    print("returned", flush=True)
"""

CHILD = """
    import os, signal, subprocess, sys, time
    from pathlib import Path
    directory, behaviour = Path(sys.argv[1]), sys.argv[2]
    name = os.environ["CHILD"]
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    workers = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    def stop(*_):
        for worker in workers:
            worker.terminate()
            worker.wait()
        with (directory / "stopped").open("a") as file:
            file.write(f"{name}\\n")
        sys.exit(0)
    def tell_and_wait_for_all(*_):
        (directory / f"told-{name}").touch()
        while len(list(directory.glob("told-*"))) < 3:
            time.sleep(0.01)
        stop()
    if behaviour == "polite":
        signal.signal(signal.SIGTERM, stop)
    if behaviour == "waiting for all":
        signal.signal(signal.SIGTERM, tell_and_wait_for_all)
    pids = " ".join(str(pid) for pid in [os.getpid(), *(worker.pid for worker in workers)])
    with (directory / name).open("a") as file:
        file.write(f"{time.monotonic()} {pids}\\n")
    if behaviour == "dying":
        sys.exit(3)
    while True:
        time.sleep(60)
"""


@contextlib.contextmanager
def supervisor(
    directory: Path, *behaviours: tuple[str, str], fail: bool = False, together: bool = False
) -> Iterator["subprocess.Popen[str]"]:
    """A supervising process with a child for each (name, behaviour), all in one stage or one in each."""
    program = textwrap.dedent(CHILD)
    children = [
        (name, [sys.executable, "-c", program, str(directory), behaviour]) for name, behaviour in behaviours
    ]
    request = json.dumps(
        {"directory": str(directory), "children": children, "fail": fail, "together": together}
    )
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISE), request],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def starts(directory: Path, name: str, at_least: int = 1, patience_seconds: float = 20) -> list[list[float]]:
    """Each start of the child so far: monotonic seconds, its pid, its two workers' pids."""
    deadline = time.monotonic() + patience_seconds
    while True:
        with contextlib.suppress(FileNotFoundError):
            text = (directory / name).read_text()
            rows = [[float(word) for word in line.split()] for line in text.splitlines()]
            if text.endswith("\n") and len(rows) >= at_least:
                return rows
        assert time.monotonic() < deadline, f"{name} did not start {at_least} times"
        time.sleep(0.02)


def processes(directory: Path, name: str) -> list[int]:
    return [int(pid) for pid in starts(directory, name)[-1][1:]]


def is_alive(pid: int) -> bool:
    """False for zombies too: who adopted them may be slow to bury them."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int], patience_seconds: float = 5) -> None:
    deadline = time.monotonic() + patience_seconds
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"{alive} outlived the supervisor"
        time.sleep(0.02)


def test_sigterm_stops_the_children_in_reverse_order_and_returns(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite"), ("second", "polite")) as process:
        pids = processes(tmp_path, "first") + processes(tmp_path, "second")
        process.terminate()
        output, _ = process.communicate(timeout=10)
        assert process.returncode == 0
    assert output.endswith("returned\n")
    assert (tmp_path / "stopped").read_text() == "second\nfirst\n"
    assert not any(is_alive(pid) for pid in pids)


def test_sigint_to_the_terminals_group_reaches_the_supervisor_alone(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite")) as process:
        (leader, *_) = processes(tmp_path, "first")
        assert os.getpgid(leader) == os.getsid(leader) == leader
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    assert (tmp_path / "stopped").read_text() == "first\n"


def test_a_killed_child_is_started_again_and_its_workers_do_not_stay(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite"), ("second", "polite")):
        leader, *workers = processes(tmp_path, "first")
        untouched = processes(tmp_path, "second")
        os.kill(leader, signal.SIGKILL)
        again = [int(pid) for pid in starts(tmp_path, "first", at_least=2)[1][1:]]
        assert not any(is_alive(pid) for pid in [leader, *workers])
        assert all(is_alive(pid) for pid in again + untouched)
        assert len(starts(tmp_path, "second")) == 1


def test_a_child_that_keeps_dying_is_started_less_and_less_often(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "dying"), ("second", "polite")) as process:
        moments = [row[0] for row in starts(tmp_path, "first", at_least=4)]
        process.terminate()
        output, _ = process.communicate(timeout=10)
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments[:4])]
    for pause, delay in zip(pauses, (0.2, 0.4, 0.8), strict=True):
        assert delay <= pause < delay + 1
    assert "child.died" in output and "restart_in_seconds" in output


def test_a_program_that_cannot_be_started_is_told_and_tried_again(tmp_path: Path) -> None:
    program = f"""
        from infrastructure.supervisor import Child, Supervisor
        Supervisor([[Child("ghost", [{str(tmp_path / "ghost")!r}], {{}})]], lambda: None).run_until_signal()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    process = subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    time.sleep(1.5)
    process.terminate()
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0
    assert output.count("could not be started") >= 2


def test_kill_9_of_the_supervisor_leaves_nothing_and_lets_children_finish(tmp_path: Path) -> None:
    for round_number in range(3):
        directory = tmp_path / str(round_number)
        directory.mkdir()
        with supervisor(directory, ("first", "polite"), ("second", "polite")) as process:
            pids = processes(directory, "first") + processes(directory, "second")
            process.kill()
            wait_until_gone(pids)
        assert sorted((directory / "stopped").read_text().split()) == ["first", "second"]


def test_kill_9_of_supervisor_and_child_at_once_leaves_no_worker(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite")) as process:
        leader, *workers = processes(tmp_path, "first")
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(leader, signal.SIGKILL)
        process.kill()
        wait_until_gone([leader, *workers])


def test_kill_9_of_the_supervisor_ends_a_stubborn_child_after_its_grace(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "stubborn")) as process:
        pids = processes(tmp_path, "first")
        process.kill()
        time.sleep(2)
        assert is_alive(pids[0])
        wait_until_gone(pids, patience_seconds=12)


def test_a_stubborn_child_is_killed_ten_seconds_after_sigterm(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "stubborn")) as process:
        pids = processes(tmp_path, "first")
        started = time.monotonic()
        process.terminate()
        process.communicate(timeout=20)
        assert 9.5 < time.monotonic() - started < 13
        assert not any(is_alive(pid) for pid in pids)


def test_the_tick_comes_about_five_times_a_second(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite")):
        starts(tmp_path, "first")
        time.sleep(2)
        moments = [float(line) for line in (tmp_path / "ticks").read_text().splitlines()]
    pauses = sorted(later - earlier for earlier, later in itertools.pairwise(moments))
    assert 0.19 < pauses[len(pauses) // 2] < 0.4


def test_the_children_of_a_stage_are_told_to_stop_all_at_once(tmp_path: Path) -> None:
    waiting = [(name, "waiting for all") for name in ("first", "second", "third")]
    with supervisor(tmp_path, *waiting, together=True) as process:
        for name, _ in waiting:
            starts(tmp_path, name)
        process.terminate()
        output, _ = process.communicate(timeout=15)
    assert sorted((tmp_path / "stopped").read_text().split()) == ["first", "second", "third"]
    assert "child.killed" not in output, "none of them ends before all have been told"


def test_a_child_that_lived_for_a_while_is_started_again_at_once_however_often_it_is_killed(
    tmp_path: Path,
) -> None:
    with supervisor(tmp_path, ("first", "polite")):
        for killed in range(1, 4):
            born, leader, *_ = starts(tmp_path, "first", at_least=killed)[-1]
            time.sleep(max(0.0, born + HEALTHY_AFTER_SECONDS + 0.1 - time.monotonic()))
            died = time.monotonic()
            os.kill(int(leader), signal.SIGKILL)
            again = starts(tmp_path, "first", at_least=killed + 1)[-1][0]
            assert again - died < 1.2, "without the delay of one that keeps dying"


def test_a_failing_tick_stops_the_children_and_is_raised(tmp_path: Path) -> None:
    with supervisor(tmp_path, ("first", "polite"), fail=True) as process:
        output, _ = process.communicate(timeout=10)
        assert process.returncode == 1
    assert "RuntimeError: the tick failed" in output
    assert "returned" not in output
