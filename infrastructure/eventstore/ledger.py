"""The ledger as the application sees it: commands go to the committer's thread, reads to a pool."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from application.ledger import Command, Committed, EventFilter, IdempotencyClaim, LedgerUnavailable
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.eventstore.reading import recorded, search_statement, stream_statement
from infrastructure.eventstore.recorder import SELECT_STORED_COMMANDS, stored_command
from infrastructure.eventstore.rows import EventRow, row_from_columns

Pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]]


_NOT_NOW = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
)
"""What a database that is down, or not migrated yet, makes psycopg raise."""


@asynccontextmanager
async def reading_connection(
    pool: Pool, error_type: type[Exception] = LedgerUnavailable
) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
    """A connection of the pool; a database that cannot serve now becomes the application's word for it."""
    try:
        async with pool.connection() as connection:
            yield connection
    except _NOT_NOW as error:
        # When one connection is lost, the pool's others are too, as after a restart of the server.
        await pool.check()
        raise error_type("the database cannot be reached, or is not migrated") from error


class PostgresLedger:
    """`application.ledger.Ledger` on PostgreSQL."""

    def __init__(self, pool: Pool, committer: Committer, mapper: LedgerMapper, answers: AnswerSeal) -> None:
        self._pool = pool
        self._committer = committer
        self._mapper = mapper
        self._answers = answers

    async def commit(self, command: Command) -> Committed:
        """Hands a command to the committer and waits. Raises `DomainError`, `LedgerUnavailable`."""
        return await asyncio.wrap_future(self._committer.submit(command))

    async def stored(self, claim: IdempotencyClaim) -> Committed | None:
        """The answer stored under a key. Raises `IDEMPOTENCY_KEY_REUSED` if it was for another request."""
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(SELECT_STORED_COMMANDS, ([claim.key_hash],))
            row = await cursor.fetchone()
        return None if row is None else self._answers.replay(stored_command(row), claim)

    async def history(
        self,
        stream: StreamId,
        *,
        up_to_version: int | None = None,
        up_to_position: int | None = None,
        as_of: datetime | None = None,
    ) -> list[RecordedEvent]:
        """A stream's events in order, up to a version, a position or a recorded time (inclusive)."""
        statement, parameters = stream_statement(stream, up_to_version, up_to_position, as_of)
        return [recorded(self._mapper, row) for row in await self._rows(statement, parameters)]

    async def rows_of(self, stream: StreamId) -> list[EventRow]:
        """A stream's stored rows, not read into facts: for proving that they are what was recorded."""
        return await self._rows(*stream_statement(stream, None, None, None))

    async def search(self, event_filter: EventFilter) -> list[RecordedEvent]:
        """Events in position order."""
        statement, parameters = search_statement(event_filter)
        return [recorded(self._mapper, row) for row in await self._rows(statement, parameters)]

    async def head_position(self) -> int:
        """The last committed position; 0 in an empty ledger."""
        return await self._number("SELECT position FROM ledger.event_head")

    async def outbox_pending(self) -> int:
        """How many outbound facts have not been delivered yet."""
        return await self._number("SELECT count(*) FROM ledger.outbox WHERE delivered_at IS NULL")

    async def _number(self, statement: LiteralString) -> int:
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(statement)
            row = await cursor.fetchone()
        return 0 if row is None else int(row[0])

    async def _rows(self, statement: sql.Composed, parameters: list[Any]) -> list[EventRow]:
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(statement, parameters)
            return [row_from_columns(columns) for columns in await cursor.fetchall()]
