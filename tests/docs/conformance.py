"""Which tests show which decision, read from the marks that stand on them (`tests/support/decisions.py`)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.decisions import DECISIONS

TESTS = Path(__file__).resolve().parents[1]


class Shown(NamedTuple):
    """A sentence of a decision, and the test that shows it: its file below `tests` and its name."""

    decision: str
    sentence: str
    file: str
    test: str


def shown_sentences() -> list[Shown]:
    """Every mark on every test, by file and in the order in which they stand there."""
    found: list[Shown] = []
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "@decision(" in text:
            found += _marks(ast.parse(text), path.relative_to(TESTS.parent).as_posix())
    return found


def _marks(tree: ast.Module, file: str) -> Iterator[Shown]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "decision":
                    identity, sentence = (ast.literal_eval(argument) for argument in mark.args)
                    yield Shown(identity, sentence, file, node.name)


def conformance_tables() -> str:
    """For each decision a table of its sentences and tests."""
    shown = shown_sentences()
    parts = []
    for identity, about in DECISIONS.items():
        of_decision = (each for each in shown if each.decision == identity)
        rows = [f"| {each.sentence} | `{each.file}`: `{each.test}` |" for each in of_decision]
        parts += [f"### {identity}: {about}", "\n".join(["| demanded | shown by |", "| --- | --- |", *rows])]
    return "\n\n".join(parts)
