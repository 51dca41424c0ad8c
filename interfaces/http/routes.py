"""Routes derived from the operation catalog: path, method, guards, success and error answers."""

from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, get_args, get_type_hints

from litestar import Response
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec

from application.operations.operation import COMMON_ERRORS, Operation
from interfaces.http.guards import guard
from interfaces.http.openapi import DescribedOperation
from interfaces.http.problems import MEDIA_TYPE, STATUS_OF_CODE, Problem

_TRACE_HEADERS = (
    ResponseHeader(
        name="traceparent",
        description="W3C trace context of this answer",
        required=True,
        documentation_only=True,
    ),
    ResponseHeader(
        name="X-Correlation-Id",
        description="the trace id, as in `correlationId`",
        required=True,
        documentation_only=True,
    ),
)
_POSITION_HEADER = ResponseHeader(
    name="X-Ledger-Position",
    description="the position that a query shows, or of a command's last event",
    documentation_only=True,
)


def route(operation: Operation, **options: Any) -> Callable[[Callable[..., Any]], HTTPRouteHandler]:
    """Serves an operation with the decorated function, whose `Response[…]` says what a success looks like."""

    def decorate(function: Callable[..., Any]) -> HTTPRouteHandler:
        first, *others = operation.statuses
        responses = _problems(operation)
        for status in others:
            responses[status] = ResponseSpec(
                data_container=get_args(get_type_hints(function)["return"])[0], generate_examples=False
            )
        responses |= options.pop("responses", {})
        options.setdefault("operation_class", DescribedOperation)
        handler = HTTPRouteHandler(
            list(operation.paths),
            http_method=operation.method,
            name=operation.name,
            operation_id=_openapi_id,
            summary=operation.summary,
            tags=[operation.name.partition(".")[0]],
            status_code=first,
            guards=[guard],
            responses=responses,
            response_headers=[*_TRACE_HEADERS, _POSITION_HEADER],
            security=[{"bearer": []}] if operation.authenticated else None,
            opt={"operation": operation},
            **options,
        )
        return handler(function)

    return decorate


def options_of(handlers: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """What answers OPTIONS where several handlers share a path; they come before those handlers.

    Litestar's own answer names the methods of the first of them alone.
    """
    methods: dict[str, set[str]] = {}
    for handler in handlers:
        for path in handler.paths:
            methods.setdefault(path, {"OPTIONS"}).update(handler.http_methods)
    shared = Counter(path for handler in handlers for path in handler.paths)
    return [_options(path, sorted(methods[path])) for path, times in shared.items() if times > 1]


def _options(path: str, methods: list[str]) -> HTTPRouteHandler:
    async def allowed() -> Response[None]:
        return Response(None, headers={"Allow": ", ".join(methods)})

    handler = HTTPRouteHandler(
        path, http_method="OPTIONS", status_code=HTTPStatus.NO_CONTENT, include_in_schema=False
    )
    return handler(allowed)


def _openapi_id(handler: HTTPRouteHandler, _: Any, path_components: list[Any]) -> str:
    """One id for each path of an operation; the second mount's ends with its name."""
    operation: Operation = handler.opt["operation"]
    named = operation.openapi_id or operation.name
    return named if path_components[0] == "v1" else f"{named}.{path_components[0]}"


def _problems(operation: Operation) -> dict[int, ResponseSpec]:
    """The error answers of an operation, with the codes of each status."""
    codes = {*operation.errors, *(COMMON_ERRORS if operation.authenticated else ("VALIDATION_FAILED",))}
    codes |= {"SERVICE_UNAVAILABLE", "INTERNAL_ERROR"}
    if operation.method in {"POST", "PUT"}:
        codes |= {"PAYLOAD_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE"}
    by_status: dict[int, list[str]] = {}
    for code in sorted(codes):
        by_status.setdefault(STATUS_OF_CODE[code], []).append(code)
    return {
        status: ResponseSpec(
            data_container=Problem,
            media_type=MEDIA_TYPE,
            description=", ".join(of_status),
            generate_examples=False,
        )
        for status, of_status in by_status.items()
    }
