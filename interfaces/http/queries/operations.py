"""The operation catalog as clients read it (contract §3)."""

from typing import Any

from litestar import Response

from application.operations import OPERATIONS
from application.operations.catalog import LIST_OPERATIONS
from domain.kernel.facts import Value
from interfaces.http.routes import route


class Catalog(Value):
    """Every operation, a row each."""

    items: list[dict[str, Any]]


@route(LIST_OPERATIONS)
async def list_operations() -> Response[Catalog]:
    """Every operation of the service."""
    return Response(Catalog(items=[operation.row() for operation in OPERATIONS]))


HANDLERS = (list_operations,)
