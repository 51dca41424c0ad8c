"""The ledger as the application sees it: commands go to the committer's thread, reads to a pool."""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg_pool import AsyncConnectionPool

from application.ledger import Command, Committed, EventFilter, IdempotencyClaim, LedgerUnavailable
from application.ports import Clock
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from infrastructure.eventstore.answers import AnswerSeal
from infrastructure.eventstore.basis import STORED_COMMANDS, stored_command
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.literals import bytes_array
from infrastructure.eventstore.mapper import Parsed
from infrastructure.eventstore.reading import search_statement, stream_statement, streams_statement
from infrastructure.eventstore.rows import EventRow, row_from_columns
from infrastructure.eventstore.sealing import OpeningKeys

Pool = AsyncConnectionPool[psycopg.AsyncConnection[tuple[Any, ...]]]


_NOT_NOW = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.InvalidSchemaName,
)
"""What a database that is down, or not migrated yet, makes psycopg raise."""


# The limit, beyond what anybody would wait for, keeps the planner from scanning what all have been told.
_OUTBOX_PENDING: LiteralString = """
SELECT count(*) FROM (SELECT min(position) AS position FROM ledger.subscriber WHERE enabled) AS slowest
CROSS JOIN LATERAL (
    SELECT position, type FROM ledger.outbox WHERE outbox.position > slowest.position
    ORDER BY position LIMIT 1000000
) AS o
WHERE EXISTS (
    SELECT FROM ledger.subscriber AS s
    WHERE s.enabled AND s.position < o.position AND (s.types = '{}' OR o.type = ANY(s.types))
)
"""


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

    def __init__(
        self, pool: Pool, committer: Committer, reader: EventReader, answers: AnswerSeal, clock: Clock
    ) -> None:
        self._pool = pool
        self._committer = committer
        self._reader = reader
        self._answers = answers
        self._clock = clock

    async def commit(self, command: Command) -> Committed:
        """Hands a command to the committer and waits. Raises `DomainError`, `LedgerUnavailable`."""
        return await self._committer.submit_from_loop(command)

    async def stored(self, claim: IdempotencyClaim) -> Committed | None:
        """The answer stored under a key. Raises `IDEMPOTENCY_KEY_REUSED` if it was for another request."""
        async with reading_connection(self._pool) as connection:
            cursor = psycopg.AsyncRawCursor(connection)
            await cursor.execute(STORED_COMMANDS, (bytes_array([claim.key_hash]), self._clock.now()))
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
        return await self._recorded(statement, parameters)

    async def histories(self, streams: Collection[StreamId]) -> dict[StreamId, list[RecordedEvent]]:
        """The events of each stream, in order; streams without any are left out."""
        found: dict[StreamId, list[RecordedEvent]] = {}
        for event in await self._recorded(*streams_statement(streams)):
            found.setdefault(event.stream, []).append(event)
        return found

    async def rows_of(self, stream: StreamId) -> list[EventRow]:
        """A stream's stored rows, not read into facts: for proving that they are what was recorded."""
        return await self._rows(*stream_statement(stream, None, None, None))

    async def keys_of(self, parsed: Iterable[Parsed]) -> OpeningKeys:
        """The keys that reading these events takes, as they are now."""
        async with reading_connection(self._pool) as connection:
            return await self._reader.keys_async(connection, parsed)

    async def search(self, event_filter: EventFilter) -> list[RecordedEvent]:
        """Events in position order."""
        statement, parameters = search_statement(event_filter)
        return await self._recorded(statement, parameters)

    async def head_position(self) -> int:
        """The last committed position; 0 in an empty ledger."""
        return await self._number("SELECT position FROM ledger.event_head")

    async def outbox_pending(self) -> int:
        """How many outbound facts an enabled subscriber has not been told yet; 0 without subscribers."""
        return await self._number(_OUTBOX_PENDING)

    async def _number(self, statement: LiteralString) -> int:
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(statement)
            row = await cursor.fetchone()
        return 0 if row is None else int(row[0])

    async def _recorded(self, statement: sql.Composed, parameters: list[Any]) -> list[RecordedEvent]:
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(statement, parameters, binary=True)
            rows = [row_from_columns(columns) for columns in await cursor.fetchall()]
            return await self._reader.read_async(connection, rows)

    async def _rows(self, statement: sql.Composed, parameters: list[Any]) -> list[EventRow]:
        async with reading_connection(self._pool) as connection:
            cursor = await connection.execute(statement, parameters)
            return [row_from_columns(columns) for columns in await cursor.fetchall()]
