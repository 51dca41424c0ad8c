"""Keeps the command log's weeks: makes the coming ones in time, drops those whose keys have all expired."""

import asyncio
from datetime import datetime, timedelta

import psycopg
import structlog

from application.ports import Clock
from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.deciding import KEY_LIFETIME
from infrastructure.looping import repeat
from infrastructure.readstore.ownership import try_to_lock

log = structlog.get_logger(__name__)

AHEAD = KEY_LIFETIME + timedelta(days=14)
"""Weeks are there a fortnight before the first key can fall into them, should no worker run for so long."""
EVERY_SECONDS = 3600.0
AGAIN_SECONDS = 5.0


def keep_command_log(database_url: str, now: datetime) -> list[str]:
    """Brings the partitions up to date for that moment (UTC); returns the names of those dropped.

    Each step is a transaction of its own that takes its locks at once or not at all. Raises
    `psycopg.errors.LockNotAvailable` where somebody is in the way: try again soon. Does nothing while another
    process is at it.
    """
    dropped: list[str] = []
    with psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS) as connection:
        # Without a lease: to drop what fell into no week for long may take longer than one grants.
        if not try_to_lock(connection, "command-log"):
            return dropped
        connection.execute("SELECT ledger.create_command_partitions(%s, %s)", (now, now + AHEAD))
        while name := _drop_one(connection, now):
            dropped.append(name)
    return dropped


def _drop_one(connection: psycopg.Connection[tuple[str | None]], now: datetime) -> str | None:
    row = connection.execute("SELECT ledger.drop_expired_commands(%s)", (now,)).fetchone()
    return None if row is None else row[0]


class CommandLogKeeper:
    """Does so every hour for as long as the process lives."""

    def __init__(self, database_url: str, clock: Clock) -> None:
        self._database_url = database_url
        self._clock = clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Keeps the command log until `stopping` is set."""
        await repeat("command-log", self._keep, stopping, again_seconds=AGAIN_SECONDS)

    async def _keep(self) -> float:
        try:
            dropped = await asyncio.to_thread(keep_command_log, self._database_url, self._clock.now())
        except psycopg.errors.LockNotAvailable:
            # On a busy ledger the next try finds a gap.
            log.info("command-log-postponed")
            return AGAIN_SECONDS
        if dropped:
            log.info("command-log-dropped", partitions=dropped)
        return EVERY_SECONDS
