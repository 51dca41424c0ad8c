"""Error codes: every one that is raised has its HTTP status, and every one with a status is raised."""

import ast
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from application.operations import OPERATIONS
from application.operations.operation import COMMON_ERRORS
from domain.kernel.errors import DomainError
from interfaces.http import problems
from interfaces.http.problems import STATUS_OF_CODE, envelope
from tests.support.source_tree import modules, name_of, parsed

PROBLEMS = "interfaces/http/problems.py"
"""The one module that turns HTTP's own errors into codes, by a table."""


def _raised() -> Iterator[tuple[str, str]]:
    """Where a code is raised, and which."""
    for path in modules():
        for node in ast.walk(parsed(path)):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != "DomainError" or not node.args:
                continue
            place = f"{name_of(path)}:{node.lineno}"
            code = node.args[0]
            if isinstance(code, ast.Constant) and isinstance(code.value, str):
                yield place, code.value
            else:
                assert name_of(path) == PROBLEMS, f"{place} raises a code that is no literal"


def _told_of_http() -> set[str]:
    """The codes that stand for HTTP's own errors."""
    found = set()
    for node in ast.walk(parsed(next(path for path in modules() if name_of(path) == PROBLEMS))):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_CODE_OF_STATUS":
            found = set(ast.literal_eval(node.value).values())
    assert found
    return found


def test_every_code_that_is_raised_has_a_status() -> None:
    assert [(place, code) for place, code in _raised() if code not in STATUS_OF_CODE] == []


def test_every_code_with_a_status_is_raised() -> None:
    assert set(STATUS_OF_CODE) - {code for _, code in _raised()} - _told_of_http() == set()


def test_every_error_of_the_catalog_has_a_status() -> None:
    listed = {code for operation in OPERATIONS for code in operation.errors} | set(COMMON_ERRORS)
    assert listed <= set(STATUS_OF_CODE)


@pytest.mark.parametrize("code", sorted(STATUS_OF_CODE))
def test_every_code_has_an_envelope(code: str) -> None:
    body = envelope(DomainError(code, "A sentence."), "trace-1")
    assert (body["code"], body["errorCode"], body["status"]) == (code, code, STATUS_OF_CODE[code])
    assert body["title"] == HTTPStatus(STATUS_OF_CODE[code]).phrase
    assert set(problems.Problem.model_validate(body).model_dump(by_alias=True)) == set(body)


def test_only_problems_know_http_statuses() -> None:
    found = [
        name_of(path)
        for path in modules("domain", "application", "projections")
        if "HTTPStatus" in path.read_text(encoding="utf-8")
    ]
    assert not found
