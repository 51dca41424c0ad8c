"""The Litestar application: routes from the catalog, one envelope for every error, one trace a request."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from litestar import Litestar, Response, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.plugins.pydantic import PydanticPlugin

from interfaces.bootstrap import System
from interfaces.http import health
from interfaces.http.bodies import MAX_BODY_BYTES
from interfaces.http.commands import artifacts as artifact_commands
from interfaces.http.commands import auth, downloads, gateways, inbound, resends
from interfaces.http.commands import billing_rules as rules_commands
from interfaces.http.commands import checkout as checkout_commands
from interfaces.http.commands import documents as document_commands
from interfaces.http.commands import fiscal_profiles as profile_commands
from interfaces.http.commands import invoices as invoice_commands
from interfaces.http.commands import number_series as series_commands
from interfaces.http.commands import payables as payable_commands
from interfaces.http.commands import payments as payment_commands
from interfaces.http.commands import policies as policy_commands
from interfaces.http.commands import receipts as receipt_commands
from interfaces.http.problems import handle_exception
from interfaces.http.queries import (
    artifacts,
    audit,
    billing_rules,
    checkout,
    documents,
    fiscal_profiles,
    invoices,
    meta,
    notifications,
    number_series,
    operations,
    payables,
    payments,
    policies,
    receipts,
    tasks,
)
from interfaces.http.routes import options_of

ROUTES = (
    *inbound.HANDLERS,
    *series_commands.HANDLERS,
    *downloads.HANDLERS,
    *(*document_commands.HANDLERS, *documents.HANDLERS),
    *number_series.HANDLERS,
    *tasks.HANDLERS,
    *audit.HANDLERS,
    *operations.HANDLERS,
    *rules_commands.HANDLERS,
    *billing_rules.HANDLERS,
    *auth.HANDLERS,
    *invoice_commands.HANDLERS,
    *invoices.HANDLERS,
    *policy_commands.HANDLERS,
    *policies.HANDLERS,
    *meta.HANDLERS,
    *(*checkout_commands.HANDLERS, *checkout.HANDLERS),
    *(*artifacts.HANDLERS, *artifact_commands.HANDLERS),
    *(*profile_commands.HANDLERS, *fiscal_profiles.HANDLERS),
    *(*resends.HANDLERS, *notifications.HANDLERS),
    *(*payment_commands.HANDLERS, *payments.HANDLERS, *gateways.HANDLERS),
    *(*payable_commands.HANDLERS, *payables.HANDLERS),
    *(*receipts.HANDLERS, *receipt_commands.HANDLERS),
)


def create_app(system: System, metrics_text: Callable[[int | None], bytes]) -> Litestar:
    """The application over a system, which it starts and stops."""

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await system.start()
        try:
            yield
        finally:
            await system.stop()

    return Litestar(
        route_handlers=[*options_of(ROUTES), *ROUTES, *health.HANDLERS],
        lifespan=[lifespan],
        state=State({"system": system, "metrics_text": metrics_text}),
        exception_handlers={HTTPException: handle_exception, Exception: handle_exception},
        plugins=[PydanticPlugin(prefer_alias=True)],
        openapi_config=_openapi(),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        debug=False,
    )


def _missing_page_as_problem(response: Response[Any]) -> Response[Any]:
    """Litestar answers an unknown page below /schema with HTML of its own."""
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NotFoundException
    return response


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="billing-docs",
        version="1",
        openapi_router=Router(
            "/schema", route_handlers=[], include_in_schema=False, after_request=_missing_page_as_problem
        ),
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        render_plugins=[SwaggerRenderPlugin(), JsonRenderPlugin(path="/openapi.json")],
    )
