"""`billing operations`: the catalog, what no route leads to, and what leaves the house."""

import json

import pytest

from application.operations import OPERATIONS
from application.operations.operation import Operation
from application.operations.unrouted import UNROUTED_OPERATIONS, UnroutedOperation
from infrastructure.external_calls import EXTERNAL_CALLS, ExternalCall
from interfaces.cli.main import main

Table = tuple[Operation, ...] | tuple[UnroutedOperation, ...] | tuple[ExternalCall, ...]


def _printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["operations", *arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "table"),
    [((), OPERATIONS), (("--unrouted",), UNROUTED_OPERATIONS), (("--external",), EXTERNAL_CALLS)],
)
def test_each_table_is_printed(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], table: Table
) -> None:
    code, out = _printed(capsys, *arguments, "--json")
    assert (code, json.loads(out)) == (0, {"items": [row.row() for row in table]})
    code, out = _printed(capsys, *arguments)
    assert (code, [line.split()[0] for line in out.splitlines()]) == (0, [row.name for row in table])


def test_one_table_is_asked_for_at_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert _printed(capsys, "--external", "--unrouted")[0] == 2
