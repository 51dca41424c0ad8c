"""Doing a thing again and again until the process shall end, whatever happens to it in between."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from application.ledger import LedgerUnavailable
from application.ports import ReadStoreUnavailable

log = structlog.get_logger(__name__)

NOT_NOW = (psycopg.OperationalError, psycopg.InterfaceError, LedgerUnavailable, ReadStoreUnavailable)
"""What a database that cannot be reached makes a step raise."""


async def repeat(
    name: str, step: Callable[[], Awaitable[float]], stopping: asyncio.Event, *, again_seconds: float
) -> None:
    """Takes a step, rests for as many seconds as it answers, and so on until `stopping` is set.

    A step that fails is logged under the name, by its error's type where only the database cannot be reached,
    and taken again after `again_seconds`.
    """
    while not stopping.is_set():
        pause_seconds = again_seconds
        try:
            pause_seconds = await step()
        except NOT_NOW as error:
            log.warning(f"{name}-interrupted", error=type(error).__name__)
        except Exception:
            log.exception(f"{name}-failed")
        await rest(stopping, pause_seconds)


async def rest(stopping: asyncio.Event, seconds: float) -> None:
    """Waits so long, or until `stopping` is set."""
    try:
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
    except TimeoutError:
        return
