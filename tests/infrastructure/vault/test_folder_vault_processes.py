"""Several processes and killed processes on one vault folder."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pytest

from application.vault import Deposit, StoredObject
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.vault.folder import FolderVault
from tests.infrastructure.vault.vault_contract import NAME

PROJECT = Path(__file__).resolve().parents[3]

WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from application.vault import Deposit, VaultConflict
from infrastructure.keys.signer import Ed25519Signer
from infrastructure.keys.store import KeyStore
from infrastructure.vault.folder import FolderVault

base, name, word, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3].encode(), int(sys.argv[4])
keys = KeyStore(base / "keys")
now = lambda: datetime(2026, 3, 1, tzinfo=UTC)
vault = FolderVault(base / "vault", keys.vault, Ed25519Signer(keys.seal), now)
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    try:
        vault.put(Deposit(name.format(number), word * 5000, "fiscal", date(2036, 1, 1)))
        print("won", number, flush=True)
    except VaultConflict:
        print("conflict", number, flush=True)
"""


def writer(base: Path, name: str, word: str, count: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(base), name, word, str(count)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def start(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    keys = KeyStore.create(tmp_path / "keys")
    FolderVault.initialise(tmp_path / "vault")
    return FolderVault(
        tmp_path / "vault", keys.vault, Ed25519Signer(keys.seal), lambda: datetime(2026, 3, 1, tzinfo=UTC)
    )


def race(base: Path, words: list[str]) -> list[str]:
    processes = [writer(base, NAME, word, 1) for word in words]
    for process in processes:
        start(process)
    return [process.communicate(timeout=60)[0].split()[0] for process in processes]


def retention_lines(base: Path) -> int:
    return sum(len(log.read_bytes().splitlines()) for log in (base / "vault" / "retention").iterdir())


@pytest.mark.slow
def test_equal_content_put_by_eight_processes_succeeds_for_all_with_one_entry(
    vault: FolderVault, tmp_path: Path
) -> None:
    assert race(tmp_path, ["same"] * 8) == ["won"] * 8
    assert vault.get(NAME) == b"same" * 5000
    assert retention_lines(tmp_path) == 1


@pytest.mark.slow
def test_of_eight_processes_with_different_contents_exactly_one_wins(
    vault: FolderVault, tmp_path: Path
) -> None:
    outcomes = race(tmp_path, [f"word{number}" for number in range(8)])
    assert sorted(outcomes) == ["conflict"] * 7 + ["won"]
    assert vault.get(NAME) == f"word{outcomes.index('won')}".encode() * 5000
    assert retention_lines(tmp_path) == 1


def killed_at_step(step: int, action: Callable[[], object]) -> bool:
    """Do it in a child that kills itself before its `step`th file operation; False if it got through."""
    child = os.fork()
    if child == 0:
        steps = itertools.count(1)

        def hook(event: str, _arguments: object) -> None:
            if event.startswith(("open", "os.", "fcntl.")) and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            action()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def test_a_put_killed_before_each_of_its_steps_leaves_nothing_or_a_whole_object(
    vault: FolderVault, tmp_path: Path
) -> None:
    outcomes: list[tuple[bool, bool]] = []
    for step in itertools.count(1):
        name = f"documents/{step}/document.pdf"
        put = partial(vault.put, Deposit(name, b"sealed", "fiscal", date(2036, 1, 1)))
        if not killed_at_step(step, put):
            break
        present = vault.exists(name)
        if present:
            assert vault.get(name) == b"sealed"
        outcomes.append((present, present and vault.retention_of(name) is not None))
        assert put().name == name
        assert vault.retention_of(name) is not None
        assert retention_lines(tmp_path) == step
    # Every kind of half-done work was met, so the repairs above were real.
    assert set(outcomes) == {(False, False), (True, False), (True, True)}


def test_objects_put_together_and_killed_before_any_step_are_finished_by_putting_them_again(
    vault: FolderVault, tmp_path: Path
) -> None:
    present_counts: set[int] = set()
    for step in itertools.count(1):
        names = [f"documents/{step}/document.{suffix}" for suffix in ("json", "pdf", "xml")]
        deposits = [Deposit(name, name.encode(), "fiscal", date(2036, 1, 1)) for name in names]
        if not killed_at_step(step, partial(vault.put_all, deposits)):
            break
        present = [name for name in names if vault.exists(name)]
        assert [vault.get(name) for name in present] == [name.encode() for name in present]
        present_counts.add(len(present))
        assert all(isinstance(outcome, StoredObject) for outcome in vault.put_all(deposits))
        assert [vault.get(name) for name in names] == [name.encode() for name in names]
        assert all(vault.retention_of(name) is not None for name in names)
        assert retention_lines(tmp_path) == 3 * step
    assert present_counts == {0, 1, 2, 3}


@pytest.mark.slow
def test_a_writer_killed_anywhere_leaves_whole_objects_and_the_next_one_finishes(
    vault: FolderVault, tmp_path: Path
) -> None:
    count = 400
    content = b"word" * 5000
    chance = random.Random(7)
    for round_number in range(12):
        name = f"documents/{round_number}-{{}}/document.pdf"
        process = writer(tmp_path, name, "word", count)
        start(process)
        time.sleep(chance.uniform(0.0, 0.25))
        process.send_signal(signal.SIGKILL)
        acknowledged = process.communicate(timeout=60)[0].count("won")
        names = [name.format(number) for number in range(count)]
        for number, each in enumerate(names[: acknowledged + 2]):
            if number < acknowledged or vault.exists(each):
                assert vault.get(each) == content
        assert not any(vault.exists(each) for each in names[acknowledged + 1 :])
        unfinished = names[acknowledged] if acknowledged < count else names[-1]
        vault.put(Deposit(unfinished, content, "fiscal", date(2036, 1, 1)))
        assert all(vault.retention_of(each) is not None for each in names[: acknowledged + 1])
