"""Routes derived from the operation catalog: path, method, guards, success and error answers."""

from collections.abc import Callable
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from application.operations import COMMON_ERRORS, Operation
from interfaces.http.guards import guard
from interfaces.http.problems import MEDIA_TYPE, STATUS_OF_CODE, Problem

UNAUTHENTICATED_PATHS = "health, schema and metrics"


def route(operation: Operation, **options: Any) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Serves an operation with the decorated function."""
    codes = {*operation.errors, *(COMMON_ERRORS if operation.authenticated else ())}
    codes |= {"SERVICE_UNAVAILABLE", "INTERNAL_ERROR"}
    if operation.method in {"POST", "PUT"}:
        codes |= {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(STATUS_OF_CODE[code], []).append(code)
    responses = {
        status: ResponseSpec(
            data_container=Problem,
            media_type=MEDIA_TYPE,
            description=", ".join(of_status),
            generate_examples=False,
        )
        for status, of_status in by_status.items()
    }
    responses |= options.pop("responses", {})
    return HTTPRouteHandler(
        operation.path,
        http_method=operation.method,
        name=operation.name,
        operation_id=operation.name,
        summary=operation.summary,
        tags=[operation.name.partition(".")[0]],
        status_code=operation.success[0],
        guards=[guard],
        responses=responses,
        opt={"operation": operation},
        **options,
    )
