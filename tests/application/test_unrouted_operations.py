"""What no route leads to: every row says why a repeat changes nothing, and no event names anything else."""

import ast
import re
from importlib import import_module

import pytest
import typer.main

from application.operations import OPERATIONS
from application.operations.operation import Operation
from application.operations.unrouted import ERASE_SUBJECT, UNROUTED_OPERATIONS, UnroutedOperation
from domain.streams import REGISTRY
from interfaces.cli.main import app
from tests.support.decisions import decision, rule
from tests.support.golden import UNROUTED_OPERATIONS_FILE, golden_unrouted_operations
from tests.support.source_tree import modules, name_of, parsed

RECORDED = {operation.name for operation in (*OPERATIONS, *UNROUTED_OPERATIONS)}

every_operation = pytest.mark.parametrize(
    "operation", UNROUTED_OPERATIONS, ids=lambda operation: operation.name
)


def test_the_table_is_the_golden_one() -> None:
    assert golden_unrouted_operations() == UNROUTED_OPERATIONS_FILE.read_text(encoding="utf-8")


def test_every_operation_that_there_is_stands_in_one_of_the_tables_once() -> None:
    tables = (*OPERATIONS, *UNROUTED_OPERATIONS)
    assert len(RECORDED) == len(tables)
    defined = {
        id(value)
        for path in modules("application")
        if name_of(path).startswith("application/operations/")
        for value in vars(import_module(_module(name_of(path)))).values()
        if isinstance(value, Operation | UnroutedOperation)
    }
    assert defined == set(map(id, tables))


@rule("AUDIT-8")
def test_an_event_names_an_operation_of_the_tables() -> None:
    """Whoever says in the name of what they write takes it from a row, and every row is in a table."""
    named = [
        (name_of(path), ast.unparse(keyword.value))
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Audit"
        for keyword in node.keywords
        if keyword.arg == "operation"
    ]
    assert len(named) >= 6
    assert not [
        (where, told) for where, told in named if not re.fullmatch(r"(operation|[A-Z_]+)\.name", told)
    ]


@every_operation
def test_a_row_says_what_auditors_ask(operation: UnroutedOperation) -> None:
    row = operation.row()
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*", operation.name)
    assert row["summary"] and row["success"] and row["causedBy"]
    assert row["idempotency"]["required"] and all(row["idempotency"].values())
    assert row["audit"]["events"]


@every_operation
def test_it_follows_from_an_operation_or_a_command_that_there_is(operation: UnroutedOperation) -> None:
    for cause in operation.caused_by:
        assert cause in RECORDED or _is_command(cause)


@rule("AUDIT-3")
@decision("S2", "What workers do outside is recorded as well, under an operation with a row of its own")
@every_operation
def test_what_it_is_recorded_as_is_stored(operation: UnroutedOperation) -> None:
    for name in operation.audit_events:
        REGISTRY.by_name(name)


def test_an_erasure_may_be_told_to_every_stream_that_holds_personal_data() -> None:
    told = {each.name for each in REGISTRY.event_types() if each.name.endswith(".personal-data-erased")}
    assert set(ERASE_SUBJECT.audit_events) == told


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _is_command(cause: str) -> bool:
    """Whether it is `billing` and the words of a command."""
    program, *words = cause.split()
    command = typer.main.get_command(app)
    for word in words:
        command = getattr(command, "commands", {}).get(word)
    return program == "billing" and command is not None
