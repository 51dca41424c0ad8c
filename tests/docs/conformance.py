"""Which tests show which decision and rule, read from the marks on them (`tests/support/decisions.py`)."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.decisions import DECISIONS

TESTS = Path(__file__).resolve().parents[1]
RULES = TESTS.parent / "docs" / "rules"

_IMPORTS_MARK = re.compile(r"^from tests\.support\.decisions import .*\brule\b", re.MULTILINE)
"""Hypothesis has a `rule` of its own."""

_RULE = re.compile(r"^- \*\*([A-Z]+-[0-9]+)\*\* (.+?)(?=\n- |\n\n|\n?\Z)", re.MULTILINE | re.DOTALL)


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


def rules() -> dict[str, dict[str, str]]:
    """The rules of each contract in `docs/rules`, by its title: their sentences by their numbers."""
    found = {}
    for path in sorted(RULES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        title = text.partition("\n")[0].removeprefix("# ")
        found[title] = {number: " ".join(sentence.split()) for number, sentence in _RULE.findall(text)}
    return found


def shown_rules() -> dict[str, list[tuple[str, str]]]:
    """By the rule's number: the tests that show it, each by its file and its name; contract suites too."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(TESTS.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not _IMPORTS_MARK.search(text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for mark in node.decorator_list:
                    # The rules of a state machine (hypothesis) are marked alike, and take no number.
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "rule" and mark.args:
                        (number,) = (ast.literal_eval(argument) for argument in mark.args)
                        found[number].append((path.relative_to(TESTS.parent).as_posix(), node.name))
    return found


def rules_tables() -> str:
    """For each contract a table of its rules and tests."""
    shown = shown_rules()
    parts = []
    for title, sentences in rules().items():
        rows = [
            f"| {number} | {sentence} | {', '.join(f'`{file}`: `{test}`' for file, test in shown[number])} |"
            for number, sentence in sentences.items()
        ]
        parts += [f"### {title}", "\n".join(["| rule | | shown by |", "| --- | --- | --- |", *rows])]
    return "\n\n".join(parts)


def conformance_tables() -> str:
    """For each decision a table of its sentences and tests."""
    shown = shown_sentences()
    parts = []
    for identity, about in DECISIONS.items():
        of_decision = (each for each in shown if each.decision == identity)
        rows = [f"| {each.sentence} | `{each.file}`: `{each.test}` |" for each in of_decision]
        parts += [f"### {identity}: {about}", "\n".join(["| demanded | shown by |", "| --- | --- |", *rows])]
    return "\n\n".join(parts)
