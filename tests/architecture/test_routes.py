"""Routes and guards are derived from the catalog: one route an operation, and no route beside it."""

from collections import Counter

import pytest
from litestar.handlers import HTTPRouteHandler

from application.operations import OPERATIONS
from application.operations.operation import Operation
from interfaces.http.app import ROUTES
from interfaces.http.guards import guard


def _operation(handler: HTTPRouteHandler) -> Operation:
    operation: Operation = handler.opt["operation"]
    return operation


def test_every_operation_has_exactly_one_route() -> None:
    served = Counter(_operation(handler).name for handler in ROUTES)
    assert served == Counter(operation.name for operation in OPERATIONS)


@pytest.mark.parametrize("handler", ROUTES, ids=lambda handler: handler.name)
def test_a_route_is_what_its_operation_says(handler: HTTPRouteHandler) -> None:
    operation = _operation(handler)
    assert operation in OPERATIONS
    assert (handler.paths, handler.http_methods) == (set(operation.paths), {operation.method})
    assert handler.status_code == operation.statuses[0]
    assert handler.name == operation.name


@pytest.mark.parametrize("handler", ROUTES, ids=lambda handler: handler.name)
def test_every_route_is_guarded(handler: HTTPRouteHandler) -> None:
    assert list(handler.guards or ()) == [guard]


def test_only_downloads_by_token_and_signed_notices_ask_for_no_bearer() -> None:
    assert {operation.name for operation in OPERATIONS if not operation.authenticated} == {
        "documents.download",
        "artifacts.download",
        "payments.notify",
    }
