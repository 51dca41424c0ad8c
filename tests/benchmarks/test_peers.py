"""What can be said of the peers where they are not installed; `benchmarks/test_peers.py` runs them."""

import re
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.peers import environment
from benchmarks.peers.turns import run, turn
from tests.support.source_tree import PROJECT


def test_a_turn_issues_at_least_once_and_tells_every_number() -> None:
    numbers = iter("123")
    assert turn(lambda: [next(numbers), next(numbers)], seconds=0).numbers == ["1", "2"]


def test_a_turn_goes_on_for_its_seconds() -> None:
    told = turn(lambda: ["1"], seconds=0.05)
    assert told.seconds >= 0.05
    assert len(told.numbers) > 1


def test_invoices_issued_before_the_clock_starts_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = iter("123")
    monkeypatch.setattr(sys, "argv", ["peer", "one-by-one"])
    monkeypatch.setattr(sys.stdin, "readline", lambda: "0\n")
    run(lambda: None, {"one-by-one": lambda: lambda: [next(numbers)]})
    ready, told = capsys.readouterr().out.splitlines()
    assert ready == "ready"
    assert '"numbers": ["2"]' in told


def test_peers_are_measured_only_where_they_are_named() -> None:
    assert benchmarks.PEERS not in benchmarks.MEASUREMENTS


def test_missing_peers_are_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(environment, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "peers"])
    with pytest.raises(SystemExit) as ended:
        benchmarks.main()
    assert ended.value.code == 2
    assert "make bench-peers" in capsys.readouterr().err


def test_every_peer_is_locked_as_it_is_asked_for() -> None:
    folder = PROJECT / "benchmarks" / "peers"
    wanted = re.findall(r"^([\w-]+)\S*==(\S+)$", (folder / "requirements.in").read_text(), re.MULTILINE)
    locked = re.findall(r"^([\w-]+)==([^\s;]+)", (folder / "requirements.txt").read_text(), re.MULTILINE)
    assert wanted
    assert set(wanted) <= set(locked)
