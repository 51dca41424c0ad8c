"""The guards that HTTP decides before a handler runs: Auth, then Permission (contract §3).

Ownership and Scope follow where the thing asked for is known, Idempotency and Policy under the ledger's lock.
Audit is not a guard to be forgotten: every event carries its actor, and without events nothing happened.
"""

import asyncio
import functools
from typing import Any, get_args

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers.base import BaseRouteHandler
from litestar.params import HeaderParameter, QueryParameter

from application.caller import Caller
from application.desk import Desk
from application.identity import TokenClaims, TokenRefused
from application.operations.operation import Operation
from application.validation import invalid_field
from domain.kernel.errors import DomainError, not_found
from interfaces.bootstrap import System

AnyRequest = Request[Any, Any, Any]

_USER_ID_MAX_LENGTH = 64
_DEVICE_MAX_LENGTH = 300


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Auth and Permission, by the operation's row in the catalog."""
    operation: Operation = handler.opt["operation"]
    if operation.authenticated:
        await _permitted(connection, operation)
    _refuse_unstorable(connection)
    _refuse_null(connection, handler)


async def _permitted(connection: ASGIConnection[Any, Any, Any, Any], operation: Operation) -> None:
    caller = await _authenticated(connection)
    if not caller.holds_any(operation.permissions):
        raise DomainError("PERMISSION_DENIED", "The token does not permit this.")
    connection.scope["state"]["caller"] = caller


def _refuse_unstorable(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """A zero byte cannot be in any text that the ledger keeps, and PostgreSQL refuses to look for one."""
    if any("\x00" in str(value) for value in connection.path_params.values()):
        raise not_found("What the path names")
    for name, value in connection.query_params.multi_items():
        if "\x00" in value:
            raise invalid_field(name, "INVALID", "A zero byte is not allowed.")


def _refuse_null(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Litestar reads the text `null` as if the parameter were left out, and a filter would not filter."""
    for name, is_header in _wordless(handler):
        values = connection.headers if is_header else connection.query_params
        if any(value.strip().lower() == "null" for value in values.getall(name, [])):
            raise invalid_field(name, "INVALID", "It is left out where it has no value.")


@functools.cache
def _wordless(handler: BaseRouteHandler) -> tuple[tuple[str, bool], ...]:
    """The optional parameters of which `null` is no value, for they take no free text; which are headers."""
    told = {
        field.kwarg_definition: get_args(field.annotation)
        for field in handler.parsed_fn_signature.parameters.values()
        if field.is_optional and isinstance(field.kwarg_definition, QueryParameter | HeaderParameter)
    }
    return tuple(
        (parameter.name, isinstance(parameter, HeaderParameter))
        for parameter, kinds in told.items()
        if parameter.name and str not in kinds and list[str] not in kinds
    )


def caller_of(request: AnyRequest) -> Caller:
    """Who asks, as the guard found out."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


async def caller_if_told(request: AnyRequest) -> Caller | None:
    """Who asks, where no bearer token is needed; None without one. Raises `UNAUTHENTICATED`."""
    return await _authenticated(request) if "authorization" in request.headers else None


def origin_of(request: AnyRequest) -> tuple[str | None, str | None]:
    """The address and the device that the request shows."""
    client = request.scope.get("client")
    device = request.headers.get("user-agent", "")[:_DEVICE_MAX_LENGTH] or None
    return client[0] if client else None, device


def desk_of(request: AnyRequest) -> Desk:
    """By whose policies documents are made for who asks."""
    return Desk(system_of(request).policies, caller_of(request).tenant)


def system_of(request: AnyRequest) -> System:
    """The system that the application serves."""
    system: System = request.app.state["system"]
    return system


async def _authenticated(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise DomainError("UNAUTHENTICATED", "A bearer token is needed.")
    claims = await _verified(connection.app.state["system"], token.strip())
    on_behalf_of = None
    if "SYSTEM" in claims.roles:
        on_behalf_of = connection.headers.get("x-user-id", "")[:_USER_ID_MAX_LENGTH] or None
    return Caller(claims, connection.scope["state"]["correlation_id"], on_behalf_of)


async def _verified(system: System, token: str) -> TokenClaims:
    known = system.tokens.known(token)
    if known is not None:
        return known
    try:
        return await asyncio.to_thread(system.tokens.verify, token)
    except TokenRefused:
        raise DomainError("UNAUTHENTICATED", "The bearer token is not accepted.") from None
