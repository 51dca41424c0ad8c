"""Runs the projections' queries: SQLAlchemy statements, compiled once, over a psycopg pool."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from psycopg import sql
from psycopg.rows import dict_row
from sqlalchemy import Select, Table
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.util import find_tables

from application.ports import Found, ReadStoreUnavailable
from infrastructure.eventstore.ledger import Pool, reading_connection
from infrastructure.eventstore.recorder import POLL_SECONDS

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]

_POSITION = """
SELECT CASE WHEN count(*) = %s THEN coalesce(min(position), 0) ELSE 0 END
FROM readmodel.tracking WHERE projection = ANY(%s)
"""

_LOCK = sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE")


def compiled(statement: Select[Any]) -> tuple[bytes, dict[str, Any]]:
    """A statement as psycopg takes it: its text and its parameters."""
    result = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(result).encode(), dict(result.params)


class PostgresReadStore:
    """`application.ports.ReadStore` on PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetch(self, projections: Sequence[str], *statements: Select[Any]) -> Found:
        """Runs statements in one snapshot with the projections' position. Raises `ReadStoreUnavailable`."""
        queries = [compiled(statement) for statement in statements]
        tables = _table_names(statements)
        async with (
            reading_connection(self._pool, ReadStoreUnavailable) as connection,
            connection.pipeline(),
        ):
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if tables:
                # Before the snapshot is taken: a table that a rebuild swaps in later would look empty.
                await connection.execute(_LOCK.format(sql.SQL(", ").join(tables)))
            positions = await connection.execute(_POSITION, (len(projections), list(projections)))
            cursors = []
            for query, parameters in queries:
                cursor = connection.cursor(row_factory=dict_row)
                await cursor.execute(query, parameters)
                cursors.append(cursor)
            await connection.execute("COMMIT")
            position = await positions.fetchone()
            results = [await cursor.fetchall() for cursor in cursors]
        return Found(results, 0 if position is None else int(position[0]))

    async def wait_for(self, projections: Sequence[str], position: int, timeout_seconds: float) -> bool:
        """Waits until the projections have reached a position; False when time runs out."""
        give_up_at = time.monotonic() + timeout_seconds
        while await self.position(projections) < position:
            if time.monotonic() >= give_up_at:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def position(self, projections: Sequence[str]) -> int:
        """How far the slowest of the projections has come."""
        return (await self.fetch(projections)).position


def _table_names(statements: Sequence[Select[Any]]) -> list[sql.Identifier]:
    """The tables that the statements read, subqueries included, in the order in which all lock them."""
    tables = {
        table
        for statement in statements
        for table in find_tables(statement, check_columns=True)
        if isinstance(table, Table)
    }
    return [
        sql.Identifier(table.schema or "", table.name)
        for table in sorted(tables, key=lambda table: table.name)
    ]
