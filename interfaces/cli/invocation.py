"""What commands begin with: settings read and checked, logs on stderr, the database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import psycopg
import typer
from pydantic import ValidationError

from infrastructure.settings import Settings
from infrastructure.telemetry import configure_logging
from interfaces.bootstrap import System, build_system, database_urls, policies_of

EXIT_CHECK_FAILED = 1

ResultT = TypeVar("ResultT")

AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def settings_of_command() -> Settings:
    """The settings, with logging as they want it, so that no log line comes between what a command prints.

    Settings that are wrong are wrong usage. Raises `typer.BadParameter`.
    """
    try:
        settings = Settings()
        settings.vault_folder  # noqa: B018 - reading it checks BILLING_VAULT_URL.
        policies_of(settings)  # A process never starts with document policies that are wrong.
    except ValidationError as error:
        findings: list[Any] = [(detail["loc"], detail["msg"]) for detail in error.errors(include_input=False)]
        lines = [
            f"BILLING_{'_'.join(map(str, loc)).upper()}: {message}" if loc else message
            for loc, message in findings
        ]
        raise typer.BadParameter("; ".join(lines)) from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    configure_logging(settings.log_level, settings.log_format)
    return settings


def connected(settings: Settings) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection with the service's rights, in autocommit mode. Raises `psycopg.OperationalError`."""
    return psycopg.connect(database_urls(settings).service, autocommit=True, connect_timeout=5)


def with_system(use: Callable[[System], Awaitable[ResultT]]) -> ResultT:
    """What `use` makes of the settings' system, which is started for it and stopped afterwards."""

    async def run() -> ResultT:
        system = build_system(settings_of_command())
        await system.start()
        try:
            return await use(system)
        finally:
            await system.stop()

    return asyncio.run(run())
